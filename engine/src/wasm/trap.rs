//! Why a sandbox died, in words: its kind for machines, one line for people.

use wasmtime::Trap as Code;
use wasmtime::component::ResourceTableError;

use super::host::{CpuLimit, Host, MAX_HANDLES};

/// The end of a sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trap {
    pub(super) kind: &'static str,
    pub(super) message: String,
}

impl Trap {
    /// What an error out of the guest means, given what its host knows.
    pub(super) fn of(error: &wasmtime::Error, host: &Host) -> Trap {
        if let Some(limit) = error.downcast_ref::<CpuLimit>() {
            return Trap {
                kind: "cpu-limit",
                message: limit.to_string(),
            };
        }
        if let Some(ResourceTableError::Full) = error.downcast_ref() {
            let message = format!("holds {MAX_HANDLES} sessions and responses, which is the limit");
            return Trap {
                kind: "handle-limit",
                message,
            };
        }
        let code = error.downcast_ref::<Code>();
        let words = host.last_words();
        let refused = host.refused();
        let (kind, cause) = match code {
            Some(Code::StackOverflow) => ("stack-overflow", "call stack exhausted".to_owned()),
            _ if refused.memory => (
                "memory-limit",
                "memory exhausted; raise --memory-limit if that is meant".into(),
            ),
            _ if refused.table => ("table-limit", "table exhausted".into()),
            Some(Code::UnreachableCodeReached) if words.is_some() => ("panic", String::new()),
            Some(code) => ("trap", code.to_string()),
            None => ("error", root_cause(error)),
        };
        let message = match words {
            Some(words) if cause.is_empty() => words,
            Some(words) => format!("{cause} ({words})"),
            None => cause,
        };
        Trap { kind, message }
    }
}

fn root_cause(error: &wasmtime::Error) -> String {
    let text = format!("{:#}", error.root_cause());
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}
