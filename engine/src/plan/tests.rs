//! Plans against users that exist only as numbers, under a clock that stands still.

use std::collections::BTreeMap;

use super::*;
use crate::clock::RunClock;
use crate::user_class::{Task, WaitTime};

const SECOND: Duration = Duration::from_secs(1);

fn class(name: &str, weight: u32) -> UserClass {
    UserClass {
        index: 0,
        name: name.into(),
        weight,
        host: None,
        wait_time: WaitTime::None,
        execution: Execution::Sequential,
        alone: false,
        throughput: None,
        pacing: None,
        tasks: vec![Task {
            name: "test".into(),
            ..Task::default()
        }],
    }
}

fn plan(name: &str, classes: &[&str], load: Load) -> Plan {
    Plan {
        name: name.into(),
        classes: classes.iter().map(ToString::to_string).collect(),
        start: Duration::ZERO,
        run_time: None,
        load,
        max_users: 1000,
        spawn_rate: f64::INFINITY,
        iterations: None,
        shared_iterations: None,
    }
}

fn users(count: f64) -> Load {
    Load::Users(Curve::constant(count))
}

fn stages(stages: &[(u64, f64)]) -> Curve {
    let stages = stages.iter();
    Curve {
        from: 0.0,
        stages: stages.map(|&(s, to)| (SECOND * s as u32, to)).collect(),
    }
}

fn arrivals(rate: Curve, users: u32) -> Load {
    Load::Arrivals {
        rate,
        users,
        patience: 10 * SECOND,
    }
}

/// A plan and its users, which are numbers with a class.
struct Stage {
    plan: PlanRun,
    turnstiles: Vec<Turnstile>,
    present: BTreeMap<u64, usize>,
    next_id: u64,
}

impl Stage {
    fn new(plan: Plan, classes: &[UserClass]) -> Self {
        let (mut plans, turnstiles) = assign(&[plan], classes).unwrap();
        Stage {
            plan: plans.remove(0),
            turnstiles,
            present: BTreeMap::new(),
            next_id: 1,
        }
    }

    /// Who is there after a tick at this time; users get ready and leave at once.
    fn at(&mut self, now: Duration) -> usize {
        for action in self.plan.tick(now, |_| 0, &mut self.next_id) {
            match action {
                Action::Start { id, class } => {
                    self.present.insert(id, class);
                }
                Action::Stop { id, class } => {
                    self.present.remove(&id);
                    self.plan.exited(id, class, false);
                }
            }
        }
        self.present.len()
    }

    fn finish_all(&mut self) {
        for (id, class) in std::mem::take(&mut self.present) {
            self.plan.exited(id, class, true);
        }
    }
}

#[test]
fn a_fixed_number_of_users_ends_with_its_time() {
    let mut plan = plan("p", &[], users(10.0));
    plan.run_time = Some(5 * SECOND);
    plan.spawn_rate = 2.0;
    let mut stage = Stage::new(plan, &[class("A", 1)]);
    assert_eq!(stage.at(Duration::ZERO), 1);
    assert_eq!(stage.at(2 * SECOND), 5);
    assert_eq!(stage.plan.over(5 * SECOND - SECOND / 10), None);
    assert_eq!(stage.plan.over(5 * SECOND), Some(Over::Completed));
    stage.plan.stop();
    assert_eq!(stage.at(5 * SECOND), 0);
    assert!(stage.plan.is_over());
}

#[test]
fn stages_are_followed_from_the_plans_start() {
    let mut plan = plan("p", &[], Load::Users(stages(&[(10, 100.0), (10, 0.0)])));
    plan.start = 30 * SECOND;
    let mut stage = Stage::new(plan, &[class("A", 1), class("B", 4)]);
    assert_eq!(stage.at(29 * SECOND), 0);
    assert_eq!(stage.at(35 * SECOND), 50);
    assert_eq!(
        stage.present.values().filter(|class| **class == 0).count(),
        10
    );
    assert_eq!(stage.at(45 * SECOND), 50);
    assert_eq!(stage.plan.over(49 * SECOND), None);
    assert_eq!(stage.plan.over(50 * SECOND), Some(Over::Completed));
}

#[test]
fn a_plan_starts_users_of_its_own_classes_only() {
    let classes = [class("A", 1), class("B", 1), class("C", 3)];
    let mut stage = Stage::new(plan("p", &["B", "C"], users(8.0)), &classes);
    stage.at(Duration::ZERO);
    let of = |class| stage.present.values().filter(|c| **c == class).count();
    assert_eq!([of(0), of(1), of(2)], [0, 2, 6]);
}

#[test]
fn users_without_anything_left_to_do_end_the_plan() {
    let mut stage = Stage::new(plan("p", &[], users(3.0)), &[class("A", 1)]);
    stage.at(Duration::ZERO);
    stage.finish_all();
    assert_eq!(stage.at(SECOND), 0, "they are not replaced");
    assert_eq!(stage.plan.over(SECOND), Some(Over::Finished));
}

#[test]
fn a_shape_is_followed_within_its_limit() {
    let mut stage = Stage::new(plan("p", &[], Load::Shape), &[class("A", 1)]);
    assert_eq!(stage.at(Duration::ZERO), 0);
    assert_eq!(stage.plan.shaped(7, f64::INFINITY), 7);
    assert_eq!(stage.at(SECOND), 7);
    assert_eq!(stage.plan.shaped(5000, 1.0), 1000);
}

#[tokio::test(start_paused = true)]
async fn an_arrival_rate_gets_the_users_it_takes() {
    let load = arrivals(Curve::constant(100.0), 2);
    let mut stage = Stage::new(plan("p", &[], load), &[class("A", 1)]);
    let clock = RunClock::started();
    assert_eq!(
        stage.plan.prepare(Duration::ZERO, &mut stage.next_id).len(),
        2
    );
    let source = stage.plan.source().unwrap().clone();
    tokio::select! {
        () = source.drive(&clock) => {}
        () = clock.sleep_until(SECOND / 20) => {}
    }
    // Five or six are due and nobody takes them: as many users more.
    let due = source.queues()[0].unserved();
    assert!((5..=6).contains(&due), "{due}");
    assert_eq!(stage.at(clock.elapsed()), due);
    assert_eq!(stage.plan.stop(), due as u64, "they are dropped");
}

#[tokio::test(start_paused = true)]
async fn arrivals_beyond_the_users_and_their_patience_are_dropped() {
    let mut plan = plan("p", &[], arrivals(Curve::constant(10.0), 0));
    plan.max_users = 3;
    let mut stage = Stage::new(plan, &[class("A", 1)]);
    let clock = RunClock::started();
    let source = stage.plan.source().unwrap().clone();
    tokio::select! {
        () = source.drive(&clock) => {}
        () = clock.sleep_until(20 * SECOND) => {}
    }
    assert_eq!(stage.at(clock.elapsed()), 3);
    let dropped = stage.plan.take_dropped();
    assert!((99..=101).contains(&dropped), "{dropped}");
    assert!(stage.turnstiles[0].is_open());
}

#[test]
fn an_arrival_rate_with_stages_ends_with_them() {
    let load = arrivals(stages(&[(10, 5.0)]), 0);
    let stage = Stage::new(plan("p", &[], load), &[class("A", 1)]);
    assert_eq!(stage.plan.source().unwrap().rate(5 * SECOND), Some(2.5));
    let mut stage = stage;
    stage.at(Duration::ZERO);
    assert_eq!(stage.plan.over(9 * SECOND), None);
    assert_eq!(stage.plan.over(10 * SECOND), Some(Over::Completed));
}

#[test]
fn iterations_are_given_to_each_or_to_all() {
    let mut shared = plan("p", &["A", "B"], users(2.0));
    shared.shared_iterations = Some(5);
    shared.iterations = Some(3);
    let classes = [class("A", 1), class("B", 1), class("C", 1)];
    let stage = Stage::new(shared, &classes);
    let left = |at: usize| {
        let shared = stage.turnstiles[at].shared.as_ref();
        shared.map(|left| left.load(std::sync::atomic::Ordering::Relaxed))
    };
    assert_eq!([left(0), left(1), left(2)], [Some(5), Some(5), None]);
    assert_eq!(stage.turnstiles[1].each, Some(3));
}

#[test]
fn plans_have_to_fit_the_classes() {
    let own_loop = UserClass {
        execution: Execution::OwnLoop,
        ..class("Loop", 1)
    };
    let classes = [class("A", 1), own_loop];
    let error = |plan: Plan| assign(&[plan], &classes).map(|_| ()).unwrap_err();
    let rate = arrivals(Curve::constant(1.0), 0);
    assert_eq!(
        error(plan("p", &["Loop"], rate)),
        InvalidPlan::OwnLoop {
            plan: "p".into(),
            class: "Loop".into()
        }
    );
    assert_eq!(
        error(plan("p", &["X"], users(1.0))),
        InvalidPlan::NoClass("p".into())
    );
}

mod changes {
    use super::*;

    fn to(users: u32) -> Change {
        Change {
            users: Some(Amount::To(users)),
            ..Change::default()
        }
    }

    fn by(users: i32) -> Change {
        Change {
            users: Some(Amount::By(users)),
            ..Change::default()
        }
    }

    #[test]
    fn users_follow_orders_instead_of_their_stages_until_these_end() {
        let load = Load::Users(stages(&[(10, 100.0)]));
        let mut stage = Stage::new(plan("p", &[], load), &[class("A", 1)]);
        assert_eq!(stage.at(5 * SECOND), 50);
        assert_eq!(stage.plan.check(&to(7)), Ok(()));
        stage.plan.change(&to(7), 5 * SECOND);
        assert_eq!(stage.at(6 * SECOND), 7);
        stage.plan.change(&by(-10), 6 * SECOND);
        assert_eq!(stage.at(7 * SECOND), 0);
        assert_eq!(stage.plan.over(10 * SECOND), Some(Over::Completed));
    }

    #[test]
    fn rates_change_only_where_there_are_any() {
        let rate = |rate| Change {
            arrival_rate: Some(rate),
            ..Change::default()
        };
        let closed = Stage::new(plan("p", &[], users(1.0)), &[class("A", 1)]);
        assert!(matches!(
            closed.plan.check(&rate(5.0)),
            Err(Refused::Invalid(_))
        ));
        let load = arrivals(Curve::constant(10.0), 0);
        let mut open = Stage::new(plan("p", &[], load), &[class("A", 1)]);
        assert!(matches!(open.plan.check(&to(5)), Err(Refused::Invalid(_))));
        open.plan.change(&rate(5.0), SECOND);
        assert_eq!(open.plan.status(SECOND).arrival_rate, Some(5.0));
        open.plan.change(&by(-1), SECOND);
        assert_eq!(open.plan.status(SECOND).arrival_rate, Some(4.0));
    }

    #[test]
    fn nobody_gets_more_users_than_there_is_room_for() {
        let mut stage = Stage::new(plan("p", &[], users(1.0)), &[class("A", 1)]);
        let refused = stage.plan.check(&to(1001)).unwrap_err().to_string();
        assert!(refused.contains("room for 1000 users"), "{refused}");
        stage.plan.change(&by(i32::MAX), SECOND);
        assert_eq!(stage.plan.target(), 1000);
        stage.plan.stop();
        assert!(stage.plan.check(&to(1)).is_err(), "it is over");
    }

    #[test]
    fn a_new_spawn_rate_holds_for_what_comes() {
        let mut stage = Stage::new(plan("p", &[], users(100.0)), &[class("A", 1)]);
        let slow = Change {
            spawn_rate: Some(1.0),
            users: Some(Amount::To(50)),
            ..Change::default()
        };
        stage.plan.change(&slow, Duration::ZERO);
        stage.at(Duration::ZERO);
        assert_eq!(stage.at(3 * SECOND), 4);
        assert_eq!(stage.plan.status(SECOND).spawn_rate, Some(1.0));
    }
}
