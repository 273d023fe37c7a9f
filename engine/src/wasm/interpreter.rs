//! The interpreter that the engine brings. Once on a machine it is started, imports its
//! library, and is kept in that state as the component that scripts run on. Knows no
//! script.

mod memory;
mod snapshot;

use std::sync::Arc;

use thiserror::Error;

use super::cache::{self, Digest};

/// What takes long and is done once on a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Another process is at it.
    Waiting,
    /// The interpreter is made ready to be started.
    Loading,
    /// It starts and imports its library.
    Starting,
    /// It is compiled for this machine.
    Compiling,
    /// There is no more to do.
    Done,
}

/// Who is told of the steps. Not called when everything has been done before.
pub type Watch = Arc<dyn Fn(Step) + Send + Sync>;

/// Why there is no interpreter.
#[derive(Debug, Error)]
pub enum PrepareError {
    /// Its library has no place.
    #[error(
        "cannot prepare Python: no place for its library in {place}: {cause}; free 50 MiB or set TMPDIR"
    )]
    Unpack {
        /// Where it was tried last.
        place: String,
        /// Why.
        cause: std::io::Error,
    },
    /// It does not start.
    #[error("cannot prepare Python: {0}")]
    Start(String),
    /// What was kept of it is no use.
    #[error("the cache of compiled components is damaged; remove ~/.cache/aiotest-engine")]
    Damaged,
}

/// The interpreter, ready to run scripts.
pub(super) struct Interpreter {
    pub(super) component: Vec<u8>,
    pub(super) digest: Digest,
}

impl Interpreter {
    /// Takes it from the cache, or makes it.
    pub(super) fn ready(watch: &Watch) -> Result<Self, PrepareError> {
        let name = format!(
            "python-{}-{}.snapshot",
            env!("CARGO_PKG_VERSION"),
            aiotest_python::VERSION
        );
        // The digest of so many bytes takes longer than reading them: it is kept with them.
        let make = || {
            let mut component = snapshot::take(watch)?;
            let digest = Digest::of([&component[..]]);
            component.extend(digest.0);
            Ok(component)
        };
        let mut component = cache::keep(&name, || watch(Step::Waiting), make)?;
        let digest = component
            .last_chunk()
            .copied()
            .ok_or(PrepareError::Damaged)?;
        component.truncate(component.len() - digest.len());
        Ok(Interpreter {
            component,
            digest: Digest(digest),
        })
    }
}
