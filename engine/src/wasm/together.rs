//! A sandbox of the async convention: each user in it is a resource, each call a guest task.

use std::time::Duration;

use wasmtime::Store;
use wasmtime::component::{Accessor, ResourceAny};

use super::bindings::concurrent::{LoadTest, LoadTestPre};
use super::bindings::types::Failure;
use super::group::{Arrivals, Household, Room, Shareable};
use super::host::Host;
use super::run::Run;
use super::sandbox::settle;
use super::trap::Trap;
use super::user::{CallError, CallResult, Guest, User, overlap};
use crate::user_class::Execution;

impl Shareable for LoadTestPre<Host> {
    async fn life(
        &self,
        household: &Household<'_>,
        store: &mut Store<Host>,
        arrivals: &mut Arrivals,
    ) -> Option<Trap> {
        let plugin = match self.instantiate_async(&mut *store).await {
            Ok(plugin) => plugin,
            Err(error) => return Some(Trap::of(&error, store.data())),
        };
        let (plugin, run) = (&plugin, &*household.template.run);
        let inside = async |accessor: &Accessor<Host>| {
            let room = Together {
                accessor,
                plugin,
                run,
            };
            household.run(room, arrivals).await
        };
        match store.run_concurrent(inside).await {
            Ok(trap) => trap,
            Err(error) => Some(Trap::of(&error, store.data())),
        }
    }
}

/// The inside of the sandbox.
#[derive(Clone, Copy)]
struct Together<'a> {
    accessor: &'a Accessor<Host>,
    plugin: &'a LoadTest,
    run: &'a Run,
}

impl<'a> Room for Together<'a> {
    type Guest = Resource<'a>;

    async fn seat(self, user: &User) -> Result<Resource<'a>, Trap> {
        let class = &self.run.classes[user.class].class;
        let id = user.member.id;
        self.accessor.with(|mut host| {
            host.get().join(user.member.clone());
            host.get().enter();
        });
        let scenario = self.plugin.aiotest_engine_scenario().user();
        let created = scenario.call_constructor(self.accessor, class.index, id);
        match created.await {
            Ok(user) => Ok(Resource {
                room: self,
                user,
                id,
                overlapping: matches!(class.execution, Execution::Concurrent(_)),
            }),
            Err(error) => Err(self.accessor.with(|mut host| Trap::of(&error, host.get()))),
        }
    }

    /// Its calls ask for that themselves, when they wait.
    fn stop(self, _user: &User) {}

    /// Counts what the user still holds. Its guest memory lives as long as the sandbox:
    /// a destructor could wait, and nothing here may.
    fn clear(self, guest: Resource<'a>) {
        self.accessor.with(|mut host| host.get().leave(guest.id));
    }
}

/// A user in it.
struct Resource<'a> {
    room: Together<'a>,
    user: ResourceAny,
    id: u64,
    /// Tasks overlap, so that an open response does not tell whose it is.
    overlapping: bool,
}

impl Resource<'_> {
    fn enter(&self) {
        self.room.accessor.with(|mut host| host.get().enter());
    }

    fn settle<T>(&self, result: wasmtime::Result<Result<T, Failure>>) -> CallResult<T> {
        if self.overlapping
            && let Ok(Err(failure)) = result
        {
            return Err(CallError::Failure(failure));
        }
        self.room
            .accessor
            .with(|mut host| settle(result, host.get(), self.id))
    }

    async fn call_task(&self, index: u32) -> CallResult {
        self.enter();
        let user = self.room.plugin.aiotest_engine_scenario().user();
        self.settle(
            user.call_run_task(self.room.accessor, self.user, index)
                .await,
        )
    }
}

impl Guest for Resource<'_> {
    async fn on_start(&mut self) -> CallResult {
        self.enter();
        let user = self.room.plugin.aiotest_engine_scenario().user();
        self.settle(user.call_on_start(self.room.accessor, self.user).await)
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
        overlap(tasks, at_a_time, |index| this.call_task(index)).await
    }

    async fn run(&mut self) -> CallResult {
        self.enter();
        let user = self.room.plugin.aiotest_engine_scenario().user();
        self.settle(user.call_run(self.room.accessor, self.user).await)
    }

    async fn wait_time(&mut self) -> CallResult<Duration> {
        self.enter();
        let user = self.room.plugin.aiotest_engine_scenario().user();
        let result = user.call_wait_time(self.room.accessor, self.user).await;
        self.settle(result).map(Duration::from_nanos)
    }

    async fn on_stop(&mut self) -> CallResult {
        self.enter();
        let user = self.room.plugin.aiotest_engine_scenario().user();
        self.settle(user.call_on_stop(self.room.accessor, self.user).await)
    }
}
