//! The command line: flags → a validated run, and what is printed where. The only module
//! that knows clap or reads arguments.

mod build;
mod compare;
mod environment;
mod exit;
mod inspect;
mod keys;
mod new;
mod options;
mod quarters;
mod report;
mod results;
mod run;
mod samples;
mod scenario;
mod services;
mod watch;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

use crate::config::Limits;
use crate::http::{Client, ClientConfig};
use crate::metrics::Metrics;
use crate::metrics::users::UserGauges;
use crate::wasm::plugin::Plugin;
use crate::wasm::run::{Given, Level, Run, RunParts};

/// Load tests as sandboxed WebAssembly components.
#[derive(Debug, Parser)]
#[command(name = "aiotest-engine", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a scenario
    Run(Box<options::RunLine>),
    /// Make a component of a script, which runs where there is no script
    Build(build::BuildArgs),
    /// Show what a scenario declares, imports and costs
    Inspect(inspect::InspectArgs),
    /// Show and write what runs have written with --json, and merge what was one test
    Report(report::ReportArgs),
    /// Say what changed between runs, and whether that is more than noise
    Compare(compare::CompareArgs),
    /// Create a scenario project in Rust
    New(new::NewArgs),
}

/// Runs the program with the process's arguments.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Run(line) => line.load().and_then(run::run),
        Command::Build(args) => build::build(&args),
        Command::Inspect(args) => inspect::inspect(&args),
        Command::Report(args) => report::report(args),
        Command::Compare(args) => compare::run(&args),
        Command::New(args) => new::create(&args),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            run::complain(&error);
            ExitCode::from(exit::of_error(&error))
        }
    }
}

/// The runtime of a command: a thread for each core that the process may use.
fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the async runtime")
}

/// What a component needs to describe itself: a run without users, network or log.
fn unattended(limits: Limits, plugin: &Plugin, given: Given) -> Result<Arc<Run>> {
    let (run, _) = Run::new(RunParts {
        metrics: Arc::new(Metrics::default()),
        samples: None,
        gauges: UserGauges::new::<String>([]),
        client: Client::new(ClientConfig::default())?,
        given: Given {
            script: plugin.script(),
            ..given
        },
        limits,
        classes: Vec::new(),
        ticks: plugin.ticks(),
        level: Level::Error,
    });
    Ok(run)
}
