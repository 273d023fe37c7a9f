//! What command lines and run files come to, and how they are refused.

use std::fs;
use std::path::Path;

use clap::Parser;
use proptest::prelude::*;
use tempfile::TempDir;

use super::line::keys_of;
use super::*;
use crate::config::Load;
use crate::feed::FeedSource;
use crate::load_shape::Curve;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    run: RunLine,
}

fn outline(convention: Convention, shape: bool) -> Outline {
    Outline {
        convention,
        shape,
        hooks: false,
        observer: false,
        imports: Vec::new(),
        memory: 0,
        table: 0,
    }
}

fn env(name: &str) -> Option<String> {
    match name {
        "PASSWORD" => Some("hunter2".into()),
        "AIOTEST_CONTROL_TOKEN" => Some("from-env".into()),
        _ => None,
    }
}

fn load(words: &[&str]) -> Result<RunArgs> {
    Line::try_parse_from([&["run"], words].concat())?.run.load()
}

fn parse(words: &str, outline: &Outline) -> Result<RunConfig> {
    let words: Vec<&str> = words.split_whitespace().collect();
    load(&words)?.validate_with(outline, env)
}

fn plain(words: &str) -> Result<RunConfig> {
    parse(words, &outline(Convention::Async, false))
}

/// A run file in a directory of its own.
struct Desk {
    directory: TempDir,
}

impl Desk {
    fn new(text: impl AsRef<[u8]>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("run.toml"), text).unwrap();
        Desk { directory }
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    /// Runs with these words beside the file.
    fn run(&self, words: &str) -> Result<RunConfig> {
        self.run_shaped(words, false)
    }

    fn run_shaped(&self, words: &str, shape: bool) -> Result<RunConfig> {
        let path = self.path("run.toml");
        let mut line = vec!["-c", &path];
        line.extend(words.split_whitespace());
        load(&line)?.validate_with(&outline(Convention::Async, shape), env)
    }

    /// The message with the file called by its name alone.
    fn refusal(&self, words: &str) -> String {
        let error = self.run(words).unwrap_err();
        let directory = format!("{}/", self.directory.path().display());
        format!("{error:#}").replace(&directory, "")
    }
}

/// What a file alone comes to, with a component.
fn read(text: &str) -> RunConfig {
    Desk::new(text).run("a.wasm").unwrap()
}

fn refusal(text: &str) -> String {
    Desk::new(text).refusal("a.wasm")
}

fn users(config: &RunConfig) -> f64 {
    match &config.plans[0].load {
        Load::Users(curve) => curve.peak(),
        other => panic!("{other:?}"),
    }
}

fn arrivals(config: &RunConfig) -> (f64, u32) {
    match &config.plans[0].load {
        Load::Arrivals { rate, users, .. } => (rate.peak(), *users),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_load_comes_from_the_flags_before_the_shape() {
    let shaped = outline(Convention::Blocking, true);
    let plan = |words: &str, o: &Outline| parse(words, o).unwrap().plans.remove(0);
    assert_eq!(plan("a.wasm", &shaped).load, Load::Shape);
    assert_eq!(plan("a.wasm", &shaped).max_users, 10_000);
    assert_eq!(plan("a.wasm", &shaped).name, "default");
    let five = Load::Users(Curve::constant(5.0));
    assert_eq!(plan("a.wasm -u 5", &shaped).load, five);
    let flat = outline(Convention::Async, false);
    let one = Load::Users(Curve::constant(1.0));
    assert_eq!(plan("a.wasm", &flat).load, one);
    assert_eq!(plan("a.wasm -s 1s:5 -s 2s:9", &shaped).max_users, 9);
}

#[test]
fn bad_flags_are_refused() {
    let blocking = outline(Convention::Blocking, false);
    for bad in [
        "a.wasm -u 0",
        "a.wasm -u x",
        "a.wasm -u 1 -s 1s:1",
        "a.wasm -r 0",
        "a.wasm -r nan",
        "a.wasm -t 0",
        "a.wasm -t soon",
        "a.wasm -s 5",
        "a.wasm -s 1s:5 -s 1s:5/s",
        "a.wasm -i 0",
        "a.wasm --shared-iterations 0",
        "a.wasm --max-users 0",
        "a.wasm --max-requests 0",
        "a.wasm --pacing 0",
        "a.wasm --arrival-rate 1 -i 1",
        "a.wasm --arrival-rate -1",
        "a.wasm --max-lateness 1s",
        "a.wasm -T ,",
        "a.wasm --data users",
        "a.wasm --threshold p95",
        "a.wasm --linger",
        "a.wasm --control-token secret",
        "a.wasm --control-token= --prometheus 127.0.0.1:1",
        "a.wasm --exit-code-on-error 256",
        "a.wasm -H localhost:8080",
        "a.wasm -H ftp://localhost",
        "a.wasm -e novalue",
        "a.wasm --users-per-sandbox 0",
        "a.wasm --users-per-sandbox 2",
        "a.wasm --memory-limit 5GiB",
        "a.wasm --memory-limit 1",
        "a.wasm --memory-limit 1x",
        "a.wasm --prometheus nowhere",
        "a.wasm --prometheus 127.0.0.1:1 --prometheus-buckets 2,1",
        "a.wasm --prometheus 127.0.0.1:1 --prometheus-buckets 1,nan",
        "a.wasm --prometheus-buckets 1,2",
        "a.wasm -q -v",
        "a.wasm -c /nonexistent/run.toml",
        "",
    ] {
        assert!(parse(bad, &blocking).is_err(), "{bad}");
    }
}

#[test]
fn flags_reach_the_run() {
    let config = plain(
        "a.wasm A B -T fast,smoke -T x -E slow -p --pacing 2s --max-requests 9 -e K=V=W \
         --data users=u.csv --threshold failures:rate<1% --exit-code-on-error 9 \
         --prometheus 127.0.0.1:1 --prometheus-buckets 0.1,2 --linger",
    )
    .unwrap();
    assert_eq!(config.file, Path::new("a.wasm"));
    assert_eq!(config.classes, ["A", "B"]);
    assert_eq!(config.plans[0].classes, [""; 0]);
    assert_eq!(config.tags, ["fast", "smoke", "x"]);
    assert_eq!(config.exclude_tags, ["slow"]);
    assert_eq!(config.pacing, Some(Duration::from_secs(2)));
    assert_eq!(config.max_requests, Some(9));
    assert_eq!(config.options["K"], "V=W");
    assert_eq!(config.data, ["users=u.csv".parse::<FeedSource>().unwrap()]);
    assert_eq!(config.thresholds.len(), 1);
    assert_eq!(config.exit_code_on_error, Some(9));
    assert_eq!(config.outputs.buckets, [0.1, 2.0]);
    assert!(config.paused && config.outputs.linger);
    assert_eq!(plain("a.wasm").unwrap().exit_code_on_error, None);
}

#[test]
fn the_control_token_comes_from_the_flag_or_the_environment() {
    let token = |words: &str| plain(words).unwrap().outputs.control_token;
    assert_eq!(token("a.wasm"), None);
    let served = "a.wasm --prometheus 127.0.0.1:1";
    assert_eq!(token(served).as_deref(), Some("from-env"));
    let flag = format!("{served} --control-token from-flag");
    assert_eq!(token(&flag).as_deref(), Some("from-flag"));
}

#[test]
fn secrets_are_read_and_never_shown() {
    let desk = Desk::new("[secret]\nkey = \"file:key.txt\"\npassword = 'env:PASSWORD'\n");
    fs::write(desk.path("key.txt"), "from-file\n").unwrap();
    let config = desk.run("a.wasm").unwrap();
    assert_eq!(config.secrets.get("key"), Some("from-file"));
    assert_eq!(config.secrets.get("password"), Some("hunter2"));
    let text = format!("{config:?}");
    assert!(
        !text.contains("hunter2") && !text.contains("from-file"),
        "{text}"
    );

    let leak = |words: &[&str]| {
        let parsed = Line::try_parse_from([&["run", "a.wasm"], words].concat());
        let args = match parsed.map_err(anyhow::Error::from).map(|line| line.run) {
            Ok(line) => {
                assert!(!format!("{line:?}").contains("hunter2"));
                line.load()
            }
            Err(error) => Err(error),
        };
        assert!(!format!("{args:?}").contains("hunter2"), "{args:?}");
        let outline = outline(Convention::Async, false);
        let result = args.and_then(|args| args.validate_with(&outline, env));
        let error = format!("{:#}", result.unwrap_err());
        assert!(!error.contains("hunter2"), "{error}");
        error
    };
    assert!(leak(&["--secret", "a=hunter2"]).starts_with("--secret a: "));
    assert!(leak(&["--secret", "hunter2"]).starts_with("--secret: not NAME=env:VAR"));
    assert!(leak(&["--secret", "a=env:NONE"]).contains("NONE"));
    leak(&["--control-token", "hunter2"]);
    leak(&["--control-token", "hunter2 ", "--prometheus", "127.0.0.1:1"]);
    let twice = leak(&["--secret", "a=env:PASSWORD", "--secret", "a=env:PASSWORD"]);
    assert_eq!(twice, "--secret a: given twice");
}

#[test]
fn folders_are_called_as_they_are_written() {
    let grants = |config: RunConfig| -> Vec<(String, PathBuf)> {
        let grants = config.folders.into_iter();
        grants.map(|grant| (grant.name, grant.path)).collect()
    };
    let grant = |name: &str, path: &str| (name.to_owned(), PathBuf::from(path));
    let flags = plain("a.wasm --dir . --dir ./data/ --dir /srv/x --dir ../up").unwrap();
    let expected = [
        grant(".", "."),
        grant("data", "./data/"),
        grant("/srv/x", "/srv/x"),
        grant("../up", "../up"),
    ];
    assert_eq!(grants(flags), expected);
    let desk = Desk::new("dir = ['data', '/srv']\n");
    let of_file = [grant("data", &desk.path("data")), grant("/srv", "/srv")];
    assert_eq!(grants(desk.run("a.wasm").unwrap()), of_file);
    assert_eq!(
        grants(desk.run("a.wasm --dir .").unwrap()),
        [grant(".", ".")]
    );
}

#[test]
fn packages_are_for_scripts() {
    let desk = Desk::new("file = 'shop.py'\npython-path = ['lib']\n");
    fs::write(desk.path("shop.wasm"), b"\0asm\x0d\0\x01\0").unwrap();
    fs::write(desk.path("shop.py"), "").unwrap();
    let run_file = desk.path("run.toml");
    let open = |words: &[&str]| {
        let line = [&["-c", &run_file], words].concat();
        let opened = load(&line).unwrap().open();
        format!("{:#}", opened.err().unwrap())
    };
    let missing = open(&[]);
    let expected = format!("--python-path {}: ", desk.path("lib"));
    assert!(missing.starts_with(&expected), "{missing}");
    let component = open(&[&desk.path("shop.wasm")]);
    assert!(component.starts_with("--python-path: ") && component.contains("is a component"));
}

#[test]
fn every_flag_is_a_key() {
    let sample = |flag: &str| match flag {
        "users" | "iterations" | "shared-iterations" | "max-users" | "max-requests"
        | "users-per-sandbox" | "max-names" | "exit-code-on-error" => "7",
        "spawn-rate" | "arrival-rate" => "2.5",
        "run-time" | "max-lateness" | "pacing" | "stop-timeout" | "cpu-limit" | "timeout"
        | "push-interval" => "'1m30s'",
        "stage" => "['1s:5', '2s:6']",
        "threshold" => "['checks: rate>0.9']",
        "tags" | "exclude-tags" | "classes" => "['a', 'b']",
        "env" => "{ A = 'x', B = 1, C = true }",
        "data" => "{ users = 'users.csv' }",
        "dir" | "python-path" => "['data', '/srv']",
        "secret" => "{ key = 'env:KEY' }",
        "memory-limit" | "max-body" => "'32MiB'",
        "allow-host" => "['cdn.example.com', '10.0.0.0/8']",
        "host" => "'http://localhost'",
        "prometheus" | "web" => "'127.0.0.1:8089'",
        "prometheus-buckets" => "[0.1, 1, 2.5]",
        "control-token" => "'token'",
        "json" | "html" | "csv" | "junit" | "samples" => "'out'",
        "label" => "['night=yes', 'branch=main']",
        "remote-write" | "otlp" => "'http://localhost:9090/push'",
        "push-header" => "['Authorization: Bearer token']",
        "file" => "'a.wasm'",
        _ => "true",
    };
    let command = keys_of::<Flags>();
    let mut tried = 0;
    for arg in command
        .get_arguments()
        .filter(|arg| arg.get_id() != "config")
    {
        let flag = arg.get_long().unwrap_or(arg.get_id().as_str());
        for key in [flag.to_owned(), flag.replace('-', "_")] {
            let desk = Desk::new(format!("{key} = {}\n", sample(flag)));
            let args = load(&["-c", &desk.path("run.toml"), "a.wasm"]).unwrap();
            // The command line names the component, and wins.
            assert_eq!(args.origins.is_of_file(flag), flag != "file", "{key}");
            tried += 1;
        }
    }
    assert!(tried >= 80, "{tried}");
}

#[test]
fn values_have_the_types_of_toml() {
    let config = read(
        "users = 1_0\nspawn_rate = 2.5\nrun-time = 90\nstop-timeout = '5s'\ninsecure = true\n\
         quiet = false\nallow-host = 'one'\nmax-names = 0x10\ntags = ['a,b', 'c']\n\
         [env]\nNAME = 'it=s'\nCOUNT = 3\nDEBUG = true\nRATIO = 0.5\n",
    );
    assert_eq!(users(&config), 10.0);
    assert_eq!(config.plans[0].spawn_rate, 2.5);
    assert_eq!(config.plans[0].run_time, Some(Duration::from_secs(90)));
    assert!(config.http.insecure && !config.outputs.quiet);
    assert_eq!(config.http.allow_hosts, ["one"]);
    assert_eq!(config.max_names, 16);
    assert_eq!(config.tags, ["a", "b", "c"]);
    let options: Vec<_> = config
        .options
        .iter()
        .map(|(k, v)| format!("{k}={v}"))
        .collect();
    assert_eq!(options, ["COUNT=3", "DEBUG=true", "NAME=it=s", "RATIO=0.5"]);
    let config = read("\u{feff}env.A = '1'\nenv.B = '2'\n");
    assert_eq!(config.options.len(), 2);
    assert_eq!(users(&read("")), 1.0);
}

#[test]
fn the_file_can_name_the_component() {
    let desk = Desk::new("file = 'guests/a.wasm'\nclasses = ['A']\n[data]\nu = 'u.csv'\n");
    let config = desk.run("").unwrap();
    assert_eq!(config.file, Path::new(&desk.path("guests/a.wasm")));
    assert_eq!(config.data[0].path, Path::new(&desk.path("u.csv")));
    assert_eq!(config.classes, ["A"]);

    let config = desk.run("b.wasm B --data u=v.csv").unwrap();
    assert_eq!(config.file, Path::new("b.wasm"));
    assert_eq!(config.data[0].path, Path::new("v.csv"));
    assert_eq!(config.classes, ["B"]);

    let refusal = Desk::new("users = 1\n").refusal("");
    let expected = "no scenario: name a component on the command line, or as 'file' in run.toml";
    assert_eq!(refusal, expected);
    assert!(parse("", &outline(Convention::Async, false)).is_err());
}

#[test]
fn the_command_line_wins() {
    let desk = Desk::new("users = 5\nrun-time = '1m'\nverbose = true\ntags = ['a', 'b']\n");
    let config = desk.run("a.wasm -u 7 -q -T c").unwrap();
    assert_eq!(users(&config), 7.0);
    assert_eq!(config.plans[0].run_time, Some(Duration::from_secs(60)));
    assert!(config.outputs.quiet && !config.outputs.verbose);
    assert_eq!(config.tags, ["c"]);
}

#[test]
fn of_named_values_the_command_line_replaces_only_its_own() {
    let desk = Desk::new("[env]\nA = 1\nB = 2\n[data]\nu = 'u.csv'\nv = 'v.csv'\n");
    let config = desk.run("a.wasm -e B=3 -e C=4 --data u=mine.csv").unwrap();
    let options: Vec<_> = config.options.into_iter().collect();
    let pair = |k: &str, v: &str| (k.to_owned(), v.to_owned());
    assert_eq!(options, [pair("A", "1"), pair("B", "3"), pair("C", "4")]);
    let mut paths: Vec<_> = config.data.into_iter().map(|feed| feed.path).collect();
    paths.sort();
    assert_eq!(paths.len(), 2);
    assert!(paths.contains(&"mine.csv".into()));
    assert!(paths.contains(&desk.path("v.csv").into()));
}

#[test]
fn the_command_line_also_wins_over_what_contradicts_it() {
    let closed = Desk::new("stage = ['1s:5']\niterations = 3\n");
    assert_eq!(users(&closed.run("a.wasm -u 7").unwrap()), 7.0);
    let open = closed.run("a.wasm --arrival-rate 9").unwrap();
    assert_eq!(arrivals(&open), (9.0, 0));
    assert_eq!(open.plans[0].iterations, None);
    assert_eq!(arrivals(&closed.run("a.wasm -s 1s:4/s").unwrap()).0, 4.0);

    let constant = Desk::new("users = 5\n");
    assert_eq!(users(&constant.run("a.wasm -s 1s:9").unwrap()), 9.0);
    // Users are no contradiction to arrivals: they are started beforehand.
    assert_eq!(
        arrivals(&constant.run("a.wasm --arrival-rate 9").unwrap()),
        (9.0, 5)
    );

    let open = Desk::new("arrival-rate = 5\nmax-lateness = '1s'\nusers = 2\n");
    assert_eq!(users(&open.run("a.wasm -s 1s:9").unwrap()), 9.0);
    assert_eq!(users(&open.run("a.wasm -i 4").unwrap()), 2.0);
    assert_eq!(arrivals(&open.run("a.wasm -s 1s:9/s").unwrap()), (9.0, 2));
    assert_eq!(arrivals(&open.run("a.wasm -u 3").unwrap()), (5.0, 3));
}

#[test]
fn files_of_results_are_different_ones() {
    let desk = Desk::new("html = 'out'\n");
    assert!(desk.run("a.wasm --json other --csv out").is_ok());
    assert!(
        desk.run("a.wasm --json /dev/null --junit /dev/null")
            .is_ok()
    );
    let refusal = desk.refusal("a.wasm --samples out");
    assert_eq!(
        refusal,
        "run.toml:1: html and --samples: both would write out; choose another place for one of \
         them"
    );
}

#[test]
fn places_to_push_to_are_not_repeated() {
    for bad in ["ftp://me:hunter2@host/", "hunter2"] {
        for desk in [
            Desk::new("").refusal(&format!("a.wasm --otlp {bad}")),
            Desk::new(format!("remote-write = '{bad}'\n")).refusal("a.wasm"),
        ] {
            assert!(!desk.contains("hunter2"), "{desk}");
        }
    }
}

#[test]
fn what_needs_another_flag_finds_it_in_either_place() {
    let desk = Desk::new("prometheus = '127.0.0.1:1'\n");
    assert!(desk.run("a.wasm --linger --prometheus-buckets 1,2").is_ok());
    let desk = Desk::new("linger = true\n");
    assert!(desk.run("a.wasm --prometheus 127.0.0.1:1").is_ok());
    let expected = "run.toml:1: linger: there is no HTTP endpoint; give it an address with \
                    --prometheus or --web";
    assert_eq!(desk.refusal("a.wasm"), expected);
}

#[test]
fn a_dashboard_that_others_reach_needs_a_token() {
    let without_token = |words: &str| {
        let line: Vec<_> = words.split_whitespace().collect();
        let outline = outline(Convention::Async, false);
        load(&line).unwrap().validate_with(&outline, |_| None)
    };
    assert!(without_token("a.wasm --web 127.0.0.1:1").is_ok());
    assert!(without_token("a.wasm --web [::1]:1").is_ok());
    assert!(without_token("a.wasm --web 0.0.0.0:1 --control-token t").is_ok());
    assert!(without_token("a.wasm --prometheus 0.0.0.0:1").is_ok());
    let refusal = without_token("a.wasm --web 0.0.0.0:1").unwrap_err();
    assert!(
        refusal
            .to_string()
            .starts_with("--web: where others reach it"),
        "{refusal}"
    );
}

const SHOP: &str = "\
file = 'shop.wasm'
run-time = '10m'

[class.Guest]
weight = 3
host = 'http://one'

[class.Admin]
pacing = '2s'
throughput = '90/m'

[plans.browse]
classes = ['Guest', 'Crawler']
stages = ['30s:100', '1m:100']

[plans.checkout]
classes = ['Admin']
start = '30s'
run_time = '1h'
arrival-rate = '50/s'
stages = ['1m:200/s']
users = 20
max-users = 300
max-lateness = '1s'
";

#[test]
fn plans() {
    let config = Desk::new(SHOP).run("").unwrap();
    assert_eq!(config.classes, [""; 0]);
    let [browse, checkout] = &config.plans[..] else {
        panic!("{:?}", config.plans);
    };
    let seconds = Duration::from_secs;
    assert_eq!(browse.name, "browse");
    assert_eq!(browse.classes, ["Guest", "Crawler"]);
    assert_eq!(
        (browse.start, browse.run_time),
        (seconds(0), Some(seconds(600)))
    );
    let ramp = |from, stages| Curve { from, stages };
    let stages = vec![(seconds(30), 100.0), (seconds(60), 100.0)];
    assert_eq!(browse.load, Load::Users(ramp(0.0, stages)));
    assert_eq!(browse.max_users, 100);
    assert_eq!(checkout.name, "checkout");
    assert_eq!(
        (checkout.start, checkout.run_time),
        (seconds(30), Some(seconds(570)))
    );
    assert_eq!(
        checkout.load,
        Load::Arrivals {
            rate: ramp(50.0, vec![(seconds(60), 200.0)]),
            users: 20,
            patience: seconds(1),
        }
    );
    assert_eq!(checkout.max_users, 300);
    let admin = ClassSettings {
        pacing: Some(seconds(2)),
        throughput: Some(1.5),
        ..ClassSettings::default()
    };
    assert_eq!(config.class_settings["Admin"], admin);
    assert_eq!(config.class_settings["Guest"].weight, Some(3));
    assert_eq!(
        config.class_settings["Guest"].host.as_deref(),
        Some("http://one")
    );
}

#[test]
fn the_run_time_limits_all_plans() {
    let run = |words: &str| Desk::new(SHOP).run(words).unwrap().plans;
    let plans = run("-t 45s");
    assert_eq!(plans[0].run_time, Some(Duration::from_secs(45)));
    assert_eq!(plans[1].run_time, Some(Duration::from_secs(15)));
    let plans = run("-t 30s");
    assert_eq!(
        plans.len(),
        1,
        "a plan that would begin at the end is left out"
    );
    let late = Desk::new("[plans.a]\nstart = '1m'\n");
    assert_eq!(
        late.refusal("a.wasm -t 1m"),
        "--run-time: every plan begins later"
    );
}

#[test]
fn one_plan_takes_the_classes_of_the_run() {
    let desk = Desk::new("[plans.only]\nusers = 3\n");
    assert_eq!(desk.run("a.wasm").unwrap().plans[0].classes, [""; 0]);
    let config = desk.run("a.wasm A B").unwrap();
    assert_eq!(config.plans[0].classes, ["A", "B"]);
    assert_eq!(config.classes, [""; 0]);
}

#[test]
fn a_plan_can_follow_the_load_shape() {
    let shape = |text: &str| Desk::new(text).run_shaped("a.wasm", true);
    let plans = shape("[plans.a]\nshape = true\nclasses = ['A']\n[plans.b]\nclasses = ['B']\n");
    let plans = plans.unwrap().plans;
    assert_eq!(plans[0].load, Load::Shape);
    assert_eq!(plans[1].load, Load::Users(Curve::constant(1.0)));
    let twice = "[plans.a]\nshape=true\nclasses=['A']\n[plans.b]\nshape=true\nclasses=['B']\n";
    let error = shape(twice).unwrap_err().to_string();
    assert!(
        error.contains(":5: plans.b.shape: plan 'a' follows"),
        "{error}"
    );
}

#[test]
fn plans_that_make_no_sense_are_refused() {
    for (text, expected) in [
        (
            "users = 5\n[plans.a]\nusers = 1\n",
            "run.toml:1: users: this file has plans, and each has a load of its own; write it \
             into one",
        ),
        (
            "[plans.a]\nusers = 1\n[plans.b]\nclasses = ['B']\n",
            "run.toml:1: plans.a: names no classes; with several plans each needs its own",
        ),
        (
            "[plans.a]\nclasses = ['A', 'B']\n[plans.b]\nclasses = ['C', 'A']\n",
            "run.toml:4: plans.b.classes: class 'A' is in plan 'a' already",
        ),
        (
            "classes = ['X']\n[plans.a]\nclasses = ['A']\n",
            "run.toml:1: classes: the plans say which classes run; write them there",
        ),
        (
            "[plans.checkout]\narrival-rate = 'fast'\n",
            "run.toml:2: plans.checkout.arrival-rate: 'fast': not a rate, for example 200, \
             200/s or 90/m",
        ),
        (
            "[plans.a]\nstages = [\n  '30s:10',\n  '30s:20/s',\n]\n",
            "run.toml:2: plans.a.stages: some stages lead to users and others to rates (which \
             have a unit, as in 200/s); a plan has one or the other",
        ),
        (
            "[plans.a]\nstages = [\n  '30s:10',\n  '30s',\n]\n",
            "run.toml:4: plans.a.stages: stage '30s' is neither DURATION:USERS, for example \
             30s:100, nor DURATION:RATE, for example 30s:200/s",
        ),
        (
            "[plans.a]\nshape = true\n",
            "run.toml:2: plans.a.shape: the component has no load shape",
        ),
        (
            "[plans.a]\nuser = 1\n",
            "run.toml:2: unknown key 'plans.a.user'; did you mean 'users'?",
        ),
        (
            "[plans.a]\nhost = 'http://x'\n",
            "run.toml:2: unknown key 'plans.a.host'; there are users, spawn-rate, run-time, \
             stage, arrival-rate, max-lateness, max-users, iterations, shared-iterations, \
             classes, start, shape",
        ),
        (
            "plans = 5\n",
            "run.toml:1: plans: not a table; write [plans.NAME]",
        ),
        (
            "[[plans]]\n",
            "run.toml:1: plans: not a table; write [plans.NAME]",
        ),
        (
            "[plans]\n",
            "run.toml:1: plans: there is none; write [plans.NAME]",
        ),
        (
            "[plans]\nusers = 5\n",
            "run.toml:2: plans.users: not a table; write [plans.NAME]",
        ),
        (
            "[class.A]\nweight = 2000000\n",
            "run.toml:2: class.A.weight: 2000000 is not in 0..=1000000",
        ),
    ] {
        assert_eq!(refusal(text), expected, "{text}");
    }
    let desk = Desk::new("[plans.a]\nclasses = ['A']\n");
    assert_eq!(
        desk.refusal("a.wasm -u 5"),
        "--users: run.toml has plans, and each has a load of its own; only --run-time is for all \
         of them"
    );
    assert_eq!(
        desk.refusal("a.wasm B"),
        "class 'B': the plans of run.toml say which classes run; name none on the command line"
    );
}

#[test]
fn errors_name_line_and_key() {
    for (text, expected) in [
        (
            "\n# stages\n\nhost = 'http://x'\nquiet = true\n\nstage = '30s'\n",
            "run.toml:7: stage: stage '30s' is neither DURATION:USERS, for example 30s:100, nor \
             DURATION:RATE, for example 30s:200/s",
        ),
        (
            "\n\nusres = 5\n",
            "run.toml:3: unknown key 'usres'; did you mean 'users'?",
        ),
        (
            "plan.a.users = 5\n",
            "run.toml:1: unknown key 'plan'; did you mean 'plans'?",
        ),
        (
            "Stop_Timeout = 5\n",
            "run.toml:1: unknown key 'Stop_Timeout'; did you mean 'stop-timeout'?",
        ),
        (
            "zzzzzz = 5\n",
            "run.toml:1: unknown key 'zzzzzz'; the keys are the flags of `aiotest-engine run \
             --help`",
        ),
        (
            "config = 'b.toml'\n",
            "run.toml:1: unknown key 'config': a run file cannot name another",
        ),
        (
            "help = true\n",
            "run.toml:1: unknown key 'help'; the keys are the flags of `aiotest-engine run --help`",
        ),
        ("users = 5\nusers = 6\n", "run.toml:2: duplicate key"),
        (
            "run-time = 5\nrun_time = 6\n",
            "run.toml:2: run_time: the same as 'run-time' in line 1; keep one of them",
        ),
        (
            "run-time = 5m\n",
            "run.toml:1: string values must be quoted, expected literal string",
        ),
        (
            "users = [1]\n",
            "run.toml:1: users: not a list; it takes a single value",
        ),
        (
            "users = { a = 1 }\n",
            "run.toml:1: users: not a table; it takes a single value",
        ),
        (
            "users = -5\n",
            "run.toml:1: users: -5 is not in 0..=4294967295",
        ),
        (
            "users = 'many'\n",
            "run.toml:1: users: 'many': invalid digit found in string",
        ),
        (
            "insecure = 'yes'\n",
            "run.toml:1: insecure: neither true nor false",
        ),
        (
            "run-time = 07:32:00\n",
            "run.toml:1: run-time: not a date or time of day; put texts into quotes",
        ),
        (
            "host = ''\n",
            "run.toml:1: host: '': not a URL such as http://127.0.0.1:8080 (relative URL without a base)",
        ),
        (
            "[env]\nA = 1\n\nB = [1]\n",
            "run.toml:4: env.B: not a list; it takes a single value",
        ),
        (
            "[env]\n'A=B' = 1\n",
            "run.toml:2: env: a name cannot be empty or contain '='",
        ),
        (
            "[data]\nusers = ''\n",
            "run.toml:2: data.users: 'users=' is not NAME=FILE, for example users=users.csv",
        ),
        (
            "tags = [\n  'a',\n  ['b'],\n]\n",
            "run.toml:3: tags: not a list; it takes a single value",
        ),
        (
            "quiet = true\nverbose = true\n",
            "run.toml:1: quiet: cannot be used with 'verbose'",
        ),
        (
            "users = 5\nstage = '1s:5'\n",
            "run.toml:1: users: cannot be used with stages of users, which say how many there are",
        ),
        (
            "memory-limit = 5\n",
            "run.toml:1: memory-limit: a sandbox needs 64KiB at least, and usually 2MiB",
        ),
        (
            "[secret]\nkey = 'hunter2'\n",
            "run.toml:2: secret.key: name where the secret is, as env:VARIABLE or file:PATH; its value would be seen in the list of processes",
        ),
    ] {
        assert_eq!(refusal(text), expected, "{text}");
    }
}

#[test]
fn hostile_files_are_refused_with_a_short_message() {
    let deep = format!("users = {}", "[".repeat(200_000));
    let dotted = format!("{}b = 1", "a.".repeat(200_000));
    let long = format!("{} = 1", "k".repeat(500_000));
    let many: String = (0..50_000).map(|n| format!("k{n} = 1\n")).collect();
    let large = "#".repeat((1 << 20) + 1);
    let stage = format!("stage = '{}'", "9".repeat(100_000));
    for text in [
        &deep,
        &dotted,
        &long,
        &many,
        &large,
        &stage,
        "users = 99999999999999999999999999",
        "users = 0xffffffffffffffffffffffff",
        "spawn-rate = 1e999",
        "spawn-rate = inf",
        "spawn-rate = nan",
        "run-time = 1e300",
        "arrival-rate = '-1/s'",
        "max-names = -1",
        "\"\\u001b[31m\" = 1",
        "host = \"http://\\u0000\"",
        "[plans.\"\\u0007\"]\nusers = 1",
        "[plans.\"\"]\nusers = 1",
        "a.b.c = {",
        "= 5",
        "\u{0}",
    ] {
        let message = refusal(text);
        let start: String = text.chars().take(40).collect();
        assert!(message.contains("run.toml"), "{start}: {message}");
        assert!(message.chars().count() < 800, "{start}: {}", message.len());
        assert!(!message.contains(char::is_control), "{start}: {message:?}");
    }
    let binary = Desk::new(b"users = 5\nhost = '\xff\xfe'\n");
    let expected = "run.toml:2: not valid UTF-8; save the file as UTF-8";
    assert_eq!(binary.refusal("a.wasm"), expected);
    let many: String = (0..50_000).map(|n| format!("k{n} = 1\n")).collect();
    let config = read(&format!("[env]\n{many}"));
    assert_eq!(config.options.len(), 50_000);
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let desk = Desk::new("");
    let read = |name: &str| {
        let error = load(&["a.wasm", "-c", &desk.path(name)]).unwrap_err();
        format!("{error:#}").replace(&format!("{}/", desk.directory.path().display()), "")
    };
    let missing = read("none.toml");
    let expected = "cannot read the run file none.toml: No such file or directory";
    assert!(missing.starts_with(expected), "{missing}");
    fs::create_dir(desk.path("sub")).unwrap();
    let directory = read("sub");
    let expected = "cannot read the run file sub: Is a directory";
    assert!(directory.starts_with(expected), "{directory}");
}

proptest! {
    /// Nothing in a file can make the program panic.
    #[test]
    fn any_file_is_read_or_refused(text in "[a-z\\[\\]=\"'.\\-_:0-9 \n{},#\\\\/]{0,120}") {
        let _ = Desk::new(text).run("a.wasm");
    }

    /// The same of what is nearly right.
    #[test]
    fn any_value_of_a_key_is_read_or_refused(
        key in prop::sample::select(vec![
            "users", "stage", "arrival-rate", "env", "data", "secret", "threshold", "tags",
            "plans.a.stages", "plans.a.start", "class.A.weight", "quiet", "file", "classes",
        ]),
        value in "\\PC{0,30}",
        form in prop::sample::select(vec!["V", "'V'", "['V']", "{ a = 'V' }", "[V, V]"]),
    ) {
        let _ = Desk::new(format!("{key} = {}\n", form.replace('V', &value))).run("a.wasm");
    }

    /// What the command line says reaches the run as it is, with and without a file.
    #[test]
    fn a_file_leaves_the_command_line_as_it_is(
        option in "[A-Z]{1,8}=[^\u{0}]{0,20}",
        class in "\\PC{1,20}",
        users in 1_u32..100_000,
    ) {
        let users = users.to_string();
        let desk = Desk::new("host = 'http://x'\n");
        let path = desk.path("run.toml");
        let words = ["-u", &users, "-e", &option, "--", "a.wasm", &class];
        let outline = outline(Convention::Async, false);
        let alone = load(&words).unwrap().validate_with(&outline, env).unwrap();
        let line = [&["-c", &path][..], &words].concat();
        let mut both = load(&line).unwrap().validate_with(&outline, env).unwrap();
        let host = both.host.take();
        prop_assert_eq!(host.as_deref(), Some("http://x"));
        prop_assert_eq!(both, alone);
    }
}
