//! What happens in the run, told to handlers of the scenario. They live in a sandbox of
//! their own, beside the users, which they share with the load shape and the hooks alone.
//!
//! ```
//! use aiotest::prelude::*;
//!
//! # #[derive(Default)]
//! # struct Customer;
//! # #[user]
//! # impl Customer {
//! #     async fn test_nothing(&mut self) -> Result {
//! #         Ok(())
//! #     }
//! # }
//! fn watch() -> Events {
//!     let client = Client::default();
//!     Events::new()
//!         .on_request(|request| {
//!             if request.duration > Duration::from_secs(1) {
//!                 metrics::count("slow requests", 1.0);
//!             }
//!         })
//!         .on_user_error_async(async move |error| {
//!             let chat = client.post("https://chat.example.org/messages");
//!             chat.body(error.message.clone()).send().await?;
//!             Ok(())
//!         })
//!         .priority(10)
//! }
//!
//! scenario!(Customer; events = watch());
//! ```

use std::cell::{OnceCell, RefCell};
use std::cmp::Reverse;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use crate::bindings::observed::aiotest::engine::events as engine;
use crate::call::{Caller, answer, on_behalf_of};
use crate::convention::{Reply, reply};
use crate::failure::{Failure, Result};
use crate::user::exclusive;
use crate::warn;

pub use crate::bindings::observed::aiotest::engine::events::User;

/// An exchange, HTTP or recorded by the scenario, as it is counted.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who sent it.
    pub user: User,
    /// Time of the run when it was counted.
    pub at: Duration,
    /// HTTP method, or the name of another protocol.
    pub method: String,
    /// Under which name it is counted.
    pub name: String,
    /// Names and values.
    pub tags: Vec<(String, String)>,
    /// Absent without a response, and for other protocols.
    pub status: Option<u16>,
    /// How long it took.
    pub duration: Duration,
    /// Bytes of the response body on the wire.
    pub size: u64,
    /// Absent for a success.
    pub error: Option<String>,
}

/// A step that failed.
#[derive(Clone, Debug)]
pub struct UserError {
    /// Whose step it was.
    pub user: User,
    /// Time of the run.
    pub at: Duration,
    /// The task, or the step such as `on_start`.
    pub task: String,
    /// Why.
    pub message: String,
}

/// Handlers of what happens in the run. The engine tells those events only that have a
/// handler; each costs something, so leave out what is not needed.
///
/// Handlers are called one at a time, those of the higher [`priority`](Self::priority)
/// first and equal ones in the order in which they were added. An async handler that
/// fails is mentioned in the log; the others are called all the same.
#[derive(Default)]
#[must_use = "handlers do nothing until they are given to `scenario!`"]
pub struct Events {
    handlers: Vec<Entry>,
}

struct Entry {
    priority: i32,
    handler: Handler,
}

enum Handler {
    UserStart(Call<User>),
    UserStop(Call<User>),
    Request(Call<Request>),
    UserError(Call<UserError>),
}

enum Call<E> {
    Plain(Box<dyn FnMut(&E)>),
    Async(Box<dyn AsyncHandler<E>>),
}

/// An async closure that can be kept beside others.
trait AsyncHandler<E> {
    fn handle<'a>(&'a mut self, event: &'a E) -> Pin<Box<dyn Future<Output = Result> + 'a>>;
}

impl<E, F: AsyncFnMut(&E) -> Result> AsyncHandler<E> for F {
    fn handle<'a>(&'a mut self, event: &'a E) -> Pin<Box<dyn Future<Output = Result> + 'a>> {
        Box::pin(self(event))
    }
}

impl<E> Call<E> {
    fn plain(handler: impl FnMut(&E) + 'static) -> Self {
        Self::Plain(Box::new(handler))
    }

    fn asynchronous(handler: impl AsyncFnMut(&E) -> Result + 'static) -> Self {
        Self::Async(Box::new(handler))
    }

    async fn call(&mut self, event: &E) -> Result {
        match self {
            Self::Plain(handler) => {
                handler(event);
                Ok(())
            }
            Self::Async(handler) => answer(Caller::RUN, handler.handle(event)).await,
        }
    }
}

impl Events {
    /// No handlers yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A user has started: its `on_start` is done.
    pub fn on_user_start(self, handler: impl FnMut(&User) + 'static) -> Self {
        self.add(Handler::UserStart(Call::plain(handler)))
    }

    /// The same for a handler that waits.
    pub fn on_user_start_async(self, handler: impl AsyncFnMut(&User) -> Result + 'static) -> Self {
        self.add(Handler::UserStart(Call::asynchronous(handler)))
    }

    /// A user has stopped: its `on_stop` is done, or its sandbox died for the last time.
    pub fn on_user_stop(self, handler: impl FnMut(&User) + 'static) -> Self {
        self.add(Handler::UserStop(Call::plain(handler)))
    }

    /// The same for a handler that waits.
    pub fn on_user_stop_async(self, handler: impl AsyncFnMut(&User) -> Result + 'static) -> Self {
        self.add(Handler::UserStop(Call::asynchronous(handler)))
    }

    /// A request was counted.
    pub fn on_request(self, handler: impl FnMut(&Request) + 'static) -> Self {
        self.add(Handler::Request(Call::plain(handler)))
    }

    /// The same for a handler that waits.
    pub fn on_request_async(self, handler: impl AsyncFnMut(&Request) -> Result + 'static) -> Self {
        self.add(Handler::Request(Call::asynchronous(handler)))
    }

    /// A step of a user has failed.
    pub fn on_user_error(self, handler: impl FnMut(&UserError) + 'static) -> Self {
        self.add(Handler::UserError(Call::plain(handler)))
    }

    /// The same for a handler that waits.
    pub fn on_user_error_async(
        self,
        handler: impl AsyncFnMut(&UserError) -> Result + 'static,
    ) -> Self {
        self.add(Handler::UserError(Call::asynchronous(handler)))
    }

    /// Gives this priority to the handler added last; all others have 0, or their own.
    pub fn priority(mut self, priority: i32) -> Self {
        if let Some(last) = self.handlers.last_mut() {
            last.priority = priority;
        }
        self
    }

    fn add(mut self, handler: Handler) -> Self {
        self.handlers.push(Entry {
            priority: 0,
            handler,
        });
        self
    }

    /// In the order in which they are called.
    fn ordered(mut self) -> Self {
        self.handlers.sort_by_key(|entry| Reverse(entry.priority));
        self
    }

    fn kinds(&self) -> engine::Kinds {
        let kinds = self.handlers.iter().map(|entry| match entry.handler {
            Handler::UserStart(_) => engine::Kinds::USER_START,
            Handler::UserStop(_) => engine::Kinds::USER_STOP,
            Handler::Request(_) => engine::Kinds::REQUEST,
            Handler::UserError(_) => engine::Kinds::USER_ERROR,
        });
        kinds.fold(engine::Kinds::empty(), |all, kind| all | kind)
    }

    /// Calls all handlers of this kind; `failed` hears of those that fail.
    async fn dispatch(&mut self, event: &Event, failed: impl Fn(&Failure)) {
        for Entry { handler, .. } in &mut self.handlers {
            let result = match (handler, event) {
                (Handler::UserStart(call), Event::UserStart(user))
                | (Handler::UserStop(call), Event::UserStop(user)) => call.call(user).await,
                (Handler::Request(call), Event::Request(request)) => call.call(request).await,
                (Handler::UserError(call), Event::UserError(error)) => call.call(error).await,
                _ => Ok(()),
            };
            if let Err(failure) = result {
                failed(&failure);
            }
        }
    }
}

/// As the engine tells it, in the types of this crate.
enum Event {
    UserStart(User),
    UserStop(User),
    Request(Request),
    UserError(UserError),
}

impl From<engine::Event> for Event {
    fn from(event: engine::Event) -> Self {
        match event {
            engine::Event::UserStart(user) => Self::UserStart(user),
            engine::Event::UserStop(user) => Self::UserStop(user),
            engine::Event::Request(request) => Self::Request(request.into()),
            engine::Event::UserError(error) => Self::UserError(UserError {
                user: error.user,
                at: Duration::from_nanos(error.at),
                task: error.task,
                message: error.message,
            }),
        }
    }
}

impl From<engine::Request> for Request {
    fn from(request: engine::Request) -> Self {
        Self {
            user: request.user,
            at: Duration::from_nanos(request.at),
            method: request.method,
            name: request.name,
            tags: request.tags,
            status: Some(request.status).filter(|status| *status != 0),
            duration: Duration::from_nanos(request.duration),
            size: request.size,
            error: request.error,
        }
    }
}

thread_local! {
    static EVENTS: OnceCell<Rc<RefCell<Events>>> = const { OnceCell::new() };
}

/// The handlers live as long as the sandbox.
fn handlers(create: fn() -> Events) -> Rc<RefCell<Events>> {
    let create = || Rc::new(RefCell::new(on_behalf_of(Caller::RUN, create).ordered()));
    EVENTS.with(|events| Rc::clone(events.get_or_init(create)))
}

/// Which events have handlers.
pub(crate) fn wanted(create: fn() -> Events) -> engine::Kinds {
    handlers(create).borrow().kinds()
}

/// Calls the handlers of each event.
#[expect(
    clippy::await_holding_refcell_ref,
    reason = "the engine tells one batch at a time; another gets an error"
)]
pub(crate) fn observe(create: fn() -> Events, events: Vec<engine::Event>) -> Reply<'static, ()> {
    reply(async move {
        let handlers = handlers(create);
        let mut handlers = exclusive(&handlers)?;
        for event in events {
            handlers.dispatch(&event.into(), complain).await;
        }
        Ok(())
    })
}

/// Whether the handlers could be called at all.
pub(crate) fn told(result: Result) {
    if let Err(failure) = result {
        complain(&failure);
    }
}

#[cold]
fn complain(failure: &Failure) {
    warn!("a handler of events: {failure}");
}

#[cfg(test)]
mod tests;
