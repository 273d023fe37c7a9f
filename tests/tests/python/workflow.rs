//! What one does with scripts: edit them, run them again, look at them, and build them into
//! components that need neither script nor Python.

use std::{fs, path::Path};

use aiotest_tests::{Engine, LoadTest, Output, Recorder, Results, Storefront, scripts};
use serde_json::Value;
use tempfile::TempDir;

use crate::{INTERRUPTED, OK, SCRIPT, routes, says};

/// Exit code for wrong usage.
const USAGE: i32 = 2;

/// A folder to work in, and an engine that is started there.
struct Desk {
    folder: TempDir,
    engine: Engine,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let engine = scripts::engine().directory(folder.path());
        Self { folder, engine }
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.folder.path().join(name), content).expect("a file can be written");
    }

    fn command(&self, line: &str) -> Output {
        self.engine.run(line.split_whitespace())
    }

    fn run(&self, file: &str, shop: &Storefront, more: &str) -> Results {
        let line = format!("-u 1 -i 1 -H {} {more}", shop.url());
        let file = Path::new(file);
        LoadTest::start_file(&self.engine, file, line.split_whitespace()).finish()
    }
}

fn page(path: &str) -> String {
    format!(
        "from aiotest import HttpUser

class Visitor(HttpUser):
    host = 'https://shop.example.com'

    async def test_page(self):
        async with self.client.get('{path}'):
            pass
"
    )
}

/// The path of a script or folder of the tests, as a text.
fn text(name: &str) -> String {
    let path = scripts::path(name);
    path.to_str().expect("the path is a text").to_owned()
}

#[test]
fn an_edited_script_runs_as_it_is_now() {
    let (desk, shop) = (Desk::new(), Storefront::start());
    desk.write("settings.py", "PATH = '/first'\n");
    let source = page("{PATH}").replace("'{PATH}'", "settings.PATH");
    desk.write("shop.py", &format!("import settings\n{source}"));
    let edits = [
        ("settings.py", "PATH = '/second'\n".to_owned()),
        ("shop.py", page("/third")),
    ];
    let first = desk.run("shop.py", &shop, "");
    assert_eq!(first.code(), OK, "{first:#?}");
    for (file, content) in edits {
        desk.write(file, &content);
        let results = desk.run("shop.py", &shop, "");
        assert_eq!(results.code(), OK, "{results:#?}");
        // Nothing had to be made again.
        assert!(
            !results.output.stderr.contains("preparing Python"),
            "{results:#?}"
        );
    }
    let expected = ["GET /first", "GET /second", "GET /third"];
    assert_eq!(routes(&shop.exchanges()), expected);
}

#[test]
fn a_built_component_needs_nothing_else() {
    let (bench, desk, shop) = (Desk::new(), Desk::new(), Storefront::start());
    let line = format!(
        "build {} -o shop.wasm --python-path {}",
        text("project/shop.py"),
        text("packages")
    );
    let output = bench.command(&line);
    assert_eq!(output.code, Some(OK), "{output:#?}");
    for packed in ["settings.py", "helpers/cart.py", "slugs", "single.py"] {
        says(&output, packed);
    }
    // Another folder, without the script.
    let built = bench.folder.path().join("shop.wasm");
    fs::rename(built, desk.folder.path().join("elsewhere.wasm")).expect("it can be moved");
    drop(bench);
    let results = desk.run("elsewhere.wasm", &shop, "-e GREETING=hi");
    assert_eq!(results.code(), OK, "{results:#?}");
    let exchanges = shop.exchanges();
    assert_eq!(routes(&exchanges), ["GET /tea-day", "POST /orderCommit"]);
    assert_eq!(exchanges[0].header("x-greeting"), Some("hi"));

    let inspection = desk.command("inspect elsewhere.wasm");
    assert_eq!(inspection.code, Some(OK), "{inspection:#?}");
    for words in ["Customer", "test_page", "shop.py", "helpers/cart.py"] {
        says(&inspection, words);
    }
    let refused = desk.command("run elsewhere.wasm --python-path .");
    assert_eq!(refused.code, Some(USAGE), "{refused:#?}");
    says(&refused, "--python-path");
}

#[test]
fn what_cannot_be_used_is_not_built() {
    let desk = Desk::new();
    let output = desk.command(&format!("build {} -o bad.wasm", text("broken/syntax.py")));
    assert_eq!(output.code, Some(SCRIPT), "{output:#?}");
    says(&output, "SyntaxError: expected ':'");
    assert!(!desk.folder.path().join("bad.wasm").exists());
}

#[test]
fn the_usual_files_are_found() {
    for name in ["locustfile.py", "aiotestfile.py"] {
        let (desk, shop) = (Desk::new(), Storefront::start());
        desk.write(name, &page("/found"));
        let output = desk.command(&format!("run -u 1 -i 1 -H {}", shop.url()));
        assert_eq!(output.code, Some(OK), "{output:#?}");
        assert_eq!(routes(&shop.exchanges()), ["GET /found"]);
    }
    let output = Desk::new().command("run -u 1");
    assert_eq!(output.code, Some(USAGE), "{output:#?}");
}

#[test]
fn a_script_can_be_looked_at() {
    let desk = Desk::new();
    let output = desk.command(&format!("inspect --json {}", text("basic.py")));
    assert_eq!(output.code, Some(OK), "{output:#?}");
    let inspection: Value = serde_json::from_str(&output.stdout).expect("it is JSON");
    assert_eq!(inspection["convention"], "event-loop");
    let classes = inspection["classes"].as_array().expect("a list");
    let class = |name: &str| {
        let mut found = classes.iter().filter(|class| class["name"] == name);
        found.next().expect("the class is there")
    };
    assert_eq!(class("Guest")["share_of_100_users"], 80);
    assert_eq!(class("Customer")["host"], "https://shop.example.com");
    let tasks = class("Customer")["tasks"].as_array().expect("a list");
    let names: Vec<_> = tasks.iter().map(|task| &task["name"]).collect();
    assert_eq!(names, ["test_trolley", "order_test", "test_pay"]);
}

#[test]
fn ctrl_c_lets_every_user_say_goodbye() {
    let recorder = Recorder::start();
    let args = "-u 4 -r 100 --users-per-sandbox 2";
    let test = scripts::start("shape.py", &recorder.url(), args);
    recorder.wait_for("step", 8);
    test.interrupt();
    let results = test.finish();
    assert_eq!(
        (results.code(), results.reason()),
        (INTERRUPTED, "interrupted"),
        "{results:#?}"
    );
    let lives = recorder.lives();
    assert_eq!(lives.len(), 4, "{lives:?}");
    for life in lives.values() {
        assert_eq!(life.last().map(String::as_str), Some("stop"), "{life:?}");
    }
    assert_eq!(
        results.number("/total/requests"),
        recorder.events().len() as f64
    );
}
