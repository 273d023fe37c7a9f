//! The command line: what is refused, what is printed where, and a first project.

use std::{env, ffi::OsStr, fs, net::TcpListener, path::PathBuf, process::Command};

use aiotest_tests::{Engine, LoadTest, Output, Process, Recorder, guests};
use serde_json::Value;

const GUEST: &str = "guest-probe";

fn engine(args: &[&OsStr]) -> Output {
    Engine::new().run(args)
}

/// `run` of the guest with these arguments, without a report.
fn run(args: &str) -> Output {
    let component = guests::build(GUEST);
    let mut line = vec![OsStr::new("run"), component.as_os_str()];
    line.extend(args.split_whitespace().map(OsStr::new));
    engine(&line)
}

#[test]
fn usage_errors_are_named() {
    for (args, cause) in [
        ("--users many", "--users"),
        ("--no-such-flag", "--no-such-flag"),
        ("-u 1 -s 1s:1", "cannot be used with"),
        ("-t soon", "not a duration above 0"),
        ("-H shop", "not a URL"),
        ("-H shop:8080", "neither http:// nor https://"),
        ("-H ftp://shop", "neither http:// nor https://"),
        ("-u 0", "0 users do nothing"),
        (
            "Nobody",
            "no user class 'Nobody'; the component has Minor, Major",
        ),
        ("--users-per-sandbox 2", "the SDK's `concurrent` feature"),
        ("--allow-host 999.0.0.0/99 Quits -u 1", "--allow-host"),
    ] {
        let output = run(args);
        assert_eq!(output.code, Some(2), "{args}: {output:#?}");
        assert!(output.stderr.contains(cause), "{args}: {output:#?}");
        assert_eq!(output.stdout, "", "{args}");
    }
    assert_eq!(Engine::new().run(["no-such-command"]).code, Some(2));
}

#[test]
fn a_file_that_is_no_scenario_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let text = directory.path().join("scenario.wasm");
    fs::write(&text, "print('hello')").unwrap();
    let missing = directory.path().join("missing.wasm");
    for file in [&text, &missing] {
        for command in ["run", "inspect"] {
            let output = engine(&[OsStr::new(command), file.as_os_str()]);
            assert_eq!(output.code, Some(3), "{output:#?}");
            assert!(
                output.stderr.contains(file.to_str().unwrap()),
                "{output:#?}"
            );
        }
    }
}

#[test]
fn inspect_shows_what_a_component_declares() {
    let component = guests::build(GUEST);
    let json = engine(&[
        OsStr::new("inspect"),
        component.as_os_str(),
        OsStr::new("--json"),
    ]);
    assert_eq!(json.code, Some(0), "{json:#?}");
    let inspection: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(inspection["convention"], "blocking");
    assert_eq!(
        (&inspection["load_shape"], &inspection["hooks"]),
        (&true.into(), &true.into())
    );
    let classes = inspection["classes"].as_array().unwrap();
    let class = |name: &str| classes.iter().find(|class| class["name"] == name).unwrap();
    assert_eq!(class("Minor")["share_of_100_users"], 20);
    assert_eq!(class("Major")["share_of_100_users"], 80);
    assert_eq!(class("Hosted")["host"], "http://127.0.0.1:1");
    assert_eq!(class("Dice")["tasks"][0]["name"], "test_often");
    assert_eq!(class("Dice")["tasks"][0]["weight"], 3);

    let text = engine(&[OsStr::new("inspect"), component.as_os_str()]);
    assert_eq!(text.code, Some(0), "{text:#?}");
    for word in [
        "blocking",
        "Minor",
        "test_often",
        "http://127.0.0.1:1",
        "aiotest:engine/http",
    ] {
        assert!(text.stdout.contains(word), "{word}: {}", text.stdout);
    }

    let component = guests::build("guest-probe-concurrent");
    let json = engine(&[
        OsStr::new("inspect"),
        component.as_os_str(),
        OsStr::new("--json"),
    ]);
    let inspection: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(inspection["convention"], "async");
}

#[test]
fn results_go_to_standard_output_and_progress_to_standard_error() {
    let recorder = Recorder::start();
    let args = format!("Worker -u 2 -t 2s -H {}", recorder.url());
    let output = run(&args);
    assert_eq!(output.code, Some(0), "{output:#?}");
    assert!(
        output.stderr.contains("0:01/0:02  2/2 users"),
        "{output:#?}"
    );
    assert!(output.stdout.contains("GET event"), "{output:#?}");
    assert!(output.stdout.contains("completed"), "{output:#?}");
    // Nothing for terminals where there is none.
    assert!(
        !format!("{}{}", output.stdout, output.stderr).contains('\x1b'),
        "{output:#?}"
    );

    let quiet = run(&format!("{args} -q"));
    assert_eq!((quiet.code, quiet.stderr.as_str()), (Some(0), ""));
    assert!(quiet.stdout.contains("completed"), "{quiet:#?}");
}

#[test]
fn results_that_cannot_be_written_are_still_shown() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("missing").join("report.json");
    let recorder = Recorder::start();
    let output = run(&format!(
        "Statuses -u 1 -q --json {} -H {}",
        path.display(),
        recorder.url()
    ));
    assert_eq!(output.code, Some(6), "{output:#?}");
    assert!(output.stdout.contains("status 404"), "{output:#?}");
    assert!(
        output.stderr.contains(path.to_str().unwrap()),
        "{output:#?}"
    );
}

#[test]
fn an_address_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let output = run(&format!("Quits -u 1 --prometheus {address}"));
    assert_eq!(output.code, Some(6), "{output:#?}");
    let cause = format!("cannot serve on {address}: ");
    assert!(output.stderr.contains(&cause), "{output:#?}");
    assert_eq!(output.stdout, "");
}

#[test]
fn a_new_project_builds_and_runs() {
    let directory = tempfile::tempdir().unwrap();
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let sdk = workspace.join("guest-sdk/rust");
    let engine = Engine::new().directory(directory.path());
    let new = [
        OsStr::new("new"),
        OsStr::new("first-test"),
        OsStr::new("--sdk"),
        sdk.as_os_str(),
    ];
    let output = engine.run(new);
    assert_eq!(output.code, Some(0), "{output:#?}");
    assert!(output.stdout.contains("created first-test"), "{output:#?}");
    // A second one does not overwrite it.
    let output = engine.run(new);
    assert_eq!(output.code, Some(2), "{output:#?}");
    assert!(
        output.stderr.contains("first-test exists already"),
        "{output:#?}"
    );

    let target = env::var_os("CARGO_TARGET_DIR").map_or(workspace.join("target"), PathBuf::from);
    let mut cargo = Command::new(env::var_os("CARGO").unwrap());
    cargo
        .args(["build", "--release", "--target", "wasm32-wasip2"])
        .current_dir(directory.path().join("first-test"))
        .env("CARGO_TARGET_DIR", &target);
    let built = Process::spawn(cargo, std::time::Duration::from_secs(600)).wait();
    assert_eq!(built.code, Some(0), "{}", built.stderr);

    let recorder = Recorder::start();
    let component = target.join("wasm32-wasip2/release/first_test.wasm");
    let host = recorder.url();
    let run = [
        "run",
        component.to_str().unwrap(),
        "-H",
        &host,
        "-u",
        "2",
        "-t",
        "2s",
    ];
    let output = engine.run(run);
    assert_eq!(output.code, Some(0), "{output:#?}");
    assert!(output.stdout.contains("GET Home"), "{output:#?}");
    assert!(recorder.requests("/") > 0);
}

#[test]
fn log_lines_of_the_scenario_are_shown_with_its_class() {
    let recorder = Recorder::start();
    let host = recorder.url();
    let results = LoadTest::run(GUEST, &format!("Panics -u 1 -H {host}"));
    let line = results
        .output
        .stderr
        .lines()
        .find(|line| line.contains("out of tea"));
    assert!(
        line.is_some_and(|line| line.starts_with("[Panics] ")),
        "{:#?}",
        results.output
    );
}
