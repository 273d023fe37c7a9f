//! Response times as the files show them.

use crate::metrics::Durations;
use crate::report::Distribution;
use std::time::Duration;

/// The columns of percentiles.
pub(super) const PERCENTILES: [&str; 11] = [
    "50%", "66%", "75%", "80%", "90%", "95%", "98%", "99%", "99.9%", "99.99%", "100%",
];
const SHARES: [f64; 11] = [
    0.5, 0.66, 0.75, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 0.9999, 1.0,
];
/// What stands for a number that there is not, which readers know as one.
const NONE: &str = "N/A";

/// Response times. Without a histogram, as in a report of a run that still went on, no
/// percentiles are known.
#[derive(Clone, Debug, Default)]
pub(super) struct Times {
    count: u64,
    /// In milliseconds, as those that follow.
    sum: f64,
    min: f64,
    max: f64,
    all: Option<Durations>,
}

impl Times {
    pub(super) fn of(times: &Distribution) -> Self {
        Self {
            count: times.count,
            sum: times.sum,
            min: times.min,
            max: times.max,
            // Reports are checked when they are read.
            all: times.to_durations().unwrap_or_default(),
        }
    }

    /// Those of an interval, whose smallest one is known from its histogram alone.
    pub(super) fn of_interval(times: &Distribution) -> Self {
        let mut times = Self::of(times);
        if let Some(all) = &times.all {
            times.min = ms(all.percentile(0.0));
        }
        times
    }

    pub(super) fn add(&mut self, other: Self) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = other;
            return;
        }
        self.count += other.count;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.all = match (self.all.take(), other.all) {
            (Some(mut ours), Some(theirs)) => {
                ours.merge(&theirs);
                Some(ours)
            }
            _ => None,
        };
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Median, mean, smallest and largest.
    pub(super) fn summary(&self) -> [String; 4] {
        if self.count == 0 {
            return [const { "0" }; 4].map(str::to_owned);
        }
        let median = match &self.all {
            Some(all) => ms(all.median()).to_string(),
            None => NONE.to_owned(),
        };
        let average = self.sum / self.count as f64;
        [
            median,
            average.to_string(),
            self.min.to_string(),
            self.max.to_string(),
        ]
    }

    pub(super) fn percentiles(&self) -> [String; 11] {
        match &self.all {
            Some(all) if self.count > 0 => all.percentiles(SHARES).map(|time| ms(time).to_string()),
            _ => [NONE; 11].map(str::to_owned),
        }
    }
}

fn ms(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e6
}
