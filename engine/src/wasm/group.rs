//! Users that share a sandbox, until all of them have left. Knows lives and restarts, not
//! how calls reach the users.

use std::future::{Future, pending};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::time::Instant;
use wasmtime::Store;

use super::host::Host;
use super::sandbox::{Resident, Template};
use super::trap::Trap;
use super::user::{End, Guest, User, live};

/// Users on their way into a sandbox.
pub(super) type Arrivals = mpsc::UnboundedReceiver<Resident>;

/// A convention in which users share a sandbox.
pub(super) trait Shareable: Send + Sync + 'static {
    /// One sandbox from its instantiation to its end: nothing when all users have left, or
    /// why it died.
    fn life(
        &self,
        household: &Household<'_>,
        store: &mut Store<Host>,
        arrivals: &mut Arrivals,
    ) -> impl Future<Output = Option<Trap>> + Send;
}

/// The inside of a shared sandbox.
pub(super) trait Room: Copy + Send + Sync {
    type Guest: Guest;
    fn seat(self, user: &User) -> impl Future<Output = Result<Self::Guest, Trap>> + Send;
    /// The user has been asked to stop.
    fn stop(self, user: &User);
    /// The user has no calls any more.
    fn clear(self, guest: Self::Guest);
}

/// Several users in one sandbox at a time, until all of them have left.
pub(super) async fn group(
    template: Template,
    convention: impl Shareable,
    class: usize,
    mut arrivals: Arrivals,
) {
    let mut residents = Vec::new();
    loop {
        if residents.is_empty() {
            match arrivals.recv().await {
                Some(resident) => residents.push(Arc::new(resident)),
                None => return,
            }
        }
        let household = Household {
            template: &template,
            class,
            present: Mutex::new(std::mem::take(&mut residents)),
        };
        match household.live(&convention, &mut arrivals).await {
            None => return,
            Some(trap) => template.bury(class, &trap),
        }
        residents = restart(household.present.into_inner()).await;
        if !residents.is_empty() {
            template.replace(class);
        }
    }
}

/// The residents of a sandbox that died wait together before they begin anew; those that
/// had nothing left to do, or were asked to stop meanwhile, leave.
async fn restart(mut residents: Vec<Arc<Resident>>) -> Vec<Arc<Resident>> {
    residents.retain(|resident| !resident.finished.load(Ordering::Relaxed));
    let pauses = residents.into_iter().map(|resident| async move {
        let stays = resident.back_off().await;
        stays.then_some(resident)
    });
    let pauses: FuturesUnordered<_> = pauses.collect();
    pauses
        .filter_map(|resident| async { resident })
        .collect()
        .await
}

/// Those who live in one sandbox.
pub(super) struct Household<'a> {
    pub(super) template: &'a Template,
    /// Index among the classes of the run.
    pub(super) class: usize,
    present: Mutex<Vec<Arc<Resident>>>,
}

impl Household<'_> {
    /// One sandbox from its instantiation to its end.
    async fn live(&self, convention: &impl Shareable, arrivals: &mut Arrivals) -> Option<Trap> {
        let run = &self.template.run;
        let mut store = self
            .template
            .plugin
            .store(run, &run.classes[self.class].name);
        store.data_mut().enter();
        let trap = convention.life(self, &mut store, arrivals).await;
        if let Some(trap) = &trap {
            store.data_mut().fail_open(None, &trap.message);
        }
        trap
    }

    /// Runs everyone who is or comes inside, until all have left or the sandbox died.
    pub(super) async fn run(&self, room: impl Room, arrivals: &mut Arrivals) -> Option<Trap> {
        let mut stays = FuturesUnordered::new();
        for resident in self.present.lock().iter() {
            stays.push(self.stay(room, resident.clone()));
        }
        loop {
            let arrival = tokio::select! {
                Some(trap) = stays.next() => {
                    if trap.is_some() {
                        return trap;
                    }
                    if !stays.is_empty() {
                        continue;
                    }
                    // Nobody else is sent here from now on; who came meanwhile is served.
                    arrivals.close();
                    match arrivals.try_recv() {
                        Ok(resident) => resident,
                        Err(_) => return None,
                    }
                }
                Some(resident) = arrivals.recv() => resident,
            };
            let resident = Arc::new(arrival);
            self.present.lock().push(resident.clone());
            stays.push(self.stay(room, resident));
        }
    }

    /// One user until it leaves, through as many lives as it takes.
    async fn stay(&self, room: impl Room, resident: Arc<Resident>) -> Option<Trap> {
        let user = &resident.user;
        loop {
            let began = Instant::now();
            let end = self.one_life(room, &resident).await;
            resident.lived(began);
            resident.note_finished(&end);
            if let End::Trapped { trap, .. } = end {
                return Some(trap);
            }
            if !resident.judge(&end, self.template) || !resident.back_off().await {
                self.present
                    .lock()
                    .retain(|other| other.user.member.id != user.member.id);
                return None;
            }
        }
    }

    async fn one_life(&self, room: impl Room, resident: &Resident) -> End {
        let user = &resident.user;
        let mut guest = match room.seat(user).await {
            Ok(guest) => guest,
            Err(trap) => {
                return End::Trapped {
                    trap,
                    finished: false,
                };
            }
        };
        let told_to_stop = async {
            user.member.stop.cancelled().await;
            room.stop(user);
            pending().await
        };
        let life = live(&mut guest, user, &resident.counted, &self.template.run);
        let end = tokio::select! {
            // The guest knows of the stop before anything that follows from it.
            biased;
            end = told_to_stop => end,
            end = life => end,
        };
        room.clear(guest);
        end
    }
}
