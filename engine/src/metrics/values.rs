//! Values of the scenario's own, as a distribution that merges: exact counts, sums and
//! extremes beside a histogram. Knows nothing of names.

use super::encoding::{self, Exact, InvalidHistogram};
use super::histogram::{add, histogram, quantile, quantiles, record};
use super::merge::Merge;
use hdrhistogram::Histogram;

/// A distribution of plain numbers, three significant digits between 0.001 and 10^12.
/// Count, sum, minimum and maximum are exact.
#[derive(Clone, Debug, PartialEq)]
pub struct Values {
    millionths: Histogram<u64>,
    sum: f64,
    min: f64,
    max: f64,
}

/// Histogram units in 1.0: 0.001 becomes 1000 units, which is three digits.
const UNITS: f64 = 1e6;
const LARGEST_VALUE: f64 = 1e12;

/// The largest number where there is none for the sum: infinity has no form in JSON.
fn add_up(a: f64, b: f64) -> f64 {
    (a + b).min(f64::MAX)
}

impl Default for Values {
    fn default() -> Self {
        Self {
            millionths: histogram(),
            sum: 0.0,
            min: f64::INFINITY,
            max: 0.0,
        }
    }
}

impl Merge for Values {
    fn merge_from(&mut self, other: &Self) {
        add(&mut self.millionths, &other.millionths);
        self.sum = add_up(self.sum, other.sum);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }
}

impl Values {
    /// Whether [`Self::record`] counts it: not what is negative or not a number.
    #[must_use]
    pub fn accepts(value: f64) -> bool {
        value.is_finite() && value >= 0.0
    }

    /// Counts one if it is acceptable.
    pub fn record(&mut self, value: f64) {
        if !Self::accepts(value) {
            return;
        }
        let units = (value.min(LARGEST_VALUE) * UNITS).round();
        record(&mut self.millionths, units as u64);
        self.sum = add_up(self.sum, value);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// How many were recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.millionths.len()
    }

    /// All of them together.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// The mean; 0 when nothing was recorded.
    #[must_use]
    pub fn avg(&self) -> f64 {
        self.sum / self.count().max(1) as f64
    }

    /// The smallest; 0 when nothing was recorded.
    #[must_use]
    pub fn min(&self) -> f64 {
        self.min.min(self.max)
    }

    /// The largest; 0 when nothing was recorded.
    #[must_use]
    pub fn max(&self) -> f64 {
        self.max
    }

    /// The value that the share `q` (0 to 1) of all recorded ones does not exceed, within
    /// 0.1 %; 0 when nothing was recorded.
    #[must_use]
    pub fn percentile(&self, q: f64) -> f64 {
        if q >= 1.0 {
            return self.max;
        }
        (quantile(&self.millionths, q) as f64 / UNITS).clamp(self.min(), self.max)
    }

    /// The same for several shares, which must ascend, at the cost of one.
    #[must_use]
    pub fn percentiles<const N: usize>(&self, shares: [f64; N]) -> [f64; N] {
        let mut found = quantiles(&self.millionths, shares)
            .map(|units| (units as f64 / UNITS).clamp(self.min(), self.max));
        let below_all = shares.partition_point(|q| *q < 1.0);
        found[below_all..].fill(self.max);
        found
    }

    /// The histogram in millionths, in HdrHistogram's V2 compressed encoding and base64.
    #[must_use]
    pub fn encode(&self) -> String {
        encoding::encode(&self.millionths)
    }

    /// What [`Self::encode`] has written, with what is exact. The text may come from
    /// anywhere.
    ///
    /// # Errors
    ///
    /// The text is no such histogram, or not of a distribution with these properties.
    pub fn decode(text: &str, exact: &Exact) -> Result<Self, InvalidHistogram> {
        let millionths = encoding::decode(text, (LARGEST_VALUE * UNITS) as u64)?;
        exact.check(&millionths)?;
        if millionths.is_empty() {
            return Ok(Self::default());
        }
        Ok(Self {
            millionths,
            sum: exact.sum,
            min: exact.min,
            max: exact.max,
        })
    }
}
