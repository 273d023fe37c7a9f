//! Where a run takes place and under which limits, for its report. Knows the process and
//! the machine, not the run's results.

use std::collections::BTreeMap;
use std::path::Path;

use clap::CommandFactory;
use clap::builder::ValueParser;
use sha2::{Digest, Sha256};
use url::Url;

use super::Cli;
use super::options::Hidden;
use crate::config::RunConfig;
use crate::preflight;
use crate::report::Environment;

/// What stands where a value is hidden.
const HIDDEN: &str = "***";

/// The environment of a run.
pub(super) fn environment(config: &RunConfig, users_per_sandbox: u32) -> Environment {
    let system = rustix::system::uname();
    let words = [system.sysname(), system.release(), system.machine()];
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    let (component_sha256, component_bytes) = fingerprint(&config.file);
    Environment {
        engine: env!("CARGO_PKG_VERSION").to_owned(),
        command: config
            .secrets
            .mask(&command(
                std::env::args_os().map(|word| word.to_string_lossy().into_owned()),
            ))
            .into_owned(),
        component_sha256,
        component_bytes,
        system: words.join(" "),
        machine: system.nodename().to_string_lossy().into_owned(),
        cores: std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64),
        memory_bytes: preflight::total_memory(),
        limits: limits(config, users_per_sandbox),
    }
}

fn limits(config: &RunConfig, users_per_sandbox: u32) -> BTreeMap<String, String> {
    let mib = |bytes: u64| format!("{} MiB", bytes >> 20);
    let limits = [
        ("users", config.max_users().to_string()),
        ("users per sandbox", users_per_sandbox.to_string()),
        ("sandbox memory", mib(config.limits.memory as u64)),
        (
            "sandbox CPU between waits",
            format!("{:?}", config.limits.cpu),
        ),
        ("request", format!("{:?}", config.http.timeout)),
        ("response body", mib(config.http.max_body)),
        ("stopping", format!("{:?}", config.stop_timeout)),
        ("distinct names", config.max_names.to_string()),
    ];
    limits.map(|(name, limit)| (name.to_owned(), limit)).into()
}

/// SHA-256 and size of a file; nothing of one that is gone meanwhile.
fn fingerprint(file: &Path) -> (String, u64) {
    let Ok(content) = std::fs::read(file) else {
        return Default::default();
    };
    let digits = Sha256::digest(&content);
    let hex = digits.iter().map(|byte| format!("{byte:02x}")).collect();
    (hex, content.len() as u64)
}

/// A command line without the values that nobody shall read.
fn command(words: impl Iterator<Item = String>) -> String {
    let hidden = hidden_flags();
    let mut hide_next = false;
    let words = words.map(|word| {
        if std::mem::take(&mut hide_next) {
            return HIDDEN.to_owned();
        }
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (word.as_str(), None),
        };
        if !hidden.iter().any(|name| name == flag) {
            return without_credentials(word);
        }
        match value {
            Some(_) => format!("{flag}={HIDDEN}"),
            None => {
                hide_next = true;
                word
            }
        }
    });
    let words: Vec<_> = words.map(|word| quoted(&word)).collect();
    words.join(" ")
}

/// The flags whose values are hidden, as they are written.
fn hidden_flags() -> Vec<String> {
    let cli = Cli::command();
    let run = cli.find_subcommand("run");
    let args = run.into_iter().flat_map(clap::Command::get_arguments);
    let hidden = ValueParser::from(clap::value_parser!(Hidden)).type_id();
    args.filter(|arg| arg.get_value_parser().type_id() == hidden)
        .flat_map(|arg| {
            let names = arg.get_long_and_visible_aliases().unwrap_or_default();
            let aliases = arg.get_all_aliases().unwrap_or_default();
            names.into_iter().chain(aliases)
        })
        .map(|name| format!("--{name}"))
        .collect()
}

/// A URL, or the value of a flag that is one, without the credentials in it.
fn without_credentials(word: String) -> String {
    let (before, url) = match word.split_once('=') {
        Some((flag, url)) if flag.starts_with("--") => (format!("{flag}="), url),
        _ => (String::new(), word.as_str()),
    };
    match Url::parse(url) {
        Ok(mut url) if url.password().is_some() || !url.username().is_empty() => {
            // Only a URL without a host refuses these, and that has none.
            let _ = url.set_password(None);
            let _ = url.set_username(HIDDEN);
            format!("{before}{url}")
        }
        _ => word,
    }
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=@%+,*".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(words: &[&str]) -> String {
        command(words.iter().map(|word| (*word).to_owned()))
    }

    #[test]
    fn hidden_values_are_not_in_the_command() {
        assert_eq!(
            shown(&[
                "run",
                "a.wasm",
                "--control-token",
                "hunter2",
                "--secret=k=env:K",
                "-u",
                "5"
            ]),
            "run a.wasm --control-token *** --secret=*** -u 5"
        );
        assert_eq!(
            shown(&[
                "--push-header",
                "Authorization: Bearer x",
                "--label",
                "a=b c"
            ]),
            "--push-header *** --label 'a=b c'"
        );
        assert_eq!(
            shown(&["-H", "http://me:pass@host/", "--host=http://token@host/"]),
            "-H http://***@host/ --host=http://***@host/"
        );
        assert_eq!(
            shown(&["--remote-write", "http://h/?key=x", "--otlp=http://a:b@c/"]),
            "--remote-write *** --otlp=***"
        );
    }

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(shown(&["it's", "", "$HOME"]), r"'it'\''s' '' '$HOME'");
    }

    #[test]
    fn a_file_has_a_fingerprint() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a");
        std::fs::write(&file, "abc").unwrap();
        let (hex, bytes) = fingerprint(&file);
        assert!(
            hex.starts_with("ba7816bf8f01cfea") && hex.len() == 64,
            "{hex}"
        );
        assert_eq!(bytes, 3);
        assert_eq!(fingerprint(&dir.path().join("none")), Default::default());
    }
}
