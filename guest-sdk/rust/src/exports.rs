//! The exported side of the bindings: the calls of the engine, passed on to the user
//! classes, the load shape, the hooks and the handlers of events. `scenario!` makes a
//! component of it.

use std::marker::PhantomData;
use std::rc::Rc;
use std::time::Duration;

use crate::bindings::aiotest::engine::{manifest::Manifest, types};
use crate::bindings::hooked::exports::aiotest::engine as hooked;
use crate::bindings::observed::aiotest::engine::events::{Event, Kinds};
use crate::bindings::observed::exports::aiotest::engine as observed;
use crate::bindings::shaped::exports::aiotest::engine::load_shape;
use crate::call::Caller;
use crate::convention::Reply;
use crate::events::{self, Events};
use crate::hooks::{self, AnyHooks, Hook};
use crate::nanos;
use crate::shape::{self, LoadShape};
use crate::user::{self, AnyUser, Class, Step};

#[cfg(not(feature = "concurrent"))]
use crate::bindings::exports::aiotest::engine::blocking_scenario as scenario;
#[cfg(feature = "concurrent")]
use crate::bindings::exports::aiotest::engine::scenario;
#[cfg(not(feature = "concurrent"))]
use hooked::blocking_hooks as hook_exports;
#[cfg(feature = "concurrent")]
use hooked::hooks as hook_exports;
#[cfg(not(feature = "concurrent"))]
use observed::blocking_observer as observer_exports;
#[cfg(feature = "concurrent")]
use observed::observer as observer_exports;

/// What `scenario!` has collected.
pub trait Scenario: 'static {
    /// All classes; the engine knows them by their index.
    const CLASSES: &'static [Class];
    /// Conditions on the results.
    const THRESHOLDS: &'static [&'static str];
}

/// A scenario with `shape = …`.
pub trait Shaped {
    /// Makes the shape.
    fn shape() -> Box<dyn LoadShape>;
}

/// A scenario with `hooks = …`.
pub trait Hooked {
    /// Makes the hooks.
    fn hooks() -> Rc<dyn AnyHooks>;
}

/// A scenario with `events = …`.
pub trait Observed {
    /// Makes the handlers.
    fn events() -> Events;
}

/// A scenario with `thresholds = …`.
pub trait Judged {}

/// The component of a scenario.
pub struct Component<S>(PhantomData<S>);

/// A user, as the engine holds it.
pub struct UserHandle<S> {
    caller: Caller,
    user: Box<dyn AnyUser>,
    scenario: PhantomData<S>,
}

impl<S: Scenario> UserHandle<S> {
    fn start(class: u32, id: u64) -> Self {
        let (caller, user) = user::start(&S::CLASSES[class as usize], id);
        Self {
            caller,
            user,
            scenario: PhantomData,
        }
    }

    fn step(&self, step: Step) -> Reply<'_, Duration> {
        self.user.step(self.caller, step)
    }
}

impl<S: Scenario> scenario::Guest for Component<S> {
    type User = UserHandle<S>;

    fn describe() -> Manifest {
        user::describe(S::CLASSES, S::THRESHOLDS)
    }
}

impl<S: Shaped> load_shape::Guest for Component<S> {
    fn tick(run_time: u64) -> Option<load_shape::Target> {
        shape::tick(S::shape, run_time)
    }
}

fn done<T>(result: crate::Result<T>) -> Result<(), types::Failure> {
    match result {
        Ok(_) => Ok(()),
        Err(failure) => Err(failure.into()),
    }
}

fn wait(result: crate::Result<Duration>) -> Result<u64, types::Failure> {
    Ok(nanos(result?))
}

#[cfg(not(feature = "concurrent"))]
mod blocking {
    use super::*;

    impl<S: Scenario> scenario::GuestUser for UserHandle<S> {
        fn new(class: u32, id: u64) -> Self {
            Self::start(class, id)
        }

        fn on_start(&self) -> Result<(), types::Failure> {
            done(self.step(Step::OnStart))
        }

        fn run_task(&self, index: u32) -> Result<(), types::Failure> {
            done(self.step(Step::Task(index)))
        }

        fn run(&self) -> Result<(), types::Failure> {
            done(self.step(Step::Run))
        }

        fn wait_time(&self) -> Result<u64, types::Failure> {
            wait(self.step(Step::WaitTime))
        }

        fn on_stop(&self) -> Result<(), types::Failure> {
            done(self.step(Step::OnStop))
        }
    }

    impl<S: Hooked> hook_exports::Guest for Component<S> {
        fn on_test_start() -> Result<(), types::Failure> {
            done(hooks::call(S::hooks, Hook::Start))
        }

        fn on_test_stop() -> Result<(), types::Failure> {
            done(hooks::call(S::hooks, Hook::Stop))
        }
    }

    impl<S: Observed> observer_exports::Guest for Component<S> {
        fn wanted() -> Kinds {
            events::wanted(S::events)
        }

        fn observe(events: Vec<Event>) {
            events::told(events::observe(S::events, events));
        }
    }
}

#[cfg(feature = "concurrent")]
mod concurrent {
    use super::*;

    impl<S: Scenario> scenario::GuestUser for UserHandle<S> {
        fn new(class: u32, id: u64) -> Self {
            Self::start(class, id)
        }

        async fn on_start(&self) -> Result<(), types::Failure> {
            done(self.step(Step::OnStart).await)
        }

        async fn run_task(&self, index: u32) -> Result<(), types::Failure> {
            done(self.step(Step::Task(index)).await)
        }

        async fn run(&self) -> Result<(), types::Failure> {
            done(self.step(Step::Run).await)
        }

        async fn wait_time(&self) -> Result<u64, types::Failure> {
            wait(self.step(Step::WaitTime).await)
        }

        async fn on_stop(&self) -> Result<(), types::Failure> {
            done(self.step(Step::OnStop).await)
        }
    }

    impl<S: Hooked> hook_exports::Guest for Component<S> {
        async fn on_test_start() -> Result<(), types::Failure> {
            done(hooks::call(S::hooks, Hook::Start).await)
        }

        async fn on_test_stop() -> Result<(), types::Failure> {
            done(hooks::call(S::hooks, Hook::Stop).await)
        }
    }

    impl<S: Observed> observer_exports::Guest for Component<S> {
        fn wanted() -> Kinds {
            events::wanted(S::events)
        }

        async fn observe(events: Vec<Event>) {
            events::told(events::observe(S::events, events).await);
        }
    }
}
