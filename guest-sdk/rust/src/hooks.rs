//! What a scenario does once per run.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use crate::call::{Caller, answer, on_behalf_of};
use crate::convention::{Reply, reply};
use crate::failure::Result;
use crate::user::exclusive;

/// Prepares and cleans up the run; both are optional.
///
/// ```
/// use aiotest::prelude::*;
///
/// #[derive(Default)]
/// struct Setup {
///     client: Client,
/// }
///
/// impl Hooks for Setup {
///     async fn on_test_start(&mut self) -> Result {
///         self.client.post("/reset").send().await?.error_for_status()?;
///         Ok(())
///     }
/// }
/// ```
pub trait Hooks: 'static {
    /// Before the first user starts. A failure ends the run.
    ///
    /// # Errors
    ///
    /// What ends the run.
    fn on_test_start(&mut self) -> impl Future<Output = Result> {
        async { Ok(()) }
    }

    /// After the last user stopped.
    ///
    /// # Errors
    ///
    /// What the report shall mention.
    fn on_test_stop(&mut self) -> impl Future<Output = Result> {
        async { Ok(()) }
    }
}

/// Which of the two.
#[derive(Clone, Copy)]
pub enum Hook {
    /// Before the first user.
    Start,
    /// After the last user.
    Stop,
}

/// Hooks of all types.
pub trait AnyHooks {
    /// Runs one of the two.
    fn call(self: Rc<Self>, hook: Hook) -> Reply<'static, ()>;
}

impl<T: Hooks> AnyHooks for RefCell<T> {
    #[expect(
        clippy::await_holding_refcell_ref,
        reason = "the engine calls one hook at a time; another gets an error"
    )]
    fn call(self: Rc<Self>, hook: Hook) -> Reply<'static, ()> {
        reply(answer(Caller::RUN, async move {
            let mut hooks = exclusive(&self)?;
            match hook {
                Hook::Start => hooks.on_test_start().await,
                Hook::Stop => hooks.on_test_stop().await,
            }
        }))
    }
}

/// Hides the type of the hooks.
#[must_use]
pub fn erase(hooks: impl Hooks) -> Rc<dyn AnyHooks> {
    Rc::new(RefCell::new(hooks))
}

thread_local! {
    static HOOKS: OnceCell<Rc<dyn AnyHooks>> = const { OnceCell::new() };
}

/// The hooks live as long as the sandbox, which they share with the load shape alone.
pub(crate) fn call(create: fn() -> Rc<dyn AnyHooks>, hook: Hook) -> Reply<'static, ()> {
    let hooks =
        HOOKS.with(|hooks| Rc::clone(hooks.get_or_init(|| on_behalf_of(Caller::RUN, create))));
    hooks.call(hook)
}
