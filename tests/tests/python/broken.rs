//! Scripts that cannot be used: what is wrong is shown as Python shows it, with the lines of
//! the script alone.

use std::fs;

use aiotest_tests::{Output, Storefront, scripts};

use crate::{HOOK, OK, SCRIPT, USAGE, line, shopping, task_error};

/// What only the engine's own code has in its paths.
const INSIDE: [&str; 4] = ["_engine", "importlib", "runtime.py", "<frozen"];

fn run(file: &str) -> Output {
    scripts::engine().run(["run", file, "-t", "1s"])
}

/// The script is refused before any user starts, with these words in this order.
#[track_caller]
fn refused(script: &str, words: &[&str]) {
    let script = scripts::path(&format!("broken/{script}"));
    let output = run(script.to_str().expect("the path is a text"));
    complains(&output, words);
}

#[track_caller]
fn complains(output: &Output, words: &[&str]) {
    assert_eq!(output.code, Some(SCRIPT), "{output:#?}");
    assert_eq!(output.stdout, "");
    let mut rest = &*output.stderr;
    for words in words {
        let Some((_, after)) = rest.split_once(words) else {
            panic!("no {words:?} in its place in {output:#?}")
        };
        rest = after;
    }
    for inside in INSIDE {
        assert!(!output.stderr.contains(inside), "{inside:?} in {output:#?}");
    }
}

#[test]
fn a_syntax_error_is_pointed_at() {
    refused(
        "syntax.py",
        &[
            "syntax.py\", line 9\n",
            "async def test_home(self)\n",
            "^",
            "SyntaxError: expected ':'",
        ],
    );
}

#[test]
fn an_exception_at_import_has_its_traceback() {
    refused(
        "raises.py",
        &[
            "Traceback (most recent call last):\n",
            "raises.py\", line 10, in <module>\n",
            "raises.py\", line 11, in Visitor\n",
            "raises.py\", line 7, in region\n",
            "return {}[\"region\"]\n",
            "KeyError: 'region'",
        ],
    );
    refused(
        "imports_raises.py",
        &[
            "imports_raises.py\", line 5, in <module>\n",
            "from raises import Visitor\n",
            "raises.py\", line 7, in region\n",
            "KeyError: 'region'",
        ],
    );
}

#[test]
fn an_exit_at_import_is_told() {
    refused(
        "exits.py",
        &["exits.py\", line 5", "SystemExit: no settings today"],
    );
}

#[test]
fn a_loop_at_import_is_ended() {
    refused("loops.py", &["loops.py", "computed for 1s without waiting"]);
}

#[test]
fn modules_that_cannot_be_had_are_named() {
    refused(
        "native.py",
        &[
            "native.py\", line 5",
            "ModuleNotFoundError: No module named 'numpy'",
            "native extension",
        ],
    );
    refused(
        "gevents.py",
        &[
            "gevents.py\", line 3",
            "ModuleNotFoundError: No module named 'gevent'",
            "asyncio",
        ],
    );
    refused(
        "unknown_module.py",
        &[
            "unknown_module.py\", line 5",
            "ModuleNotFoundError: No module named 'no_such_module'",
        ],
    );
    refused(
        "unknown_name.py",
        &[
            "unknown_name.py\", line 3",
            "ImportError: cannot import name 'NoSuchName' from 'aiotest'",
        ],
    );
}

#[test]
fn scenarios_that_make_no_sense_are_told_with_their_classes() {
    for (script, words) in [
        ("no_users.py", &["no_users.py"][..]),
        ("no_jobs.py", &["Idle"]),
        ("locust_no_tasks.py", &["Idle"]),
        ("two_shapes.py", &["Morning", "Evening"]),
        ("bad_wait.py", &["Waiter", "wait_time", "'soon'"]),
        ("bad_range.py", &["Waiter", "wait_time", "(3, 1)"]),
        ("negative_wait.py", &["Waiter", "wait_time", "-1"]),
        ("bad_weight.py", &["Heavy", "weight", "'much'"]),
        ("weighted_sequence.py", &["Sequence", "test_home"]),
    ] {
        refused(script, words);
    }
}

#[test]
fn a_missing_host_is_told_before_the_run_and_given_by_a_flag() {
    let script = scripts::path("broken/no_host.py");
    let output = run(script.to_str().expect("the path is a text"));
    assert_eq!(output.code, Some(USAGE), "{output:#?}");
    assert!(
        output
            .stderr
            .contains("'Homeless' has no host: give --host"),
        "{output:#?}"
    );
    let (shop, results) = shopping("broken/no_host.py", "-u 1 -i 1");
    assert_eq!(results.code(), OK, "{results:#?}");
    assert_eq!(shop.exchanges().len(), 1);
}

#[test]
fn files_that_are_no_source_are_told() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    for (name, content, words) in [
        (
            "latin.py",
            &b"greeting = 'gr\xfc\xdfe'\n"[..],
            "SyntaxError: ",
        ),
        ("nul.py", b"a = 1\0\n", "SyntaxError: "),
        ("empty.py", b"", "empty.py"),
    ] {
        let file = folder.path().join(name);
        fs::write(&file, content).expect("a file can be written");
        let output = run(file.to_str().expect("the path is a text"));
        complains(&output, &[words]);
    }
    let missing = folder.path().join("missing.py");
    let output = run(missing.to_str().expect("the path is a text"));
    complains(&output, &["missing.py"]);
}

#[test]
fn a_shape_that_keeps_failing_ends_the_run() {
    let shop = Storefront::start();
    let results = scripts::run("broken/failing_shape.py", &shop.url(), "");
    assert_eq!(results.code(), HOOK, "{results:#?}");
    let reason = results.reason();
    let expected = "the load shape keeps failing: RuntimeError: no shape today";
    assert!(reason.starts_with(expected), "{reason}");
    let place = line("broken/failing_shape.py", "no shape today");
    let (message, _) = task_error(&results, "tick");
    assert!(
        message.contains(&format!("failing_shape.py:{place}")),
        "{message}"
    );
}
