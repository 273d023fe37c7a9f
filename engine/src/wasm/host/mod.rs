//! What a sandbox carries and may call: one file per WIT interface. Knows the mechanisms
//! it hands out (HTTP, metrics), not who schedules the users.

mod http;
mod io;
mod log;
mod metrics;
mod run;
mod stdio;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use wasmtime::component::{HasData, ResourceTable};
use wasmtime::{ResourceLimiter, StoreContextMut, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::run::Run;
use stdio::Tail;

#[expect(unreachable_pub, reason = "the generated bindings re-export them")]
pub use http::{Response, Session};

/// One epoch: the resolution at which sandboxes are interrupted and their computing is
/// metered.
pub(crate) const TICK: Duration = Duration::from_millis(2);

/// Computing in one go that costs nothing; beyond it a sandbox only gets every
/// `THROTTLE`th slice, so that its neighbours keep their pace.
const BURST_TICKS: u64 = 10;
const THROTTLE: u64 = 5;

/// The longest text a guest may hand over for results and logs.
const MAX_TEXT: usize = 4096;
/// Sessions, responses and WASI handles of one sandbox.
const MAX_HANDLES: usize = 10_000;

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

/// A user as its sandbox knows it.
#[derive(Clone)]
pub(crate) struct Member {
    /// Cancelled when the user must stop.
    pub(crate) stop: CancellationToken,
    /// Base URL of its sessions.
    pub(crate) host: Option<Arc<str>>,
}

/// The data of one sandbox's store.
pub(crate) struct Host {
    run: Arc<Run>,
    class: Arc<str>,
    table: ResourceTable,
    wasi: WasiCtx,
    members: HashMap<u64, Member>,
    /// Responses that the guest holds, with the users they belong to.
    open: Vec<(u64, u32)>,
    meter: Meter,
    refused: Refused,
    stderr: Tail,
}

/// Meters computing between waits in ticks.
struct Meter {
    clock: Arc<AtomicU64>,
    resumed: u64,
    used: u64,
    limit: u64,
}

impl Meter {
    fn new(run: &Run) -> Self {
        let limit = run.limits.cpu.as_nanos().div_ceil(TICK.as_nanos());
        let clock = run.ticks.clone();
        let resumed = clock.load(Ordering::Relaxed);
        Meter { clock, resumed, used: 0, limit: u64::try_from(limit).unwrap_or(u64::MAX) }
    }

    /// The guest has control again after a wait.
    fn reset(&mut self) {
        self.resumed = self.clock.load(Ordering::Relaxed);
        self.used = 0;
    }

    /// Called when an epoch ended while the guest had control.
    fn charge(&mut self) -> Result<UpdateDeadline, CpuLimit> {
        let now = self.clock.load(Ordering::Relaxed);
        // The epoch that was under way when the guest resumed is not its own.
        let ticks = now.saturating_sub(self.resumed).saturating_sub(1);
        if ticks == 0 {
            return Ok(UpdateDeadline::Continue(1));
        }
        self.used += ticks;
        self.resumed = now - 1;
        if self.used > self.limit {
            return Err(CpuLimit(TICK.saturating_mul(u32::try_from(self.limit).unwrap_or(u32::MAX))));
        }
        if self.used <= BURST_TICKS {
            return Ok(UpdateDeadline::Yield(1));
        }
        let pause = TICK * u32::try_from((ticks * (THROTTLE - 1)).min(1000)).unwrap_or(1000);
        self.resumed = now + (pause.as_nanos() / TICK.as_nanos()) as u64;
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::time::sleep(pause))))
    }
}

/// What is done when an epoch ends inside the guest: see [`Meter`].
pub(crate) fn on_epoch(mut store: StoreContextMut<'_, Host>) -> wasmtime::Result<UpdateDeadline> {
    store.data_mut().meter.charge().map_err(wasmtime::Error::new)
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
            meter: Meter::new(run),
            refused: Refused::default(),
            stderr,
            run: run.clone(),
        }
    }

    pub(crate) fn join(&mut self, id: u64, member: Member) {
        self.members.insert(id, member);
    }

    pub(crate) fn leave(&mut self, id: u64) {
        self.members.remove(&id);
    }

    /// The guest gets control: its meter starts anew.
    pub(crate) fn enter(&mut self) {
        self.meter.reset();
        self.refused = Refused::default();
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
                let handle = wasmtime::component::Resource::<Response>::new_borrow(*rep);
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

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
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
fn clip(mut text: String) -> String {
    if text.len() > MAX_TEXT {
        text.truncate(text.floor_char_boundary(MAX_TEXT));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(limit: u64) -> Meter {
        Meter { clock: Arc::new(AtomicU64::new(100)), resumed: 100, used: 0, limit }
    }

    #[test]
    fn a_guest_that_just_resumed_pays_nothing_for_the_epoch_under_way() {
        let mut meter = meter(5);
        meter.clock.store(101, Ordering::Relaxed);
        assert!(matches!(meter.charge(), Ok(UpdateDeadline::Continue(1))));
        assert_eq!(meter.used, 0);
    }

    #[test]
    fn computing_beyond_the_limit_ends_the_guest() {
        let mut meter = meter(5);
        for now in 102..=106 {
            meter.clock.store(now, Ordering::Relaxed);
            assert!(meter.charge().is_ok(), "{now}");
        }
        meter.clock.store(107, Ordering::Relaxed);
        assert!(meter.charge().is_err());
    }

    #[tokio::test]
    async fn computing_beyond_the_burst_is_slowed_down() {
        let mut meter = meter(1000);
        meter.clock.store(101 + BURST_TICKS, Ordering::Relaxed);
        assert!(matches!(meter.charge(), Ok(UpdateDeadline::Yield(1))));
        meter.clock.store(102 + BURST_TICKS, Ordering::Relaxed);
        assert!(matches!(meter.charge(), Ok(UpdateDeadline::YieldCustom(..))));
    }

    #[test]
    fn a_wait_clears_the_meter() {
        let mut meter = meter(5);
        meter.clock.store(105, Ordering::Relaxed);
        assert!(meter.charge().is_ok());
        meter.reset();
        assert_eq!((meter.used, meter.resumed), (0, 105));
    }
}
