//! What may be asked of a run under way, and what it answers: words between whoever gives
//! orders (HTTP, keys) and the runner. Knows neither of them.

use std::time::Duration;

use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};

use crate::lifecycle::{Illegal, State};

/// Orders that may wait for the runner.
const QUEUE: usize = 16;

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// Start a run that waits for it.
    Start,
    /// Finish the tasks in hand and begin no others.
    Pause,
    /// Go on.
    Resume,
    /// Come to an end, gracefully.
    Stop,
    /// The same, and leave the process even if it would linger.
    Quit,
    /// Another load from now on.
    Load(Change),
}

/// Another load for one plan. What is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    /// Which plan; may be left out when there is only one.
    pub plan: Option<String>,
    /// Users of a closed plan; it then no longer follows its stages or its shape.
    pub users: Option<Amount>,
    /// Users started or stopped a second.
    pub spawn_rate: Option<f64>,
    /// Iterations started a second, of a plan with an arrival rate; it then no longer
    /// follows its stages.
    pub arrival_rate: Option<f64>,
}

/// How many users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// So many.
    To(u32),
    /// So many more or fewer than there shall be now.
    By(i32),
}

/// Why an order was not followed.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum Refused {
    /// The run is in another state.
    #[error(transparent)]
    Illegal(#[from] Illegal),
    /// The change makes no sense for this run; nothing was changed.
    #[error("{0}")]
    Invalid(String),
    /// There is no run (any more) to follow orders.
    #[error("the run is over")]
    Over,
}

/// How a run stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// Its state.
    pub state: State,
    /// Time of the run, pauses not included.
    pub elapsed: Duration,
    /// All pauses so far.
    pub paused: Duration,
    /// Users alive.
    pub users: u64,
    /// Its plans.
    pub plans: Vec<PlanStatus>,
}

/// How a plan stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlanStatus {
    /// Its name.
    pub name: String,
    /// Whether its offset has passed and it is not over.
    pub active: bool,
    /// Users there shall be.
    pub users: u32,
    /// Users started or stopped a second; absent when they start at once.
    pub spawn_rate: Option<f64>,
    /// Iterations started a second, of a plan with an arrival rate.
    pub arrival_rate: Option<f64>,
}

/// An order on its way, and where the answer goes.
#[derive(Debug)]
pub struct Request {
    /// What is asked.
    pub order: Order,
    /// Answered once.
    pub reply: oneshot::Sender<Result<Status, Refused>>,
}

/// For whoever gives orders.
#[derive(Clone, Debug)]
pub struct Helm {
    orders: mpsc::Sender<Request>,
    status: watch::Receiver<Status>,
}

impl Helm {
    /// Gives an order and waits until it is followed, which is at once for all of them: a
    /// pause does not wait for the tasks in hand, nor a stop for the last user.
    pub async fn order(&self, order: Order) -> Result<Status, Refused> {
        let (reply, answer) = oneshot::channel();
        let request = Request { order, reply };
        if self.orders.send(request).await.is_err() {
            return Err(Refused::Over);
        }
        answer.await.unwrap_or(Err(Refused::Over))
    }

    /// How the run stands.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }
}

/// For the runner.
#[derive(Debug)]
pub struct Wheel {
    /// What is asked.
    pub orders: mpsc::Receiver<Request>,
    /// What [`Helm::status`] shows.
    pub status: watch::Sender<Status>,
}

/// Both ends, of a run that is ready.
pub fn steering() -> (Helm, Wheel) {
    let (send, orders) = mpsc::channel(QUEUE);
    let (status, shown) = watch::channel(Status {
        state: State::Ready,
        elapsed: Duration::ZERO,
        paused: Duration::ZERO,
        users: 0,
        plans: Vec::new(),
    });
    let helm = Helm {
        orders: send,
        status: shown,
    };
    (helm, Wheel { orders, status })
}
