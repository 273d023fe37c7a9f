//! Exit codes, all of them:
//!
//! | code | meaning |
//! |---|---|
//! | 0 | the run is done, nothing failed |
//! | 1 | requests or tasks failed (`--exit-code-on-error` changes it) |
//! | 2 | usage: flags, class names, option values |
//! | 3 | the component cannot be used |
//! | 4 | the system's limits are too low (preflight) |
//! | 5 | the host was unreachable from the first second |
//! | 6 | results could not be written |
//! | 7 | a hook or the load shape failed |
//! | 99 | a threshold was crossed |
//! | 130 | interrupted by Ctrl-C or SIGTERM |

use crate::control::BindError;
use crate::metrics::Snapshot;
use crate::output::file::WriteError;
use crate::preflight::TooLow;
use crate::runner::EndReason;
use crate::script::{PackError, ScriptError};
use crate::threshold::Verdict;
use crate::wasm::plugin::PluginError;

pub(super) const OK: u8 = 0;
const FAILED: u8 = 1;
const USAGE: u8 = 2;
const COMPONENT: u8 = 3;
const PREFLIGHT: u8 = 4;
const UNREACHABLE: u8 = 5;
pub(super) const OUTPUT: u8 = 6;
const SCENARIO: u8 = 7;
pub(super) const THRESHOLDS: u8 = 99;
const INTERRUPTED: u8 = 130;

/// The code for an error that kept a run from starting or its results from being written.
pub(super) fn of_error(error: &anyhow::Error) -> u8 {
    let script = error.downcast_ref::<ScriptError>();
    let folder = matches!(script, Some(ScriptError::Folder { .. }));
    if error.is::<PluginError>() || error.is::<PackError>() || script.is_some() && !folder {
        COMPONENT
    } else if error.is::<TooLow>() {
        PREFLIGHT
    } else if error.is::<WriteError>() || error.is::<BindError>() {
        OUTPUT
    } else {
        USAGE
    }
}

/// The code for a run that ended.
/// Where there are thresholds, they judge; otherwise any failure does, with code 1. A code
/// in `on_error` makes failures count beside thresholds too.
pub(super) fn of_run(
    reason: &EndReason,
    results: &Snapshot,
    verdicts: &[Verdict],
    on_error: Option<u8>,
) -> u8 {
    let crossed = verdicts.iter().any(|verdict| !verdict.passed);
    match reason {
        EndReason::Interrupted => INTERRUPTED,
        EndReason::Unreachable(_) => UNREACHABLE,
        EndReason::ScenarioFailed(_) => SCENARIO,
        EndReason::ThresholdCrossed(_) => THRESHOLDS,
        _ if crossed => THRESHOLDS,
        EndReason::Completed
        | EndReason::UsersFinished
        | EndReason::RequestsSpent
        | EndReason::Ordered
        | EndReason::StoppedByScenario(_) => {
            let failed = results.total.failures > 0
                || !results.task_errors.is_empty()
                || !results.sandbox_events.is_empty();
            let tolerated = if verdicts.is_empty() { FAILED } else { OK };
            match failed {
                true => on_error.unwrap_or(tolerated),
                false => OK,
            }
        }
    }
}
