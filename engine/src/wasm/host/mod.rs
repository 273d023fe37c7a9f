//! What a sandbox carries and may call: one file per WIT interface. Knows the mechanisms
//! it hands out (HTTP, metrics), not who schedules the users.

mod data;
mod event_loop;
mod http;
mod io;
mod log;
mod metrics;
mod run;
mod script;
mod stdio;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;
use wasmtime::component::{HasData, Resource, ResourceTable};
use wasmtime::{ResourceLimiter, StoreContextMut, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::desk::Desk;
use super::errand::Errand;
use super::run::Run;
use crate::metrics::users::CountedSandbox;
use crate::sample::{Sample, Sink};
use stdio::Tail;

#[expect(unreachable_pub, reason = "the generated bindings re-export them")]
pub use data::Feed;
#[expect(unreachable_pub, reason = "the generated bindings re-export them")]
pub use http::{Response, Session};
#[expect(unreachable_pub, reason = "the generated bindings re-export them")]
pub use metrics::Group;

/// One epoch: the resolution at which sandboxes are interrupted and their computing is
/// metered.
pub(crate) const TICK: Duration = Duration::from_millis(2);

/// Computing in one go that costs nothing; beyond it a sandbox only gets every
/// `THROTTLE`th slice, so that its neighbours keep their pace.
const BURST_TICKS: u64 = 10;
const THROTTLE: u32 = 5;

/// The longest text a guest may hand over for results and logs.
const MAX_TEXT: usize = 4096;
/// Sessions, responses and WASI handles of one sandbox.
pub(crate) const MAX_HANDLES: usize = 10_000;

/// The sandbox computed longer than it may without waiting.
#[derive(Debug, thiserror::Error)]
#[error("computed for {0:?} without waiting; raise --cpu-limit if that is meant")]
pub(crate) struct CpuLimit(pub(crate) Duration);

/// Which limit a sandbox ran into, for its epitaph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) memory: bool,
    pub(crate) table: bool,
}

/// A user as its sandbox knows it. It takes the user's samples on their way to the
/// metrics, and to whoever observes the run.
pub(crate) struct Member {
    pub(crate) run: Arc<Run>,
    pub(crate) id: u64,
    pub(crate) class: Arc<str>,
    /// Cancelled when the user must stop.
    pub(crate) stop: CancellationToken,
    /// Base URL of its sessions.
    pub(crate) host: Option<Arc<str>>,
    /// Its waits last as long as the run is paused: it has a loop of its own, and no other
    /// place to be held at.
    pub(crate) holds_on: bool,
    /// By how many nanoseconds its iteration began late; see [`NOT_PLANNED`].
    late: AtomicU64,
    /// The groups it is in, the innermost last, each with the names of those around it.
    groups: Mutex<Vec<Arc<str>>>,
    /// It has been in one: most users never are.
    grouped: AtomicBool,
}

/// The id of the sandbox beside those of the users, who are numbered from 1.
pub(crate) const CONDUCTOR: u64 = 0;

/// Stands for an iteration that was not due at any time.
const NOT_PLANNED: u64 = u64::MAX;

impl Member {
    pub(crate) fn new(
        run: &Arc<Run>,
        id: u64,
        class: &Arc<str>,
        stop: &CancellationToken,
        host: Option<Arc<str>>,
    ) -> Self {
        Member {
            run: run.clone(),
            id,
            class: class.clone(),
            stop: stop.clone(),
            host,
            holds_on: false,
            late: AtomicU64::new(NOT_PLANNED),
            groups: Mutex::default(),
            grouped: AtomicBool::new(false),
        }
    }

    /// A new sandbox knows nothing of the groups of the one before.
    pub(crate) fn leave_groups(&self) {
        self.groups.lock().clear();
    }

    /// Says by how much the iteration that begins now is late.
    pub(crate) fn begin(&self, late: Option<Duration>) {
        let nanos = |late: Duration| u64::try_from(late.as_nanos()).unwrap_or(NOT_PLANNED);
        self.late
            .store(late.map_or(NOT_PLANNED, nanos), Ordering::Relaxed);
    }

    /// The innermost group.
    fn group(&self) -> Option<String> {
        if !self.grouped.load(Ordering::Relaxed) {
            return None;
        }
        let groups = self.groups.lock();
        groups.last().map(|group| group.to_string())
    }
}

impl Sink for Member {
    fn record(&self, sample: &Sample<'_>) {
        let planned;
        let sample = match self.late.load(Ordering::Relaxed) {
            NOT_PLANNED => sample,
            nanos => {
                planned = Sample {
                    late: Some(Duration::from_nanos(nanos)),
                    ..*sample
                };
                &planned
            }
        };
        self.run.metrics.record(sample);
        if let Some(samples) = &self.run.samples {
            samples.record(sample);
        }
        // What an observer does itself is not for it to observe.
        if self.id != CONDUCTOR {
            self.run.observed.request(self, sample);
        }
    }
}

/// The data of one sandbox's store.
pub(crate) struct Host {
    run: Arc<Run>,
    class: Arc<str>,
    table: ResourceTable,
    wasi: WasiCtx,
    members: HashMap<u64, Arc<Member>>,
    /// Responses that the guest holds, with the users they belong to.
    open: Vec<(u64, u32)>,
    /// Bytes of their bodies.
    held_bodies: usize,
    /// What the guest waits for.
    errand: Errand,
    /// Where a guest of the event-loop convention meets its users.
    desk: Desk,
    /// Users that leave when the guest asks for its next event.
    leaving: Vec<u64>,
    meter: Meter,
    refused: Refused,
    stderr: Tail,
    /// One more sandbox in the count.
    _counted: CountedSandbox,
}

/// Meters computing between waits in ticks.
struct Meter {
    clock: Arc<AtomicU64>,
    /// The tick in which the guest got control, as far as that is known.
    resumed: Arc<AtomicU64>,
    used: u64,
    limit: u64,
}

impl Meter {
    fn new(run: &Run) -> Self {
        let limit = run.limits.cpu.as_nanos().div_ceil(TICK.as_nanos());
        let clock = run.ticks.clone();
        let resumed = Arc::new(AtomicU64::new(clock.load(Ordering::Relaxed)));
        Meter {
            clock,
            resumed,
            used: 0,
            limit: u64::try_from(limit).unwrap_or(u64::MAX),
        }
    }

    /// The guest has control again after a wait.
    fn reset(&mut self) {
        self.resumed
            .store(self.clock.load(Ordering::Relaxed), Ordering::Relaxed);
        self.used = 0;
    }

    /// Called when an epoch has ended, at the guest's next function or loop.
    fn charge(&mut self) -> Result<UpdateDeadline, CpuLimit> {
        let now = self.clock.load(Ordering::Relaxed);
        // Only who was at it in two ticks in a row has surely computed in between, and
        // was neither at rest nor kept from the processor.
        if now != self.resumed.load(Ordering::Relaxed) + 1 {
            self.resumed.store(now, Ordering::Relaxed);
            return Ok(UpdateDeadline::Continue(1));
        }
        self.used += 1;
        if self.used > self.limit {
            let limit = u32::try_from(self.limit).unwrap_or(u32::MAX);
            return Err(CpuLimit(TICK.saturating_mul(limit)));
        }
        let pause = if self.used > BURST_TICKS {
            TICK * (THROTTLE - 1)
        } else {
            Duration::ZERO
        };
        let (clock, resumed) = (self.clock.clone(), self.resumed.clone());
        let others_first = async move {
            if pause.is_zero() {
                tokio::task::yield_now().await;
            } else {
                tokio::time::sleep(pause).await;
            }
            resumed.store(clock.load(Ordering::Relaxed), Ordering::Relaxed);
        };
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(others_first)))
    }
}

/// What is done when an epoch ends inside the guest: see [`Meter`].
pub(crate) fn on_epoch(mut store: StoreContextMut<'_, Host>) -> wasmtime::Result<UpdateDeadline> {
    store
        .data_mut()
        .meter
        .charge()
        .map_err(wasmtime::Error::new)
}

impl Host {
    pub(crate) fn new(run: &Arc<Run>, class: &Arc<str>) -> Self {
        let stderr = Tail::default();
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_HANDLES);
        Host {
            class: class.clone(),
            table,
            wasi: stdio::wasi(run, class, &stderr),
            members: HashMap::new(),
            open: Vec::new(),
            held_bodies: 0,
            errand: Errand::default(),
            desk: Desk::default(),
            leaving: Vec::new(),
            meter: Meter::new(run),
            refused: Refused::default(),
            stderr,
            _counted: run.gauges.enter_sandbox(),
            run: run.clone(),
        }
    }

    pub(crate) fn join(&mut self, member: Arc<Member>) {
        self.members.insert(member.id, member);
    }

    /// The user has no calls any more; what it still holds is counted now.
    pub(crate) fn leave(&mut self, id: u64) {
        self.members.remove(&id);
        for (owner, rep) in &self.open {
            let handle = Resource::<Response>::new_borrow(*rep);
            if *owner == id
                && let Ok(response) = self.table.get_mut(&handle)
            {
                self.held_bodies = self.held_bodies.saturating_sub(response.held());
                response.release();
            }
        }
        self.open.retain(|(owner, _)| *owner != id);
    }

    /// The guest gets control: its meter starts anew.
    pub(crate) fn enter(&mut self) {
        self.meter.reset();
        self.refused = Refused::default();
    }

    /// The scenario asks for the end of the run.
    pub(super) fn request_stop(&self, reason: String) {
        self.run.request_stop(reason);
    }

    /// Where the guest leaves what it waits for; see [`Errand::attend`].
    pub(super) fn errand(&self) -> Errand {
        self.errand.clone()
    }

    /// Where the guest meets its users, in the event-loop convention.
    pub(super) fn desk(&self) -> Desk {
        self.desk.clone()
    }

    pub(crate) fn refused(&self) -> Refused {
        self.refused
    }

    /// The last words on standard error.
    pub(crate) fn last_words(&self) -> Option<String> {
        self.stderr.text()
    }

    /// The responses that this user (or any) still holds become failures of its task.
    pub(crate) fn fail_open(&mut self, user: Option<u64>, message: &str) {
        for (owner, rep) in &self.open {
            if user.is_none_or(|id| id == *owner) {
                let handle = Resource::<Response>::new_borrow(*rep);
                if let Ok(response) = self.table.get_mut(&handle) {
                    response.fail_task(message);
                }
            }
        }
    }
}

/// Marks the host in linkers: its data is a borrowed [`Host`].
pub(crate) struct HostData;

impl HasData for HostData {
    type Data<'a> = &'a mut Host;
}

// Interfaces that hold types only.
impl super::bindings::types::Host for Host {}
impl super::bindings::manifest::Host for Host {}
impl super::bindings::events::Host for Host {}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl ResourceLimiter for Host {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let granted = desired <= self.run.limits.memory && maximum.is_none_or(|m| desired <= m);
        self.refused.memory |= !granted;
        Ok(granted)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let limit = self.run.limits.table_elements;
        let granted = desired <= limit && maximum.is_none_or(|m| desired <= m);
        self.refused.table |= !granted;
        Ok(granted)
    }
}

/// Cuts a guest's text to what results and logs keep.
pub(super) fn clip(mut text: String) -> String {
    if text.len() > MAX_TEXT {
        text.truncate(text.floor_char_boundary(MAX_TEXT));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(limit: u64) -> Meter {
        let at = |tick| Arc::new(AtomicU64::new(tick));
        Meter {
            clock: at(100),
            resumed: at(100),
            used: 0,
            limit,
        }
    }

    /// Computes for a tick; the result says whether the guest may go on, and after what.
    async fn compute(meter: &mut Meter) -> Result<(), CpuLimit> {
        meter.clock.fetch_add(1, Ordering::Relaxed);
        if let UpdateDeadline::YieldCustom(_, pause) = meter.charge()? {
            pause.await;
        }
        Ok(())
    }

    #[tokio::test]
    async fn computing_beyond_the_limit_ends_the_guest() {
        let mut meter = meter(5);
        for tick in 0..5 {
            assert!(compute(&mut meter).await.is_ok(), "{tick}");
        }
        assert!(compute(&mut meter).await.is_err());
    }

    #[tokio::test]
    async fn rest_and_the_time_of_others_are_not_charged() {
        let mut meter = meter(5);
        for _ in 0..100 {
            meter.clock.fetch_add(7, Ordering::Relaxed);
            assert!(matches!(meter.charge(), Ok(UpdateDeadline::Continue(1))));
        }
        assert_eq!(meter.used, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn computing_beyond_the_burst_is_slowed_down() {
        let mut meter = meter(1000);
        let start = tokio::time::Instant::now();
        for _ in 0..BURST_TICKS {
            compute(&mut meter).await.unwrap();
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        compute(&mut meter).await.unwrap();
        assert!(start.elapsed() >= TICK * (THROTTLE - 1));
    }

    #[tokio::test]
    async fn a_wait_clears_the_meter() {
        let mut meter = meter(5);
        compute(&mut meter).await.unwrap();
        assert_eq!(meter.used, 1);
        meter.reset();
        assert_eq!(meter.used, 0);
    }
}
