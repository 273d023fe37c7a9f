//! The measurements as series, and those in Prometheus' text format. The names of requests,
//! errors and workers are those of aiotest 1.2, so that its dashboards work. Knows nothing of
//! who asks.

mod observer;
mod requests;
mod run;
mod series;
mod work;

use crate::lifecycle::State;
use crate::metrics::users::Users;
use crate::metrics::{Exponential, Snapshot};
use crate::threshold::Verdict;
use ::prometheus::TextEncoder;
use ::prometheus::proto::{Metric, MetricFamily, MetricType};
use series::{counter, family, time_summary};
use std::collections::BTreeMap;
use std::time::Duration;

pub use observer::{Observer, Sources};

/// Upper bounds of response times, in seconds: fine where fast servers are, and with all
/// of aiotest's own among them.
pub const DEFAULT_BUCKETS: [f64; 17] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 0.8, 1.0, 2.5, 5.0, 10.0,
    30.0,
];

/// A process that runs users.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Worker {
    /// Tells the workers of a run apart.
    pub id: String,
    /// The machine it runs on.
    pub machine: String,
    /// 100 is one core.
    pub cpu_percent: f64,
    /// Cores that it may use.
    pub cores: u64,
    /// Memory that it uses.
    pub memory_bytes: u64,
    /// Users alive on it.
    pub users: u64,
}

/// What the series show.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// All measurements, without the run's secrets.
    pub snapshot: &'a Snapshot,
    /// The users now.
    pub users: &'a Users,
    /// The processes that run them.
    pub workers: &'a [Worker],
    /// Where the run stands.
    pub state: State,
    /// How long it has been going on, without pauses.
    pub elapsed: Duration,
    /// What becomes of the run's thresholds, as far as is known.
    pub thresholds: &'a [Verdict],
    /// Upper bounds of response times in seconds, in any order; see [`DEFAULT_BUCKETS`].
    pub buckets: &'a [f64],
}

/// Distributions that are not cut into few fixed buckets.
#[derive(Clone, Debug, PartialEq)]
pub struct Distributions {
    /// The family that has the same distributions in fixed buckets.
    pub name: &'static str,
    /// What they are.
    pub help: &'static str,
    /// Each with its labels.
    pub series: Vec<(Vec<(String, String)>, Exponential)>,
}

/// All of it as a text.
#[must_use]
pub fn render(view: &View<'_>) -> String {
    // The encoder refuses only families without a name or without metrics.
    TextEncoder::new()
        .encode_to_string(&families(view))
        .unwrap_or_default()
}

/// The response times as they are, beside [`families`].
#[must_use]
pub fn response_times(view: &View<'_>) -> Vec<Distributions> {
    let mut all = requests::distributions(view.snapshot).to_vec();
    all.retain(|distributions| !distributions.series.is_empty());
    all
}

/// All of it; no family is without series.
#[must_use]
pub fn families(view: &View<'_>) -> Vec<MetricFamily> {
    let snapshot = view.snapshot;
    let mut families = requests::families(snapshot, &ascending(view.buckets)).to_vec();
    families.push(requests::phases(snapshot));
    families.extend(run::workers(view.workers));
    families.extend(run::users(view.users));
    families.extend(run::run(view));
    families.extend(work::iterations(snapshot));
    families.extend(failure_families(snapshot));
    families.extend(work::custom(snapshot));
    families.extend(engine_families(snapshot));
    families.retain(|family| !family.get_metric().is_empty());
    families
}

fn ascending(buckets: &[f64]) -> Vec<f64> {
    let mut bounds: Vec<f64> = buckets.iter().copied().filter(|b| b.is_finite()).collect();
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    bounds
}

fn failure_families(snapshot: &Snapshot) -> Vec<MetricFamily> {
    let errors = snapshot.errors.iter().map(|(key, count)| {
        let labels = [
            ("error_type", &*key.kind),
            ("method", &key.method),
            ("endpoint", &key.name),
            ("status_code", &key.status.to_string()),
            ("error_message", &key.message),
        ];
        counter(&labels, *count as f64)
    });
    let task_errors = summed(
        snapshot
            .task_errors
            .iter()
            .map(|(key, n)| ([&*key.class, &*key.task], *n)),
    );
    let events = summed(
        snapshot
            .sandbox_events
            .iter()
            .map(|(key, n)| ([&*key.class, &*key.kind], *n)),
    );
    let restarts = snapshot
        .restarts
        .iter()
        .map(|(class, count)| counter(&[("class", class)], *count as f64));
    vec![
        family(
            "aiotest_errors_total",
            "Failed requests by cause.",
            MetricType::COUNTER,
            errors.collect(),
        ),
        family(
            "aiotest_task_errors_total",
            "Tasks that failed.",
            MetricType::COUNTER,
            labelled(task_errors, ["class", "task"]),
        ),
        family(
            "aiotest_sandbox_events_total",
            "Failures of sandboxes by kind.",
            MetricType::COUNTER,
            labelled(events, ["class", "kind"]),
        ),
        family(
            "aiotest_sandbox_restarts_total",
            "Sandboxes that were replaced.",
            MetricType::COUNTER,
            restarts.collect(),
        ),
    ]
}

fn engine_families(snapshot: &Snapshot) -> Vec<MetricFamily> {
    vec![
        family(
            "aiotest_tasks_total",
            "Tasks that ended.",
            MetricType::COUNTER,
            vec![counter(&[], snapshot.tasks as f64)],
        ),
        family(
            "aiotest_engine_lag_seconds",
            "How late the engine's own timers fired.",
            MetricType::SUMMARY,
            vec![time_summary(&[], &snapshot.lag)],
        ),
        family(
            "aiotest_log_lines_dropped_total",
            "Lines of the scenario's log above the permitted rate.",
            MetricType::COUNTER,
            vec![counter(&[], snapshot.log_dropped as f64)],
        ),
        family(
            "aiotest_events_dropped_total",
            "Events that the scenario's observer was too slow for.",
            MetricType::COUNTER,
            vec![counter(&[], snapshot.events_dropped as f64)],
        ),
        family(
            "aiotest_samples_dropped_total",
            "Samples that were not written to their file, for want of time or room.",
            MetricType::COUNTER,
            vec![counter(&[], snapshot.samples_dropped as f64)],
        ),
        family(
            "aiotest_names_folded_total",
            "Requests counted as (other) because of too many distinct names.",
            MetricType::COUNTER,
            vec![counter(&[], snapshot.folded.requests as f64)],
        ),
    ]
}

/// Adds up the neighbours of equal key, whose texts are no labels here.
fn summed<'a>(rows: impl Iterator<Item = ([&'a str; 2], u64)>) -> BTreeMap<[&'a str; 2], u64> {
    let mut sums = BTreeMap::new();
    for (key, count) in rows {
        *sums.entry(key).or_default() += count;
    }
    sums
}

fn labelled(sums: BTreeMap<[&str; 2], u64>, names: [&str; 2]) -> Vec<Metric> {
    sums.into_iter()
        .map(|(key, count)| counter(&[(names[0], key[0]), (names[1], key[1])], count as f64))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::fixture::{self, Measured};
    use std::collections::HashSet;

    fn view(run: &Measured) -> View<'_> {
        View {
            snapshot: &run.snapshot,
            users: &run.users,
            workers: &[],
            state: State::Paused,
            elapsed: run.duration,
            thresholds: &run.thresholds,
            buckets: &DEFAULT_BUCKETS,
        }
    }

    fn exposition() -> String {
        let worker = Worker {
            id: "worker-1".into(),
            machine: "build-7".into(),
            cpu_percent: 42.5,
            cores: 4,
            memory_bytes: 1 << 28,
            users: 50,
        };
        render(&View {
            workers: &[worker],
            ..view(&fixture::run())
        })
    }

    #[test]
    fn the_exposition_matches_its_golden() {
        fixture::assert_golden("exposition.prom", &exposition());
    }

    #[test]
    fn no_series_appears_twice_and_each_has_a_number() {
        let text = exposition();
        let mut seen = HashSet::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (series, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().unwrap().is_finite(), "{line}");
            assert!(series.starts_with("aiotest_"), "{line}");
            assert!(seen.insert(series), "twice: {line}");
        }
    }

    #[test]
    fn before_the_first_request_there_are_only_families_with_values() {
        let run = Measured {
            snapshot: Snapshot::default(),
            users: Users::default(),
            thresholds: Vec::new(),
            ..fixture::run()
        };
        let text = render(&view(&run));
        assert!(text.contains("\naiotest_users_target 0\n"), "{text}");
        assert!(!text.contains("aiotest_http_requests_total"), "{text}");
        let types = text
            .lines()
            .filter(|line| line.starts_with("# TYPE"))
            .count();
        assert_eq!(types, 15, "{text}");
    }

    #[test]
    fn the_run_is_in_one_state() {
        let text = exposition();
        let states: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with("aiotest_run_state{"))
            .collect();
        assert_eq!(states.len(), 6);
        let on: Vec<_> = states.iter().filter(|line| line.ends_with(" 1")).collect();
        assert_eq!(on, [&"aiotest_run_state{state=\"paused\"} 1"]);
    }

    #[test]
    fn a_threshold_that_is_there_twice_is_one_series_and_fails_once_failed() {
        let mut run = fixture::run();
        let passed = run.thresholds[0].clone();
        let failed = Verdict {
            passed: false,
            ..passed.clone()
        };
        for twice in [[&passed, &failed], [&failed, &passed]] {
            run.thresholds = twice.map(Verdict::clone).to_vec();
            let text = render(&view(&run));
            let series = "aiotest_threshold_passed{threshold=\"http_req_duration: p(95)<500ms\"}";
            assert_eq!(text.matches(series).count(), 1, "{text}");
            assert!(text.contains(&format!("{series} 0\n")), "{text}");
        }
    }

    #[test]
    fn buckets_of_any_order_become_a_valid_histogram() {
        let run = fixture::run();
        let text = render(&View {
            buckets: &[0.05, f64::INFINITY, 0.01, 0.05],
            ..view(&run)
        });
        let buckets: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with("aiotest_http_request_duration_seconds_bucket"))
            .filter(|line| line.contains("method=\"GET\",endpoint=\"/\""))
            .filter_map(|line| line.split_once("le=")?.1.split_once(' '))
            .collect();
        assert_eq!(
            buckets,
            [
                ("\"0.01\"}", "113"),
                ("\"0.05\"}", "513"),
                ("\"+Inf\"}", "1013")
            ]
        );
    }
}
