//! Files of locust: sets of tasks, requests, verdicts, events and shapes.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{FAILURES, OK, counts, gaps, life, named, recorded, routes, row, says, shopping};
use crate::{task_error, text};

const SCRIPT: &str = "locust_client.py";

/// Where a user of the sets is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Outside,
    Browsing,
    Searching,
    Buying,
    Gone,
}

#[test]
fn sets_of_tasks_are_entered_and_left_as_they_nest() {
    let (recorder, results) = recorded("locust_sets.py", "-u 1 -t 3s");
    assert_eq!(results.code(), OK, "{results:#?}");
    let life = life(&recorder);
    let mut place = Place::Outside;
    for (at, told) in life.iter().enumerate() {
        let last = at + 1 == life.len();
        place = match (place, &**told) {
            (Place::Outside, "browse-start") => Place::Browsing,
            (Place::Browsing, "look") => Place::Browsing,
            (Place::Browsing, "type") => Place::Searching,
            (Place::Searching, "choose") => Place::Browsing,
            (Place::Browsing, "browse-stop") => Place::Outside,
            (Place::Outside, "cart") => Place::Buying,
            (Place::Buying, "pay") => Place::Outside,
            // The end of the run also ends a search.
            (Place::Searching, "browse-stop") if last => Place::Gone,
            _ => panic!("{told} at {at} while {place:?}: {life:?}"),
        };
    }
    let seen: BTreeSet<_> = life.iter().map(String::as_str).collect();
    let all = [
        "browse-start",
        "browse-stop",
        "cart",
        "choose",
        "look",
        "pay",
        "type",
    ];
    assert_eq!(seen, BTreeSet::from(all));
    let told = |what: &str| life.iter().filter(|told| *told == what).count();
    assert!(told("look") > told("type"), "{life:?}");
}

#[test]
fn requests_carry_what_the_client_and_the_call_give_them() {
    let (shop, results) = shopping(SCRIPT, "Requests -u 1 -i 1");
    assert_eq!(results.report["task_errors"], json!([]), "{results:#?}");
    let exchanges = shop.exchanges();
    let expected = [
        "GET /get",
        "POST /form",
        "POST /json",
        "PUT /put",
        "DELETE /delete",
        "PATCH /patch",
        "GET /item/7",
        "GET /personalInfo",
    ];
    assert_eq!(routes(&exchanges), expected);
    assert_eq!(exchanges[0].uri.query(), Some("page=2"));
    assert_eq!(&exchanges[1].body[..], b"a=1&b=x%26y");
    assert_eq!(exchanges[2].json(), json!({"list": [1, null]}));
    let basic = "Basic bWU6c2VjcmV0";
    assert_eq!(exchanges[2].header("authorization"), Some(basic));
    assert_eq!(&exchanges[3].body[..], b"text");
    assert_eq!(exchanges[3].header("x-once"), Some("1"));
    for exchange in &exchanges {
        assert_eq!(exchange.header("x-always"), Some("yes"));
        let cookies = exchange.header("cookie").unwrap_or_default();
        assert!(cookies.contains("flavour=oat"), "{cookies}");
        let extra = exchange.uri.path() == "/patch";
        assert_eq!(cookies.contains("extra=1"), extra, "{exchange:#?}");
    }
    let expected = counts([
        ("GET get", 1),
        ("POST form", 1),
        ("POST json", 1),
        ("PUT put", 1),
        ("DELETE delete", 1),
        ("PATCH patch", 1),
        ("GET /item/[id]", 1),
        ("GET /personalInfo", 1),
    ]);
    assert_eq!(named(&results), expected);
}

#[test]
fn verdicts_are_the_status_unless_the_response_was_caught() {
    let (_, results) = shopping(SCRIPT, "Verdicts -u 1 -i 2");
    assert_eq!(results.code(), FAILURES, "{results:#?}");
    for (name, failures) in [
        ("judged", 2),
        ("forgiven", 0),
        ("refused", 2),
        ("raised", 2),
    ] {
        assert_eq!(row(&results, name), (2, failures), "{name}");
    }
    let error = results.entry("errors", "name", "refused");
    assert_eq!(text(&error["message"]), "id is not nobody");
}

#[test]
fn a_task_that_raises_is_counted_and_its_user_goes_on() {
    let (_, results) = shopping(SCRIPT, "GoesOn -u 1 -i 4");
    assert_eq!(results.code(), FAILURES, "{results:#?}");
    assert_eq!(row(&results, "before"), (4, 0));
    let (message, count) = task_error(&results, "fails");
    assert!(
        message.starts_with("ValueError: this task always fails"),
        "{message}"
    );
    assert!(message.contains("locust_client.py:"), "{message}");
    assert_eq!(count, 4);
}

#[test]
fn a_user_can_stop_itself() {
    let (_, results) = shopping(SCRIPT, "Stops -u 3 -r 100");
    assert_eq!(
        (results.code(), results.reason()),
        (OK, "all users finished"),
        "{results:#?}"
    );
    assert_eq!(row(&results, "once"), (3, 0));
}

#[test]
fn a_refused_connection_is_a_response_with_status_0() {
    let (_, results) = shopping(SCRIPT, "Unreachable -u 1 --allow-host 127.0.0.1:1");
    assert_eq!(results.report["task_errors"], json!([]), "{results:#?}");
    assert_eq!(row(&results, "refused"), (1, 1));
    let error = results.entry("errors", "name", "refused");
    assert_eq!(error["kind"], "connect-refused");
}

#[test]
fn the_fast_client_is_there_too() {
    let (shop, results) = shopping(SCRIPT, "Fast -u 1 -i 2");
    assert_eq!(results.code(), OK, "{results:#?}");
    assert_eq!(routes(&shop.exchanges()), ["POST /search"; 2]);
    assert_eq!(named(&results), counts([("POST /search", 2)]));
}

#[test]
fn a_pace_holds_whatever_the_task_takes() {
    let (shop, results) = shopping(SCRIPT, "Paced -u 1 -i 3");
    assert_eq!(results.code(), OK, "{results:#?}");
    let exchanges = shop.exchanges();
    assert_eq!(exchanges.len(), 3);
    // What a request takes until it arrives is no part of the pace.
    assert!(gaps(&exchanges).iter().all(|gap| *gap >= 0.4));
}

#[test]
fn events_of_the_script_are_exchanges_of_its_own_protocol() {
    let (_, results) = shopping(SCRIPT, "Custom -u 2 -r 100");
    assert_eq!(results.code(), FAILURES, "{results:#?}");
    let list = results.entry("requests", "name", "List");
    assert_eq!(
        (&list["method"], &list["requests"]),
        (&json!("grpc"), &json!(2))
    );
    assert_eq!(list["time_ms"]["avg"].as_f64().map(f64::round), Some(12.0));
    assert_eq!(list["bytes_received"], 6);
    assert_eq!(row(&results, "Broken"), (2, 2));
    let error = results.entry("errors", "name", "Broken");
    assert!(
        text(&error["message"]).contains("no such service"),
        "{error}"
    );
}

#[test]
fn listeners_hear_of_every_request() {
    let (_, results) = shopping(SCRIPT, "Verdicts -u 2 -r 100 -i 3");
    for words in [
        "locust: test start",
        "locust: 6 of GET judged failed",
        "locust: 6 of GET forgiven passed",
        "locust: 6 of GET raised failed",
    ] {
        says(&results.output, words);
    }
}

#[test]
fn tags_choose_tasks() {
    for (args, left) in [
        ("-T fast", "fast"),
        ("-E fast", "slow"),
        ("-T admin", "slow"),
    ] {
        let (_, results) = shopping(SCRIPT, &format!("Tagged -u 1 -i 3 {args}"));
        assert_eq!(results.code(), OK, "{results:#?}");
        let rows = named(&results);
        let names: Vec<_> = rows.keys().collect();
        assert_eq!(names, [&format!("GET {left}")], "{args}");
    }
}

#[test]
fn a_shape_of_locust_is_followed() {
    let (_, results) = shopping("locust_shape.py", "");
    assert_eq!(
        (results.code(), results.reason()),
        (OK, "completed"),
        "{results:#?}"
    );
    let users: Vec<&Value> = ["peak", "started"]
        .map(|key| &results.report["users"][key])
        .into();
    assert_eq!(users, [4, 4]);
}

#[test]
fn a_crowd_has_a_sandbox_for_each() {
    let (shop, results) = shopping("locust_crowd.py", "-u 250 -r 1000 -i 1");
    assert_eq!(results.reason(), "all users finished");
    assert_eq!(results.report["sandbox_events"], json!([]), "{results:#?}");
    assert_eq!(shop.exchanges().len(), 250);
    assert_eq!(results.number("/total/requests"), 250.0);
}
