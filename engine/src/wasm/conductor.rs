//! The one sandbox beside those of the users: the load shape's ticks, the hooks that run
//! once per run, and the observer of its events. Knows nothing of users.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use wasmtime::Store;
use wasmtime::component::Instance;

use super::bindings::blocking_hooked::BlockingHooked;
use super::bindings::blocking_observed::BlockingObserved;
use super::bindings::events::{Event, Kinds};
use super::bindings::hooked::Hooked;
use super::bindings::observed::Observed;
use super::bindings::shaped::Shaped;
use super::bindings::types::Failure;
use super::host::{CONDUCTOR, Host, Member, clip};
use super::plugin::{HooksIndices, ObserverIndices, Plugin, Pre};
use super::run::Run;
use super::trap::Trap;

/// How many users a load shape wants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// Users.
    pub users: u32,
    /// Users started or stopped a second.
    pub spawn_rate: f64,
}

/// Events that the observer was not told yet.
pub(crate) struct Events(mpsc::Receiver<Event>);

/// Events to tell.
pub(crate) struct Batch(Vec<Event>);

impl Events {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next ones, at most so many.
    pub(crate) fn take(&mut self, most: usize) -> Batch {
        let next = std::iter::from_fn(|| self.0.try_recv().ok());
        Batch(next.take(most).collect())
    }
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The sandbox of the load shape, the hooks and the observer.
pub struct Conductor {
    store: Store<Host>,
    shape: Option<Shaped>,
    hooks: Option<Hooks>,
    observer: Option<Observer>,
}

enum Hooks {
    /// Of the event-loop convention too.
    Blocking(BlockingHooked),
    Async(Hooked),
}

enum Observer {
    /// Of the event-loop convention too.
    Blocking(BlockingObserved),
    Async(Observed),
}

impl Conductor {
    /// Instantiates the component if it has a load shape, hooks or an observer. The error
    /// says why it could not.
    pub async fn new(plugin: &Arc<Plugin>, run: &Arc<Run>) -> Result<Option<Self>, String> {
        if plugin.shape.is_none() && plugin.hooks.is_none() && plugin.observer.is_none() {
            return Ok(None);
        }
        let name = Arc::from("load shape");
        let mut store = plugin.store(run, &name);
        let host = run.classes.iter().find_map(|class| class.host.clone());
        let member = Member::new(run, CONDUCTOR, &name, &CancellationToken::new(), host);
        store.data_mut().join(Arc::new(member));
        store.data_mut().enter();
        let errand = store.data().errand();
        match errand.attend(instantiate(plugin, &mut store)).await {
            Ok((shape, hooks, observer)) => Ok(Some(Conductor {
                store,
                shape,
                hooks,
                observer,
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

    /// Begins to keep the events that the observer wants to be told, if any.
    pub(crate) async fn subscribe(&mut self, run: &Run) -> Result<Option<Events>, String> {
        let kinds = self.kinds().await?;
        Ok((kinds != Kinds::empty()).then(|| Events(run.observed.subscribe(kinds))))
    }

    async fn kinds(&mut self) -> Result<Kinds, String> {
        self.store.data_mut().enter();
        let errand = self.store.data().errand();
        let store = &mut self.store;
        let kinds = match &self.observer {
            None => return Ok(Kinds::empty()),
            Some(Observer::Blocking(observer)) => {
                let observer = observer.aiotest_engine_blocking_observer();
                errand.attend(observer.call_wanted(store)).await
            }
            Some(Observer::Async(observer)) => {
                let observer = observer.aiotest_engine_observer();
                errand.attend(observer.call_wanted(store)).await
            }
        };
        kinds.map_err(|error| Trap::of(&error, self.store.data()).message)
    }

    /// Tells the observer what happened.
    pub(crate) async fn observe(&mut self, Batch(events): Batch) -> Result<(), String> {
        self.store.data_mut().enter();
        let told = match &self.observer {
            None => return Ok(()),
            Some(Observer::Blocking(observer)) => {
                let errand = self.store.data().errand();
                let observer = observer.aiotest_engine_blocking_observer();
                errand
                    .attend(observer.call_observe(&mut self.store, &events))
                    .await
            }
            Some(Observer::Async(observer)) => {
                let observer = observer.aiotest_engine_observer();
                let call = async |accessor: &_| observer.call_observe(accessor, events).await;
                self.store
                    .run_concurrent(call)
                    .await
                    .and_then(|result| result)
            }
        };
        told.map_err(|error| Trap::of(&error, self.store.data()).message)
    }

    fn outcome(&self, result: wasmtime::Result<Result<(), Failure>>) -> Result<(), String> {
        match result {
            Ok(Ok(())) => Ok(()),
            Ok(Err(Failure::StopTest(reason))) => {
                self.store.data().request_stop(reason);
                Ok(())
            }
            Ok(Err(Failure::Failed(message))) => Err(clip(message)),
            Ok(Err(Failure::Stopping | Failure::StopUser | Failure::LeaveSet)) => {
                Err("it gave up".into())
            }
            Err(error) => Err(Trap::of(&error, self.store.data()).message),
        }
    }
}

type Parts = (Option<Shaped>, Option<Hooks>, Option<Observer>);

async fn instantiate(plugin: &Plugin, store: &mut Store<Host>) -> wasmtime::Result<Parts> {
    let pre = match &plugin.pre {
        Pre::Blocking(pre) => pre.instance_pre(),
        Pre::Async(pre) => pre.instance_pre(),
        Pre::EventLoop(pre) => pre.instance_pre(),
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
    let observer = match &plugin.observer {
        Some(ObserverIndices::Blocking(indices)) => {
            Some(Observer::Blocking(indices.load(&mut *store, &instance)?))
        }
        Some(ObserverIndices::Async(indices)) => {
            Some(Observer::Async(indices.load(&mut *store, &instance)?))
        }
        None => None,
    };
    Ok((shape, hooks, observer))
}
