//! All sandboxes of a run: where a new user goes, and how everyone is ended. Knows no
//! schedule; the runner says who starts and stops.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::alone::alone;
use super::group::{Shareable, group};
use super::plugin::{Plugin, Pre};
use super::run::Run;
use super::sandbox::{Exit, Resident, Template};
use crate::packing::Packing;

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

/// A sandbox that users share.
struct Place {
    arrivals: mpsc::UnboundedSender<Resident>,
    sandbox: AbortHandle,
    /// Held by everyone who is inside or on the way.
    seats: Arc<()>,
}

impl Place {
    fn users(&self) -> usize {
        Arc::strong_count(&self.seats) - 1
    }
}

/// The sandboxes of a run.
pub struct Sandboxes {
    template: Template,
    tasks: JoinSet<()>,
    packing: Packing,
    /// Shared sandboxes, by class; some may have closed meanwhile.
    places: Vec<Vec<Place>>,
}

impl Sandboxes {
    /// None yet. The receiver yields every user that has left.
    pub fn new(
        plugin: Arc<Plugin>,
        run: Arc<Run>,
        packing: Packing,
    ) -> (Self, mpsc::UnboundedReceiver<Exit>) {
        let (exits, exited) = mpsc::unbounded_channel();
        let places = run.classes.iter().map(|_| Vec::new()).collect();
        let template = Template { plugin, run, exits };
        (
            Sandboxes {
                template,
                tasks: JoinSet::new(),
                packing,
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
            Pre::EventLoop(pre) => {
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
        convention: impl Shareable,
    ) -> AbortHandle {
        let packing = match self.template.run.classes[class].class.alone {
            true => Packing::NONE,
            false => self.packing,
        };
        while let Some(place) = self.free(class, packing) {
            resident.seat = Some(place.seats.clone());
            match place.arrivals.send(resident) {
                Ok(()) => return place.sandbox.clone(),
                Err(mpsc::error::SendError(rejected)) => resident = rejected,
            }
        }
        let (arrivals, arriving) = mpsc::unbounded_channel();
        let seats = Arc::new(());
        resident.seat = Some(seats.clone());
        // The group waits for its first user, so its channel is open.
        let _ = arrivals.send(resident);
        let life = group(self.template.clone(), convention, class, arriving);
        let sandbox = self.tasks.spawn(life);
        if packing.most > 1 {
            self.places[class].push(Place {
                arrivals,
                sandbox: sandbox.clone(),
                seats,
            });
        }
        sandbox
    }

    /// The sandbox that another user of the class goes to, unless that opens one.
    fn free(&mut self, class: usize, packing: Packing) -> Option<&Place> {
        for places in &mut self.places {
            places.retain(|place| !place.arrivals.is_closed());
        }
        let open = self.places.iter().map(Vec::len).sum();
        let places = &self.places[class];
        let chosen = packing.choose(open, places.iter().map(Place::users))?;
        places.get(chosen)
    }

    /// Waits until every sandbox is gone. Nobody starts any more.
    pub async fn close(&mut self) {
        self.places.iter_mut().for_each(Vec::clear);
        while self.tasks.join_next().await.is_some() {}
    }
}
