//! `aiotest-engine compare`: what changed from one run to others, and whether it is more than
//! noise.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

use super::{exit, run};
use crate::compare::{Comparison, compare};
use crate::output::comparison::comparison;
use crate::output::file::{self, WriteError};
use crate::output::html;
use crate::output::terminal::{print, print_error};
use crate::report::Report;

#[derive(Debug, Args)]
#[command(after_help = "\
A change is more than noise when two runs of the same thing would hardly differ as much. How \
that is decided, and what it cannot know: docs/comparing.md.\n\n\
Exit codes: 0; with --fail-on-worse, 99 when something became worse; 2 when a FILE is no \
report; 6 when something could not be written.")]
pub(super) struct CompareArgs {
    /// What `run --json` has written, the baseline first; - is the standard input
    #[arg(required = true, num_args = 2.., value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Write the runs side by side, with charts, as one page that needs no network
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Write the comparison as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Exit with 99 when something became worse by more than noise, and by more than PERCENT
    #[arg(
        long,
        value_name = "PERCENT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "0",
        value_parser = percent
    )]
    fail_on_worse: Option<f64>,

    /// Print nothing
    #[arg(short, long)]
    quiet: bool,
}

/// A share, given as `5` or `5%`.
fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim().parse();
    match number {
        Ok(percent) if (0.0..=1e6).contains(&percent) => Ok(percent / 100.0),
        _ => Err("give percent that are not negative, such as 5".to_owned()),
    }
}

pub(super) fn run(args: &CompareArgs) -> Result<u8> {
    let mut runs = Vec::new();
    for file in &args.files {
        runs.push((file.display().to_string(), Report::read(file)?));
    }
    let compared = compare(&runs)?;
    if !args.quiet {
        print(&comparison(&compared, run::style()));
    }
    let reports: Vec<Report> = runs.into_iter().map(|(_, report)| report).collect();
    let failures = write(args, &reports, &compared)?;
    for failure in &failures {
        print_error(&format!("aiotest-engine: {failure}"));
    }
    let worse = args.fail_on_worse.is_some_and(|by| compared.is_worse(by));
    Ok(match (failures.is_empty(), worse) {
        (false, _) => exit::OUTPUT,
        (true, true) => exit::THRESHOLDS,
        (true, false) => exit::OK,
    })
}

/// Each file by itself: what keeps one from being written does not cost the other.
fn write(args: &CompareArgs, reports: &[Report], compared: &Comparison) -> Result<Vec<WriteError>> {
    let mut failures = Vec::new();
    if let Some(path) = &args.html {
        let page = html::render(reports, Some(compared));
        failures.extend(file::write(path, page).err());
    }
    if let Some(path) = &args.json {
        let json = serde_json::to_string_pretty(compared).context("cannot write JSON")?;
        failures.extend(file::write(path, json + "\n").err());
    }
    Ok(failures)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: CompareArgs,
    }

    fn fail_on_worse(words: &[&str]) -> Result<Option<f64>, String> {
        let words = ["compare", "a.json", "b.json"]
            .into_iter()
            .chain(words.iter().copied());
        let line = Line::try_parse_from(words).map_err(|error| error.to_string())?;
        assert_eq!(line.args.files.len(), 2);
        Ok(line.args.fail_on_worse)
    }

    #[test]
    fn the_gate_takes_percent_or_nothing() {
        assert_eq!(fail_on_worse(&[]), Ok(None));
        assert_eq!(fail_on_worse(&["--fail-on-worse"]), Ok(Some(0.0)));
        assert_eq!(fail_on_worse(&["--fail-on-worse=5"]), Ok(Some(0.05)));
        assert_eq!(fail_on_worse(&["--fail-on-worse=5%"]), Ok(Some(0.05)));
        for wrong in ["-5", "nan", "inf", "much"] {
            let error = fail_on_worse(&[&format!("--fail-on-worse={wrong}")]).unwrap_err();
            assert!(error.contains("such as 5"), "{error}");
        }
    }

    #[test]
    fn one_file_is_nothing_to_compare() {
        let error = Line::try_parse_from(["compare", "a.json"]).unwrap_err();
        assert!(error.to_string().contains("2 values required"), "{error}");
    }
}
