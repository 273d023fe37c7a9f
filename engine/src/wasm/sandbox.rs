//! Sandboxes at work: one user alone in a store (blocking convention), or several as
//! guest tasks in one (async convention). Knows lives and stores, not when users start.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use wasmtime::Store;
use wasmtime::component::{Accessor, ResourceAny};

use super::bindings::blocking::{BlockingLoadTest, BlockingLoadTestPre};
use super::bindings::concurrent::{LoadTest, LoadTestPre};
use super::bindings::types::Failure;
use super::errand::Errand;
use super::host::{Host, Member};
use super::plugin::Plugin;
use super::run::Run;
use super::trap::Trap;
use super::user::{CallError, CallResult, End, Guest, User, live};
use crate::metrics::users::{CountedUser, State};
use crate::user_class::Execution;

/// Pauses between the lives of a user whose sandbox dies or that cannot start.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
const LAST_BACKOFF: Duration = Duration::from_secs(30);

/// A user has left, for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// Its id.
    pub id: u64,
    /// Index of its class.
    pub class: usize,
    /// It had nothing left to do, and is not to be replaced.
    pub finished: bool,
}

/// What the sandboxes of a run have in common.
#[derive(Clone)]
pub(super) struct Template {
    pub(super) plugin: Arc<Plugin>,
    pub(super) run: Arc<Run>,
    pub(super) exits: mpsc::UnboundedSender<Exit>,
}

/// A user that has not left yet; it reports its exit when dropped, however that happens.
pub(super) struct Resident {
    user: User,
    counted: Mutex<CountedUser>,
    backoff: Mutex<Duration>,
    finished: AtomicBool,
    exits: mpsc::UnboundedSender<Exit>,
}

impl Drop for Resident {
    fn drop(&mut self) {
        let id = self.user.member.id;
        let class = self.user.class;
        let finished = self.finished.load(Ordering::Relaxed);
        if self.user.announced.load(Ordering::Relaxed) {
            let run = &self.user.member.run;
            run.observed.user_stop(&self.user.member);
        }
        // Nobody listens once the run is over.
        let _ = self.exits.send(Exit {
            id,
            class,
            finished,
        });
    }
}

impl Resident {
    /// Counts how a life ended. Whether another one may follow.
    fn judge(&self, end: &End, template: &Template) -> bool {
        if let End::Trapped { trap, .. } = end {
            template.bury(self.user.class, trap);
        }
        self.note_finished(end);
        let goes_on = match end {
            End::Failed => true,
            End::Trapped { finished, .. } => !finished,
            End::Stopped | End::Finished => false,
        };
        goes_on && !self.user.member.stop.is_cancelled()
    }

    fn note_finished(&self, end: &End) {
        let finished = matches!(end, End::Finished | End::Trapped { finished: true, .. });
        self.finished.store(finished, Ordering::Relaxed);
    }

    /// Waits before the next life. Whether it still shall be.
    async fn back_off(&self) -> bool {
        self.counted.lock().move_to(State::Restarting);
        let pause = {
            let mut backoff = self.backoff.lock();
            let pause = *backoff;
            *backoff = (pause * 2).min(LAST_BACKOFF);
            pause
        };
        tokio::select! {
            biased;
            () = self.user.member.stop.cancelled() => false,
            () = tokio::time::sleep(pause) => {
                self.counted.lock().move_to(State::Starting);
                true
            }
        }
    }

    /// A life that lasted makes up for the failures before it.
    fn lived(&self, began: Instant) {
        if began.elapsed() > LAST_BACKOFF {
            *self.backoff.lock() = FIRST_BACKOFF;
        }
    }
}

impl Template {
    pub(super) fn resident(&self, id: u64, class: usize, stop: CancellationToken) -> Resident {
        let class_of = &self.run.classes[class];
        let host = class_of.host.clone();
        let mut member = Member::new(&self.run, id, &class_of.name, &stop, host);
        member.holds_on = class_of.class.execution == Execution::OwnLoop;
        Resident {
            user: User {
                member: Arc::new(member),
                class,
                begun: AtomicU64::new(0),
                announced: AtomicBool::new(false),
            },
            counted: Mutex::new(self.run.gauges.enter(class)),
            backoff: Mutex::new(FIRST_BACKOFF),
            finished: AtomicBool::new(false),
            exits: self.exits.clone(),
        }
    }

    fn bury(&self, class: usize, trap: &Trap) {
        let class = &self.run.classes[class].name;
        self.run
            .metrics
            .sandbox_event(class, trap.kind, &trap.message);
    }

    /// Another sandbox takes the place of one that died.
    fn replace(&self, class: usize) {
        self.run.metrics.restart(&self.run.classes[class].name);
    }
}

/// One user alone, in a sandbox of its own at a time, until it leaves.
pub(super) async fn alone(template: Template, pre: BlockingLoadTestPre<Host>, resident: Resident) {
    loop {
        let began = Instant::now();
        let end = one_life(&template, &pre, &resident).await;
        resident.lived(began);
        if !resident.judge(&end, &template) || !resident.back_off().await {
            return;
        }
        if matches!(end, End::Trapped { .. }) {
            template.replace(resident.user.class);
        }
    }
}

async fn one_life(
    template: &Template,
    pre: &BlockingLoadTestPre<Host>,
    resident: &Resident,
) -> End {
    let user = &resident.user;
    let mut store = template.plugin.store(&template.run, &user.member.class);
    store.data_mut().join(user.member.clone());
    match Alone::create(template, pre, store, user).await {
        Ok(mut guest) => live(&mut guest, user, &resident.counted, &template.run).await,
        Err(trap) => End::Trapped {
            trap,
            finished: false,
        },
    }
}

/// A user of the blocking convention in its store.
struct Alone {
    store: Store<Host>,
    plugin: BlockingLoadTest,
    user: ResourceAny,
    id: u64,
    errand: Errand,
}

impl Alone {
    async fn create(
        template: &Template,
        pre: &BlockingLoadTestPre<Host>,
        mut store: Store<Host>,
        user: &User,
    ) -> Result<Alone, Trap> {
        let class = template.run.classes[user.class].class.index;
        store.data_mut().enter();
        let errand = store.data().errand();
        let created = errand.attend(async {
            let plugin = pre.instantiate_async(&mut store).await?;
            let constructor = plugin.aiotest_engine_blocking_scenario().user();
            let resource = constructor
                .call_constructor(&mut store, class, user.member.id)
                .await?;
            Ok((plugin, resource))
        });
        match created.await {
            Ok((plugin, resource)) => Ok(Alone {
                store,
                plugin,
                user: resource,
                id: user.member.id,
                errand,
            }),
            Err(error) => Err(Trap::of(&error, store.data())),
        }
    }
}

impl Guest for Alone {
    async fn on_start(&mut self) -> CallResult {
        self.store.data_mut().enter();
        let user = self.plugin.aiotest_engine_blocking_scenario().user();
        let call = user.call_on_start(&mut self.store, self.user);
        let result = self.errand.attend(call).await;
        settle(result, self.store.data_mut(), self.id)
    }

    async fn run_task(&mut self, index: u32) -> CallResult {
        self.store.data_mut().enter();
        let user = self.plugin.aiotest_engine_blocking_scenario().user();
        let call = user.call_run_task(&mut self.store, self.user, index);
        let result = self.errand.attend(call).await;
        settle(result, self.store.data_mut(), self.id)
    }

    async fn run_tasks(
        &mut self,
        tasks: Vec<(usize, u32)>,
        _at_a_time: usize,
    ) -> Vec<(usize, CallResult)> {
        // Calls cannot overlap here; `Plugin::describe` refuses classes that want it.
        let mut results = Vec::with_capacity(tasks.len());
        for (number, index) in tasks {
            results.push((number, self.run_task(index).await));
        }
        results
    }

    async fn run(&mut self) -> CallResult {
        self.store.data_mut().enter();
        let user = self.plugin.aiotest_engine_blocking_scenario().user();
        let call = user.call_run(&mut self.store, self.user);
        let result = self.errand.attend(call).await;
        settle(result, self.store.data_mut(), self.id)
    }

    async fn wait_time(&mut self) -> CallResult<Duration> {
        self.store.data_mut().enter();
        let user = self.plugin.aiotest_engine_blocking_scenario().user();
        let call = user.call_wait_time(&mut self.store, self.user);
        let result = self.errand.attend(call).await;
        settle(result, self.store.data_mut(), self.id).map(Duration::from_nanos)
    }

    async fn on_stop(&mut self) -> CallResult {
        self.store.data_mut().enter();
        let user = self.plugin.aiotest_engine_blocking_scenario().user();
        let call = user.call_on_stop(&mut self.store, self.user);
        let result = self.errand.attend(call).await;
        settle(result, self.store.data_mut(), self.id)
    }
}

/// What a call's result means, and what becomes of the responses it left open.
fn settle<T>(
    result: wasmtime::Result<Result<T, Failure>>,
    host: &mut Host,
    user: u64,
) -> CallResult<T> {
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(failure)) => {
            if let Failure::Failed(message) = &failure {
                host.fail_open(Some(user), message);
            }
            Err(CallError::Failure(failure))
        }
        Err(error) => {
            let trap = Trap::of(&error, host);
            host.fail_open(None, &trap.message);
            Err(CallError::Trap(trap))
        }
    }
}

/// Several users as guest tasks of one sandbox at a time, until all of them have left.
pub(super) async fn group(
    template: Template,
    pre: LoadTestPre<Host>,
    class: usize,
    mut arrivals: mpsc::UnboundedReceiver<Resident>,
) {
    let mut residents = Vec::new();
    loop {
        if residents.is_empty() {
            match arrivals.recv().await {
                Some(resident) => residents.push(Arc::new(resident)),
                None => return,
            }
        }
        match shared_life(&template, &pre, class, &mut arrivals, &mut residents).await {
            None => return,
            Some(trap) => template.bury(class, &trap),
        }
        residents = restart(residents).await;
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

/// One sandbox from its instantiation to its end: nothing when all users have left, or
/// why it died; then `residents` are those that were inside.
async fn shared_life(
    template: &Template,
    pre: &LoadTestPre<Host>,
    class: usize,
    arrivals: &mut mpsc::UnboundedReceiver<Resident>,
    residents: &mut Vec<Arc<Resident>>,
) -> Option<Trap> {
    let mut store = template
        .plugin
        .store(&template.run, &template.run.classes[class].name);
    store.data_mut().enter();
    let plugin = match pre.instantiate_async(&mut store).await {
        Ok(plugin) => plugin,
        Err(error) => return Some(Trap::of(&error, store.data())),
    };
    let present = Mutex::new(std::mem::take(residents));
    let shared = Shared {
        template,
        plugin: &plugin,
        present: &present,
    };
    let ran = store
        .run_concurrent(async |accessor| shared.run(accessor, arrivals).await)
        .await;
    let trap = match ran {
        Ok(trap) => trap,
        Err(error) => Some(Trap::of(&error, store.data())),
    };
    if let Some(trap) = &trap {
        store.data_mut().fail_open(None, &trap.message);
    }
    *residents = present.into_inner();
    trap
}

/// A sandbox and the users inside.
#[derive(Clone, Copy)]
struct Shared<'a> {
    template: &'a Template,
    plugin: &'a LoadTest,
    present: &'a Mutex<Vec<Arc<Resident>>>,
}

impl Shared<'_> {
    /// Runs everyone who is or comes inside, until all have left or the sandbox died.
    async fn run(
        self,
        accessor: &Accessor<Host>,
        arrivals: &mut mpsc::UnboundedReceiver<Resident>,
    ) -> Option<Trap> {
        let mut stays = FuturesUnordered::new();
        for resident in self.present.lock().iter() {
            stays.push(self.stay(accessor, resident.clone()));
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
            stays.push(self.stay(accessor, resident));
        }
    }

    /// One user until it leaves, through as many lives as it takes.
    async fn stay(self, accessor: &Accessor<Host>, resident: Arc<Resident>) -> Option<Trap> {
        let user = &resident.user;
        loop {
            let began = Instant::now();
            let end = match Together::create(self, accessor, user).await {
                Ok(mut guest) => {
                    let run = &self.template.run;
                    let end = live(&mut guest, user, &resident.counted, run).await;
                    guest.destroy();
                    end
                }
                Err(trap) => End::Trapped {
                    trap,
                    finished: false,
                },
            };
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
}

/// A user of the async convention in a sandbox that it may share.
struct Together<'a> {
    accessor: &'a Accessor<Host>,
    plugin: &'a LoadTest,
    user: ResourceAny,
    id: u64,
    /// Tasks overlap, so that an open response does not tell whose it is.
    overlapping: bool,
}

impl<'a> Together<'a> {
    async fn create(
        shared: Shared<'a>,
        accessor: &'a Accessor<Host>,
        user: &User,
    ) -> Result<Together<'a>, Trap> {
        let class = &shared.template.run.classes[user.class].class;
        let id = user.member.id;
        accessor.with(|mut host| {
            host.get().join(user.member.clone());
            host.get().enter();
        });
        let scenario = shared.plugin.aiotest_engine_scenario().user();
        match scenario.call_constructor(accessor, class.index, id).await {
            Ok(resource) => Ok(Together {
                accessor,
                plugin: shared.plugin,
                user: resource,
                id,
                overlapping: matches!(class.execution, Execution::Concurrent(_)),
            }),
            Err(error) => Err(accessor.with(|mut host| Trap::of(&error, host.get()))),
        }
    }

    fn enter(&self) {
        self.accessor.with(|mut host| host.get().enter());
    }

    fn settle<T>(&self, result: wasmtime::Result<Result<T, Failure>>) -> CallResult<T> {
        if self.overlapping
            && let Ok(Err(failure)) = result
        {
            return Err(CallError::Failure(failure));
        }
        self.accessor
            .with(|mut host| settle(result, host.get(), self.id))
    }

    async fn call_task(&self, index: u32) -> CallResult {
        self.enter();
        let user = self.plugin.aiotest_engine_scenario().user();
        self.settle(user.call_run_task(self.accessor, self.user, index).await)
    }

    /// Counts what the user still holds. Its guest memory lives as long as the sandbox:
    /// a destructor could wait, and nothing here may.
    fn destroy(self) {
        self.accessor.with(|mut host| host.get().leave(self.id));
    }
}

impl Guest for Together<'_> {
    async fn on_start(&mut self) -> CallResult {
        self.enter();
        let user = self.plugin.aiotest_engine_scenario().user();
        self.settle(user.call_on_start(self.accessor, self.user).await)
    }

    async fn run_task(&mut self, index: u32) -> CallResult {
        self.call_task(index).await
    }

    async fn run_tasks(
        &mut self,
        tasks: Vec<(usize, u32)>,
        at_a_time: usize,
    ) -> Vec<(usize, CallResult)> {
        let this = &*self;
        futures::stream::iter(tasks)
            .map(|(number, index)| async move { (number, this.call_task(index).await) })
            .buffer_unordered(at_a_time)
            .collect()
            .await
    }

    async fn run(&mut self) -> CallResult {
        self.enter();
        let user = self.plugin.aiotest_engine_scenario().user();
        self.settle(user.call_run(self.accessor, self.user).await)
    }

    async fn wait_time(&mut self) -> CallResult<Duration> {
        self.enter();
        let user = self.plugin.aiotest_engine_scenario().user();
        let result = user.call_wait_time(self.accessor, self.user).await;
        self.settle(result).map(Duration::from_nanos)
    }

    async fn on_stop(&mut self) -> CallResult {
        self.enter();
        let user = self.plugin.aiotest_engine_scenario().user();
        self.settle(user.call_on_stop(self.accessor, self.user).await)
    }
}
