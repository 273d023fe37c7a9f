//! What a full disk, or a path that cannot be written, costs: this file, and nothing else.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command, time::Duration};

use aiotest_tests::{Control, Engine, LoadTest, Output, Process, Recorder, guests};

use super::counts::{page_data, records};
use super::{Desk, GUEST};

/// The exit code of a run whose results could not all be written.
const OUTPUT: Option<i32> = Some(6);
const TIMEOUT: Duration = Duration::from_secs(120);

/// A short run that goes well, with these outputs.
fn run(recorder: &Recorder, outputs: &str) -> Output {
    Engine::new().run(line(recorder, outputs))
}

fn line(recorder: &Recorder, outputs: &str) -> Vec<String> {
    let component = guests::build(GUEST).display().to_string();
    let args = format!(
        "run {component} Once -u 2 -i 5 -H {} {outputs}",
        recorder.url()
    );
    args.split_whitespace().map(str::to_owned).collect()
}

/// What went wrong is told, and what there is to know of the run is printed.
#[track_caller]
fn assert_told(output: &Output, path: &Path, cure: &str) {
    let told = format!("aiotest-engine: cannot write {}: ", path.display());
    let line = output.stderr.lines().find(|line| line.starts_with(&told));
    assert!(
        line.is_some_and(|line| line.ends_with(cure)),
        "{path:?}: {output:#?}"
    );
    assert_eq!(output.code, OUTPUT, "{output:#?}");
    assert!(output.stdout.contains("once"), "{output:#?}");
}

fn assert_page(page: &str) {
    let data = page_data(page);
    assert_eq!(data["reports"][0]["total"]["requests"], 10);
}

#[test]
fn a_full_device_costs_its_own_file_only() {
    let recorder = Recorder::start();
    let desk = Desk::new();
    symlink("/dev/full", desk.path("run_failures.csv")).unwrap();
    let output = run(&recorder, &format!("{} --json /dev/full", desk.flags()));
    for path in [Path::new("/dev/full"), &desk.path("run_failures.csv")] {
        assert_told(&output, path, "make room, or choose another place");
    }
    assert_page(&desk.text("run.html"));
    assert_eq!(records(&desk.text("run_stats.csv")).len(), 2);
    assert!(records(&desk.text("run_exceptions.csv")).is_empty());
    assert!(desk.text("run.xml").contains("GET once"));
    assert_eq!(desk.text("run.jsonl").lines().count(), 10);

    let output = run(
        &recorder,
        &format!("--samples /dev/full --junit {}", desk.arg("2.xml")),
    );
    assert_told(
        &output,
        Path::new("/dev/full"),
        "make room, or choose another place",
    );
    assert!(desk.text("2.xml").contains("GET once"));
}

#[test]
fn a_file_that_finds_no_room_leaves_nothing_behind() {
    let recorder = Recorder::start();
    let desk = Desk::new();
    fs::write(desk.path("run.html"), "an older one").unwrap();
    // Some blocks are room for small files, and not for a page.
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -f 16 && exec \"$0\" \"$@\""]);
    command.arg(Engine::path());
    command.args(line(&recorder, &desk.flags()));
    let output = Process::spawn(command, TIMEOUT).wait();
    assert_told(
        &output,
        &desk.path("run.html"),
        "raise the limit of file sizes (ulimit -f)",
    );
    assert_eq!(desk.text("run.html"), "an older one");
    assert_eq!(records(&desk.text("run_stats.csv")).len(), 2);
    let files = [
        "run.html",
        "run.jsonl",
        "run.xml",
        "run_exceptions.csv",
        "run_failures.csv",
        "run_stats.csv",
        "run_stats_history.csv",
    ];
    assert_eq!(desk.names(), files);
}

#[test]
fn a_path_that_cannot_be_is_told_twice_and_costs_its_own_file_only() {
    let recorder = Recorder::start();
    let desk = Desk::new();
    fs::write(desk.path("file"), "").unwrap();
    let outputs = format!(
        "--json {} --csv {} --junit {} --html {}",
        desk.arg("nowhere/run.json"),
        desk.arg("file/run"),
        desk.arg("."),
        desk.arg("run.html"),
    );
    let output = run(&recorder, &outputs);
    assert_told(
        &output,
        &desk.path("nowhere/run.json"),
        "create its folder first",
    );
    assert_told(&output, &desk.path("."), "add the name of a file");
    for ending in ["stats", "stats_history", "failures", "exceptions"] {
        let path = desk.path(&format!("file/run_{ending}.csv"));
        assert_told(&output, &path, "choose a place below folders only");
    }
    assert_eq!(output.stderr.matches("warning: cannot write ").count(), 3);
    assert_page(&desk.text("run.html"));
    assert_eq!(desk.names(), ["file", "run.html"]);
}

#[test]
fn a_folder_may_still_come_while_the_run_goes_on() {
    let recorder = Recorder::start();
    let desk = Desk::new();
    let args = format!(
        "Once -u 2 -i 5 --paused --prometheus 127.0.0.1:0 --html {} -H {}",
        desk.arg("results/run.html"),
        recorder.url()
    );
    let mut test = LoadTest::start(&Engine::new(), GUEST, &args);
    test.wait_for_line("warning: cannot write ");
    let control = Control::of(&mut test);
    fs::create_dir(desk.path("results")).unwrap();
    control.post("/start").json();
    assert_eq!(test.finish().code(), 0);
    assert_page(&desk.text("results/run.html"));
}
