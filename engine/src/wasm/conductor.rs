//! The one sandbox beside those of the users: the load shape's ticks and the hooks that
//! run once per run. Knows nothing of users.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use wasmtime::Store;
use wasmtime::component::Instance;

use super::bindings::blocking_hooked::BlockingHooked;
use super::bindings::hooked::Hooked;
use super::bindings::shaped::Shaped;
use super::bindings::types::Failure;
use super::host::{Host, Member, clip};
use super::plugin::{HooksIndices, Plugin, Pre};
use super::run::Run;
use super::trap::Trap;

/// The id under which the sandbox opens sessions; users begin at 1.
const CONDUCTOR: u64 = 0;

/// How many users a load shape wants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// Users.
    pub users: u32,
    /// Users started or stopped a second.
    pub spawn_rate: f64,
}

/// The sandbox of the load shape and the hooks.
pub struct Conductor {
    store: Store<Host>,
    shape: Option<Shaped>,
    hooks: Option<Hooks>,
}

enum Hooks {
    Blocking(BlockingHooked),
    Async(Hooked),
}

impl Conductor {
    /// Instantiates the component if it has a load shape or hooks. The error says why it
    /// could not.
    pub async fn new(plugin: &Arc<Plugin>, run: &Arc<Run>) -> Result<Option<Self>, String> {
        if plugin.shape.is_none() && plugin.hooks.is_none() {
            return Ok(None);
        }
        let mut store = plugin.store(run, &Arc::from("load shape"));
        let host = run.classes.iter().find_map(|class| class.host.as_deref());
        let member = Member {
            stop: CancellationToken::new(),
            host: host.map(Arc::from),
        };
        store.data_mut().join(CONDUCTOR, member);
        store.data_mut().enter();
        let errand = store.data().errand();
        match errand.attend(instantiate(plugin, &mut store)).await {
            Ok((shape, hooks)) => Ok(Some(Conductor {
                store,
                shape,
                hooks,
            })),
            Err(error) => Err(Trap::of(&error, store.data()).message),
        }
    }

    /// Asks the load shape for its target; nothing ends the run. Without a load shape
    /// there is no answer.
    pub async fn tick(&mut self, elapsed: Duration) -> Result<Option<Target>, String> {
        let Some(shape) = &self.shape else {
            return Err("there is no load shape".into());
        };
        self.store.data_mut().enter();
        let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        let errand = self.store.data().errand();
        let call = shape
            .aiotest_engine_load_shape()
            .call_tick(&mut self.store, nanos);
        let target = errand.attend(call).await;
        let target = target.map_err(|error| Trap::of(&error, self.store.data()).message)?;
        match target {
            None => Ok(None),
            Some(t) if t.spawn_rate > 0.0 => Ok(Some(Target {
                users: t.users,
                spawn_rate: t.spawn_rate,
            })),
            Some(t) => Err(format!("spawn rate {} is not above 0", t.spawn_rate)),
        }
    }

    /// Calls the hook before the first user.
    pub async fn on_test_start(&mut self) -> Result<(), String> {
        self.store.data_mut().enter();
        let result = match &self.hooks {
            None => return Ok(()),
            Some(Hooks::Blocking(hooks)) => {
                let errand = self.store.data().errand();
                let hooks = hooks.aiotest_engine_blocking_hooks();
                errand
                    .attend(hooks.call_on_test_start(&mut self.store))
                    .await
            }
            Some(Hooks::Async(hooks)) => {
                let hooks = hooks.aiotest_engine_hooks();
                let call = async |accessor: &_| hooks.call_on_test_start(accessor).await;
                self.store
                    .run_concurrent(call)
                    .await
                    .and_then(|result| result)
            }
        };
        self.outcome(result)
    }

    /// Calls the hook after the last user.
    pub async fn on_test_stop(&mut self) -> Result<(), String> {
        self.store.data_mut().enter();
        let result = match &self.hooks {
            None => return Ok(()),
            Some(Hooks::Blocking(hooks)) => {
                let errand = self.store.data().errand();
                let hooks = hooks.aiotest_engine_blocking_hooks();
                errand
                    .attend(hooks.call_on_test_stop(&mut self.store))
                    .await
            }
            Some(Hooks::Async(hooks)) => {
                let hooks = hooks.aiotest_engine_hooks();
                let call = async |accessor: &_| hooks.call_on_test_stop(accessor).await;
                self.store
                    .run_concurrent(call)
                    .await
                    .and_then(|result| result)
            }
        };
        self.outcome(result)
    }

    fn outcome(&self, result: wasmtime::Result<Result<(), Failure>>) -> Result<(), String> {
        match result {
            Ok(Ok(())) => Ok(()),
            Ok(Err(Failure::Failed(message) | Failure::StopTest(message))) => Err(clip(message)),
            Ok(Err(Failure::Stopping | Failure::StopUser)) => Err("it gave up".into()),
            Err(error) => Err(Trap::of(&error, self.store.data()).message),
        }
    }
}

async fn instantiate(
    plugin: &Plugin,
    store: &mut Store<Host>,
) -> wasmtime::Result<(Option<Shaped>, Option<Hooks>)> {
    let pre = match &plugin.pre {
        Pre::Blocking(pre) => pre.instance_pre(),
        Pre::Async(pre) => pre.instance_pre(),
    };
    let instance: Instance = pre.instantiate_async(&mut *store).await?;
    let shape = match &plugin.shape {
        Some(indices) => Some(indices.load(&mut *store, &instance)?),
        None => None,
    };
    let hooks = match &plugin.hooks {
        Some(HooksIndices::Blocking(indices)) => {
            Some(Hooks::Blocking(indices.load(&mut *store, &instance)?))
        }
        Some(HooksIndices::Async(indices)) => {
            Some(Hooks::Async(indices.load(&mut *store, &instance)?))
        }
        None => None,
    };
    Ok((shape, hooks))
}
