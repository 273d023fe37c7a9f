//! Tasks of the workspace: `cargo xtask demo`, `cargo xtask guests`, `cargo xtask check`.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};

const USAGE: &str = "usage: cargo xtask TASK

  demo    build everything, start the shop server, and load it for ten seconds
  guests  build the example scenarios as components
  check   formatting, lints and documentation, as CI does";

fn main() -> ExitCode {
    let result = match env::args().nth(1).as_deref() {
        Some("demo") => demo(),
        Some("guests") => guests().map(|_| ()),
        Some("check") => check(),
        _ => Err(anyhow::anyhow!(USAGE)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "a task talks to whoever started it")]
fn report(text: &str) {
    eprintln!("{text}");
}

/// The shop server and the shopping scenario, end to end.
fn demo() -> Result<()> {
    cargo(&[
        "build",
        "--release",
        "-p",
        "aiotest-engine",
        "-p",
        "shop-server",
    ])?;
    let shopping = guests()?.join("shopping.wasm");
    let release = target_dir().join("release");
    let shop = Shop::start(&release.join("shop-server"))?;
    report(&format!("shop server at {}\n", shop.url));
    let status = Command::new(release.join("aiotest-engine"))
        .arg("run")
        .arg(shopping)
        .args(["--host", &shop.url])
        .status()
        .context("cannot start aiotest-engine")?;
    if status.success() {
        Ok(())
    } else {
        bail!("the run ended with {status}")
    }
}

/// The shop server, until it is dropped.
struct Shop {
    process: Child,
    url: String,
}

impl Shop {
    fn start(program: &Path) -> Result<Self> {
        let mut process = Command::new(program)
            .args([
                "--listen",
                "127.0.0.1:0",
                "--latency",
                "5ms",
                "--jitter",
                "3ms",
            ])
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the shop server")?;
        let mut line = String::new();
        if let Some(out) = process.stdout.take() {
            BufReader::new(out).read_line(&mut line)?;
        }
        let shop = Shop {
            process,
            url: line.trim().replace("listening on ", ""),
        };
        if shop.url.starts_with("http") {
            Ok(shop)
        } else {
            bail!("the shop server did not start")
        }
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Builds the examples as components, and says where they are.
fn guests() -> Result<PathBuf> {
    cargo(&[
        "build",
        "--profile",
        "guest",
        "--target",
        "wasm32-wasip2",
        "-p",
        "shopping",
    ])?;
    Ok(target_dir().join("wasm32-wasip2").join("guest"))
}

fn check() -> Result<()> {
    cargo(&["fmt", "--all", "--check"])?;
    // A workspace of its own: see its Cargo.toml.
    let runtime = "guest-sdk/python/runtime/Cargo.toml";
    cargo(&["fmt", "--manifest-path", runtime, "--check"])?;
    cargo(&["clippy", "--all-targets", "--", "-D", "warnings"])?;
    cargo(&["clippy", "-p", "guest-*", "--", "-D", "warnings"])?;
    cargo(&["doc", "--no-deps", "--quiet"])
}

fn cargo(arguments: &[&str]) -> Result<()> {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    // What cargo tells this process about its own package is not for the packages to build:
    // some of them would take it for a change, and be built anew each time.
    for (name, _) in env::vars_os() {
        let own = [
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "CARGO_CRATE_NAME",
            "CARGO_BIN_NAME",
        ];
        if name
            .to_str()
            .is_some_and(|name| own.iter().any(|prefix| name.starts_with(prefix)))
        {
            command.env_remove(&name);
        }
    }
    let status = command
        .args(arguments)
        .current_dir(root())
        .status()
        .context("cannot start cargo")?;
    if status.success() {
        Ok(())
    } else {
        bail!("cargo {} failed", arguments.join(" "))
    }
}

/// The checkout that the task was started in: one that shares its target directory with
/// another may run what that one has built.
fn root() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    package
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")))
        .join("..")
}

fn target_dir() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}
