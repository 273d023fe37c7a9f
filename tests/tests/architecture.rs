//! What ARCHITECTURE.md promises of the sources: every module says what it is for, imports
//! go downward, and some crates are known to some modules only.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read the sources fails"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// The engine's modules, the lowest layer first.
const LAYERS: &[&[&str]] = &[
    &[
        "clock",
        "health",
        "lifecycle",
        "load_shape",
        "packing",
        "preflight",
        "sample",
        "secrets",
        "user_class",
    ],
    &[
        "arrivals",
        "feed",
        "itinerary",
        "scheduler",
        "script",
        "steering",
        "turnstile",
    ],
    &["http", "keyboard", "metrics"],
    &["threshold"],
    &["config"],
    &["timeline"],
    &["report"],
    &["compare", "monitor"],
    &["output", "wasm"],
    &["arrival_driver", "conductor_driver", "control", "export"],
    &["plan"],
    &["runner"],
    &["cli"],
];

/// Crates, and the modules that may name them.
const CONFINED: &[(&str, &[&str])] = &[
    ("wasmtime", &["wasm"]),
    ("wasmtime_wasi", &["wasm"]),
    ("wasm_encoder", &["wasm"]),
    ("wasmparser", &["wasm"]),
    ("component_init_transform", &["wasm"]),
    ("aiotest_python", &["script", "wasm"]),
    ("hyper", &["control", "http"]),
    ("hyper_util", &["control", "http"]),
    ("h2", &["http"]),
    ("rustls", &["export", "http"]),
    ("reqwest", &["export"]),
    ("prost", &["export"]),
    ("opentelemetry_proto", &["export"]),
    ("snap", &["export"]),
    ("clap", &["cli"]),
    ("toml", &["cli"]),
    ("csv", &["feed", "output"]),
    ("tar", &["script"]),
    ("aho_corasick", &["secrets"]),
    ("indicatif", &["output"]),
    ("ratatui", &["output"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All Rust files below a directory, with their text.
fn sources(directory: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if path.file_name().is_some_and(|name| name != "target") {
                    pending.push(path);
                }
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty());
    found
}

/// The engine's files by the module at the top of the crate that they belong to.
fn engine() -> Vec<(String, PathBuf, String)> {
    let source = root().join("engine/src");
    let module = |path: &Path| {
        let first = path.strip_prefix(&source).unwrap().iter().next().unwrap();
        first.to_str().unwrap().trim_end_matches(".rs").to_owned()
    };
    let files = sources(&source).into_iter();
    files
        .map(|(path, text)| (module(&path), path, text))
        .filter(|(module, ..)| module != "lib" && module != "main")
        .collect()
}

fn layer(module: &str) -> usize {
    let found = LAYERS.iter().position(|layer| layer.contains(&module));
    found.unwrap_or_else(|| panic!("module {module} is in no layer"))
}

/// Text without comments: modules may mention each other.
fn code(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The words that follow `prefix` in a text, where it stands at the start of a path.
fn paths<'a>(text: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(prefix).filter_map(move |(at, _)| {
        let before = text[..at].chars().next_back();
        if before.is_some_and(|c| word(c) || c == ':') {
            return None;
        }
        let rest = &text[at + prefix.len()..];
        Some(&rest[..rest.find(|c| !word(c)).unwrap_or(rest.len())])
    })
}

#[test]
fn every_file_says_what_it_is_for() {
    for part in ["engine", "guest-sdk", "examples", "tests", "xtask"] {
        for (path, text) in sources(&root().join(part)) {
            let is_ui_case = path.components().any(|c| c.as_os_str() == "ui");
            let says = text.starts_with("//!") || is_ui_case;
            assert!(says, "{} does not begin with //!", path.display());
        }
    }
}

#[test]
fn imports_go_downward() {
    for (module, path, text) in engine() {
        let text = code(&text);
        // `use crate::{a, b}` would hide modules from this test.
        assert!(
            !text.contains("use crate::{"),
            "{}: name one module a line",
            path.display()
        );
        for used in paths(&text, "crate::") {
            let modules = LAYERS.iter().any(|layer| layer.contains(&used));
            if used != module && modules {
                let downward = layer(used) < layer(&module);
                assert!(
                    downward,
                    "{} imports {used}, which is not below it",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn some_crates_are_known_to_some_modules_only() {
    for (module, path, text) in engine() {
        let text = code(&text);
        for (name, allowed) in CONFINED {
            let named = paths(&text, &format!("{name}::")).next().is_some();
            let may = allowed.contains(&module.as_str());
            assert!(!named || may, "{} names {name}", path.display());
        }
    }
}
