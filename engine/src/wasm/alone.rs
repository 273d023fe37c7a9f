//! A user of the blocking convention, alone in a sandbox of its own at a time.

use std::time::Duration;

use tokio::time::Instant;
use wasmtime::Store;
use wasmtime::component::ResourceAny;

use super::bindings::blocking::{BlockingLoadTest, BlockingLoadTestPre};
use super::errand::Errand;
use super::host::Host;
use super::sandbox::{Resident, Template, settle};
use super::trap::Trap;
use super::user::{CallResult, End, Guest, User, live};

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
