//! What a file is and what it exports and imports, read before anything is compiled.

use thiserror::Error;
use wasmparser::{Encoding, Parser, Payload};

/// The interface version this engine speaks.
pub const INTERFACE_VERSION: &str = "0.1.0";

/// How the functions of a scenario that wait are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convention {
    /// Plain functions; the host suspends the sandbox.
    Blocking,
    /// Async functions; calls overlap.
    Async,
    /// One function that serves all users of a sandbox, to which calls are events.
    EventLoop,
}

impl Convention {
    /// As shown to people.
    pub fn as_str(self) -> &'static str {
        match self {
            Convention::Blocking => "blocking",
            Convention::Async => "async",
            Convention::EventLoop => "event-loop",
        }
    }
}

/// The outside of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// Calling convention.
    pub convention: Convention,
    /// Exports a load shape.
    pub shape: bool,
    /// Exports hooks.
    pub hooks: bool,
    /// Exports an observer of the run's events.
    pub observer: bool,
    /// Names of its imports.
    pub imports: Vec<String>,
    /// Bytes that its largest linear memory has from the start.
    pub memory: u64,
    /// Elements that its largest table has from the start.
    pub table: u64,
}

/// Why a file is no scenario.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum NotAScenario {
    /// Zero bytes.
    #[error("the file is empty")]
    Empty,
    /// No WebAssembly at all.
    #[error(
        "not a WebAssembly file; build a component, for example with target wasm32-wasip2, or \
         give a Python script a name that ends in .py"
    )]
    NotWasm,
    /// A module without the component layer.
    #[error(
        "a core WebAssembly module, not a component; build it with target wasm32-wasip2 \
         or wrap it with a componentizer"
    )]
    CoreModule,
    /// It ends early or is malformed.
    #[error("truncated or malformed: {0}")]
    Malformed(String),
    /// A component of another kind.
    #[error(
        "a component, but no scenario: it exports none of aiotest:engine/scenario, \
         blocking-scenario and event-loop-scenario ({0})"
    )]
    WrongWorld(String),
    /// Built for another interface.
    #[error(
        "built for interface aiotest:engine@{found}; this engine speaks {INTERFACE_VERSION}: \
         {cure}"
    )]
    Version {
        /// As exported.
        found: String,
        /// What to do.
        cure: &'static str,
    },
}

/// Reads the outline of a component.
pub fn outline(bytes: &[u8]) -> Result<Outline, NotAScenario> {
    if bytes.is_empty() {
        return Err(NotAScenario::Empty);
    }
    if !bytes.starts_with(b"\0asm") {
        return Err(NotAScenario::NotWasm);
    }
    let Surface {
        imports,
        exports,
        memory,
        table,
    } = surface(bytes)?;
    let find = |interface: &str| find(&exports, interface);
    let conventions = [
        (Convention::Blocking, "blocking-scenario"),
        (Convention::EventLoop, "event-loop-scenario"),
        (Convention::Async, "scenario"),
    ];
    let mut conventions = conventions.into_iter();
    let found = conventions.find_map(|(convention, name)| Some((convention, find(name)?)));
    let Some((convention, version)) = found else {
        return Err(NotAScenario::WrongWorld(list(&exports)));
    };
    check_version(version)?;
    let (hooks, observer) = match convention {
        Convention::Blocking | Convention::EventLoop => ("blocking-hooks", "blocking-observer"),
        Convention::Async => ("hooks", "observer"),
    };
    Ok(Outline {
        convention,
        shape: find("load-shape").is_some(),
        hooks: find(hooks).is_some(),
        observer: find(observer).is_some(),
        imports,
        memory,
        table,
    })
}

/// Names of the outermost component's imports and exports, and the largest memory and
/// table of any module inside.
#[derive(Default)]
struct Surface {
    imports: Vec<String>,
    exports: Vec<String>,
    memory: u64,
    table: u64,
}

/// Walks the whole file, so that a truncated one is found here.
fn surface(bytes: &[u8]) -> Result<Surface, NotAScenario> {
    let malformed = |e: wasmparser::BinaryReaderError| NotAScenario::Malformed(e.to_string());
    let mut found = Surface::default();
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(malformed)? {
            Payload::Version {
                encoding: Encoding::Module,
                ..
            } if depth == 0 => {
                return Err(NotAScenario::CoreModule);
            }
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    found
                        .imports
                        .push(import.map_err(malformed)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section {
                    found
                        .exports
                        .push(export.map_err(malformed)?.name.name.to_owned());
                }
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    let memory = memory.map_err(malformed)?;
                    let page = 1_u64.checked_shl(memory.page_size_log2.unwrap_or(16));
                    let bytes = memory.initial.saturating_mul(page.unwrap_or(u64::MAX));
                    found.memory = found.memory.max(bytes);
                }
            }
            Payload::TableSection(section) => {
                for table in section {
                    found.table = found.table.max(table.map_err(malformed)?.ty.initial);
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

/// The version of an exported interface of ours.
fn find<'a>(exports: &'a [String], interface: &str) -> Option<&'a str> {
    exports.iter().find_map(|export| {
        let (name, version) = export.strip_prefix("aiotest:engine/")?.split_once('@')?;
        (name == interface).then_some(version)
    })
}

fn check_version(found: &str) -> Result<(), NotAScenario> {
    let parts = |v: &str| -> Vec<u64> { v.split('.').map_while(|p| p.parse().ok()).collect() };
    // Before 1.0 a new minor version may break; a patch version may only add.
    let (theirs, ours) = (parts(found), parts(INTERFACE_VERSION));
    if theirs.len() == 3 && theirs[..2] == ours[..2] && theirs <= ours {
        return Ok(());
    }
    let cure = if theirs > ours {
        "update the engine, or build with an older SDK"
    } else {
        "build it again with a current SDK"
    };
    Err(NotAScenario::Version {
        found: found.to_owned(),
        cure,
    })
}

fn list(exports: &[String]) -> String {
    match exports {
        [] => "it exports nothing".into(),
        some => format!("it exports {}", some[..some.len().min(5)].join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn files_that_are_no_component_are_named() {
        assert_eq!(outline(b""), Err(NotAScenario::Empty));
        assert_eq!(outline(b"def test(): pass"), Err(NotAScenario::NotWasm));
        assert_eq!(outline(b"\0asm\x01\0\0\0"), Err(NotAScenario::CoreModule));
        assert!(matches!(
            outline(&COMPONENT[..6]),
            Err(NotAScenario::Malformed(_))
        ));
        let wrong = outline(COMPONENT).unwrap_err();
        assert_eq!(wrong, NotAScenario::WrongWorld("it exports nothing".into()));
    }

    #[test]
    fn versions_must_fit() {
        assert_eq!(check_version("0.1.0"), Ok(()));
        let newer = check_version("0.2.0").unwrap_err().to_string();
        assert!(
            newer.contains("0.2.0") && newer.contains("update the engine"),
            "{newer}"
        );
        assert!(check_version("0.1.1").is_err());
        assert!(
            check_version("0.0.9")
                .unwrap_err()
                .to_string()
                .contains("build it again")
        );
        assert!(check_version("nonsense").is_err());
    }
}
