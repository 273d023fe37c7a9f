//! Reads thresholds as people write them, and says what is wrong with others. Texts may
//! come from a component, so they are hostile.

use std::str::FromStr;
use std::time::Duration;

use super::metric::{Aggregation, Keys, METRICS, Metric, NOT_OFFERED, Selectors};
use super::scan::{InvalidThreshold, Parsed, Scanner, repeated};
use super::unit::{TIMES, Unit};
use super::{Comparison, Threshold};

/// Longest text, in bytes.
const MAX_TEXT: usize = 1000;

/// Largest bound for a duration: ten days. Up to there, nanoseconds survive being written
/// in seconds.
const MAX_NANOSECONDS: f64 = 864e12;

/// Whether the name of a metric needs no quotes.
pub(super) fn is_bare(name: &str) -> bool {
    !name.is_empty() && name.chars().all(is_name)
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/')
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

impl FromStr for Threshold {
    type Err = InvalidThreshold;

    fn from_str(text: &str) -> Result<Self, InvalidThreshold> {
        let mut scanner = Scanner { text, at: 0 };
        if text.len() > MAX_TEXT {
            return Err(scanner.wrong(format!("longer than {MAX_TEXT} bytes")));
        }
        scanner.threshold()
    }
}

impl Scanner<'_> {
    fn threshold(&mut self) -> Parsed<Threshold> {
        let (name, metric) = self.metric()?;
        let selectors = self.selectors(&name, metric)?;
        if !self.take(":") {
            return self.fail(
                "expected ':' after the metric (names with more than letters, digits and \
                 _-./ go in quotes)",
            );
        }
        let aggregation = self.aggregation(&name, metric)?;
        let comparison = self.comparison()?;
        let bound = self.bound(&name, metric, aggregation)?;
        let abort_after = self.abort()?;
        Ok(Threshold {
            name,
            metric,
            selectors,
            aggregation,
            comparison,
            bound,
            abort_after,
        })
    }

    fn metric(&mut self) -> Parsed<(String, Metric)> {
        self.skip_space();
        let start = self.at;
        let name = match self.quoted()? {
            Some(name) => name,
            None => self.take_while(is_name).to_owned(),
        };
        if name.is_empty() {
            self.at = start;
            return self.fail("expected the name of a metric");
        }
        if let Some((_, instead)) = NOT_OFFERED.iter().find(|(other, _)| *other == name) {
            self.at = start;
            return self.fail(format!("'{name}' is not measured; use {instead}"));
        }
        let metric = Metric::of(&name);
        Ok((name, metric))
    }

    fn selectors(&mut self, name: &str, metric: Metric) -> Parsed<Selectors> {
        let mut selectors = Selectors::default();
        self.skip_space();
        if !self.rest().starts_with('{') {
            return Ok(selectors);
        }
        self.check_selectable(name, metric)?;
        self.take("{");
        loop {
            self.selector(name, metric, &mut selectors)?;
            if self.take("}") {
                return Ok(selectors);
            }
            if !self.take(",") {
                return self.fail("expected ',' or '}'");
            }
        }
    }

    fn check_selectable(&self, name: &str, metric: Metric) -> Parsed<()> {
        let name = repeated(name);
        match (metric.keys(), metric) {
            (Keys::None, Metric::Custom) => {
                let known = METRICS.iter().filter(|(_, m)| m.keys() != Keys::None);
                let known: Vec<_> = known.map(|(name, _)| *name).collect();
                let known = known.join(", ");
                self.fail(format!(
                    "{name} would be a metric of the scenario, and those have no selectors; \
                     {known} have"
                ))
            }
            (Keys::None, _) => self.fail(format!("{name} has no selectors")),
            _ => Ok(()),
        }
    }

    fn selector(&mut self, name: &str, metric: Metric, into: &mut Selectors) -> Parsed<()> {
        self.skip_space();
        let start = self.at;
        let key = self.take_while(is_word);
        if key.is_empty() {
            return self.fail("expected a key such as name");
        }
        let twice = into.get(key).is_some() || (key == "status" && into.status.is_some());
        let problem = match metric.keys() {
            _ if twice => Some(format!("{key} is there twice")),
            Keys::Only(only) if only != key => {
                Some(format!("{name} can be selected by {only} only"))
            }
            Keys::Request if key == "status" => Some(format!(
                "{name} is not kept by status (http_reqs and failures are)"
            )),
            _ => None,
        };
        if let Some(problem) = problem {
            self.at = start;
            return self.fail(problem);
        }
        if !self.take("=") && !self.take(":") {
            return self.fail(format!("expected {key}=\"…\""));
        }
        self.skip_space();
        let start = self.at;
        let value = self.selected(key)?;
        if metric.keys() == Keys::RequestAndStatus && key == "status" {
            let Ok(status) = value.parse() else {
                self.at = start;
                return self.fail("a status is a number such as 404, or 0 for no response");
            };
            into.status = Some(status);
        } else {
            into.texts.push((key.to_owned(), value));
        }
        Ok(())
    }

    /// The value of a key, with or without quotes.
    fn selected(&mut self, key: &str) -> Parsed<String> {
        if let Some(value) = self.quoted()? {
            return Ok(value);
        }
        // Names of requests have braces of their own, as in /item/{id}.
        let mut open = 0;
        let value = self.take_while(|c| {
            match c {
                '{' => open += 1,
                '}' => open -= 1,
                _ => {}
            }
            open >= 0 && c != ',' && !c.is_control()
        });
        let value = value.trim_end();
        if value.is_empty() {
            return self.fail(format!("expected the value of {key}"));
        }
        // Elsewhere all groups are within a nameless one: `{group:::outer::inner}`.
        let value = match key {
            "group" => value.strip_prefix("::").unwrap_or(value),
            _ => value,
        };
        Ok(value.to_owned())
    }

    fn aggregation(&mut self, name: &str, metric: Metric) -> Parsed<Aggregation> {
        self.skip_space();
        let start = self.at;
        let word = self.take_while(is_word);
        let aggregation = match word {
            "" => return self.fail(format!("expected one of {}", metric.aggregations())),
            "avg" => Some(Aggregation::Avg),
            "min" => Some(Aggregation::Min),
            "max" => Some(Aggregation::Max),
            "med" => Some(Aggregation::Median),
            "count" => Some(Aggregation::Count),
            "rate" => Some(Aggregation::Rate),
            "value" => Some(Aggregation::Value),
            "p" => Some(self.percentile()?),
            _ => None,
        };
        match aggregation {
            Some(aggregation) if metric.has(aggregation) => Ok(aggregation),
            _ => {
                let word = repeated(self.text[start..self.at].trim_end());
                let (name, known) = (repeated(name), metric.aggregations());
                self.at = start;
                self.fail(format!("{name} has no '{word}'; it has {known}"))
            }
        }
    }

    /// What follows the `p`.
    fn percentile(&mut self) -> Parsed<Aggregation> {
        if !self.take("(") {
            return self.fail("expected '(' as in p(95)");
        }
        self.skip_space();
        let start = self.at;
        let percent = self.number()?;
        if !(0.0..=100.0).contains(&percent) {
            self.at = start;
            return self.fail("a percentile is between 0 and 100");
        }
        if !self.take(")") {
            return self.fail("expected ')' as in p(95)");
        }
        Ok(Aggregation::Percentile(percent))
    }

    fn comparison(&mut self) -> Parsed<Comparison> {
        let signs = Comparison::SIGNS.iter();
        for &(sign, comparison) in signs {
            if self.take(sign) {
                return Ok(comparison);
            }
        }
        self.fail("expected <, <=, >, >=, == or !=")
    }

    fn bound(&mut self, name: &str, metric: Metric, aggregation: Aggregation) -> Parsed<f64> {
        self.skip_space();
        let start = self.at;
        let unit = metric.unit(aggregation);
        let negative = unit == Unit::Signed && self.take("-");
        let bound = match unit {
            Unit::Nanoseconds => self.nanoseconds(true)?,
            Unit::Share => self.share()?,
            _ if negative => -self.number()?,
            _ => self.number()?,
        };
        if unit == Unit::Share && bound > 1.0 {
            self.at = start;
            return self.fail("a share is between 0 and 1, or 0% and 100%");
        }
        self.skip_space();
        if !self.rest().is_empty() && !self.rest().starts_with("abort") {
            let (name, kind) = (repeated(name), unit.description());
            return self.fail(format!(
                "unexpected text after the bound ({aggregation} of {name} is {kind})"
            ));
        }
        Ok(bound)
    }

    /// A number between 0 and 1, or of percent.
    fn share(&mut self) -> Parsed<f64> {
        let start = self.at;
        let number = self.number()?;
        let digits = &self.text[start..self.at];
        if !self.take("%") {
            return Ok(number);
        }
        // Not by a division, which would make 0.7% something else than 0.007.
        let share = format!("{digits}e-2").parse();
        Ok(share.unwrap_or(number / 100.0))
    }

    /// One or more numbers with units, or if it may be `bare` a number of milliseconds.
    fn nanoseconds(&mut self, bare: bool) -> Parsed<f64> {
        let start = self.at;
        let (mut sum, mut first) = (0.0, true);
        loop {
            let number = self.number()?;
            self.skip_space();
            let unit_at = self.at;
            let word = self.take_while(char::is_alphabetic);
            sum += match TIMES.iter().find(|(unit, _)| *unit == word) {
                Some((_, nanoseconds)) => number * nanoseconds,
                None if bare && first && matches!(word, "" | "abort") => {
                    self.at = unit_at;
                    number * 1e6
                }
                None => {
                    self.at = unit_at;
                    return self.fail("expected a unit of time: us, ms, s, m or h");
                }
            };
            first = false;
            self.skip_space();
            if !self.rest().starts_with(|c: char| c.is_ascii_digit()) {
                break;
            }
        }
        if sum > MAX_NANOSECONDS {
            self.at = start;
            return self.fail("longer than ten days");
        }
        Ok(sum.round())
    }

    /// Nothing, `abort`, or `abort after DURATION`, and then the end.
    fn abort(&mut self) -> Parsed<Option<Duration>> {
        self.skip_space();
        if self.rest().is_empty() {
            return Ok(None);
        }
        let start = self.at;
        let abort = self.take_while(is_word);
        self.skip_space();
        let after = self.take_while(char::is_alphabetic);
        let delay = match (abort, after) {
            ("abort", "") if self.rest().is_empty() => Duration::ZERO,
            ("abort", "after") => {
                self.skip_space();
                Duration::from_nanos(self.nanoseconds(false)? as u64)
            }
            _ => {
                self.at = start;
                return self.fail("expected 'abort', 'abort after 30s' or nothing more");
            }
        };
        self.skip_space();
        if !self.rest().is_empty() {
            return self.fail("expected nothing more");
        }
        Ok(Some(delay))
    }
}
