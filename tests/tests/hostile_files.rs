//! Files that are no scenario, or one that cannot run: `run` and `inspect` refuse each
//! with one line that names the file and the cause.

use std::fs;
use std::path::{Path, PathBuf};

use aiotest_tests::handmade::{self, Class, Scenario};
use aiotest_tests::{Engine, Output};
use tempfile::TempDir;

/// Exit codes.
const OK: Option<i32> = Some(0);
const USAGE: Option<i32> = Some(2);
const COMPONENT: Option<i32> = Some(3);

/// A folder for files, and an engine that keeps its cache there too.
struct Desk {
    folder: TempDir,
    engine: Engine,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let engine = Engine::new().env("XDG_CACHE_HOME", folder.path());
        Desk { folder, engine }
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, content).expect("a file can be written");
        path
    }

    fn run(&self, file: &Path, more: &[&str]) -> Output {
        let file = text(file);
        self.engine
            .run([&["run", file, "-t", "200ms"], more].concat())
    }

    fn inspect(&self, file: &Path) -> Output {
        self.engine.run([Path::new("inspect"), file])
    }

    /// Both commands refuse the file, and say these words.
    fn refused(&self, file: &Path, words: &[&str]) {
        for output in [self.run(file, &[]), self.inspect(file)] {
            let mut all = vec![text(file)];
            all.extend(words);
            complains(&output, COMPONENT, &all);
        }
    }

    fn refused_scenario(&self, scenario: &Scenario, words: &[&str]) {
        self.refused(&self.file("scenario.wasm", &scenario.build()), words);
    }
}

/// One line on the standard error, of reasonable length, with all these words, and
/// nothing else.
#[track_caller]
fn complains(output: &Output, code: Option<i32>, words: &[&str]) {
    assert_eq!(output.code, code, "{output:?}");
    assert_eq!(output.stdout, "", "{output:?}");
    let line = output.stderr.strip_suffix('\n').expect("there is a line");
    assert!(line.starts_with("aiotest-engine: "), "{line}");
    assert!(!line.contains(char::is_control), "{line:?}");
    assert!(line.len() < 500, "{line}");
    for word in words {
        assert!(line.contains(word), "no {word:?} in: {line}");
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the path is a text")
}

fn classes(classes: Vec<Class>) -> Scenario {
    Scenario {
        classes,
        ..Scenario::default()
    }
}

#[test]
fn a_scenario_made_by_hand_runs() {
    let desk = Desk::new();
    let file = desk.file("scenario.wasm", &Scenario::default().build());
    let output = desk.run(&file, &[]);
    assert_eq!(output.code, OK, "{output:?}");
    let output = desk.inspect(&file);
    assert_eq!(output.code, OK, "{output:?}");
    assert!(output.stdout.contains("class Handmade"), "{output:?}");
}

#[test]
fn files_that_are_no_component() {
    let desk = Desk::new();
    let missing = desk.folder.path().join("missing.wasm");
    desk.refused(&missing, &["cannot read", "No such file"]);
    desk.refused(desk.folder.path(), &["cannot read", "directory"]);
    desk.refused(&desk.file("empty.wasm", b""), &["the file is empty"]);
    let script = b"def test_home(client):\n    client.get('/')\n";
    desk.refused(
        &desk.file("shop.txt", script),
        &["not a WebAssembly file", "wasm32-wasip2", ".py"],
    );
    desk.refused(
        &desk.file("noise.wasm", &[0xff; 4096]),
        &["not a WebAssembly file"],
    );
    let module = b"\0asm\x01\0\0\0";
    desk.refused(
        &desk.file("module.wasm", module),
        &["core WebAssembly module", "not a component"],
    );
}

#[test]
fn truncated_and_damaged_components() {
    let desk = Desk::new();
    let whole = Scenario::default().build();
    for length in [5, 8, 9, whole.len() / 2, whole.len() - 1] {
        let output = desk.inspect(&desk.file("truncated.wasm", &whole[..length]));
        complains(&output, COMPONENT, &["truncated.wasm"]);
    }
    let half = desk.file("half.wasm", &whole[..whole.len() / 2]);
    desk.refused(&half, &["truncated or malformed"]);

    // Whatever is changed, the engine takes the file or refuses it, and does not fall.
    for at in (8..whole.len()).step_by(whole.len() / 12) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        let output = desk.inspect(&desk.file("damaged.wasm", &damaged));
        if output.code != OK {
            complains(&output, COMPONENT, &["damaged.wasm"]);
        }
    }
}

#[test]
fn components_of_another_kind() {
    let desk = Desk::new();
    let tool = "package other:tool@1.0.0; world tool { export work: func(); }";
    let module = "(module (func (export \"work\")))";
    let file = desk.file("tool.wasm", &handmade::component(tool, "tool", module));
    desk.refused(&file, &["no scenario", "aiotest:engine/scenario", "work"]);

    for (version, cure) in [("0.2.0", "update the engine"), ("0.0.9", "build it again")] {
        let scenario = Scenario {
            version: version.to_owned(),
            ..Scenario::default()
        };
        desk.refused_scenario(&scenario, &[version, cure]);
    }
}

#[test]
fn exports_and_imports_that_do_not_fit() {
    let desk = Desk::new();
    let package = "package aiotest:engine@0.1.0;
        interface blocking-scenario { describe: func() -> u32; }
        interface secrets { steal: func(); }
        world poor { export blocking-scenario; }
        world greedy { import secrets; export blocking-scenario; }";
    let describe = "(func (export \"aiotest:engine/blocking-scenario@0.1.0#describe\")
        (result i32) (i32.const 0))";
    let poor = handmade::component(package, "poor", &format!("(module {describe})"));
    desk.refused(&desk.file("poor.wasm", &poor), &["blocking-scenario"]);

    let greedy =
        format!("(module (import \"aiotest:engine/secrets@0.1.0\" \"steal\" (func)) {describe})");
    let greedy = handmade::component(package, "greedy", &greedy);
    desk.refused(&desk.file("greedy.wasm", &greedy), &["secrets"]);
}

#[test]
fn manifests_that_make_no_sense() {
    let desk = Desk::new();
    desk.refused_scenario(&classes(vec![]), &["declares no user class"]);
    let twins = vec![
        Class::new("Buyer"),
        Class::new("Guest"),
        Class::new("Buyer"),
    ];
    desk.refused_scenario(&classes(twins), &["user class 'Buyer' twice"]);
    let heavy = Class {
        weight: 1_000_001,
        ..Class::new("Buyer")
    };
    desk.refused_scenario(&classes(vec![heavy]), &["'Buyer'", "weight 1000001"]);

    let of_tasks = |tasks: &[(&str, u32)]| {
        let tasks = tasks
            .iter()
            .map(|(name, weight)| (name.to_string(), *weight));
        classes(vec![Class {
            tasks: tasks.collect(),
            ..Class::new("Buyer")
        }])
    };
    desk.refused_scenario(&of_tasks(&[]), &["'Buyer' has no tasks"]);
    desk.refused_scenario(&of_tasks(&[("pay", 0)]), &["'Buyer'", "'pay' has weight 0"]);
    desk.refused_scenario(
        &of_tasks(&[("pay", u32::MAX)]),
        &["'Buyer'", "weight 4294967295"],
    );
    desk.refused_scenario(
        &of_tasks(&[("pay", 1), ("pay", 1)]),
        &["'Buyer'", "'pay' twice"],
    );
    for name in ["", "\x1b[2J", &"x".repeat(201)] {
        desk.refused_scenario(&classes(vec![Class::new(name)]), &["user class 0", "name"]);
    }
}

#[test]
fn texts_that_would_take_over_the_terminal() {
    let desk = Desk::new();
    for sdk in ["", "sdk \x1b[2J", &"x".repeat(201)] {
        let scenario = Scenario {
            sdk: sdk.to_owned(),
            ..Scenario::default()
        };
        desk.refused_scenario(&scenario, &["the SDK's name"]);
    }
    let host = Some("http://\x1b[2J".to_owned());
    let class = Class {
        host,
        ..Class::new("Buyer")
    };
    desk.refused_scenario(&classes(vec![class]), &["'Buyer'", "the host"]);
}

#[test]
fn describing_that_fails() {
    let desk = Desk::new();
    let describe = |instructions: &str| Scenario {
        describe: instructions.to_owned(),
        ..Scenario::default()
    };
    desk.refused_scenario(
        &describe("unreachable"),
        &["describing itself failed", "unreachable"],
    );
    desk.refused_scenario(
        &describe("(loop br 0)"),
        &["describing itself failed", "computed for"],
    );
    // A pointer to a manifest, all of whose texts would lie outside of the memory.
    let outside = "(return (i32.const 131064))";
    desk.refused_scenario(&describe(outside), &["describing itself failed"]);
}

#[test]
fn components_that_begin_above_a_limit() {
    let desk = Desk::new();
    let large = Scenario {
        pages: 2048,
        ..Scenario::default()
    };
    desk.refused_scenario(&large, &["134217728 bytes of memory", "--memory-limit"]);
    let file = desk.file("large.wasm", &large.build());
    let enough = ["--memory-limit", "256MiB"];
    let output = desk.run(&file, &enough);
    assert_eq!(output.code, OK, "{output:?}");
    let output = desk
        .engine
        .run([&["inspect", text(&file)][..], &enough].concat());
    assert_eq!(output.code, OK, "{output:?}");

    let wide = Scenario {
        elements: 30_000,
        ..Scenario::default()
    };
    desk.refused_scenario(&wide, &["table of 30000 elements"]);
}

#[test]
fn classes_that_cannot_be_chosen() {
    let desk = Desk::new();
    let scenario = classes(vec![Class::new("Buyer"), Class::new("Guest")]);
    let file = desk.file("scenario.wasm", &scenario.build());
    let output = desk.run(&file, &["Nobody"]);
    complains(&output, USAGE, &["no user class 'Nobody'", "Buyer, Guest"]);

    let off = classes(vec![Class {
        weight: 0,
        ..Class::new("Buyer")
    }]);
    let file = desk.file("off.wasm", &off.build());
    complains(&desk.run(&file, &[]), USAGE, &["weight 0", "command line"]);
    assert_eq!(desk.run(&file, &["Buyer"]).code, OK);
    let output = desk.inspect(&file);
    assert_eq!(output.code, OK, "{output:?}");
    assert!(output.stdout.contains("weight 0"), "{output:?}");
}
