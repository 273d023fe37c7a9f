//! Run files: what stands in one happens, flags of the command line win, and what is wrong
//! is named with its line.

use std::{collections::BTreeMap, fs, path::PathBuf};

use aiotest_tests::{Engine, Heads, Output, Recorder, Results, guests};
use serde_json::json;
use tempfile::TempDir;

const GUEST: &str = "guest-probe";
const USAGE: i32 = 2;

/// A directory with a run file.
struct Desk {
    directory: TempDir,
    engine: Engine,
}

impl Desk {
    fn new(text: impl AsRef<[u8]>) -> Self {
        let directory = tempfile::tempdir().expect("a directory can be made");
        fs::write(directory.path().join("run.toml"), text).expect("a file can be written");
        Self {
            directory,
            engine: Engine::new(),
        }
    }

    /// A file that begins with the component and the host.
    fn of(guest: &str, recorder: &Recorder, text: &str) -> Self {
        let component = guests::build(guest);
        let (component, url) = (component.display(), recorder.url());
        Self::new(format!("file = '{component}'\nhost = '{url}'\n{text}"))
    }

    fn with(self, name: &str, content: &str) -> Self {
        fs::write(self.path(name), content).expect("a file can be written");
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// `run` with the file and these arguments, in another directory.
    fn start(&self, args: &str) -> Output {
        let elsewhere = tempfile::tempdir().expect("a directory can be made");
        let mut line = vec![
            "run".into(),
            "--config".into(),
            self.path("run.toml").into_os_string(),
        ];
        line.extend(args.split_whitespace().map(Into::into));
        self.engine.clone().directory(elsewhere.path()).run(line)
    }

    fn run(&self, args: &str) -> Results {
        let path = self.path("report.json");
        let output = self.start(&format!("{args} --json {}", path.display()));
        let report = fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!("no report: {error}\n{output:#?}");
        });
        let report = serde_json::from_str(&report).expect("the report is JSON");
        Results { output, report }
    }

    /// What is wrong, with the file called by its name alone.
    #[track_caller]
    fn refusal(&self, args: &str) -> String {
        let output = self.start(args);
        assert_eq!(output.code, Some(USAGE), "{output:#?}");
        assert_eq!(output.stdout, "", "{output:#?}");
        let directory = format!("{}/", self.directory.path().display());
        output.stderr.trim_end().replace(&directory, "")
    }
}

/// How often each thing was told.
fn told(recorder: &Recorder) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for event in recorder.events() {
        *counts.entry(event.what).or_default() += 1;
    }
    counts
}

/// The same of few things.
fn counts<const N: usize>(of: [(&str, usize); N]) -> BTreeMap<String, usize> {
    of.map(|(what, count)| (what.to_owned(), count)).into()
}

#[test]
fn a_run_file_says_everything() {
    let recorder = Recorder::start();
    let text = "classes = ['Fed', 'Optional']
users = 4
iterations = 3
quiet = true
prometheus-buckets = [0.1, 1]
prometheus = '127.0.0.1:0'
threshold = [
    'http_reqs: count==8',
    \"failures: rate<1%\",
]

[env]
order = 'sequential'
word = 'tea'

[data]
users = 'rows/users.csv'
";
    let desk = Desk::of(GUEST, &recorder, text);
    fs::create_dir(desk.path("rows")).unwrap();
    let desk = desk.with("rows/users.csv", "name\na\nb\n");
    let results = desk.run("");
    assert_eq!(
        (results.code(), results.reason()),
        (0, "all users finished"),
        "{:#?}",
        results.output
    );
    assert_eq!(
        told(&recorder),
        counts([("row-a", 3), ("row-b", 3), ("tea", 2)])
    );
    assert_eq!(results.output.stderr, "");
    assert_eq!(results.number("/users/started"), 4.0);
    let judged = results.report["thresholds"].as_array().unwrap().iter();
    let judged: Vec<_> = judged.map(|verdict| &verdict["expression"]).collect();
    assert_eq!(judged, ["http_reqs: count==8", "failures: rate<0.01"]);
}

#[test]
fn a_threshold_of_the_file_decides_the_exit_code() {
    let recorder = Recorder::start();
    let text = "classes = ['Once']\nusers = 1\niterations = 2\nthresholds = 'http_reqs: count>2'\n";
    let results = Desk::of(GUEST, &recorder, text).run("");
    assert_eq!(results.code(), 99, "{:#?}", results.output);
}

#[test]
fn secrets_of_the_file_reach_the_server() {
    const SECRET: &str = "from the safe";
    let server = Heads::start();
    let component = guests::build(GUEST);
    let text = format!(
        "file = '{}'\nhost = '{}'\nclasses = 'Secretive'\nusers = 1\n[secret]\ntoken = 'SOURCE'\n",
        component.display(),
        server.url()
    );
    for source in ["env:AIOTEST_TESTS_SAFE", "file:safe.txt"] {
        let mut desk = Desk::new(text.replace("SOURCE", source)).with("safe.txt", SECRET);
        desk.engine = desk.engine.env("AIOTEST_TESTS_SAFE", SECRET);
        let results = desk.run("");
        // It fails for the secret's sake.
        assert_eq!(results.code(), 1, "{:#?}", results.output);
        let shown = format!("{:?} {}", results.output, results.report);
        assert!(!shown.contains(SECRET), "{shown}");
        assert!(shown.contains("***"), "{shown}");
    }
    assert_eq!(server.values("x-token"), [SECRET; 2]);
}

#[test]
fn the_component_is_found_beside_the_file() {
    let recorder = Recorder::start();
    let text = format!(
        "file = 'guests/probe.wasm'\nhost = '{}'\nclasses = ['Once']\nusers = 2\niterations = 2\n",
        recorder.url()
    );
    let desk = Desk::new(text);
    fs::create_dir(desk.path("guests")).unwrap();
    fs::copy(guests::build(GUEST), desk.path("guests/probe.wasm")).unwrap();
    let results = desk.run("");
    assert_eq!(results.code(), 0, "{:#?}", results.output);
    assert_eq!(told(&recorder), counts([("once", 4)]));
    assert_eq!(
        results.report["run"]["component"],
        json!(desk.path("guests/probe.wasm"))
    );

    // A relative path to the run file itself is one from the working directory.
    let engine = Engine::new().directory(desk.directory.path());
    let output = engine.run(["run", "-q", "-c", "run.toml"]);
    assert_eq!(output.code, Some(0), "{output:#?}");
    assert_eq!(told(&recorder), counts([("once", 8)]));
}

#[test]
fn a_missing_component_is_named_with_its_path() {
    let desk = Desk::new("file = 'guests/none.wasm'\n");
    let output = desk.start("");
    assert_eq!(output.code, Some(3), "{output:#?}");
    let path = desk.path("guests/none.wasm").display().to_string();
    assert!(output.stderr.contains(&path), "{output:#?}");
}

#[test]
fn flags_win() {
    let file = "classes = ['Optional']\nusers = 7\nthreshold = 'http_reqs: count==99'\n\
                [env]\nword = 'tea'\nother = 'x'\n";
    let component = guests::build(GUEST);
    for (args, expected, code) in [
        ("", counts([("tea", 7)]), 99),
        ("-u 2", counts([("tea", 2)]), 99),
        ("-u 2 -e word=milk", counts([("milk", 2)]), 99),
        (
            "-u 2 --threshold http_reqs:count==2",
            counts([("tea", 2)]),
            0,
        ),
        ("-u 2 -i 1 -e nothing=1", BTreeMap::new(), 99),
        ("COMPONENT Once -i 1", counts([("once", 7)]), 99),
        (
            "--shared-iterations 3 --threshold http_reqs:count<4 COMPONENT Once",
            counts([("once", 3)]),
            0,
        ),
    ] {
        let recorder = Recorder::start();
        let args = args.replace("COMPONENT", &component.display().to_string());
        let results = Desk::of(GUEST, &recorder, file).run(&args);
        assert_eq!(told(&recorder), expected, "{args}: {:#?}", results.output);
        assert_eq!(results.code(), code, "{args}: {}", results.output.stdout);
    }
}

#[test]
fn flags_win_over_what_contradicts_them() {
    let file = "classes = ['Once']\nstages = ['1h:50']\nverbose = true\n";
    let recorder = Recorder::start();
    let results = Desk::of(GUEST, &recorder, file).run("-u 2 -i 2 -q");
    assert_eq!(
        (results.code(), results.reason()),
        (0, "all users finished"),
        "{:#?}",
        results.output
    );
    assert_eq!(told(&recorder), counts([("once", 4)]));
    assert_eq!(results.output.stderr, "");
}

#[test]
fn plans_have_loads_of_their_own() {
    let recorder = Recorder::start();
    let text = "
[plans.work]
classes = ['Worker']
users = 2
iterations = 3

[plans.shared]
classes = ['Optional', 'Leaver']
start = '500ms'
users = 4
shared-iterations = 6

[plans.open]
classes = ['Once']
arrival-rate = '600/m'
run-time = '1s'
max-users = 5

[env]
word = 'tea'

[class.Worker]
pacing = '100ms'
";
    let results = Desk::of(GUEST, &recorder, text).run("-q");
    assert_eq!(results.code(), 0, "{:#?}", results.output);
    let mut told = told(&recorder);
    let once = told.remove("once").unwrap_or(0);
    // Ten are planned; a busy machine may see the end of the plan late.
    assert!((5..=20).contains(&once), "{once}");
    let of_leavers = told.remove("left").unwrap_or(0) + told.remove("right").unwrap_or(0);
    assert_eq!(of_leavers, 3 * told["outside"]);
    // Two users of the shared plan take one iteration each, and the others all the rest.
    let iterations = told["outside"] + told["tea"];
    assert!(iterations <= 6, "{told:?}");
    assert_eq!((told["start"], told["task"], told["stop"]), (2, 6, 2));
    let classes = results.report["users"]["classes"].as_object().unwrap();
    let names: Vec<_> = classes.keys().collect();
    assert_eq!(names, ["Leaver", "Once", "Optional", "Worker"]);
    assert!(results.number("/run/duration_seconds") >= 1.0);
}

#[test]
fn the_run_time_limits_all_plans() {
    let recorder = Recorder::start();
    let text = "
[plans.work]
classes = ['Worker']
users = 2
[plans.late]
classes = ['Once']
start = '1h'
[plans.leave]
classes = ['Leaver']
";
    let results = Desk::of(GUEST, &recorder, text).run("-q -t 1s");
    assert_eq!((results.code(), results.reason()), (0, "completed"));
    let told = told(&recorder);
    assert_eq!((told["start"], told["stop"]), (2, 2));
    assert!(
        told["outside"] > 0 && !told.contains_key("once"),
        "{told:?}"
    );
}

#[test]
fn classes_are_set_up_by_the_file() {
    let recorder = Recorder::start();
    // The file's host for one class wins over the one for all.
    let text = format!(
        "host = 'http://127.0.0.1:1'
classes = ['Hosted', 'Optional']
users = 5
iterations = 1
env = {{ word = 'tea' }}
[class.Hosted]
host = '{0}'
weight = 4
[class.Optional]
host = '{0}'
",
        recorder.url()
    );
    let component = guests::build(GUEST);
    let desk = Desk::new(format!("file = '{}'\n{text}", component.display()));
    let results = desk.run("-q");
    assert_eq!(results.code(), 0, "{:#?}", results.output);
    assert_eq!(told(&recorder), counts([("hosted", 4), ("tea", 1)]));
}

#[test]
fn errors_name_line_and_key() {
    let recorder = Recorder::start();
    // The file and the host stand in the first two lines.
    for (text, expected) in [
        (
            "\nusres = 5\n",
            "run.toml:4: unknown key 'usres'; did you mean 'users'?",
        ),
        (
            "users = 'many'\n",
            "run.toml:3: users: 'many': invalid digit found in string",
        ),
        (
            "users = [1]\n",
            "run.toml:3: users: not a list; it takes a single value",
        ),
        (
            "insecure = 'yes'\n",
            "run.toml:3: insecure: neither true nor false",
        ),
        (
            "stages = [\n  '30s:5',\n  '30s',\n]\n",
            "run.toml:5: stages: stage '30s' is neither DURATION:USERS, for example 30s:100, nor \
             DURATION:RATE, for example 30s:200/s",
        ),
        (
            "threshold = ['checks: rate>0.9', 'http_reqs: coutn>5']\n",
            "run.toml:3: threshold: threshold 'http_reqs: coutn>5', at 'coutn>5': ",
        ),
        ("\n\nusers = = 5\n", "run.toml:5: "),
        ("users = 5\nusers = 6\n", "run.toml:4: duplicate key"),
        (
            "[plans.a]\nclasses = ['Once']\narrival_rate = 'fast'\n",
            "run.toml:5: plans.a.arrival_rate: 'fast': not a rate, for example 200, 200/s or 90/m",
        ),
        (
            "[plans.a]\nclasses = ['Once']\nuser = 5\n",
            "run.toml:5: unknown key 'plans.a.user'; did you mean 'users'?",
        ),
        (
            "[plans.a]\nclasses = ['Worker', 'Once']\n\n[plans.b]\nclasses = ['Leaver', 'Once']\n",
            "run.toml:7: plans.b.classes: class 'Once' is in plan 'a' already",
        ),
        (
            "[plans.a]\nclasses = ['Once']\n[plans.b]\nusers = 5\n",
            "run.toml:5: plans.b: names no classes; with several plans each needs its own",
        ),
        (
            "users = 5\n[plans.a]\nclasses = ['Once']\n",
            "run.toml:3: users: this file has plans, and each has a load of its own; write it \
             into one",
        ),
        (
            "[plans.a]\nclasses = ['Once']\niterations = 5\narrival-rate = 5\n",
            "run.toml:5: plans.a.iterations: cannot be used with an arrival rate, ",
        ),
        (
            "[class.Once]\nthroughput = 0\n",
            "run.toml:4: class.Once.throughput: ",
        ),
        (
            "[secret]\ntoken = 'hunter2'\n",
            "run.toml:4: secret.token: name where the secret is, as env:VARIABLE or file:PATH",
        ),
        (
            "[secret]\ntoken = 'env:AIOTEST_TESTS_NONE'\n",
            "run.toml:4: secret.token: the environment variable AIOTEST_TESTS_NONE is not set",
        ),
        (
            "[secret]\ntoken = 'file:none.txt'\n",
            "run.toml:4: secret.token: cannot read none.txt: ",
        ),
    ] {
        let refusal = Desk::of(GUEST, &recorder, text).refusal("");
        let expected = format!("aiotest-engine: {expected}");
        assert!(refusal.starts_with(&expected), "{expected}\n{refusal}");
        assert_eq!(refusal.lines().count(), 1, "{refusal}");
        assert!(!refusal.contains("hunter2"), "{refusal}");
    }
    assert_eq!(recorder.events(), []);
}

#[test]
fn classes_that_the_component_has_not_are_named_with_their_line() {
    let recorder = Recorder::start();
    let known = "the component has Minor, Major";
    for (text, place) in [
        (
            "users = 1\nclasses = ['Once', 'Nobody']\n",
            "run.toml:4: classes: ",
        ),
        (
            "[plans.a]\nclasses = ['Once']\n[plans.b]\nusers = 2\nclasses = ['Nobody']\n",
            "run.toml:7: plans.b.classes: ",
        ),
        (
            "classes = ['Once']\n[class.Once]\nweight = 2\n[class.Nobody]\nweight = 2\n",
            "run.toml:6: class.Nobody: ",
        ),
    ] {
        let refusal = Desk::of(GUEST, &recorder, text).refusal("");
        let expected = format!("aiotest-engine: {place}no user class 'Nobody'; {known}");
        assert!(refusal.starts_with(&expected), "{expected}\n{refusal}");
    }
}

#[test]
fn broken_data_of_the_file_is_named() {
    let recorder = Recorder::start();
    let text = "classes = 'Fed'\n[data]\nusers = 'users.csv'\n";
    let desk = Desk::of(GUEST, &recorder, text).with("users.csv", "name\na,b\n");
    let refusal = desk.refusal("");
    let expected = "users.csv, line 2: the row has 2 values for 1 columns";
    assert!(refusal.ends_with(expected), "{refusal}");
}

#[test]
fn a_run_file_that_cannot_be_read_is_named() {
    let desk = Desk::new(b"users = 1\nhost = '\xff'\n");
    assert_eq!(
        desk.refusal(""),
        "aiotest-engine: run.toml:2: not valid UTF-8; save the file as UTF-8"
    );
    fs::remove_file(desk.path("run.toml")).unwrap();
    let refusal = desk.refusal("");
    let expected = "aiotest-engine: cannot read the run file run.toml: No such file or directory";
    assert!(refusal.starts_with(expected), "{refusal}");
    fs::create_dir(desk.path("run.toml")).unwrap();
    let refusal = desk.refusal("");
    let expected = "aiotest-engine: cannot read the run file run.toml: Is a directory";
    assert!(refusal.starts_with(expected), "{refusal}");
}

#[test]
fn a_run_file_without_a_component_needs_one() {
    let recorder = Recorder::start();
    let desk = Desk::new(format!("host = '{}'\niterations = 2\n", recorder.url()));
    assert_eq!(
        desk.refusal(""),
        "aiotest-engine: no scenario: name a component on the command line, or as 'file' in \
         run.toml"
    );
    let component = guests::build(GUEST);
    let results = desk.run(&format!("-u 1 {} Once", component.display()));
    assert_eq!(results.code(), 0, "{:#?}", results.output);
    assert_eq!(told(&recorder), counts([("once", 2)]));
}
