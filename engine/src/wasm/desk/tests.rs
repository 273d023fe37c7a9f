//! Both sides of the desk, without a guest.

use tokio_util::sync::CancellationToken;

use super::*;
use crate::http::{Client, ClientConfig};
use crate::metrics::Metrics;
use crate::metrics::users::UserGauges;
use crate::wasm::bindings::http::ErrorKind;
use crate::wasm::run::{Given, Level, Run, RunParts};

fn member(id: u64) -> Arc<Member> {
    let (run, _) = Run::new(RunParts {
        metrics: Arc::new(Metrics::default()),
        samples: None,
        gauges: UserGauges::new::<String>([]),
        client: Client::new(ClientConfig::default()).unwrap(),
        given: Given::default(),
        limits: Default::default(),
        classes: Vec::new(),
        ticks: Arc::default(),
        level: Level::Error,
    });
    let stop = CancellationToken::new();
    Arc::new(Member::new(&run, id, &Arc::from("Shopper"), &stop, None))
}

/// What the guest is told, in short.
fn told(desk: &Desk) -> Vec<String> {
    let items = desk.take().unwrap().into_iter();
    let short = items.map(|item| match item {
        Item::Call { id, member, step } => format!("{id}: {} {step:?}", member.id),
        Item::Answer { ticket, user, .. } => format!("{ticket}: answer to {user}"),
        Item::Stop(user) => format!("stop {user}"),
        Item::Leave(user) => format!("leave {user}"),
    });
    short.collect()
}

fn refusal() -> HttpError {
    HttpError {
        kind: ErrorKind::Denied,
        message: "no".into(),
    }
}

#[tokio::test]
async fn a_call_ends_with_its_outcome() {
    let (desk, user) = (Desk::default(), member(7));
    let guest = async {
        desk.filled().await;
        assert_eq!(
            told(&desk),
            ["1: 7 Step::OnStart(0)", "2: 7 Step::WaitTime"]
        );
        desk.finish(2, Outcome::Wait(5));
        assert!(desk.question(2).is_none());
        tokio::task::yield_now().await;
        desk.finish(1, Outcome::Done);
    };
    let start = desk.call(&user, Step::OnStart(0), false);
    let wait = desk.call(&user, Step::WaitTime, true);
    let (start, wait, ()) = tokio::join!(start, wait, guest);
    assert!(matches!(start, Outcome::Done));
    assert!(matches!(wait, Outcome::Wait(5)));
}

#[tokio::test]
async fn the_guest_hears_of_users_that_it_knows() {
    let (desk, user) = (Desk::default(), member(7));
    desk.stop(7);
    desk.leave(7);
    assert!(told(&desk).is_empty());
    desk.ask(&user, Step::OnStart(3), false);
    desk.stop(7);
    desk.leave(7);
    desk.leave(7);
    assert_eq!(told(&desk), ["1: 7 Step::OnStart(3)", "stop 7", "leave 7"]);
}

#[tokio::test]
async fn nothing_is_lost_when_the_desk_closes() {
    let (desk, user) = (Desk::default(), member(7));
    desk.ask(&user, Step::OnStart(0), false);
    desk.leave(7);
    desk.close();
    desk.filled().await;
    assert_eq!(told(&desk).len(), 2);
    assert!(desk.take().is_none());
}

#[tokio::test]
async fn requests_end_with_their_user_or_when_they_are_cancelled() {
    let (desk, errand) = (Desk::default(), Errand::default());
    desk.ask(&member(7), Step::OnStart(0), false);
    desk.ask(&member(8), Step::OnStart(0), false);
    told(&desk);
    let alive = Arc::new(());
    let begin = |user| {
        let held = alive.clone();
        desk.begin(user, &errand, async move {
            let _held = held;
            std::future::pending().await
        })
    };
    let (_, cancelled, _) = (begin(7), begin(8), begin(8));
    let refused = desk.refuse(7, refusal());
    assert_eq!(Arc::strong_count(&alive), 4);
    desk.leave(7);
    desk.cancel(cancelled);
    desk.cancel(refused);
    errand.attend(tokio::task::yield_now()).await;
    assert_eq!(Arc::strong_count(&alive), 2);
    // The answer that was there already has gone too.
    assert_eq!(told(&desk), ["leave 7"]);
}

#[tokio::test]
async fn answers_come_with_their_tickets() {
    let (desk, errand) = (Desk::default(), Errand::default());
    let first = desk.begin(7, &errand, async { Err(refusal()) });
    let second = desk.refuse(8, refusal());
    errand.attend(tokio::task::yield_now()).await;
    let mut expected = [
        format!("{second}: answer to 8"),
        format!("{first}: answer to 7"),
    ];
    expected.sort();
    let mut answers = told(&desk);
    answers.sort();
    assert_eq!(answers, expected);
}

#[tokio::test]
async fn who_is_at_work_is_known_with_what_is_open() {
    let (desk, user) = (Desk::default(), member(7));
    assert!(desk.at_work().is_none());
    desk.ask(&user, Step::OnStart(0), false);
    let task = desk.ask(&user, Step::RunTask(4), false);
    desk.ask(&member(8), Step::Run, false);
    desk.finish(task, Outcome::Done);
    desk.working_on(7);
    let (member, steps) = desk.at_work().unwrap();
    assert_eq!(member.id, 7);
    assert!(matches!(steps[..], [Step::OnStart(0)]));
    desk.leave(7);
    assert!(desk.at_work().is_none());
}
