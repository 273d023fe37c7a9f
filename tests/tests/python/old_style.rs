//! Users and events as aiotest 0.5 had them.

use serde_json::json;

use crate::{FAILURES, OK, counts, named, routes, row, says, shopping, text};

const SCRIPT: &str = "old_style.py";

#[test]
fn statuses_are_judged_unless_the_script_does_it() {
    let (_, results) = shopping(SCRIPT, "MarksTest -u 1 -i 2");
    assert_eq!(results.code(), FAILURES, "{results:#?}");
    for (name, failures) in [("forgiven", 0), ("refused", 2), ("broken", 2), ("fine", 0)] {
        assert_eq!(row(&results, name), (2, failures), "{name}");
    }
    let error = results.entry("errors", "name", "refused");
    assert_eq!(text(&error["message"]), "id is not nobody");
    assert_eq!(results.report["task_errors"], json!([]));
}

#[test]
fn a_session_has_all_verbs() {
    let (shop, results) = shopping(SCRIPT, "VerbsTest -u 1 -i 1");
    assert_eq!(results.code(), OK, "{results:#?}");
    let exchanges = shop.exchanges();
    let expected = ["POST /search", "PUT /put", "DELETE /delete", "PATCH /patch"];
    assert_eq!(routes(&exchanges), expected);
    assert_eq!(exchanges[0].json(), json!({"keyword": "tea"}));
    assert_eq!(exchanges[0].header("x-mine"), Some("1"));
    assert_eq!(&exchanges[1].body[..], b"text");
    assert_eq!(exchanges[3].uri.query(), Some("a=1"));
    let expected = counts(expected.map(|name| (name, 1)));
    assert_eq!(named(&results), expected);
}

#[test]
fn a_loop_of_its_own_ends_with_one_goodbye() {
    let (_, results) = shopping(SCRIPT, "ParallelTest -u 2 -r 100 -t 2s");
    assert_eq!(
        (results.code(), results.reason()),
        (OK, "completed"),
        "{results:#?}"
    );
    let (one, _) = row(&results, "one");
    let (two, _) = row(&results, "two");
    assert!(one >= 4 && one.abs_diff(two) <= 2, "{one} {two}");
    assert_eq!(row(&results, "bye"), (2, 0));
    assert_eq!(results.number("/users/ended_by_stop_timeout"), 0.0);
}

#[test]
fn handlers_that_were_added_hear_of_the_run() {
    let (_, results) = shopping(SCRIPT, "MarksTest -u 1 -i 1");
    for words in [
        "old: test start",
        "old: request GET fine error=None",
        "old: request GET refused error=id is not nobody",
        "old: test stop",
        "old: quitting",
    ] {
        says(&results.output, words);
    }
}

#[test]
fn classes_with_other_names_are_left_out() {
    let (_, results) = shopping(SCRIPT, "-u 3 -r 100 -t 1s");
    let classes = results.report["users"]["classes"]
        .as_object()
        .expect("a map");
    let names: Vec<_> = classes.keys().collect();
    assert_eq!(names, ["MarksTest", "ParallelTest", "VerbsTest"]);
    let errors = results.report["task_errors"].as_array().expect("a list");
    assert_eq!(errors.len(), 0, "{errors:?}");
}
