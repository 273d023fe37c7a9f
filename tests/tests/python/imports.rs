//! Where modules come from, and which cannot be had.

use std::{fs, path::Path};

use aiotest_tests::{LoadTest, Output, Storefront, scripts};
use serde_json::json;

use crate::{FAILURES, OK, SCRIPT, recorded, routes, says, shopping, task_error, told};

fn packages() -> String {
    let path = scripts::path("packages");
    path.to_str().expect("the path is a text").to_owned()
}

fn inspect(script: &str, more: &[&str]) -> Output {
    let script = scripts::path(script);
    let script = script.to_str().expect("the path is a text");
    scripts::engine().run([&["inspect", script], more].concat())
}

#[test]
fn modules_come_from_beside_the_script_and_from_the_python_path() {
    let args = format!("-u 1 -i 1 --python-path {} -e GREETING=hi", packages());
    let (shop, results) = shopping("project/shop.py", &args);
    assert_eq!(results.code(), OK, "{results:#?}");
    let exchanges = shop.exchanges();
    // The words that are left out stand in a data file of the package.
    assert_eq!(routes(&exchanges), ["GET /tea-day", "POST /orderCommit"]);
    assert_eq!(exchanges[0].header("x-greeting"), Some("hi"));
    assert_eq!(exchanges[0].header("x-single"), Some("one"));
    let order = json!({"orderAmount": 20, "goods": ["The Tea of the Day", "A Cup"]});
    assert_eq!(exchanges[1].json(), order);
}

#[test]
fn a_module_that_is_nowhere_is_named() {
    let output = inspect("project/shop.py", &[]);
    assert_eq!(output.code, Some(SCRIPT), "{output:#?}");
    says(&output, "ModuleNotFoundError: No module named 'single'");
    says(&output, "shop.py\", line 2");
}

#[test]
fn native_extensions_are_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let library = folder.path().join("fastslugs");
    fs::create_dir(&library).expect("a folder can be made");
    for (name, content) in [
        ("__init__.py", "from . import _native\n"),
        ("_native.cpython-314-x86_64-linux-gnu.so", "\u{7f}ELF"),
    ] {
        fs::write(library.join(name), content).expect("a file can be written");
    }
    let script = folder.path().join("slow.py");
    let source = "from aiotest import HttpUser\nimport fastslugs\n";
    fs::write(&script, source).expect("a file can be written");
    let [script, folder] = [&script, folder.path()].map(|path| path.to_str().expect("a text"));
    let output = scripts::engine().run(["run", script, "--python-path", folder]);
    assert_eq!(output.code, Some(SCRIPT), "{output:#?}");
    for words in [
        "slow.py\", line 2",
        "fastslugs/__init__.py\", line 1",
        "_native",
        "native extension",
    ] {
        says(&output, words);
    }
}

#[test]
fn the_standard_library_is_there() {
    let (_, results) = recorded("library.py", "Reader -u 1 -i 1 -e GREETING=good-day");
    assert_eq!(results.code(), OK, "{results:#?}");
    assert_eq!(results.number("/tasks"), 6.0);
    says(&results.output, "printed");
    says(&results.output, "logged by logging");
}

#[test]
fn users_draw_what_nobody_else_draws() {
    let args = "Random -u 4 -r 100 -i 1 --users-per-sandbox";
    for packing in [1, 2] {
        let (recorder, results) = recorded("library.py", &format!("{args} {packing}"));
        assert_eq!(results.code(), OK, "{results:#?}");
        let told = told(&recorder);
        assert_eq!(told.len(), 12, "{told:?}");
    }
}

#[test]
fn what_no_sandbox_has_is_refused_by_name() {
    let shop = Storefront::start();
    let results = scripts::run("forbidden.py", &shop.url(), "-u 8 -r 100 -i 1");
    assert_eq!(results.code(), FAILURES, "{results:#?}");
    for (task, words) in [
        ("test_thread", "thread"),
        ("test_executor", "thread"),
        ("test_socket", "socket"),
        ("test_streams", "socket"),
        ("test_subprocess", "process"),
        ("test_process", "process"),
        ("test_files", "/etc/passwd"),
    ] {
        let (message, count) = task_error(&results, task);
        assert!(message.contains(words), "{task}: {message}");
        assert!(message.contains("forbidden.py:"), "{task}: {message}");
        assert_eq!(count, 1, "{task}");
    }
    assert_eq!(results.entry("errors", "name", "steal")["kind"], "denied");
    // Each was an exception, and none the end of a sandbox.
    assert_eq!(results.report["sandbox_events"], json!([]));
    assert_eq!(shop.exchanges().len(), 0);
}

#[test]
fn a_folder_is_read_only_where_it_is_granted() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let source = "\
from aiotest import HttpUser

class Reader(HttpUser):
    host = 'https://shop.example.com'

    async def test_read(self):
        with open('goods.csv') as goods:
            path = goods.read().strip()
        async with self.client.get(path):
            pass
";
    for (name, content) in [("reader.py", source), ("goods.csv", "/tea\n")] {
        fs::write(folder.path().join(name), content).expect("a file can be written");
    }
    let engine = scripts::engine().directory(folder.path());
    for (grant, code) in [("--dir .", OK), ("", FAILURES)] {
        let shop = Storefront::start();
        let line = format!("-u 1 -i 1 -H {} {grant}", shop.url());
        let script = Path::new("reader.py");
        let test = LoadTest::start_file(&engine, script, line.split_whitespace());
        let results = test.finish();
        assert_eq!(results.code(), code, "{results:#?}");
        match code {
            OK => assert_eq!(routes(&shop.exchanges()), ["GET /tea"]),
            _ => {
                let (message, _) = task_error(&results, "test_read");
                assert!(message.contains("goods.csv"), "{message}");
            }
        }
    }
}
