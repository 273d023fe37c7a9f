//! One report of a load test that ran on several machines at once. Counts and histograms
//! are added, and everything else is taken from them: percentiles are never averaged, and
//! thresholds are judged again.

mod timeline;

use super::{EngineState, Environment, LogLine, Parts, Report, RestoreError, Run, Threshold};
use crate::metrics::{Snapshot, cut, users};
use crate::threshold::{InvalidThreshold, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

/// Lines of the log that are kept, the newest.
const MAX_LOG: usize = 1000;
/// What a process returns whose thresholds do not hold.
const CROSSED: u8 = 99;

/// Reports that cannot become one.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// There is none.
    #[error("there is no report to merge")]
    Nothing,
    /// When a run started has to be known, to put the runs beside each other.
    #[error("report {0}: run.started is no time such as 2030-01-31T12:00:00.000Z: '{1}'")]
    Started(usize, String),
    /// The measurements are incomplete.
    #[error("report {0}: {1}; merge files that `run --json` has written, unchanged")]
    Measurements(usize, RestoreError),
    /// It cannot be judged again.
    #[error("report {0}: threshold '{1}': {2}")]
    Threshold(usize, String, InvalidThreshold),
}

/// A report and where it stands in time.
struct Member<'a> {
    report: &'a Report,
    /// Since the Unix epoch.
    start: Duration,
    end: Duration,
}

impl Report {
    /// Makes one report of those of several machines, which ran at the same time. One alone
    /// stays as it is.
    ///
    /// The run lasts from the first start to the last end. Its pauses are those that all
    /// machines had, so its duration is too long where only some were paused. Words that
    /// differ are listed, but labels and limits that differ are left out. The users at peak
    /// are the sum of all peaks. A threshold that any of them has is judged over all of
    /// them.
    ///
    /// # Errors
    ///
    /// One of them has no start, no histograms, or a threshold that is none.
    pub fn merge(mut reports: Vec<Report>) -> Result<Report, MergeError> {
        if reports.len() < 2 {
            return reports.pop().ok_or(MergeError::Nothing);
        }
        let members = members(&reports)?;
        let mut snapshot = Snapshot::default();
        let mut users = users::Users::default();
        for (n, member) in (1..).zip(&members) {
            let of_one = member.report.snapshot(member.end);
            snapshot.merge(&of_one.map_err(|error| MergeError::Measurements(n, error))?);
            users.merge(&member.report.users());
        }
        let mut run = run(&members);
        let span = Duration::try_from_secs_f64(run.duration_seconds).unwrap_or_default();
        let thresholds = judge(&reports, &snapshot, span)?;
        run.exit_code = exit_code(&reports, &thresholds);
        let ended = sum(&reports, |report| report.users.ended_by_stop_timeout);
        let mut merged = Report::new(Parts {
            environment: environment(&reports),
            thresholds,
            users,
            users_ended: ended,
            snapshot: &snapshot,
            engine: EngineState {
                saturated: reports.iter().any(|report| report.engine.saturated),
                cpu_percent: reports.iter().map(|report| report.engine.cpu_percent).sum(),
                memory_bytes: sum(&reports, |report| report.engine.memory_bytes),
                sandboxes: sum(&reports, |report| report.engine.sandboxes),
            },
            timeline: timeline::merge(&members)
                .map_err(|(n, error)| MergeError::Measurements(n, error))?,
            log: log(&members),
            histograms: true,
            run,
        });
        merged.engine.version = listed(&reports, |report| &report.engine.version);
        Ok(merged)
    }
}

fn members(reports: &[Report]) -> Result<Vec<Member<'_>>, MergeError> {
    let seconds = |value| Duration::try_from_secs_f64(value).unwrap_or_default();
    let numbered = (1..).zip(reports);
    numbered
        .map(|(n, report)| {
            let run = &report.run;
            let start = humantime::parse_rfc3339(&run.started).ok();
            let start = start.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
            let start =
                start.ok_or_else(|| MergeError::Started(n, cut(&run.started).to_owned()))?;
            let end = start
                .saturating_add(seconds(run.duration_seconds))
                .saturating_add(seconds(run.paused_seconds));
            Ok(Member { report, start, end })
        })
        .collect()
}

fn run(members: &[Member<'_>]) -> Run {
    let runs = || members.iter().map(|member| &member.report.run);
    let start = members
        .iter()
        .map(|member| member.start)
        .min()
        .unwrap_or_default();
    let end = members
        .iter()
        .map(|member| member.end)
        .max()
        .unwrap_or_default();
    let first = members.iter().min_by_key(|member| member.start);
    let paused = runs()
        .map(|run| run.paused_seconds)
        .fold(f64::INFINITY, f64::min);
    let hosts: BTreeSet<_> = runs().map(|run| &run.host).collect();
    let planned: Option<Vec<f64>> = runs().map(|run| run.planned_seconds).collect();
    let reasons = joined(runs().map(|run| &run.end_reason), "; ");
    Run {
        component: joined(runs().map(|run| &run.component), ", "),
        host: match hosts.len() {
            1 => hosts.into_iter().next().cloned().flatten(),
            _ => None,
        },
        labels: common(runs().map(|run| &run.labels)),
        started: first.map_or_else(String::new, |first| first.report.run.started.clone()),
        state: joined(runs().map(|run| &run.state), ", "),
        duration_seconds: ((end - start).as_secs_f64() - paused).max(0.0),
        paused_seconds: paused,
        planned_seconds: planned.map(|all| all.into_iter().fold(0.0, f64::max)),
        end_reason: reasons,
        exit_code: 0,
    }
}

fn environment(reports: &[Report]) -> Environment {
    let of = |field: fn(&Environment) -> &String| {
        joined(
            reports.iter().map(|report| field(&report.environment)),
            ", ",
        )
    };
    let sizes: BTreeSet<_> = (reports.iter())
        .map(|report| report.environment.component_bytes)
        .collect();
    Environment {
        engine: of(|environment| &environment.engine),
        command: of(|environment| &environment.command),
        component_sha256: of(|environment| &environment.component_sha256),
        component_bytes: match sizes.len() {
            1 => sizes.into_iter().next().unwrap_or_default(),
            _ => 0,
        },
        system: of(|environment| &environment.system),
        machine: of(|environment| &environment.machine),
        cores: sum(reports, |report| report.environment.cores),
        memory_bytes: sum(reports, |report| report.environment.memory_bytes),
        limits: common(reports.iter().map(|report| &report.environment.limits)),
    }
}

/// All conditions that one of the reports has, judged over all results.
fn judge(
    reports: &[Report],
    snapshot: &Snapshot,
    span: Duration,
) -> Result<Vec<Threshold>, MergeError> {
    let mut judged: Vec<Threshold> = Vec::new();
    for (n, report) in (1..).zip(reports) {
        for threshold in &report.thresholds {
            let text = &threshold.expression;
            match judged.iter_mut().find(|known| known.expression == *text) {
                Some(known) => known.ended_run |= threshold.ended_run,
                None => {
                    let parsed: crate::threshold::Threshold = text
                        .parse()
                        .map_err(|error| MergeError::Threshold(n, text.clone(), error))?;
                    judged.push(Threshold::from(&Verdict {
                        expression: text.clone(),
                        aborted: threshold.ended_run,
                        ..parsed.evaluate(snapshot, span)
                    }));
                }
            }
        }
    }
    Ok(judged)
}

/// The largest of all, but that of a crossed threshold only where one is crossed now.
fn exit_code(reports: &[Report], thresholds: &[Threshold]) -> u8 {
    let crossed = thresholds.iter().any(|threshold| !threshold.passed);
    let codes = reports.iter().map(|report| report.run.exit_code);
    let others = codes.filter(|code| *code != CROSSED);
    others.chain(crossed.then_some(CROSSED)).max().unwrap_or(0)
}

/// The lines of all, in the order in which they were written.
fn log(members: &[Member<'_>]) -> Vec<LogLine> {
    let start = members
        .iter()
        .map(|member| member.start)
        .min()
        .unwrap_or_default();
    let mut lines: Vec<LogLine> = (members.iter())
        .flat_map(|member| {
            let later = (member.start - start).as_secs_f64();
            member.report.log.iter().map(move |line| LogLine {
                at_seconds: line.at_seconds + later,
                ..line.clone()
            })
        })
        .collect();
    lines.sort_by(|a, b| a.at_seconds.total_cmp(&b.at_seconds));
    lines.split_off(lines.len().saturating_sub(MAX_LOG))
}

fn sum(reports: &[Report], of: impl Fn(&Report) -> u64) -> u64 {
    reports.iter().map(of).fold(0, u64::saturating_add)
}

fn listed(reports: &[Report], of: impl Fn(&Report) -> &String) -> String {
    joined(reports.iter().map(of), ", ")
}

/// The different texts, in the order in which they come.
fn joined<'a>(texts: impl Iterator<Item = &'a String>, separator: &str) -> String {
    let mut seen = BTreeSet::new();
    let different: Vec<&str> = texts
        .map(String::as_str)
        .filter(|text| !text.is_empty() && seen.insert(*text))
        .collect();
    different.join(separator)
}

/// What is the same in all.
fn common<'a>(
    mut all: impl Iterator<Item = &'a BTreeMap<String, String>>,
) -> BTreeMap<String, String> {
    let mut common = all.next().cloned().unwrap_or_default();
    for words in all {
        common.retain(|key, value| words.get(key) == Some(value));
    }
    common
}

#[cfg(test)]
mod tests;
