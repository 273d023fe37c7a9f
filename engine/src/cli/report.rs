//! `aiotest-engine report`: what runs have written, again: summary and files, of one run or
//! of several that were one load test.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::{exit, results, run};
use crate::config::Outputs;
use crate::output::summary::summary;
use crate::output::terminal::{print, print_error};
use crate::report::Report;

#[derive(Debug, Args)]
#[command(after_help = "\
Several files are taken as one load test that ran on several machines at once: counts are \
added, histograms merged, and thresholds judged over all of them.\n\n\
Exit codes: 0, whatever came of the run; 2 when a FILE is no report; 6 when something could \
not be written.")]
pub(super) struct ReportArgs {
    /// What `run --json` has written; - is the standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Write a report with charts, one page that needs no network
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Write PREFIX_stats.csv, …_stats_history.csv, …_failures.csv and …_exceptions.csv
    #[arg(long, value_name = "PREFIX")]
    csv: Option<PathBuf>,

    /// Write what passed and what failed as JUnit XML, for CI systems
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,

    /// Write the results as JSON, which is of use when there are several files
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Print nothing
    #[arg(short, long)]
    quiet: bool,
}

pub(super) fn report(args: ReportArgs) -> Result<u8> {
    let reports = args.files.iter().map(|file| Report::read(file));
    let report = Report::merge(reports.collect::<Result<_, _>>()?)?;
    if !args.quiet {
        print(&summary(&report, run::style()));
    }
    let outputs = Outputs {
        html: args.html,
        csv: args.csv,
        junit: args.junit,
        json: args.json,
        ..Outputs::default()
    };
    let failures = results::write_all(&report, &outputs);
    for failure in &failures {
        print_error(&format!("aiotest-engine: {failure}"));
    }
    Ok(match failures.is_empty() {
        true => exit::OK,
        false => exit::OUTPUT,
    })
}
