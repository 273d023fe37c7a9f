//! Compares runs: what changed in their requests, by how much, and whether that is more than
//! noise. Knows reports; neither where they come from nor how a comparison is shown.
//! `docs/comparing.md` explains the method to those who read the results.

mod alarms;
mod circumstances;
mod difference;
mod names;
mod reading;
mod series;
mod steady;
mod student;
mod total;

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod synthetic;
#[cfg(test)]
mod tests;

use crate::metrics::InvalidHistogram;
use crate::report::{NamedRequests, Report};
use difference::Difference;
use reading::{Each, Metric, Reading};
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// What changed from the baseline, which is the first of the runs, to each of the others.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Which of the runs is the baseline.
    pub baseline: usize,
    /// The runs, in the order in which they were given.
    pub runs: Vec<ComparedRun>,
    /// All requests, and then those of each method, name and tags that the baseline has and
    /// another run too: the biggest changes first.
    pub rows: Vec<Row>,
    /// Requests that only some of the runs have.
    pub unmatched: Vec<Unmatched>,
}

/// One of the runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparedRun {
    /// What tells it from the others.
    pub label: String,
    /// What was compared of all requests; absent where the run is too short for that.
    pub steady: Option<Steady>,
    /// In what it differs from the baseline, and other reasons to be careful. For people.
    pub notes: Vec<String>,
}

/// The part of a run under its full load.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Steady {
    /// When it begins, in time of the run.
    pub start_seconds: f64,
    /// When it ends.
    pub end_seconds: f64,
    /// Intervals of the timeline in it.
    pub intervals: usize,
}

/// What became of some requests.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// HTTP method or protocol; empty for all requests, as is the name.
    pub method: String,
    /// The requests' name.
    pub name: String,
    /// What tells them from others of that name.
    pub tags: BTreeMap<String, String>,
    /// Their numbers.
    pub metrics: Vec<ComparedMetric>,
}

/// A number in all runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparedMetric {
    /// `requests_per_second`, `failure_share`, `avg`, `p50`, `p90`, `p95`, `p99` or `p99.9`.
    pub metric: &'static str,
    /// `1/s`, `ms`, or empty for a share from 0 to 1.
    pub unit: &'static str,
    /// In the baseline.
    pub baseline: Option<f64>,
    /// In each other run that has such requests.
    pub values: Vec<Change>,
}

/// A number in a run, and how it changed from the baseline.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// The run, by its place in [`Comparison::runs`].
    pub run: usize,
    /// The number.
    pub value: Option<f64>,
    /// The change as a multiple of the baseline: 0.1 is 10 % more. Absent where the baseline
    /// is zero and this is not.
    pub change: Option<f64>,
    /// The lower end of the interval in which the true change is, with 95 % probability.
    pub low: Option<f64>,
    /// Its upper end.
    pub high: Option<f64>,
    /// What to think of it.
    pub verdict: Verdict,
    /// Why nobody can say, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What to think of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// More than noise, and good.
    Better,
    /// More than noise, and bad.
    Worse,
    /// No more than two runs of the same thing differ.
    Noise,
    /// There is too little to tell.
    Unknown,
}

/// Requests that only some of the runs have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unmatched {
    /// HTTP method or protocol.
    pub method: String,
    /// The requests' name.
    pub name: String,
    /// What tells them from others of that name.
    pub tags: BTreeMap<String, String>,
    /// The runs that have them.
    pub runs: Vec<usize>,
}

/// Why runs cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// Fewer than two.
    #[error("there is nothing to compare with: name two runs or more")]
    TooFew,
    /// A document that was altered.
    #[error("{label}: {source}; was the document edited?")]
    Histogram {
        /// The run.
        label: String,
        /// What is wrong.
        source: InvalidHistogram,
    },
}

/// Method, name and tags.
type Key<'a> = (&'a str, &'a str, &'a BTreeMap<String, String>);

/// The numbers of a run.
struct Measured<'a> {
    total: Each<Reading>,
    names: BTreeMap<Key<'a>, (u64, Each<Reading>)>,
    steady: Option<Steady>,
}

/// Compares runs, each with a label, with the first of them.
///
/// # Errors
///
/// There is only one, or a document was altered.
pub fn compare(runs: &[(String, Report)]) -> Result<Comparison, CompareError> {
    let [baseline, others @ ..] = runs else {
        return Err(CompareError::TooFew);
    };
    if others.is_empty() {
        return Err(CompareError::TooFew);
    }
    let measured = runs
        .iter()
        .map(|(label, report)| {
            measure(report).map_err(|source| CompareError::Histogram {
                label: label.clone(),
                source,
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let compared = runs
        .iter()
        .zip(&measured)
        .map(|((label, report), measured)| ComparedRun {
            label: label.clone(),
            steady: measured.steady,
            notes: circumstances::notes(&baseline.1, report),
        });
    Ok(Comparison {
        baseline: 0,
        runs: compared.collect(),
        rows: rows(&measured),
        unmatched: unmatched(&measured),
    })
}

fn measure(report: &Report) -> Result<Measured<'_>, InvalidHistogram> {
    let total = total::measure(report)?;
    let names = names::measure(report, total.noise.as_ref())?;
    Ok(Measured {
        total: total.readings,
        names,
        steady: total.steady,
    })
}

fn key(requests: &NamedRequests) -> Key<'_> {
    (&requests.method, &requests.name, &requests.tags)
}

fn rows(runs: &[Measured<'_>]) -> Vec<Row> {
    let baseline = &runs[0];
    let totals = runs.iter().enumerate().skip(1);
    let totals =
        totals.map(|(run, measured)| (run, vec![differences(&baseline.total, &measured.total)]));
    let everything = BTreeMap::new();
    let mut rows = vec![Row::new(("", "", &everything), &baseline.total)];
    for (run, mut differences) in totals {
        alarms::limit(&mut differences);
        rows[0].push(run, differences.remove(0));
    }

    let mut names: Vec<(Key<'_>, u64, Row)> = baseline
        .names
        .iter()
        .map(|(key, (requests, readings))| (*key, *requests, Row::new(*key, readings)))
        .collect();
    for (run, measured) in runs.iter().enumerate().skip(1) {
        let matching = names.iter_mut().filter_map(|(key, _, row)| {
            let (_, readings) = measured.names.get(key)?;
            let (_, before) = baseline.names.get(key)?;
            Some((row, differences(before, readings)))
        });
        let (rows, mut found): (Vec<_>, Vec<_>) = matching.unzip();
        alarms::limit(&mut found);
        for (row, differences) in rows.into_iter().zip(found) {
            row.push(run, differences);
        }
    }
    names.retain(|(.., row)| row.is_compared());
    names.sort_by(|(_, a_requests, a), (_, b_requests, b)| {
        let order = |row: &Row| row.biggest().unwrap_or(-1.0);
        let bigger = order(b).total_cmp(&order(a));
        bigger.then_with(|| Reverse(a_requests).cmp(&Reverse(b_requests)))
    });
    rows.extend(names.into_iter().map(|(.., row)| row));
    rows
}

fn differences(before: &Each<Reading>, after: &Each<Reading>) -> Each<Difference> {
    std::array::from_fn(|at| Difference::new(Metric::ALL[at], &before[at], &after[at]))
}

fn unmatched(runs: &[Measured<'_>]) -> Vec<Unmatched> {
    let mut found: BTreeMap<Key<'_>, Vec<usize>> = BTreeMap::new();
    for (run, measured) in runs.iter().enumerate() {
        for key in measured.names.keys() {
            found.entry(*key).or_default().push(run);
        }
    }
    found.retain(|_, having| having.len() < runs.len());
    let unmatched = found
        .into_iter()
        .map(|((method, name, tags), runs)| Unmatched {
            method: method.to_owned(),
            name: name.to_owned(),
            tags: tags.clone(),
            runs,
        });
    unmatched.collect()
}

impl Row {
    fn new((method, name, tags): Key<'_>, baseline: &Each<Reading>) -> Self {
        let metrics = Metric::ALL.iter().zip(baseline);
        Self {
            method: method.to_owned(),
            name: name.to_owned(),
            tags: tags.clone(),
            metrics: metrics
                .map(|(metric, reading)| ComparedMetric {
                    metric: metric.name(),
                    unit: metric.unit(),
                    baseline: reading.value,
                    values: Vec::new(),
                })
                .collect(),
        }
    }

    fn push(&mut self, run: usize, differences: Each<Difference>) {
        for (metric, difference) in self.metrics.iter_mut().zip(differences) {
            metric.values.push(difference.into_change(run));
        }
    }

    fn is_compared(&self) -> bool {
        self.metrics.iter().any(|metric| !metric.values.is_empty())
    }

    /// The biggest of the changes that are more than noise, if there are any.
    fn biggest(&self) -> Option<f64> {
        let changes = self.metrics.iter().flat_map(|metric| &metric.values);
        let sizes = changes.filter(|change| change.is_real()).map(Change::size);
        sizes.max_by(f64::total_cmp)
    }
}

impl Change {
    /// Whether it is more than noise.
    #[must_use]
    pub fn is_real(&self) -> bool {
        matches!(self.verdict, Verdict::Better | Verdict::Worse)
    }

    /// How big it is, the same for twice as much and half as much: 0 for none, infinite
    /// from or to nothing.
    #[must_use]
    pub fn size(&self) -> f64 {
        self.change
            .map_or(f64::INFINITY, |change| change.ln_1p().abs())
    }
}

impl Comparison {
    /// Whether anything has become worse by more than noise, and by more than so much: 0.05
    /// is 5 % of the baseline.
    #[must_use]
    pub fn is_worse(&self, by: f64) -> bool {
        let metrics = self.rows.iter().flat_map(|row| &row.metrics);
        metrics.flat_map(|metric| &metric.values).any(|change| {
            let more = change.change.is_none_or(|change| change.abs() > by);
            change.verdict == Verdict::Worse && more
        })
    }
}
