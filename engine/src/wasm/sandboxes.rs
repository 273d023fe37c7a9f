//! All sandboxes of a run: where a new user goes, and how everyone is ended. Knows no
//! schedule; the runner says who starts and stops.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::bindings::concurrent::LoadTestPre;
use super::host::Host;
use super::plugin::{Plugin, Pre};
use super::run::Run;
use super::sandbox::{Exit, Resident, Template, alone, group};

/// A user's hold on its place.
pub struct Seat {
    stop: CancellationToken,
    sandbox: AbortHandle,
}

impl Seat {
    /// Asks the user to stop.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Ends its sandbox at once, with all users in it; their exits are still reported.
    pub fn abort(&self) {
        self.sandbox.abort();
    }
}

/// A place in a shared sandbox.
#[derive(Clone)]
struct Place {
    arrivals: mpsc::UnboundedSender<Resident>,
    sandbox: AbortHandle,
}

/// The sandboxes of a run.
pub struct Sandboxes {
    template: Template,
    tasks: JoinSet<()>,
    users_per_sandbox: u32,
    /// Free places in shared sandboxes, by class; some may have closed meanwhile.
    places: Vec<Vec<Place>>,
}

impl Sandboxes {
    /// None yet. The receiver yields every user that has left.
    pub fn new(
        plugin: Arc<Plugin>,
        run: Arc<Run>,
        users_per_sandbox: u32,
    ) -> (Self, mpsc::UnboundedReceiver<Exit>) {
        let (exits, exited) = mpsc::unbounded_channel();
        let places = run.classes.iter().map(|_| Vec::new()).collect();
        let template = Template { plugin, run, exits };
        (
            Sandboxes {
                template,
                tasks: JoinSet::new(),
                users_per_sandbox,
                places,
            },
            exited,
        )
    }

    /// Starts a user of a class.
    pub fn start(&mut self, id: u64, class: usize) -> Seat {
        let stop = CancellationToken::new();
        let resident = self.template.resident(id, class, stop.clone());
        let sandbox = match &self.template.plugin.pre {
            Pre::Blocking(pre) => {
                let life = alone(self.template.clone(), pre.clone(), resident);
                self.tasks.spawn(life)
            }
            Pre::Async(pre) => {
                let pre = pre.clone();
                self.seat(class, resident, pre)
            }
        };
        // Users that left leave their finished tasks behind.
        while self.tasks.try_join_next().is_some() {}
        Seat { stop, sandbox }
    }

    fn seat(
        &mut self,
        class: usize,
        mut resident: Resident,
        pre: LoadTestPre<Host>,
    ) -> AbortHandle {
        while let Some(place) = self.places[class].pop() {
            match place.arrivals.send(resident) {
                Ok(()) => return place.sandbox,
                Err(mpsc::error::SendError(rejected)) => resident = rejected,
            }
        }
        let (arrivals, arriving) = mpsc::unbounded_channel();
        // The group waits for its first user, so its channel is open.
        let _ = arrivals.send(resident);
        let life = group(self.template.clone(), pre, class, arriving);
        let sandbox = self.tasks.spawn(life);
        let place = Place {
            arrivals,
            sandbox: sandbox.clone(),
        };
        let more = self.users_per_sandbox.saturating_sub(1) as usize;
        self.places[class].extend(std::iter::repeat_n(place, more));
        sandbox
    }

    /// Waits until every sandbox is gone. Nobody starts any more.
    pub async fn close(&mut self) {
        self.places.iter_mut().for_each(Vec::clear);
        while self.tasks.join_next().await.is_some() {}
    }
}
