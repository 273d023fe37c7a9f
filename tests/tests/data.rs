//! Data files, whose rows reach users in the order they ask for, and secrets, which reach
//! the server and nobody else.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::Path,
};

use aiotest_tests::{Control, Engine, Heads, LoadTest, Output, Recorder, Results, guests};
use serde_json::{Value, json};
use tempfile::TempDir;

const BLOCKING: &str = "guest-probe";
const ASYNC: &str = "guest-probe-concurrent";
const GUESTS: [&str; 2] = [BLOCKING, ASYNC];

const USAGE: i32 = 2;

/// Data files in a directory of their own.
struct Files(TempDir);

impl Files {
    fn new<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let directory = tempfile::tempdir().expect("a directory can be made");
        for (name, content) in files {
            fs::write(directory.path().join(name), content).expect("a file can be written");
        }
        Self(directory)
    }

    fn one(name: &str, content: &str) -> Self {
        Self::new([(name, content.as_bytes())])
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }
}

/// The users' names of three rows.
fn three() -> Files {
    Files::one("users.csv", "name\na\nb\nc\n")
}

/// Users that take rows of `users.csv` and tell their names.
fn fed(guest: &str, recorder: &Recorder, files: &Files, args: &str) -> Results {
    let (data, url) = (files.path("users.csv"), recorder.url());
    LoadTest::run(
        guest,
        &format!("Fed -q -H {url} --data users={data} {args}"),
    )
}

/// What each user took, in order.
fn rows(recorder: &Recorder) -> BTreeMap<u64, String> {
    let lives = recorder.lives().into_iter();
    lives
        .map(|(user, rows)| (user, rows.concat().replace("row-", "")))
        .collect()
}

/// The only failure of the users' task, and how often it occurred.
#[track_caller]
fn failure(results: &Results) -> (&str, u64) {
    let error = results.entry("task_errors", "task", "test_row");
    let message = error["message"].as_str().expect("it is a text");
    (message, error["count"].as_u64().expect("it is a number"))
}

#[test]
fn unique_rows_are_handed_out_once() {
    const ROWS: usize = 10_000;
    let text = (1..=ROWS).fold("id,name\n".to_owned(), |mut text, row| {
        let _ = writeln!(text, "{row},n{row}");
        text
    });
    let files = Files::one("users.csv", &text);
    for (guest, how) in [(BLOCKING, ""), (ASYNC, "--users-per-sandbox 50")] {
        let recorder = Recorder::start();
        let args = format!("-u 1000 -e order=unique {how}");
        let results = fed(guest, &recorder, &files, &args);
        assert_eq!(
            (results.code(), results.reason()),
            (0, "all users finished"),
            "{guest}: {:#?}",
            results.output
        );
        assert_eq!(results.number("/users/started"), 1000.0);

        let told = recorder.events();
        let distinct: BTreeSet<_> = told.iter().map(|event| event.what.clone()).collect();
        assert_eq!((told.len(), distinct.len()), (ROWS, ROWS), "{guest}");
        let wanted = (1..=ROWS).map(|row| format!("row-n{row}"));
        assert_eq!(distinct, wanted.collect(), "{guest}");
        assert_eq!(results.number("/iterations/count"), ROWS as f64);
    }
}

#[test]
fn sequential_rows_go_round_over_all_users() {
    for guest in GUESTS {
        let recorder = Recorder::start();
        let results = fed(guest, &recorder, &three(), "-u 1 -i 7 -e order=sequential");
        assert_eq!(results.code(), 0, "{:#?}", results.output);
        assert_eq!(rows(&recorder), BTreeMap::from([(1, "abcabca".into())]));

        let recorder = Recorder::start();
        let args = "-u 4 --shared-iterations 12 -e order=sequential";
        let results = fed(guest, &recorder, &three(), args);
        assert_eq!(
            (results.code(), results.reason()),
            (0, "all users finished")
        );
        let mut all: Vec<_> = rows(&recorder).into_values().collect::<String>().into();
        all.sort_unstable();
        assert_eq!(all, b"aaaabbbbcccc");
    }
}

#[test]
fn random_rows_come_in_any_order_for_ever() {
    let recorder = Recorder::start();
    let args = "-u 2 -i 200 -e order=random -e at-end=fail";
    let results = fed(BLOCKING, &recorder, &three(), args);
    assert_eq!(results.code(), 0, "{:#?}", results.output);
    let taken = rows(&recorder);
    for (user, rows) in &taken {
        assert_eq!(rows.len(), 200);
        let distinct: BTreeSet<char> = rows.chars().collect();
        assert_eq!(
            distinct,
            BTreeSet::from(['a', 'b', 'c']),
            "user {user}: {rows}"
        );
        assert!(!"abc".repeat(100).contains(rows), "user {user}: {rows}");
    }
    assert_ne!(taken[&1], taken[&2]);
}

#[test]
fn a_row_of_ones_own_belongs_to_the_user() {
    for guest in GUESTS {
        let recorder = Recorder::start();
        let results = fed(guest, &recorder, &three(), "-u 5 -i 2 -e order=by-user");
        assert_eq!(
            (results.code(), results.reason()),
            (0, "all users finished")
        );
        let expected = ["aa", "bb", "cc", "aa", "bb"].map(str::to_owned);
        assert_eq!(rows(&recorder), (1..).zip(expected).collect(), "{guest}");
    }
}

#[test]
fn at_the_end_rows_begin_again_if_asked_to() {
    for order in ["sequential", "unique"] {
        let recorder = Recorder::start();
        let args = format!("-u 1 -i 5 -e order={order} -e at-end=wrap");
        let results = fed(BLOCKING, &recorder, &three(), &args);
        assert_eq!(results.code(), 0, "{order}: {:#?}", results.output);
        assert_eq!(rows(&recorder)[&1], "abcab", "{order}");
    }
}

#[test]
fn at_the_end_users_stop_if_asked_to() {
    for guest in GUESTS {
        for order in ["sequential", "unique"] {
            let recorder = Recorder::start();
            let args = format!("-u 2 -e order={order} -e at-end=stop-user");
            let results = fed(guest, &recorder, &three(), &args);
            assert_eq!(
                (results.code(), results.reason()),
                (0, "all users finished"),
                "{order}"
            );
            let mut taken: Vec<_> = rows(&recorder).into_values().collect::<String>().into();
            taken.sort_unstable();
            assert_eq!(taken, b"abc", "{order}");
        }

        let recorder = Recorder::start();
        let args = "-u 5 -i 2 -e order=by-user -e at-end=stop-user";
        let results = fed(guest, &recorder, &three(), args);
        assert_eq!(
            (results.code(), results.reason()),
            (0, "all users finished")
        );
        let expected = ["aa", "bb", "cc"].map(str::to_owned);
        assert_eq!(rows(&recorder), (1..).zip(expected).collect(), "{guest}");
    }
}

#[test]
fn at_the_end_tasks_fail_if_asked_to() {
    for guest in GUESTS {
        for order in ["sequential", "unique"] {
            let recorder = Recorder::start();
            let args = format!("-u 1 -i 5 -e order={order} -e at-end=fail");
            let results = fed(guest, &recorder, &three(), &args);
            assert_eq!(
                (results.code(), results.reason()),
                (1, "all users finished"),
                "{order}"
            );
            assert_eq!(rows(&recorder)[&1], "abc", "{order}");
            let expected = "feed 'users' has no rows left; all 3 have been used";
            assert_eq!(failure(&results), (expected, 2), "{order}");
        }

        let recorder = Recorder::start();
        let args = "-u 4 -i 3 -e order=by-user -e at-end=fail";
        let results = fed(guest, &recorder, &three(), args);
        assert_eq!(results.code(), 1);
        let expected = "feed 'users' has no row for user 4, only 3";
        assert_eq!(failure(&results), (expected, 3));
        let expected = ["aaa", "bbb", "ccc"].map(str::to_owned);
        assert_eq!(rows(&recorder), (1..).zip(expected).collect(), "{guest}");
    }
}

#[test]
fn every_format_gives_the_same_rows() {
    let csv = "note,name\r\n\"says \"\"hi\"\",\r\nand leaves\",ann\r\n,7\r\nü,true\r\n";
    let tsv = "note\tname\nsays, and leaves\tann\n\t7\nü\ttrue\n";
    let json =
        r#"[ {"note": "a, \"b\"\n", "name": "ann"}, {"name": 7}, {"more": [1], "name": true} ]"#;
    let lines = "{\"name\": \"ann\"}\n\n{\"note\": null, \"name\": 7}\r\n{\"name\": true}";
    let bom = |text: &str| format!("\u{feff}{text}");
    for (name, text) in [
        ("u.csv", csv.to_owned()),
        ("bom.csv", bom(csv)),
        ("u.CSV", csv.to_owned()),
        ("u.tsv", tsv.to_owned()),
        ("u.json", json.to_owned()),
        ("bom.json", bom(json)),
        ("u.jsonl", lines.to_owned()),
        ("u.ndjson", bom(lines)),
    ] {
        let recorder = Recorder::start();
        let files = Files::one(name, &text);
        let (data, url) = (files.path(name), recorder.url());
        let args = format!("Fed -u 1 -q -H {url} --data users={data} -e order=unique");
        let results = LoadTest::run(BLOCKING, &args);
        assert_eq!(results.code(), 0, "{name}: {:#?}", results.output);
        let told = recorder.lives().remove(&1).unwrap_or_default();
        assert_eq!(told, ["row-ann", "row-7", "row-true"], "{name}");
    }
}

#[test]
fn feeds_are_told_apart_by_name() {
    let files = Files::new([
        ("users.csv", &b"name\na\nb\nc\n"[..]),
        ("others.json", br#"[{"name": "x"}, {"name": "y"}]"#),
    ]);
    let others = files.path("others.json");
    for more in [
        format!("--data others={others}"),
        format!("--data userS={others} --data user={others}"),
    ] {
        let recorder = Recorder::start();
        let args = format!("-u 1 -e order=unique {more}");
        let results = fed(BLOCKING, &recorder, &files, &args);
        assert_eq!(results.code(), 0, "{:#?}", results.output);
        assert_eq!(rows(&recorder)[&1], "abc");
    }
}

#[test]
fn an_unknown_feed_is_named_beside_those_there_are() {
    let files = three();
    let data = files.path("users.csv");
    for (given, expected) in [
        (
            String::new(),
            "this run has no feeds; give one with --data users=FILE",
        ),
        (
            format!("--data clients={data} --data words={data}"),
            "no feed 'users'; this run has clients, words",
        ),
    ] {
        let args = format!("Fed -u 1 -i 2 -q -H http://127.0.0.1:1 {given} -e order=unique");
        let results = LoadTest::run(BLOCKING, &args);
        assert_eq!(results.code(), 1, "{:#?}", results.output);
        assert_eq!(failure(&results), (expected, 2));
    }
}

#[test]
fn a_missing_column_is_named_beside_those_there_are() {
    let recorder = Recorder::start();
    let files = Files::one("users.csv", "nick,age\nann,42\n");
    let results = fed(BLOCKING, &recorder, &files, "-u 1 -i 1 -e order=sequential");
    assert_eq!(results.code(), 1, "{:#?}", results.output);
    let expected = "no column 'name': the row has nick, age";
    assert_eq!(failure(&results), (expected, 1));
}

/// `run` of the guest that shall not begin.
fn refused(engine: &Engine, args: &str) -> Output {
    let component = guests::build(BLOCKING);
    let recorder = Recorder::start();
    let mut line = vec!["run".to_owned(), component.display().to_string()];
    line.extend(["-H".to_owned(), recorder.url()]);
    line.extend(args.split_whitespace().map(str::to_owned));
    let output = engine.run(line);
    assert_eq!(output.code, Some(USAGE), "{args}: {output:#?}");
    assert_eq!(output.stdout, "", "{args}");
    assert_eq!(recorder.events(), [], "{args}");
    output
}

#[test]
fn broken_files_are_refused_with_their_line() {
    for (name, content, cause) in [
        (
            "a.csv",
            &b"name,age\nann,1\n\nbob,2,3\n"[..],
            ", line 4: the row has 3 values for 2 columns",
        ),
        (
            "a.tsv",
            b"name\tage\nann\n",
            ", line 2: the row has 1 values for 2 columns",
        ),
        (
            "a.csv",
            b"name,name\nann,1\n",
            ", line 1: two columns are called 'name'",
        ),
        ("a.csv", b"name,\nann,1\n", ", line 1: a column has no name"),
        ("a.csv", b"name\nann\n\xff\n", ", line 3: "),
        ("a.csv", b"name\n", " has no rows"),
        ("a.csv", b"", " has no rows"),
        ("a.json", b"[]", " has no rows"),
        ("a.jsonl", b"\n\n", " has no rows"),
        (
            "a.jsonl",
            b"{\"name\": 1}\n\n{\"name\": }\n",
            ", line 3: expected value",
        ),
        ("a.ndjson", b"{\"name\": 1}\n[1]\n", ", line 2: "),
        ("a.json", b"[\n{\"name\": 1},\n2]", ", line 3: "),
        ("a.json", b"{\"name\": 1}", ", line 1: "),
        (
            "a.json",
            b"[{\"name\": 1,\n\"name\": 2}]",
            ", line 2: two columns are called 'name'",
        ),
        ("a.json", b"[{\"name\": 1}", ", line 1: EOF"),
        (
            "a.txt",
            b"name\nann\n",
            " is no data file by its name: it must end in .csv, .tsv, .json, .jsonl or .ndjson",
        ),
    ] {
        let files = Files::new([(name, content)]);
        let path = files.path(name);
        let output = refused(
            &Engine::new(),
            &format!("Fed -u 1 -e order=unique --data users={path}"),
        );
        let expected = format!("{path}{cause}");
        assert!(
            output.stderr.contains(&expected),
            "{expected}: {}",
            output.stderr
        );
    }
}

#[test]
fn files_that_cannot_be_had_are_named() {
    let files = three();
    fs::create_dir(Path::new(&files.path("folder.csv"))).unwrap();
    let path = files.path("users.csv");
    for (data, cause) in [
        (
            format!("users={}", files.path("missing.csv")),
            format!("cannot read {}: ", files.path("missing.csv")),
        ),
        (
            format!("users={}", files.path("folder.csv")),
            format!("cannot read {}: ", files.path("folder.csv")),
        ),
        (
            path.clone(),
            format!("'{path}' is not NAME=FILE, for example users=users.csv"),
        ),
        (
            format!("users={path} --data users={path}"),
            "two data files are called 'users'; give each a name of its own".to_owned(),
        ),
    ] {
        let args = format!("Fed -u 1 -e order=unique --data {data}");
        let output = refused(&Engine::new(), &args);
        assert!(output.stderr.contains(&cause), "{cause}: {}", output.stderr);
    }
}

/// A secret that looks different in a URL, a form, JSON and a label.
const SECRET: &str = r#"s3cr/t+"qx7" & 42%"#;
const VARIABLE: &str = "AIOTEST_TESTS_TOKEN";

/// All texts of a JSON document, those of keys too.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Object(fields) => {
            let pairs = fields.iter();
            pairs
                .flat_map(|(key, value)| [vec![key.as_str()], texts(value)].concat())
                .collect()
        }
        _ => Vec::new(),
    }
}

/// No part of the secret that is one by itself.
#[track_caller]
fn assert_hidden(text: &str) {
    for part in ["s3cr", "qx7"] {
        assert!(!text.contains(part), "{part:?} in {text}");
    }
}

fn keep_secret(guest: &str, engine: &Engine, secret: &str) {
    let server = Heads::start();
    let args = format!(
        "Secretive -u 1 -v -H {} --secret token={secret} --prometheus 127.0.0.1:0 --linger",
        server.url()
    );
    let mut test = LoadTest::start(engine, guest, &args);
    let control = Control::of(&mut test);
    test.wait_for_line("all users finished");
    let (page, state) = (control.get("/metrics").body, control.get("/state").body);
    assert_eq!(control.post("/quit").status, 200);
    let results = test.finish();

    assert_eq!(
        (results.code(), results.reason()),
        (1, "all users finished"),
        "{:#?}",
        results.output
    );
    assert_eq!(server.values("x-token"), [SECRET], "{guest}");

    assert_hidden(&results.output.stdout);
    assert_hidden(&results.output.stderr);
    assert_hidden(&page);
    assert_hidden(&state);
    texts(&results.report).into_iter().for_each(assert_hidden);

    // It is not that nothing was shown.
    assert!(
        results.output.stderr.contains("the token is ***"),
        "{:#?}",
        results.output
    );
    for (list, field, masked) in [
        ("requests", "name", "with ***"),
        ("task_errors", "message", "the token *** is not welcome"),
    ] {
        results.entry(list, field, masked);
        assert!(
            results.output.stdout.contains(masked),
            "{masked}: {}",
            results.output.stdout
        );
    }
    assert_eq!(results.report["counters"], json!({"uses of ***": 1.0}));
    assert!(page.contains(r#"endpoint="with ***""#), "{page}");
    assert!(page.contains("uses of ***"), "{page}");
}

#[test]
fn a_secret_of_the_environment_reaches_the_server_and_nobody_else() {
    let engine = Engine::new().env(VARIABLE, SECRET);
    for guest in GUESTS {
        keep_secret(guest, &engine, &format!("env:{VARIABLE}"));
    }
}

#[test]
fn a_secret_of_a_file_reaches_the_server_and_nobody_else() {
    for text in [SECRET.to_owned(), format!("{SECRET}\n")] {
        let files = Files::one("token.txt", &text);
        let secret = format!("file:{}", files.path("token.txt"));
        keep_secret(BLOCKING, &Engine::new(), &secret);
    }
}

#[test]
fn secrets_that_cannot_be_had_are_clear_errors() {
    let files = Files::new([
        ("short.txt", &b"abc\n"[..]),
        ("binary.txt", b"abcd\xff\xfe"),
        ("large.txt", &[b'x'; (64 << 10) + 1]),
    ]);
    let file = |name: &str| files.path(name);
    let engine = Engine::new().env("AIOTEST_TESTS_SHORT", "xyz");
    for (secret, causes) in [
        (
            format!("token=env:{VARIABLE}_MISSING"),
            vec![
                "--secret token".to_owned(),
                format!("the environment variable {VARIABLE}_MISSING is not set"),
            ],
        ),
        (
            format!("token=file:{}", file("missing.txt")),
            vec![
                "--secret token".to_owned(),
                format!("cannot read {}: ", file("missing.txt")),
            ],
        ),
        (
            format!("token=file:{}", file("binary.txt")),
            vec![format!("{} is not valid UTF-8", file("binary.txt"))],
        ),
        (
            format!("token=file:{}", file("large.txt")),
            vec![format!("{} has more than", file("large.txt"))],
        ),
        (
            format!("token=file:{}", file("short.txt")),
            vec!["secret 'token' has less than 4 bytes".to_owned()],
        ),
        (
            "token=env:AIOTEST_TESTS_SHORT".to_owned(),
            vec!["secret 'token' has less than 4 bytes".to_owned()],
        ),
        (
            "token=env:".to_owned(),
            vec!["'env:' is not followed by the name of a variable".to_owned()],
        ),
        (
            "token=hunter2".to_owned(),
            vec!["as env:VARIABLE or file:PATH".to_owned()],
        ),
        (
            "hunter2".to_owned(),
            vec!["not NAME=env:VAR or NAME=file:PATH".to_owned()],
        ),
    ] {
        let output = refused(&engine, &format!("Secretive -u 1 --secret {secret}"));
        for cause in causes {
            assert!(output.stderr.contains(&cause), "{cause}: {}", output.stderr);
        }
        for value in ["hunter2", "xyz", "xxxx"] {
            assert!(!output.stderr.contains(value), "{}", output.stderr);
        }
    }
}

#[test]
fn a_scenario_has_no_other_secrets() {
    let server = Heads::start();
    let engine = Engine::new().env(VARIABLE, SECRET);
    for given in [String::new(), format!("--secret other=env:{VARIABLE}")] {
        let args = format!("Secretive -u 1 -i 1 -H {} {given}", server.url());
        let results = LoadTest::start(&engine, BLOCKING, &args).finish();
        assert_eq!(results.code(), 1, "{:#?}", results.output);
        let error = results.entry("task_errors", "task", "test_show");
        assert_eq!(error["message"], "no token");
    }
    assert_eq!(server.values("x-token"), [""; 0]);
}
