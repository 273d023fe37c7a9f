//! Which handlers are called, in which order, and with what.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::*;
use crate::fail;

fn user() -> User {
    User {
        id: 7,
        class: "Customer".to_owned(),
    }
}

fn request(status: u16) -> engine::Event {
    engine::Event::Request(engine::Request {
        user: user(),
        at: 1_000_000_000,
        method: "GET".to_owned(),
        name: "/cart".to_owned(),
        tags: vec![("region".to_owned(), "eu".to_owned())],
        status,
        duration: 5_000_000,
        size: 10,
        error: None,
    })
}

/// What was told, in order.
type Log = Rc<RefCell<Vec<String>>>;

fn note(log: &Log, text: impl Into<String>) {
    log.borrow_mut().push(text.into());
}

fn dispatch(events: Events, told: impl IntoIterator<Item = engine::Event>) -> Vec<String> {
    let failures = Log::default();
    let mut events = events.ordered();
    for event in told {
        let event = event.into();
        let mut call = pin!(events.dispatch(&event, |failure| {
            note(&failures, failure.to_string());
        }));
        let mut context = Context::from_waker(Waker::noop());
        let done = matches!(call.as_mut().poll(&mut context), Poll::Ready(()));
        assert!(done, "nothing to wait for");
    }
    failures.take()
}

#[test]
fn only_kinds_with_handlers_are_asked_for() {
    assert_eq!(Events::new().kinds(), engine::Kinds::empty());
    let events = Events::new()
        .on_user_error(|_| {})
        .on_user_stop_async(async |_| Ok(()))
        .on_user_error(|_| {});
    let kinds = engine::Kinds::USER_ERROR | engine::Kinds::USER_STOP;
    assert_eq!(events.kinds(), kinds);
}

#[test]
fn handlers_are_called_by_priority_and_then_in_order() {
    let log = Log::default();
    let noting = |name: &'static str| {
        let log = Rc::clone(&log);
        move |_: &Request| note(&log, name)
    };
    let waiting = Rc::clone(&log);
    let events = Events::new()
        .on_request(noting("first"))
        .on_request(noting("last"))
        .priority(-1)
        .on_request_async(async move |_| {
            note(&waiting, "urgent");
            Ok(())
        })
        .priority(10)
        .on_request(noting("second"));
    assert!(dispatch(events, [request(200)]).is_empty());
    assert_eq!(log.take(), ["urgent", "first", "second", "last"]);
}

#[test]
fn a_handler_hears_of_its_kind_alone_and_keeps_what_it_counts() {
    let log = Log::default();
    let (starts, stops) = (Rc::clone(&log), Rc::clone(&log));
    let mut count = 0;
    let events = Events::new()
        .on_user_start(move |user| {
            count += 1;
            note(&starts, format!("{} {count}", user.id));
        })
        .on_user_stop(move |user| note(&stops, format!("no more {}", user.class)));
    let start = || engine::Event::UserStart(user());
    let told = [
        start(),
        request(200),
        engine::Event::UserStop(user()),
        start(),
    ];
    assert!(dispatch(events, told).is_empty());
    assert_eq!(log.take(), ["7 1", "no more Customer", "7 2"]);
}

#[test]
fn a_handler_that_fails_does_not_keep_the_others_from_being_called() {
    let log = Log::default();
    let after = Rc::clone(&log);
    let events = Events::new()
        .on_user_error_async(async |error| fail!("cannot tell of {}", error.task))
        .on_user_error(move |error| note(&after, &*error.message));
    let error = engine::Event::UserError(engine::UserError {
        user: user(),
        at: 0,
        task: "test_cart".to_owned(),
        message: "no tea".to_owned(),
    });
    assert_eq!(dispatch(events, [error]), ["cannot tell of test_cart"]);
    assert_eq!(log.take(), ["no tea"]);
}

#[test]
fn a_request_without_a_response_has_no_status() {
    let converted = |status| match request(status).into() {
        Event::Request(request) => request,
        _ => unreachable!("it was one"),
    };
    assert_eq!(converted(0).status, None);
    let request = converted(503);
    assert_eq!(request.status, Some(503));
    assert_eq!(request.at, Duration::from_secs(1));
    assert_eq!(request.duration, Duration::from_millis(5));
    assert_eq!(request.tags, [("region".to_owned(), "eu".to_owned())]);
}
