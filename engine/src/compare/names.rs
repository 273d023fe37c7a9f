//! The numbers of single names over the whole run, and how far they may be off. Knows
//! nothing of other runs.
//!
//! Documents hold the distribution of a name once, for the whole run. How much more than
//! independent requests its numbers vary (the design effect) is taken from what the timeline
//! has of the name, from other names and from all requests. A slow second makes those
//! requests alike that are in it, so the effect grows with how many these are.

use super::reading::{
    Doubt, Each, HALF_STEP, Metric, Reading, SHARES, Spread, average, enough, log_ms, ms,
    percentile, rate,
};
use super::series::{FREEDOM, variance_of_ratio};
use super::total::{Noise, design_effect, whole};
use super::{Key, key};
use crate::metrics::{Durations, InvalidHistogram};
use crate::report::{NameColumns, NamedRequests, Report};
use std::collections::BTreeMap;
use std::ops::Range;

/// So many requests of an interval have to be beyond a high percentile of it, on average,
/// before its changes from interval to interval say something of that percentile. Of the
/// median they always do.
const FEWEST_BEYOND: f64 = 10.0;
/// The median of fewer numbers varies no more than their mean.
const FEW: f64 = 20.0;

pub(super) fn measure<'a>(
    report: &'a Report,
    noise: Result<&Noise, &Doubt>,
) -> Result<BTreeMap<Key<'a>, (u64, Each<Reading>)>, InvalidHistogram> {
    let noise = match noise {
        Ok(noise) => noise,
        Err(doubt) => {
            let doubtful = report.requests.iter().map(|requests| (requests, *doubt));
            return Ok(doubtful.map(without_spread).collect());
        }
    };
    let columns: BTreeMap<Key<'_>, &NameColumns> = report
        .timeline
        .names
        .iter()
        .map(|name| ((&*name.method, &*name.name, &name.tags), name))
        .collect();
    let mut found = Vec::new();
    for requests in &report.requests {
        let Some(times) = requests.requests.time_ms.to_durations()? else {
            found.push((requests, None));
            continue;
        };
        let columns = columns.get(&key(requests));
        let own = columns.and_then(|columns| Own::new(columns, &times, &noise.window));
        found.push((requests, Some(Name { times, own })));
    }
    let usual = usual(noise, found.iter().filter_map(|(_, name)| name.as_ref()));
    let all = report.total.requests.max(1) as f64;
    let readings = found.into_iter().map(|(requests, name)| {
        let count = requests.requests.requests;
        let name = match (name, enough(count)) {
            (Some(name), Ok(())) => name,
            (None, _) => return without_spread((requests, Doubt::NoHistogram)),
            (_, Err(doubt)) => return without_spread((requests, doubt)),
        };
        let in_interval = noise.requests * count as f64 / all;
        (
            key(requests),
            (count, name.read(requests, noise, &usual, in_interval)),
        )
    });
    Ok(readings.collect())
}

fn without_spread((requests, doubt): (&NamedRequests, Doubt)) -> (Key<'_>, (u64, Each<Reading>)) {
    let readings = whole(&requests.requests).map(|value| Reading {
        value,
        spread: Err(doubt),
    });
    (key(requests), (requests.requests.requests, readings))
}

/// The growth of the design effects with each request in an interval, which names have at
/// least: that of the middle one of those that the timeline follows, but not less than that
/// of all requests.
fn usual<'a>(noise: &Noise, names: impl Iterator<Item = &'a Name>) -> Each<f64> {
    let own: Vec<&Own> = names.filter_map(|name| name.own.as_ref()).collect();
    std::array::from_fn(|at| {
        let grown = |own: &&Own| Some((own.design[at]? - 1.0) / own.requests);
        let mut growths: Vec<f64> = own.iter().filter_map(grown).collect();
        growths.sort_by(f64::total_cmp);
        let middle = growths.get(growths.len() / 2).copied();
        middle.unwrap_or_default().max(noise.design[at])
    })
}

/// A name and what is known of it.
struct Name {
    times: Durations,
    own: Option<Own>,
}

/// What the timeline says of a name.
struct Own {
    /// Requests in an interval.
    requests: f64,
    /// Variance of the rate, as a multiple of it.
    rate: f64,
    design: Each<Option<f64>>,
}

impl Name {
    fn read(
        &self,
        requests: &NamedRequests,
        noise: &Noise,
        usual: &Each<f64>,
        in_interval: f64,
    ) -> Each<Reading> {
        let requests = &requests.requests;
        let count = requests.requests;
        let design = |at: usize| {
            let usual = 1.0 + usual[at] * in_interval;
            match self.own.as_ref().and_then(|own| own.design[at]) {
                // Of many estimates from few blocks some are too low by chance.
                Some(own) => (own.max(usual), FREEDOM),
                None => (usual, part_freedom((usual - 1.0) / usual)),
            }
        };
        let values = whole(requests);
        let spread = |at: usize| {
            let (design, freedom) = design(at);
            match Metric::ALL[at] {
                Metric::Rate => {
                    let (variance, freedom) = match &self.own {
                        Some(own) => (own.rate, FREEDOM),
                        None => {
                            let both = noise.rate + 1.0 / count as f64;
                            (both, part_freedom(noise.rate / both))
                        }
                    };
                    Ok(rate(requests.requests_per_second, count, variance, freedom))
                }
                Metric::Failures => Ok(Spread::Share {
                    share: requests.failure_share.clamp(0.0, 1.0),
                    requests: count as f64,
                    design,
                    freedom,
                }),
                Metric::Average => Ok(average(requests.time_ms.avg, &self.times, design, freedom)),
                Metric::Percentile(share) => {
                    percentile(&self.times, SHARES[share], design, freedom)
                }
            }
        };
        std::array::from_fn(|at| Reading {
            value: values[at],
            spread: spread(at),
        })
    }
}

/// The degrees of freedom of a variance of which only such a part comes from few blocks, and
/// the rest is known.
fn part_freedom(part: f64) -> f64 {
    (FREEDOM / (part * part)).min(1e9)
}

impl Own {
    /// Nothing where the columns are not as long as the run, or have nothing in them.
    fn new(columns: &NameColumns, times: &Durations, window: &Range<usize>) -> Option<Self> {
        let counts = |column: &[u64]| -> Option<Vec<f64>> {
            let column = column.get(window.clone())?;
            Some(column.iter().map(|n| *n as f64).collect())
        };
        let requests = counts(&columns.requests)?;
        let failures = counts(&columns.failures)?;
        let all: f64 = requests.iter().sum();
        if all <= 0.0 {
            return None;
        }
        let intervals = requests.len() as f64;
        // Intervals are as good as equally long: only the newest one can be shorter.
        let rate = variance_of_ratio(&requests, &vec![1.0; requests.len()]);
        let per_interval = all / intervals;

        let share = failures.iter().sum::<f64>() / all;
        let if_independent = share * (1.0 - share) / all;
        let of_failures = (if_independent > 0.0)
            .then(|| design_effect(variance_of_ratio(&failures, &requests), if_independent));

        let of_column = |column: &[f64], share: f64| {
            let column = column.get(window.clone())?;
            if share > 0.5 && per_interval * (1.0 - share) < FEWEST_BEYOND {
                return None;
            }
            let logs: Vec<f64> = column
                .iter()
                .zip(&requests)
                .map(|(ms, of)| of * log_ms(*ms))
                .collect();
            let mut error = error_if_independent(times, share, all);
            if per_interval < FEW {
                error = error.min(error_of_mean(times, all));
            }
            Some(design_effect(
                variance_of_ratio(&logs, &requests),
                error * error,
            ))
        };
        let p50 = of_column(&columns.p50, 0.5);
        let p95 = of_column(&columns.p95, 0.95).or(p50);
        let p99 = of_column(&columns.p99, 0.99).or(p95);
        Some(Self {
            requests: per_interval,
            rate: rate / (per_interval * per_interval),
            design: [None, of_failures, p50, p50, p95, p95, p99, p99],
        })
    }
}

/// The standard error of the logarithm of a percentile of so many independent requests.
fn error_if_independent(times: &Durations, share: f64, requests: f64) -> f64 {
    let error = (share * (1.0 - share) / requests).sqrt();
    let [low, high] = times.percentiles([share - error, share + error]).map(ms);
    ((log_ms(high) - log_ms(low)) / 2.0).max(HALF_STEP)
}

/// The standard error of the mean of the logarithms of so many independent requests, by the
/// middle two thirds of them.
fn error_of_mean(times: &Durations, requests: f64) -> f64 {
    let [low, high] = times.percentiles([0.159, 0.841]).map(ms);
    ((log_ms(high) - log_ms(low)) / 2.0 / requests.sqrt()).max(HALF_STEP)
}
