//! The states of a run and how one follows another. Pure; knows neither users nor who
//! gives the orders.

use thiserror::Error;

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Everything is loaded; the run waits for the order to start.
    Ready,
    /// The hooks run, and users that an arrival rate needs beforehand get ready.
    Starting,
    /// The load is followed.
    Running,
    /// Tasks in hand are finished, new ones wait, and the run's clock stands still.
    Paused,
    /// Users were asked to stop.
    Stopping,
    /// The last user has left.
    Stopped,
}

/// What moves a run from state to state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Leave `Ready`.
    Start,
    /// The preparations are done.
    Begin,
    /// Hold on.
    Pause,
    /// Go on.
    Resume,
    /// Come to an end, gracefully.
    Stop,
    /// The last user has left.
    Finish,
}

/// A step that the state does not allow.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("cannot {step} a run that is {state}")]
pub struct Illegal {
    /// The state.
    pub state: State,
    /// The step.
    pub step: Step,
}

impl State {
    /// All states, in the order of a run.
    pub const ALL: [State; 6] = [
        State::Ready,
        State::Starting,
        State::Running,
        State::Paused,
        State::Stopping,
        State::Stopped,
    ];

    /// The state after a step.
    pub fn after(self, step: Step) -> Result<State, Illegal> {
        match (self, step) {
            (State::Ready, Step::Start) => Ok(State::Starting),
            (State::Starting, Step::Begin) | (State::Paused, Step::Resume) => Ok(State::Running),
            (State::Running, Step::Pause) => Ok(State::Paused),
            (State::Ready | State::Starting | State::Running | State::Paused, Step::Stop) => {
                Ok(State::Stopping)
            }
            (State::Stopping, Step::Finish) => Ok(State::Stopped),
            (state, step) => Err(Illegal { state, step }),
        }
    }

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Ready => "ready",
            State::Starting => "starting",
            State::Running => "running",
            State::Paused => "paused",
            State::Stopping => "stopping",
            State::Stopped => "stopped",
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Step::Start => "start",
            Step::Begin => "begin",
            Step::Pause => "pause",
            Step::Resume => "resume",
            Step::Stop => "stop",
            Step::Finish => "finish",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_goes_from_ready_to_stopped() {
        let steps = [
            Step::Start,
            Step::Begin,
            Step::Pause,
            Step::Resume,
            Step::Stop,
            Step::Finish,
        ];
        let last = steps
            .iter()
            .try_fold(State::Ready, |state, step| state.after(*step));
        assert_eq!(last, Ok(State::Stopped));
    }

    #[test]
    fn every_live_state_can_stop_and_no_other() {
        for state in State::ALL {
            let live = !matches!(state, State::Stopping | State::Stopped);
            assert_eq!(state.after(Step::Stop).is_ok(), live, "{state}");
        }
    }

    #[test]
    fn what_a_state_does_not_allow_is_named() {
        let refused = State::Stopped.after(Step::Pause).unwrap_err();
        assert_eq!(refused.to_string(), "cannot pause a run that is stopped");
        let legal = State::ALL
            .iter()
            .flat_map(|state| [Step::Pause, Step::Resume].map(|step| state.after(step)))
            .filter(Result::is_ok)
            .count();
        assert_eq!(
            legal, 2,
            "only a running one pauses, only a paused one resumes"
        );
    }
}
