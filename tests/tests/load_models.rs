//! Load beyond a number of users: arrival rates, iterations and requests that are counted,
//! paces, and several plans in one run.

use std::{fs, time::Duration};

use aiotest_tests::{
    Engine, LoadTest, Recorder, Results,
    stalling::{Stall, Stalling},
};

const GUEST: &str = "guest-probe";

fn run(host: &str, args: &str) -> Results {
    LoadTest::run(GUEST, &format!("{args} -H {host}"))
}

/// Runs with a run file.
fn run_file(host: &str, text: &str) -> Results {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let path = directory.path().join("run.toml");
    fs::write(&path, text).expect("the file can be written");
    run(host, &format!("-c {}", path.display()))
}

/// How often this was told.
fn told(recorder: &Recorder, what: &str) -> usize {
    let events = recorder.events();
    events.iter().filter(|event| event.what == what).count()
}

/// The run began and dropped as many iterations as a rate plans for a time, give or take
/// those of the moment in which it ended; returns how many it began.
#[track_caller]
fn assert_planned(results: &Results, planned: f64, rate: f64, seconds: f64) -> f64 {
    let began = results.number("/iterations/count");
    let dropped = results.number("/iterations/dropped");
    // A busy machine ends the run a little later.
    let more = rate * (results.number("/run/duration_seconds") - seconds);
    assert!(
        (planned - 2.0..=planned + more + 2.0).contains(&(began + dropped)),
        "{began} and {dropped} of {planned} (and {more})"
    );
    began
}

mod arrivals {
    use super::*;

    #[test]
    fn iterations_start_at_the_rate_with_as_many_users_as_it_takes() {
        let recorder = Recorder::start();
        let results = run(&recorder.url(), "Once --arrival-rate 50 -t 4s");
        assert_eq!((results.code(), results.reason()), (0, "completed"));
        let began = assert_planned(&results, 200.0, 50.0, 4.0);
        assert!(began > 150.0, "{began}");
        assert_eq!(told(&recorder, "once") as f64, began);
        assert_eq!(results.number("/total/requests"), began);
        let users = results.number("/users/started");
        assert!((1.0..50.0).contains(&users), "{users} users");
        assert_eq!(results.number("/iterations/late_ms/count"), began);
    }

    #[test]
    fn stages_lead_from_rate_to_rate() {
        let recorder = Recorder::start();
        let stages = "-s 1s:60/s -s 2s:60/s -s 1s:0/s";
        let results = run(&recorder.url(), &format!("Once -u 5 {stages}"));
        assert_eq!((results.code(), results.reason()), (0, "completed"));
        // 30 on the way up, 120 on the plain and 30 on the way down.
        let began = assert_planned(&results, 180.0, 0.0, 4.0);
        assert_eq!(told(&recorder, "once") as f64, began);
        assert!(began > 150.0, "{began}");
    }

    #[test]
    fn users_are_there_before_the_first_iteration() {
        let recorder = Recorder::start();
        let args = "Worker --arrival-rate 20 -u 30 -t 2s";
        let results = run(&recorder.url(), args);
        assert_eq!(results.code(), 0);
        let events = recorder.events();
        let beforehand = events.iter().take_while(|event| event.what == "start");
        assert_eq!(beforehand.count(), 30);
        assert_eq!(results.number("/users/started"), 30.0);
        assert_eq!(results.number("/users/stopped"), 30.0);
        let began = assert_planned(&results, 40.0, 20.0, 2.0);
        assert_eq!(told(&recorder, "task") as f64, began);
        assert_eq!(told(&recorder, "stop"), 30);
    }

    #[test]
    fn what_no_user_is_free_for_in_time_is_dropped_and_reported() {
        // Two users do twenty a second.
        let server = Stalling::start(Stall::Always(Duration::from_millis(100)));
        let limits = "--max-users 2 --max-lateness 500ms";
        let args = format!("Once --arrival-rate 50 -t 4s {limits}");
        let results = run(&server.url(), &args);
        assert_eq!((results.code(), results.reason()), (0, "completed"));
        let began = assert_planned(&results, 200.0, 50.0, 4.0);
        assert_eq!(server.requests() as f64, began);
        assert!((20.0..=84.0).contains(&began), "{began}");
        assert_eq!(results.number("/users/peak"), 2.0);
        // The values are kept to three digits.
        let latest = results.number("/iterations/late_ms/max");
        assert!((400.0..=501.0).contains(&latest), "{latest} ms late");
        let dropped = results.number("/iterations/dropped");
        let line = format!("dropped: {dropped} of ");
        assert!(
            results.output.stdout.contains(&line),
            "{}",
            results.output.stdout
        );
    }

    /// What coordinated omission hides: the requests that could not be sent in time are
    /// those that would have been slow.
    #[test]
    fn a_stall_is_seen_in_the_times_from_the_planned_start() {
        let server = Stalling::start(Stall::Once {
            after: 150,
            spell: Duration::from_secs(2),
        });
        let args = "Once --arrival-rate 100 -u 10 --max-users 10 -t 7s";
        let results = run(&server.url(), args);
        assert_eq!((results.code(), results.reason()), (0, "completed"));
        let began = assert_planned(&results, 700.0, 100.0, 7.0);
        assert_eq!(server.requests() as f64, began);
        // No more than the users can have met it.
        assert!(server.held() <= 10, "{}", server.held());
        let time = |measured: &str| results.number(&format!("/total/{measured}"));
        assert!(time("time_ms/max") >= 1900.0);
        let plain = time("time_ms/p95");
        assert!(plain < 500.0, "{plain} ms");
        let count = time("time_from_planned_start_ms/count");
        assert_eq!(count, began);
        // Two seconds of seven: the 200 that were due in them are late by 2 s to none.
        for (percentile, least) in [("p75", 150.0), ("p90", 1000.0), ("p99", 1500.0)] {
            let late = time(&format!("time_from_planned_start_ms/{percentile}"));
            assert!(late >= least, "{percentile}: {late} ms");
        }
        let usual = time("time_from_planned_start_ms/p50");
        assert!(usual < 500.0, "{usual} ms");
    }
}

mod counted {
    use super::*;

    #[test]
    fn each_user_has_its_iterations() {
        let recorder = Recorder::start();
        let results = run(&recorder.url(), "Once -u 5 -i 7");
        assert_eq!(
            (results.code(), results.reason()),
            (0, "all users finished")
        );
        let lives = recorder.lives();
        assert_eq!(lives.len(), 5);
        assert!(lives.values().all(|life| life.len() == 7), "{lives:?}");
        assert_eq!(results.number("/iterations/count"), 35.0);
        assert_eq!(results.number("/total/requests"), 35.0);
        assert_eq!(results.number("/users/started"), 5.0);
    }

    #[test]
    fn an_iteration_is_a_pass_of_all_tasks() {
        let recorder = Recorder::start();
        let results = run(&recorder.url(), "Sequence -u 1 -i 2");
        // The second pass fails at its second task.
        assert_eq!(
            (results.code(), results.reason()),
            (1, "all users finished")
        );
        let life = recorder.lives()[&1].join(" ");
        assert_eq!(life, "start first second third first second stop");
        assert_eq!(results.number("/iterations/count"), 2.0);
        assert_eq!(results.number("/tasks"), 5.0);
    }

    #[test]
    fn users_share_iterations_exactly() {
        let recorder = Recorder::start();
        let args = "Once -u 7 --shared-iterations 123";
        let results = run(&recorder.url(), args);
        assert_eq!(
            (results.code(), results.reason()),
            (0, "all users finished")
        );
        assert_eq!(told(&recorder, "once"), 123);
        assert_eq!(results.number("/iterations/count"), 123.0);
        assert_eq!(results.number("/total/requests"), 123.0);
    }

    #[test]
    fn a_run_ends_with_its_last_request() {
        let recorder = Recorder::start();
        let results = run(&recorder.url(), "Once -u 5 -t 10s --max-requests 123");
        assert_eq!(results.reason(), "limit of requests reached");
        assert_eq!(told(&recorder, "once"), 123);
        assert_eq!(results.number("/total/requests"), 123.0);
        // What was not sent any more is no failure.
        assert_eq!(results.number("/total/failures"), 0.0);
        assert_eq!(results.report["task_errors"], serde_json::json!([]));
        assert_eq!(results.code(), 0);
    }
}

mod paced {
    use super::*;

    #[test]
    fn all_users_of_a_class_keep_its_throughput() {
        let recorder = Recorder::start();
        let results = run(&recorder.url(), "Throttled -u 10 -t 3s");
        assert_eq!((results.code(), results.reason()), (0, "completed"));
        let most = 20.0 * results.number("/run/duration_seconds") + 1.0;
        let began = told(&recorder, "throttled") as f64;
        assert!((30.0..=most).contains(&began), "{began} of {most}");
    }

    #[test]
    fn the_run_file_has_the_last_word_on_a_throughput() {
        let recorder = Recorder::start();
        let text = "classes = ['Throttled', 'Once']\nusers = 8\nrun-time = '3s'\n\
                    class.Throttled = { throughput = 5, weight = 1 }\n\
                    class.Once = { throughput = '600/m', weight = 3 }\n";
        let results = run_file(&recorder.url(), text);
        assert_eq!((results.code(), results.reason()), (0, "completed"));
        let duration = results.number("/run/duration_seconds");
        for (what, rate, users) in [("throttled", 5.0, 2), ("once", 10.0, 6)] {
            let began = told(&recorder, what) as f64;
            let most = rate * duration + 1.0;
            assert!((most / 3.0..=most).contains(&began), "{began} of {most}");
            let events = recorder.events();
            let tellers = events.into_iter().filter(|event| event.what == what);
            let mut ids: Vec<u64> = tellers.map(|event| event.user).collect();
            ids.sort_unstable();
            ids.dedup();
            assert!(ids.len() <= users, "{what}: {ids:?}");
        }
    }

    #[test]
    fn iterations_of_a_user_start_so_far_apart() {
        let recorder = Recorder::start();
        let args = "Once -u 2 --pacing 250ms -t 3s";
        let results = run(&recorder.url(), args);
        assert_eq!((results.code(), results.reason()), (0, "completed"));
        let most = results.number("/run/duration_seconds") / 0.25 + 1.0;
        let lives = recorder.lives();
        assert_eq!(lives.len(), 2);
        for (user, life) in lives {
            let began = life.len() as f64;
            assert!((5.0..=most).contains(&began), "user {user}: {began}");
        }
    }

    #[test]
    fn a_pace_is_of_iterations_not_of_tasks() {
        let recorder = Recorder::start();
        let test = LoadTest::start(
            &Engine::new(),
            GUEST,
            &format!("Sequence -u 1 --pacing 1h -H {}", recorder.url()),
        );
        // Another iteration would begin in an hour, the rest of this one does not wait.
        recorder.wait_for("third", 1);
        test.interrupt();
        let results = test.finish();
        let life = recorder.lives()[&1].join(" ");
        assert_eq!(life, "start first second third stop");
        assert_eq!(results.code(), 130);
    }
}

mod plans {
    use super::*;

    #[test]
    fn each_has_its_classes_its_time_and_its_kind_of_load() {
        let recorder = Recorder::start();
        let text = "
            [plans.steady]
            classes = ['Worker']
            users = 2
            run-time = '2s'
            [plans.rush]
            classes = ['Once']
            start = '1s'
            arrival-rate = '20/s'
            run-time = '2s'
            [plans.tide]
            classes = ['Throttled']
            start = '1500ms'
            stages = ['500ms:4', '500ms:4', '500ms:0']
        ";
        let results = run_file(&recorder.url(), text);
        assert_eq!((results.code(), results.reason()), (0, "completed"));
        let duration = results.number("/run/duration_seconds");
        assert!(duration >= 3.0, "{duration} s");

        let events = recorder.events();
        let place = |what: &str| {
            let of = |place: Option<usize>| place.unwrap_or_else(|| panic!("no {what}"));
            let is = |event: &aiotest_tests::recorder::Event| event.what == what;
            (
                of(events.iter().position(is)),
                of(events.iter().rposition(is)),
            )
        };
        let (task, once) = (place("task"), place("once"));
        assert!(task.0 < once.0, "the rush comes later");
        assert!(once.0 < place("throttled").0, "the tide comes last");
        assert!(place("stop").1 < once.1, "the steady ones leave first");
        assert_eq!((told(&recorder, "start"), told(&recorder, "stop")), (2, 2));

        let rush = told(&recorder, "once") as f64;
        assert!((30.0..=20.0 * duration).contains(&rush), "{rush}");
        assert!(told(&recorder, "throttled") > 5);
        let dropped = results.number("/iterations/dropped");
        assert!(dropped < 10.0, "{dropped}");
    }

    #[test]
    fn a_run_is_over_when_every_plan_is() {
        let recorder = Recorder::start();
        let text = "
            [plans.few]
            classes = ['Once']
            users = 3
            iterations = 2
            [plans.one]
            classes = ['Sequence']
            start = '1s'
        ";
        let results = run_file(&recorder.url(), text);
        // The third pass of a sequence is its last.
        assert_eq!(results.reason(), "all users finished");
        assert_eq!(told(&recorder, "once"), 6);
        assert_eq!(told(&recorder, "third"), 2);
        let events = recorder.events();
        let once = events.iter().rposition(|event| event.what == "once");
        let start = events.iter().position(|event| event.what == "start");
        assert!(once < start, "{events:?}");
    }

    #[test]
    fn a_run_time_on_the_command_line_ends_all_of_them() {
        let recorder = Recorder::start();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("run.toml");
        let text = "plans.a = { classes = ['Worker'], users = 2 }\n\
                    plans.b = { classes = ['Once'], arrival-rate = 10, start = '1h' }\n";
        fs::write(&path, text).unwrap();
        let args = format!("-c {} -t 1s", path.display());
        let results = run(&recorder.url(), &args);
        assert_eq!((results.code(), results.reason()), (0, "completed"));
        assert_eq!((told(&recorder, "start"), told(&recorder, "stop")), (2, 2));
        assert_eq!(told(&recorder, "once"), 0);
    }

    #[test]
    fn a_load_shape_that_fails_is_counted_and_does_not_hold_up_the_others() {
        let recorder = Recorder::start();
        let text = "
            env.shape = 'panic'
            [plans.shaped]
            classes = ['Once']
            shape = true
            [plans.steady]
            classes = ['Worker']
            users = 2
        ";
        let results = run_file(&recorder.url(), text);
        // Three are survived, and the fourth in a row ends the run.
        assert_eq!(results.code(), 7);
        let error = results.entry("task_errors", "task", "tick");
        assert_eq!(error["count"], 4);
        let notices = results.output.stderr.matches("load shape: ").count();
        assert_eq!(notices, 3, "{}", results.output.stderr);
        assert_eq!(told(&recorder, "once"), 0);
        assert!(told(&recorder, "task") > 20);
        assert_eq!((told(&recorder, "start"), told(&recorder, "stop")), (2, 2));
    }
}
