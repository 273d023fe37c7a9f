//! The measurements in Prometheus' text format. The names of requests, errors and workers
//! are those of aiotest 1.2, so that its dashboards work. Knows nothing of who asks.

mod series;

use crate::metrics::Snapshot;
use crate::metrics::users::Users;
use ::prometheus::TextEncoder;
use ::prometheus::proto::{Metric, MetricFamily, MetricType};
use series::{counter, family, gauge, size_histogram, summary, time_histogram};
use std::collections::BTreeMap;

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
    /// Users alive on it.
    pub users: u64,
}

/// All measurements as a text. `buckets` are upper bounds of response times in seconds,
/// in any order; see [`DEFAULT_BUCKETS`].
#[must_use]
pub fn render(snapshot: &Snapshot, users: &Users, workers: &[Worker], buckets: &[f64]) -> String {
    let mut families = request_families(snapshot, &ascending(buckets));
    families.extend(user_families(users, workers));
    families.extend(failure_families(snapshot));
    families.extend(custom_families(snapshot));
    families.extend(engine_families(snapshot));
    families.retain(|family| !family.get_metric().is_empty());
    // The encoder refuses only families without a name or without metrics.
    TextEncoder::new()
        .encode_to_string(&families)
        .unwrap_or_default()
}

fn ascending(buckets: &[f64]) -> Vec<f64> {
    let mut bounds: Vec<f64> = buckets.iter().copied().filter(|b| b.is_finite()).collect();
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    bounds
}

fn request_families(snapshot: &Snapshot, bounds: &[f64]) -> Vec<MetricFamily> {
    let mut requests = Vec::new();
    let mut durations = Vec::new();
    let mut sizes = Vec::new();
    for (key, stats) in &snapshot.requests {
        let endpoint = [("method", &*key.method), ("endpoint", &*key.name)];
        for outcome in stats.statuses.iter() {
            let status = outcome.status.to_string();
            for (result, count) in [("pass", outcome.passed), ("fail", outcome.failed)] {
                if count > 0 {
                    let verdict = [("status_code", &*status), ("assertion_result", result)];
                    requests.push(counter(&[endpoint, verdict].concat(), count as f64));
                }
            }
        }
        durations.push(time_histogram(&endpoint, &stats.time, bounds));
        sizes.push(size_histogram(&endpoint, &stats.sizes));
    }
    vec![
        family(
            "aiotest_http_requests_total",
            "Requests by status and verdict.",
            MetricType::COUNTER,
            requests,
        ),
        family(
            "aiotest_http_request_duration_seconds",
            "Response times.",
            MetricType::HISTOGRAM,
            durations,
        ),
        family(
            "aiotest_http_response_size_bytes",
            "Sizes of the response bodies on the wire.",
            MetricType::HISTOGRAM,
            sizes,
        ),
    ]
}

fn user_families(users: &Users, workers: &[Worker]) -> Vec<MetricFamily> {
    let states = users.classes.iter().flat_map(|class| {
        [
            ("starting", class.starting),
            ("running", class.running),
            ("stopping", class.stopping),
            ("restarting", class.restarting),
        ]
        .map(|(state, count)| gauge(&[("class", &class.class), ("state", state)], count as f64))
    });
    let cpu = workers.iter().map(|worker| {
        let labels = [("worker_id", &*worker.id), ("machine_id", &*worker.machine)];
        gauge(&labels, worker.cpu_percent)
    });
    let active = workers
        .iter()
        .map(|worker| gauge(&[("worker_id", &worker.id)], worker.users as f64));
    vec![
        family(
            "aiotest_worker_cpu_percent",
            "CPU time of the worker; 100 is one core.",
            MetricType::GAUGE,
            cpu.collect(),
        ),
        family(
            "aiotest_worker_active_users",
            "Users alive on the worker.",
            MetricType::GAUGE,
            active.collect(),
        ),
        family(
            "aiotest_users",
            "Users by class and state.",
            MetricType::GAUGE,
            states.collect(),
        ),
        family(
            "aiotest_users_target",
            "Users that there shall be.",
            MetricType::GAUGE,
            vec![gauge(&[], users.target as f64)],
        ),
    ]
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

fn custom_families(snapshot: &Snapshot) -> Vec<MetricFamily> {
    let checks = snapshot.checks.iter().flat_map(|(name, check)| {
        [("pass", check.passed), ("fail", check.failed)]
            .map(|(result, count)| counter(&[("check", name), ("result", result)], count as f64))
    });
    let counters = snapshot
        .counters
        .iter()
        .map(|(name, value)| counter(&[("name", name)], *value));
    let gauges = snapshot
        .gauges
        .iter()
        .map(|(name, latest)| gauge(&[("name", name)], latest.value));
    let trends = snapshot.trends.iter().map(|(name, values)| {
        summary(&[("name", name)], values.count(), values.sum(), |q| {
            values.percentile(q)
        })
    });
    vec![
        family(
            "aiotest_checks_total",
            "Outcomes of the scenario's checks.",
            MetricType::COUNTER,
            checks.collect(),
        ),
        family(
            "aiotest_custom_counter_total",
            "Counters of the scenario.",
            MetricType::COUNTER,
            counters.collect(),
        ),
        family(
            "aiotest_custom_gauge",
            "Gauges of the scenario.",
            MetricType::GAUGE,
            gauges.collect(),
        ),
        family(
            "aiotest_custom_trend",
            "Distributions of the scenario.",
            MetricType::SUMMARY,
            trends.collect(),
        ),
    ]
}

fn engine_families(snapshot: &Snapshot) -> Vec<MetricFamily> {
    let lag = &snapshot.lag;
    let seconds = |q| lag.percentile(q).as_secs_f64();
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
            vec![summary(&[], lag.count(), lag.sum_seconds(), seconds)],
        ),
        family(
            "aiotest_log_lines_dropped_total",
            "Lines of the scenario's log above the permitted rate.",
            MetricType::COUNTER,
            vec![counter(&[], snapshot.log_dropped as f64)],
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
    use crate::output::fixture;
    use std::collections::HashSet;

    fn exposition() -> String {
        let run = fixture::run();
        let worker = Worker {
            id: "worker-1".into(),
            machine: "build-7".into(),
            cpu_percent: 42.5,
            users: 50,
        };
        render(&run.snapshot, &run.users, &[worker], &DEFAULT_BUCKETS)
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
        let text = render(
            &Snapshot::default(),
            &Users::default(),
            &[],
            &DEFAULT_BUCKETS,
        );
        assert!(text.contains("\naiotest_users_target 0\n"), "{text}");
        assert!(!text.contains("aiotest_http_requests_total"), "{text}");
        let types = text
            .lines()
            .filter(|line| line.starts_with("# TYPE"))
            .count();
        assert_eq!(types, 5, "{text}");
    }

    #[test]
    fn buckets_of_any_order_become_a_valid_histogram() {
        let run = fixture::run();
        let text = render(
            &run.snapshot,
            &run.users,
            &[],
            &[0.05, f64::INFINITY, 0.01, 0.05],
        );
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
