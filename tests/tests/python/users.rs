//! What users of aiotest 1.x do: jobs, weights, waits, requests and their verdicts, shapes
//! and handlers of events.

use aiotest_tests::{Exchange, Results};
use serde_json::json;

use crate::{
    FAILURES, OK, counts, gaps, line, named, recorded, routes, row, says, shopping, task_error,
    text, told,
};

/// The exchange with this path.
#[track_caller]
fn of_path<'a>(exchanges: &'a [Exchange], path: &str) -> &'a Exchange {
    let mut found = exchanges
        .iter()
        .filter(|exchange| exchange.uri.path() == path);
    let first = found.next().unwrap_or_else(|| panic!("no {path}"));
    assert!(found.next().is_none(), "{path} twice");
    first
}

#[track_caller]
fn ended_well(results: &Results) {
    assert_eq!(
        (results.code(), results.reason()),
        (OK, "all users finished"),
        "{results:#?}"
    );
}

#[test]
fn jobs_run_in_their_order_for_each_class_by_its_weight() {
    let (shop, results) = shopping("basic.py", "-u 5 -r 100 -i 2");
    ended_well(&results);
    let users = shop.connections();
    let (guests, customers): (Vec<_>, Vec<_>) = users
        .iter()
        .partition(|user| routes(user) == ["POST /search"; 2]);
    assert_eq!((guests.len(), customers.len()), (4, 1), "{users:#?}");

    let pass = ["GET /GetShoppingTrolley", "POST /orderCommit", "POST /Pay"];
    let customer = customers[0];
    assert_eq!(
        routes(customer),
        [&["POST /login"], &pass[..], &pass].concat()
    );
    let token = customer[0].answered()["token"].clone();
    let bearer = format!("Bearer {}", text(&token));
    for exchange in &customer[1..] {
        assert_eq!(exchange.header("authorization"), Some(&*bearer));
    }
    let gaps = gaps(customer);
    assert!(gaps.iter().all(|gap| *gap >= 0.19), "{gaps:?}");

    let expected = counts([
        ("POST Login", 1),
        ("GET GetShoppingTrolley", 2),
        ("POST orderCommit", 2),
        ("POST My Pay", 2),
        ("POST search", 8),
    ]);
    assert_eq!(named(&results), expected);
}

#[test]
fn requests_carry_what_the_script_gives_them() {
    let (shop, results) = shopping("verbs.py", "Verbs -u 1 -i 1");
    ended_well(&results);
    let exchanges = shop.exchanges();
    let expected = [
        "GET /get",
        "POST /form",
        "POST /text",
        "PUT /json",
        "DELETE /gone",
        "PATCH /part",
    ];
    assert_eq!(routes(&exchanges), expected);
    assert_eq!(exchanges[0].uri.query(), Some("page=2&word=a+b"));
    assert_eq!(&exchanges[1].body[..], b"a=1&b=x%26y");
    assert_eq!(&exchanges[2].body[..], b"plain words");
    assert_eq!(exchanges[3].json(), json!({"list": [1, null, "ü"]}));
    assert_eq!(exchanges[5].json(), json!([]));
    let types = exchanges.iter().map(|exchange| {
        let kind = exchange.header("content-type").unwrap_or_default();
        kind.split(';').next().unwrap_or_default().trim()
    });
    let expected = [
        "",
        "application/x-www-form-urlencoded",
        "text/plain",
        "application/json",
        "",
        "application/json",
    ];
    assert_eq!(types.collect::<Vec<_>>(), expected);
}

#[test]
fn headers_of_a_request_win_over_those_of_the_client() {
    let (shop, results) = shopping("verbs.py", "Headers -u 1 -i 1");
    ended_well(&results);
    let exchanges = shop.exchanges();
    let usual = of_path(&exchanges, "/default");
    assert_eq!(usual.header("accept"), Some("application/json"));
    assert!(usual.header("accept-language").is_some(), "{usual:#?}");
    let own = of_path(&exchanges, "/own");
    assert_eq!(own.header("accept"), Some("text/plain"));
    assert_eq!(own.headers.get_all("accept").iter().count(), 1);
    assert_eq!(own.header("x-mine"), Some("1"));
}

#[test]
fn each_user_has_cookies_of_its_own() {
    let (shop, results) = shopping("verbs.py", "Cookies -u 4 -r 100 -i 3 --users-per-sandbox 4");
    ended_well(&results);
    let users = shop.connections();
    assert_eq!(users.len(), 4);
    for user in users {
        let token = user[0].answered()["token"].clone();
        let cookie = format!("session={}", text(&token));
        assert_eq!(user[0].header("cookie"), None);
        for exchange in &user[1..] {
            assert_eq!(exchange.header("cookie"), Some(&*cookie));
        }
    }
}

#[test]
fn requests_are_named_by_their_path_without_its_numbers() {
    let (_, results) = shopping("verbs.py", "Names -u 1 -i 1");
    ended_well(&results);
    let expected = counts([
        ("GET users/{id}", 1),
        ("GET users/{id0}/orders/{id1}", 1),
        ("GET v2/list", 1),
        ("GET /", 1),
        ("GET One user", 1),
    ]);
    assert_eq!(named(&results), expected);
}

#[test]
fn a_status_alone_is_no_failure() {
    let (shop, results) = shopping("verbs.py", "Statuses -u 1 -i 2");
    ended_well(&results);
    assert_eq!(results.number("/total/failures"), 0.0);
    assert_eq!(results.number("/total/requests"), 6.0);
    let statuses: Vec<_> = shop.exchanges().iter().map(|e| e.status).collect();
    assert_eq!(statuses, [200, 404, 500, 200, 404, 500]);
}

#[test]
fn an_assertion_fails_the_request_and_ends_the_pass() {
    let (shop, results) = shopping("verbs.py", "Asserting -u 1 -i 2");
    assert_eq!(results.code(), FAILURES, "{results:#?}");
    assert_eq!(routes(&shop.exchanges()), ["GET /personalInfo"; 2]);
    assert_eq!(row(&results, "personalInfo"), (2, 2));
    let error = results.entry("errors", "name", "personalInfo");
    let message = text(&error["message"]);
    for part in ["not nobody", " | Response: ", "123456"] {
        assert!(message.contains(part), "{message}");
    }
    let (message, count) = task_error(&results, "test_person");
    let place = line("verbs.py", "\"not nobody\"");
    let place = format!("verbs.py:{place} in test_person)");
    assert!(
        message.starts_with("AssertionError: not nobody"),
        "{message}"
    );
    assert!(message.contains(&place), "{message}");
    assert_eq!(count, 2);
}

#[test]
fn an_exception_after_the_response_leaves_the_request_alone() {
    let (_, results) = shopping("verbs.py", "Outside -u 1 -i 3");
    assert_eq!(results.code(), FAILURES, "{results:#?}");
    assert_eq!(row(&results, "personalInfo"), (3, 0));
    let (message, count) = task_error(&results, "test_person");
    assert!(message.starts_with("KeyError: '123456'"), "{message}");
    assert_eq!(count, 3);
}

#[test]
fn a_timeout_of_the_class_is_honoured_without_a_retry() {
    let (shop, results) = shopping("verbs.py", "Impatient -u 1 -i 1");
    assert_eq!(results.code(), FAILURES, "{results:#?}");
    assert_eq!(routes(&shop.exchanges()), ["GET /hold", "GET /entries"]);
    assert_eq!(row(&results, "hold"), (1, 1));
    assert_eq!(row(&results, "after the timeout"), (1, 0));
    assert_eq!(results.entry("errors", "name", "hold")["kind"], "timeout");
    assert_eq!(results.report["task_errors"], json!([]));
}

#[test]
fn waits_are_what_the_class_says() {
    for (class, wait, between) in [
        ("Fixed", 0.5, vec![]),
        ("Between", 0.5, vec![]),
        ("Method", 0.5, vec![]),
        ("Lambda", 0.5, vec![]),
        ("Coroutine", 0.5, vec!["GET /entries"]),
        ("Default", 1.0, vec![]),
    ] {
        let (shop, results) = shopping("waits.py", &format!("{class} -u 1 -i 2"));
        ended_well(&results);
        let exchanges = shop.exchanges();
        let pages: Vec<_> = exchanges.iter().filter(|e| e.uri.path() == "/").collect();
        assert_eq!(pages.len(), 3, "{class}");
        for pair in pages.windows(2) {
            let gap = (pair[1].at - pair[0].at).as_secs_f64();
            assert!(gap >= wait - 0.01, "{class}: {gap} s");
        }
        let others: Vec<_> = routes(&exchanges)
            .into_iter()
            .filter(|route| route != "GET /")
            .collect();
        assert!(others.len() >= 2 * between.len(), "{class}: {others:?}");
        assert!(others.iter().all(|route| between.contains(&&**route)));
    }
}

#[test]
fn a_wait_that_fails_is_told_and_is_a_second() {
    let (shop, results) = shopping("waits.py", "Failing -u 1 -i 2");
    let exchanges = shop.exchanges();
    assert_eq!(routes(&exchanges), ["GET /"; 3]);
    let gaps = gaps(&exchanges);
    assert!(gaps.iter().all(|gap| *gap >= 0.99), "{gaps:?}");
    says(&results.output, "ZeroDivisionError");
}

#[test]
fn concurrent_jobs_run_at_the_same_time() {
    let (recorder, results) = recorded("parallel.py", "Board -u 1 -i 2");
    ended_well(&results);
    assert_eq!(recorder.peak_at_gates(), 3);
    let expected = counts([("GET news", 2), ("GET stocks", 2), ("GET weather", 2)]);
    assert_eq!(named(&results), expected);
}

#[test]
fn concurrent_jobs_are_drawn_by_weight() {
    let (recorder, results) = recorded("parallel.py", "Drawn -u 1 -i 20");
    ended_well(&results);
    // As many at a time as the weights sum up to.
    assert_eq!(results.number("/tasks"), 100.0);
    let told = told(&recorder);
    assert_eq!(told["often"] + told["seldom"], 100, "{told:?}");
    assert!(told["often"] > 2 * told["seldom"], "{told:?}");
}

#[test]
fn a_concurrent_job_that_fails_leaves_the_others_alone() {
    let (recorder, results) = recorded("parallel.py", "HalfBroken -u 1 -i 3");
    assert_eq!(results.code(), FAILURES, "{results:#?}");
    assert_eq!(told(&recorder)["whole"], 3);
    assert_eq!(results.number("/total/failures"), 0.0);
    let (message, count) = task_error(&results, "test_broken");
    assert!(message.starts_with("RuntimeError: one of two"), "{message}");
    assert_eq!(count, 3);
}

#[test]
fn a_shape_is_followed_to_its_end() {
    let (recorder, results) = recorded("shape.py", "");
    assert_eq!(
        (results.code(), results.reason()),
        (OK, "completed"),
        "{results:#?}"
    );
    assert_eq!(results.number("/users/peak"), 6.0);
    assert_eq!(results.number("/users/started"), 6.0);
    let duration = results.number("/run/duration_seconds");
    assert!((6.0..30.0).contains(&duration), "{duration} s");
    let lives = recorder.lives();
    assert_eq!(lives.len(), 6, "{lives:?}");
    for life in lives.values() {
        let [start, steps @ .., stop] = &life[..] else {
            panic!("{life:?}")
        };
        assert_eq!((&**start, &**stop), ("start", "stop"), "{life:?}");
        assert!(steps.iter().all(|step| step == "step"), "{life:?}");
    }
}

#[test]
fn handlers_hear_of_the_run_and_of_every_request() {
    let (shop, results) = shopping("handlers.py", "");
    assert_eq!(
        (results.code(), results.reason()),
        (FAILURES, "completed"),
        "{results:#?}"
    );
    let routes = shop.routes();
    let [home, missing] = ["GET /", "GET /missing"].map(|route| routes[route]);
    assert_eq!(row(&results, "Home"), (home, 0));
    assert_eq!(row(&results, "missing"), (missing, missing));
    assert_eq!(results.number("/engine/events_dropped"), 0.0);

    let log = &results.output.stderr;
    let at = |words: &str| {
        log.find(words)
            .unwrap_or_else(|| panic!("no {words:?}: {log}"))
    };
    let order = [
        at("handler: init"),
        at("handler: test start, first"),
        at("handler: test start, second"),
        at("handler: startup completed"),
        at(&format!("handler: {home} of GET Home 200 pass")),
        at(&format!("handler: {missing} of GET missing 404 fail")),
        at("handler: special fired"),
        at("handler: quit"),
    ];
    assert!(order.is_sorted(), "{log}");
    assert_eq!(log.matches("handler: startup completed").count(), 1);
    // A handler that fails is told, and the run goes on.
    assert!(log.contains("a handler's own fault"), "{log}");
}
