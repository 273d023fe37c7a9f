//! A comparison of runs for people: what changed by more than noise, the biggest changes
//! first. A pure function of the comparison; it does not print.

use super::format::{count, number, percent, plain};
use super::page::Column::{Number, Text, Word};
use super::page::{Page, Style};
use crate::compare::{Change, ComparedMetric, Comparison, Row, Verdict};
use std::collections::BTreeMap;

/// Changes of names that are shown; more are no longer read.
const MOST_CHANGES: usize = 30;

/// The comparison, each line ended.
#[must_use]
pub fn comparison(comparison: &Comparison, style: Style) -> String {
    let mut page = Page::new(style);
    let Some((total, names)) = comparison.rows.split_first() else {
        return page.finish();
    };
    page.runs(comparison);
    for (run, compared) in comparison.runs.iter().enumerate() {
        if run == comparison.baseline {
            continue;
        }
        let run_label = plain(&compared.label);
        page.all_requests(&format!("{run_label}: all requests"), total, run);
        page.changes(&format!("{run_label}: single names"), names, run);
        page.names_in_short(names, run);
    }
    page.unmatched(comparison);
    page.finish()
}

impl Page {
    fn runs(&mut self, comparison: &Comparison) {
        for (run, compared) in comparison.runs.iter().enumerate() {
            let role = match run == comparison.baseline {
                true => "baseline",
                false => "compared",
            };
            let part = match compared.steady {
                Some(steady) => format!(
                    "from {} s to {} s, {} intervals",
                    number(steady.start_seconds),
                    number(steady.end_seconds),
                    count(steady.intervals as u64)
                ),
                None => "too little to compare".to_owned(),
            };
            self.line(&format!("{role:<10} {} ({part})", plain(&compared.label)));
            for note in &compared.notes {
                self.warning(&format!("{:<10} {}", "", plain(note)));
            }
        }
    }

    fn all_requests(&mut self, title: &str, total: &Row, run: usize) {
        let changes = of_run(total, run);
        let rows = changes.iter().map(|(metric, change)| {
            let mut cells = vec![metric_label(metric)];
            cells.extend(numbers(metric, change));
            cells.push(word(change.verdict).to_owned());
            (mark(change), cells)
        });
        let columns = [
            ("", Word),
            ("Baseline", Number),
            ("Here", Number),
            ("Change", Number),
            ("95% interval", Number),
            ("Verdict", Word),
        ];
        self.marked_section(title, &columns, rows);
        let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (metric, change) in &changes {
            if let Some(reason) = &change.reason {
                reasons.entry(reason).or_default().push(metric.metric);
            }
        }
        for (reason, metrics) in reasons {
            let what = match metrics.len() == changes.len() {
                true => "unknown".to_owned(),
                false => format!("{} unknown", metrics.join(", ")),
            };
            self.warning(&format!("{what}: {reason}"));
        }
    }

    fn changes(&mut self, title: &str, names: &[Row], run: usize) {
        let mut found: Vec<(&Row, &ComparedMetric, &Change)> = names
            .iter()
            .flat_map(|row| of_run(row, run).into_iter().map(move |(m, c)| (row, m, c)))
            .filter(|(.., change)| change.is_real())
            .collect();
        found.sort_by(|(.., a), (.., b)| b.size().total_cmp(&a.size()));
        let rows = found
            .iter()
            .take(MOST_CHANGES)
            .map(|(row, metric, change)| {
                let mut cells = vec![row_label(row), metric_label(metric)];
                cells.extend(numbers(metric, change));
                (mark(change), cells)
            });
        let columns = [
            ("Request", Text),
            ("", Word),
            ("Baseline", Number),
            ("Here", Number),
            ("Change", Number),
            ("95% interval", Number),
        ];
        self.marked_section(title, &columns, rows);
        let more = found.len().saturating_sub(MOST_CHANGES);
        if more > 0 {
            self.line(&format!(
                "and {} more changes; the documents of --json and --html have all",
                count(more as u64)
            ));
        }
    }

    /// One line for all names.
    fn names_in_short(&mut self, names: &[Row], run: usize) {
        if names.is_empty() {
            return;
        }
        let (mut changed, mut same, mut unknown) = (0, 0, 0);
        for row in names {
            let changes = of_run(row, run);
            if changes.is_empty() {
                continue;
            }
            if changes.iter().any(|(_, change)| change.is_real()) {
                changed += 1;
            } else if changes.iter().all(|(_, c)| c.verdict == Verdict::Unknown) {
                unknown += 1;
            } else {
                same += 1;
            }
        }
        if changed == 0 {
            self.title("Single names");
        }
        let mut line = format!(
            "{} changed by more than noise, {} did not",
            names_of(changed),
            count(same)
        );
        if unknown > 0 {
            line.push_str(&format!(", {} with too little to tell", count(unknown)));
        }
        self.line(&line);
    }

    fn unmatched(&mut self, comparison: &Comparison) {
        let rows = comparison.unmatched.iter().map(|unmatched| {
            let labels = unmatched.runs.iter().filter_map(|run| {
                let compared = comparison.runs.get(*run)?;
                Some(plain(&compared.label).into_owned())
            });
            vec![
                titled(&unmatched.method, &unmatched.name, &unmatched.tags),
                labels.collect::<Vec<_>>().join(", "),
            ]
        });
        self.causes(
            "Only in some runs",
            &[("Request", Text), ("Runs", Text)],
            rows,
        );
    }
}

/// The numbers that a run has of a row.
fn of_run(row: &Row, run: usize) -> Vec<(&ComparedMetric, &Change)> {
    let metrics = row.metrics.iter();
    let found = metrics.filter_map(|metric| {
        let mut values = metric.values.iter();
        Some((metric, values.find(|change| change.run == run)?))
    });
    found.collect()
}

/// Before, now, change and interval.
fn numbers(metric: &ComparedMetric, change: &Change) -> [String; 4] {
    let value = |value: Option<f64>| match value {
        None => "–".to_owned(),
        Some(value) if metric.unit.is_empty() => percent(value),
        Some(value) => number(value),
    };
    let interval = match (change.low, change.high) {
        (Some(low), Some(high)) => format!("{} to {}", signed(low), signed(high)),
        _ => "–".to_owned(),
    };
    let by = match (change.change, change.value) {
        (Some(by), _) => signed(by),
        (None, Some(_)) => "from 0".to_owned(),
        (None, None) => "–".to_owned(),
    };
    [value(metric.baseline), value(change.value), by, interval]
}

/// `+12.3%`, or `0%`.
fn signed(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        p if p.abs() < 0.000_5 => "0%".to_owned(),
        p if p > 0.0 => format!("+{}%", number(p)),
        p => format!("{}%", number(p)),
    }
}

fn mark(change: &Change) -> Option<bool> {
    match change.verdict {
        Verdict::Better => Some(true),
        Verdict::Worse => Some(false),
        Verdict::Noise | Verdict::Unknown => None,
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::Noise => "noise",
        Verdict::Unknown => "unknown",
    }
}

fn metric_label(metric: &ComparedMetric) -> String {
    match metric.metric {
        "requests_per_second" => "requests/s".to_owned(),
        "failure_share" => "failures".to_owned(),
        time => format!("{time} (ms)"),
    }
}

fn row_label(row: &Row) -> String {
    titled(&row.method, &row.name, &row.tags)
}

fn titled(method: &str, name: &str, tags: &BTreeMap<String, String>) -> String {
    // What is folded altogether needs its name only once.
    let label = match method == name {
        true => plain(name).into_owned(),
        false => format!("{} {}", plain(method), plain(name)),
    };
    if tags.is_empty() {
        return label;
    }
    let tags = tags.iter().map(|(name, value)| format!("{name}={value}"));
    let tags = tags.collect::<Vec<_>>().join(", ");
    format!("{label} {{{}}}", plain(&tags))
}

fn names_of(number: u64) -> String {
    match number {
        1 => "1 name".to_owned(),
        number => format!("{} names", count(number)),
    }
}

#[cfg(test)]
mod tests;
