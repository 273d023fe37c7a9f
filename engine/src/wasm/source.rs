//! A scenario's file, read but not compiled: a component, a script for the interpreter,
//! or a component that was built of one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::cache::{Code, Digest};
use super::component::{Outline, outline};
use super::interpreter::{Interpreter, Watch};
use super::plugin::PluginError;
use super::sections;
use crate::script::{Bundle, Library, Script};

/// See above.
pub struct Source {
    pub(super) path: PathBuf,
    pub(super) code: Code,
    pub(super) outline: Outline,
    pub(super) script: Option<Arc<Script>>,
    pub(super) watch: Watch,
}

impl Source {
    /// Reads a component and its outline.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is no scenario.
    pub fn read(path: &Path, watch: Watch) -> Result<Self, PluginError> {
        match std::fs::read(path) {
            Ok(bytes) => Self::of_component(path, bytes, watch),
            Err(cause) => Err(PluginError::Read {
                path: path.to_owned(),
                cause,
            }),
        }
    }

    fn of_component(path: &Path, bytes: Vec<u8>, watch: Watch) -> Result<Self, PluginError> {
        let path = path.to_owned();
        let outline = match outline(&bytes) {
            Ok(outline) => outline,
            Err(cause) => return Err(PluginError::NotAScenario { path, cause }),
        };
        let parts = sections::split(&bytes);
        let script = parts.script.map(|bundle| {
            let library = Library::packed(parts.library.unwrap_or_default().to_vec());
            Script::of_bundle(bundle.to_vec(), library)
        });
        let digest = Digest::of(parts.code);
        let script = match script.transpose() {
            Ok(script) => script.map(Arc::new),
            Err(cause) => return Err(PluginError::Script { path, cause }),
        };
        Ok(Source {
            path,
            outline,
            // Others are compiled in no time.
            watch: match script {
                Some(_) => watch,
                None => Arc::new(|_| {}),
            },
            script,
            code: Code::new(bytes, digest),
        })
    }

    /// A script, and the interpreter that runs it.
    ///
    /// # Errors
    ///
    /// When the interpreter cannot be made ready.
    pub fn of_script(path: &Path, script: Script, watch: Watch) -> Result<Self, PluginError> {
        let Interpreter { component, digest } = Interpreter::ready(&watch)?;
        let outline = match outline(&component) {
            Ok(outline) => outline,
            Err(cause) => {
                return Err(PluginError::NotAScenario {
                    path: path.to_owned(),
                    cause,
                });
            }
        };
        Ok(Source {
            path: path.to_owned(),
            code: Code::new(component, digest),
            outline,
            script: Some(Arc::new(script)),
            watch,
        })
    }

    /// The outside of the component.
    pub fn outline(&self) -> &Outline {
        &self.outline
    }

    /// The script that the component runs, if it is an interpreter.
    pub fn script(&self) -> Option<&Arc<Script>> {
        self.script.as_ref()
    }

    /// The component that brings this bundle of the script, to be written to `path`.
    ///
    /// # Errors
    ///
    /// When it would not be a scenario.
    pub fn with_bundle(&self, bundle: &Bundle, path: &Path) -> Result<Self, PluginError> {
        let mut bytes = self.code.bytes.clone();
        sections::add(&mut bytes, &bundle.archive, aiotest_python::LIBRARY);
        Self::of_component(path, bytes, self.watch.clone())
    }

    /// The component.
    pub fn bytes(&self) -> &[u8] {
        &self.code.bytes
    }
}
