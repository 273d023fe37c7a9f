//! What a run tells those who watch it, and what is left of it in the end: plain data.

use std::time::{Duration, SystemTime};

use crate::wasm::run::LogLine;

/// Why a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// The run time, the stages or the load shape are over.
    Completed,
    /// Every user had nothing left to do.
    UsersFinished,
    /// `--max-requests`.
    RequestsSpent,
    /// An order over HTTP.
    Ordered,
    /// Ctrl-C or SIGTERM.
    Interrupted,
    /// The scenario asked for it.
    StoppedByScenario(String),
    /// A threshold that ends the run was crossed.
    ThresholdCrossed(String),
    /// A hook or the load shape failed for good.
    ScenarioFailed(String),
    /// Nothing answered from the first second on.
    Unreachable(String),
}

impl EndReason {
    /// Whether the run came to its end without trouble.
    pub(super) fn is_regular(&self) -> bool {
        matches!(
            self,
            EndReason::Completed
                | EndReason::UsersFinished
                | EndReason::RequestsSpent
                | EndReason::Ordered
                | EndReason::StoppedByScenario(_)
        )
    }
}

impl std::fmt::Display for EndReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            EndReason::Completed => f.write_str("completed"),
            EndReason::UsersFinished => f.write_str("all users finished"),
            EndReason::RequestsSpent => f.write_str("limit of requests reached"),
            EndReason::Ordered => f.write_str("stopped by order"),
            EndReason::Interrupted => f.write_str("interrupted"),
            EndReason::StoppedByScenario(why) => write!(f, "stopped by the scenario: {why}"),
            EndReason::ThresholdCrossed(what) => write!(f, "threshold crossed: {what}"),
            EndReason::ScenarioFailed(why) => write!(f, "{why}"),
            EndReason::Unreachable(why) => write!(f, "host unreachable: {why}"),
        }
    }
}

/// What happens during a run, for those who watch.
#[derive(Debug)]
pub enum Event {
    /// The scenario wrote a line.
    Log(LogLine),
    /// The engine has something to say.
    Notice(String),
}

/// A run that is over.
#[derive(Debug)]
pub struct Outcome {
    /// Why it ended.
    pub reason: EndReason,
    /// How long it took, without pauses.
    pub elapsed: Duration,
    /// All pauses.
    pub paused: Duration,
    /// When the load began, if it has.
    pub began: Option<SystemTime>,
    /// Users that did not stop in time and were ended.
    pub users_ended: u64,
    /// The threshold that ended the run, as an index.
    pub crossed: Option<usize>,
    /// The order was to leave the process as well.
    pub quit: bool,
}
