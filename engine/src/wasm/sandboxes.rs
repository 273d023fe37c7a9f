//! All sandboxes of a run: where a new user goes, and how everyone is ended. Knows no
//! schedule; the runner says who starts and stops.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::plugin::{Plugin, Pre};
use super::run::Run;
use super::sandbox::{Exit, Resident, Template, alone, group};

/// The sandboxes of a run.
pub struct Sandboxes {
    template: Template,
    tasks: JoinSet<()>,
    users_per_sandbox: u32,
    /// Free places in shared sandboxes, by class; some may have closed meanwhile.
    places: Vec<Vec<mpsc::UnboundedSender<Resident>>>,
}

impl Sandboxes {
    /// None yet. The receiver yields every user that has left.
    pub fn new(
        plugin: Arc<Plugin>,
        run: Arc<Run>,
        users_per_sandbox: u32,
    ) -> (Self, mpsc::UnboundedReceiver<Exit>) {
        let (exits, exited) = mpsc::unbounded_channel();
        let places = vec![Vec::new(); run.classes.len()];
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

    /// Starts a user of a class; cancelling the token asks it to stop.
    pub fn start(&mut self, id: u64, class: usize) -> CancellationToken {
        let stop = CancellationToken::new();
        let resident = self.template.resident(id, class, stop.clone());
        match &self.template.plugin.pre {
            Pre::Blocking(pre) => {
                self.tasks
                    .spawn(alone(self.template.clone(), pre.clone(), resident));
            }
            Pre::Async(pre) => {
                let pre = pre.clone();
                self.seat(class, resident, pre);
            }
        }
        // Users that left leave their finished tasks behind.
        while self.tasks.try_join_next().is_some() {}
        stop
    }

    fn seat(
        &mut self,
        class: usize,
        mut resident: Resident,
        pre: super::bindings::concurrent::LoadTestPre<super::host::Host>,
    ) {
        while let Some(place) = self.places[class].pop() {
            match place.send(resident) {
                Ok(()) => return,
                Err(mpsc::error::SendError(rejected)) => resident = rejected,
            }
        }
        let (place, arrivals) = mpsc::unbounded_channel();
        let more = self.users_per_sandbox.saturating_sub(1) as usize;
        self.places[class].extend(std::iter::repeat_n(place.clone(), more));
        self.tasks
            .spawn(group(self.template.clone(), pre, class, arrivals));
        // The group waits for its first user, so its channel is open.
        let _ = place.send(resident);
    }

    /// Ends everyone at once, wherever they are; their exits are still reported.
    pub fn abort(&mut self) {
        self.tasks.abort_all();
    }

    /// Waits until every sandbox is gone.
    pub async fn finish(mut self) {
        self.places.clear();
        while self.tasks.join_next().await.is_some() {}
    }
}
