//! The dashboard on a real terminal, and what there is where there is none.

use std::{fs, process::Command};

use aiotest_tests::{Engine, LoadTest, Recorder, Screen, guests};

const GUEST: &str = "guest-probe";

/// A run on a terminal, as a command.
fn command(recorder: &Recorder, args: &str) -> Command {
    let mut command = Command::new(Engine::path());
    command.arg("run").arg(guests::build(GUEST));
    command.args(args.split_whitespace());
    command.args(["-H", &recorder.url()]);
    command.env("TERM", "xterm-256color").env_remove("NO_COLOR");
    command
}

fn start(recorder: &Recorder, args: &str) -> Screen {
    Screen::start(command(recorder, args), 80, 24)
}

/// The process has ended, and left the terminal as it found it.
#[track_caller]
fn assert_restored(screen: &mut Screen, code: i32) {
    assert_eq!(screen.wait(), Some(code), "{}", screen.contents());
    assert!(screen.is_cooked());
    screen.close();
    assert!(screen.is_ordinary(), "{}", screen.contents());
}

/// What was printed after the dashboard.
fn left_behind(screen: &Screen) -> String {
    let bytes = screen.bytes();
    let (_, after) = bytes
        .rsplit_once("\x1b[?1049l")
        .expect("the screen was left");
    after.to_owned()
}

#[test]
fn a_run_is_followed_and_steered_on_the_screen() {
    let recorder = Recorder::start();
    let mut screen = start(&recorder, "Worker -u 3");
    screen.wait_for("● running");
    screen.wait_until("the alternate screen", vt100::Screen::alternate_screen);
    assert!(!screen.is_cooked());
    screen.wait_for("Requests/s");
    screen.wait_for("3 / 3");
    recorder.wait_for("task", 10);
    screen.wait_for("p99 ");

    screen.press("2");
    screen.wait_for("Status  200");
    screen.press("\t");
    screen.wait_for("Nothing has gone wrong.");
    screen.press("\x1b[Z");
    screen.wait_for("Status  200");
    screen.press("1");
    screen.resize(120, 40);
    screen.wait_for("Latest errors");
    screen.resize(70, 20);
    screen.wait_without("Latest errors");
    screen.press("?");
    screen.wait_for("1 or 10 users more");
    screen.press("\x1b");
    screen.wait_without("1 or 10 users more");

    screen.press("w");
    recorder.wait_for("start", 4);
    screen.press("p");
    screen.wait_for("‖ paused");
    screen.press("p");
    screen.wait_for("● running");

    screen.press("q");
    assert_restored(&mut screen, 130);
    let left = left_behind(&screen);
    assert!(left.contains("ended      interrupted"), "{left}");
    assert!(!left.contains("Requests/s"), "{left}");
    // A frame is never seen while it is drawn.
    assert!(screen.bytes().contains("\x1b[?2026h"));
}

#[test]
fn what_is_refused_is_said_on_the_screen() {
    let recorder = Recorder::start();
    let directory = tempfile::tempdir().unwrap();
    let plans = "[plans.work]\nclasses = ['Worker']\nusers = 1\n\
                 [plans.rest]\nclasses = ['Minor']\nusers = 1\n";
    let file = directory.path().join("run.toml");
    fs::write(&file, plans).unwrap();
    let mut screen = start(&recorder, &format!("--config {}", file.display()));
    screen.wait_for("● running");
    screen.press("w");
    screen.wait_for("name the plan to change");
    screen.press("\x03");
    assert_restored(&mut screen, 130);
    let left = left_behind(&screen);
    assert!(left.contains("name the plan to change"), "{left}");
}

#[test]
fn once_more_ends_everything_at_once() {
    for (once, again) in [("q", "q"), ("\x03", "\x03"), ("\x03", "q")] {
        let recorder = Recorder::start();
        let mut screen = start(&recorder, "Stuck -u 2 --stop-timeout 1h");
        recorder.wait_for_requests("/hold", 2);
        screen.wait_for("● running");
        screen.press(once);
        screen.wait_for("q or Ctrl-C once more ends at once");
        screen.press(again);
        assert_restored(&mut screen, 130);
        assert!(left_behind(&screen).contains("ended      interrupted"));
    }
}

#[test]
fn a_stopped_run_comes_back_to_its_screen() {
    let recorder = Recorder::start();
    let run = command(&recorder, "Worker -u 2");
    let mut shell = Command::new("sh");
    shell.arg("-i").env("PS1", "shell: ").env_remove("ENV");
    shell.envs(
        run.get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let mut screen = Screen::start(shell, 100, 30);
    screen.wait_for("shell: ");
    let args: Vec<_> = run.get_args().map(|arg| arg.to_string_lossy()).collect();
    screen.press(&format!(
        "{} {}\n",
        Engine::path().display(),
        args.join(" ")
    ));
    screen.wait_until("the dashboard", |seen| {
        seen.alternate_screen() && seen.contents().contains("● running")
    });

    screen.press("\x1a");
    screen.wait_until("the shell's screen", |seen| {
        !seen.alternate_screen() && !seen.hide_cursor() && seen.contents().contains("Stopped")
    });
    // In the background it goes on, and draws nothing.
    screen.press("bg; echo sh''own\n");
    screen.wait_for("shown");
    recorder.wait_for("task", recorder.events().len() + 50);
    screen.press("echo still he''re\n");
    screen.wait_for("still here");
    assert!(screen.is_ordinary(), "{}", screen.contents());

    screen.press("fg\n");
    screen.wait_until("the dashboard again", |seen| {
        seen.alternate_screen() && seen.contents().contains("● running")
    });
    screen.press("q");
    screen.wait_until("the summary", |seen| {
        !seen.alternate_screen() && seen.contents().contains("interrupted")
    });
    screen.press("echo code $?; exit\n");
    screen.wait();
    screen.close();
    let seen = screen.contents();
    assert!(seen.contains("code 130"), "{seen}");
    assert!(screen.is_ordinary(), "{seen}");
}

#[test]
fn who_wants_lines_gets_lines_and_keys() {
    let dumb = |mut command: Command| {
        command.env("TERM", "dumb");
        command
    };
    let recorder = Recorder::start();
    for run in [
        command(&recorder, "Worker -u 1 --no-tui"),
        dumb(command(&recorder, "Worker -u 1")),
    ] {
        let mut screen = Screen::start(run, 200, 40);
        screen.wait_for("1/1 users");
        screen.press("?");
        screen.wait_for("keys: w 1 user more");
        screen.press("p");
        screen.wait_for("paused");
        screen.press("\x03");
        assert_restored(&mut screen, 130);
        assert!(!screen.bytes().contains("\x1b[?1049h"));
    }
}

#[test]
fn without_colours_there_are_none() {
    let recorder = Recorder::start();
    let mut run = command(&recorder, "Worker -u 1");
    run.env("NO_COLOR", "1");
    let mut screen = Screen::start(run, 80, 24);
    screen.wait_for("● running");
    screen.wait_for("p99 ");
    screen.press("q");
    assert_restored(&mut screen, 130);
    for colour in ["\x1b[38;", "\x1b[48;", "\x1b[3"] {
        let bytes = screen.bytes();
        let begins: Vec<_> = bytes
            .match_indices(colour)
            .map(|(at, _)| &bytes[at..])
            .collect();
        // `ESC [ 39 m` sets the terminal's own colour, and a row from 30 on is no colour.
        let set = begins.iter().find(|rest| {
            let end = rest.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(0);
            rest[end..].starts_with('m') && !rest.starts_with("\x1b[39")
        });
        assert!(set.is_none(), "{set:?}");
    }
}

#[test]
fn elsewhere_there_are_plain_lines() {
    let recorder = Recorder::start();
    let host = recorder.url();
    let engine = Engine::new().env("TERM", "xterm-256color");
    let args = format!("Worker -u 2 -t 3s -H {host}");
    let results = LoadTest::start(&engine, GUEST, &args).finish();
    let output = &results.output;
    assert!(output.stderr.contains("/0:03  2/2 users"), "{output:?}");
    assert!(!output.stderr.contains('\x1b') && !output.stdout.contains('\x1b'));
}
