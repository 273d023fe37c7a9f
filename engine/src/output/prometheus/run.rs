//! The families of the run as a whole: where it stands, who takes part, and what that costs
//! the machines.

use super::series::{counter, family, gauge};
use super::{View, Worker};
use crate::lifecycle::State;
use crate::metrics::users::Users;
use ::prometheus::proto::{MetricFamily, MetricType};
use std::collections::BTreeMap;

/// The processes that run users.
pub(super) fn workers(workers: &[Worker]) -> [MetricFamily; 4] {
    let cpu = workers.iter().map(|worker| {
        let labels = [("worker_id", &*worker.id), ("machine_id", &*worker.machine)];
        gauge(&labels, worker.cpu_percent)
    });
    let each = |value: fn(&Worker) -> u64| {
        let series = |worker: &Worker| gauge(&[("worker_id", &worker.id)], value(worker) as f64);
        workers.iter().map(series).collect()
    };
    [
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
            each(|worker| worker.users),
        ),
        family(
            "aiotest_worker_cores",
            "Cores that the worker may use.",
            MetricType::GAUGE,
            each(|worker| worker.cores),
        ),
        family(
            "aiotest_worker_memory_bytes",
            "Memory that the worker uses.",
            MetricType::GAUGE,
            each(|worker| worker.memory_bytes),
        ),
    ]
}

/// The users of all workers, and where they live.
pub(super) fn users(users: &Users) -> [MetricFamily; 5] {
    let states = users.classes.iter().flat_map(|class| {
        [
            ("starting", class.starting),
            ("running", class.running),
            ("stopping", class.stopping),
            ("restarting", class.restarting),
        ]
        .map(|(state, count)| gauge(&[("class", &class.class), ("state", state)], count as f64))
    });
    [
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
        family(
            "aiotest_users_started_total",
            "Users that ever started.",
            MetricType::COUNTER,
            vec![counter(&[], users.started as f64)],
        ),
        family(
            "aiotest_users_stopped_total",
            "Users that ever stopped.",
            MetricType::COUNTER,
            vec![counter(&[], users.stopped as f64)],
        ),
        family(
            "aiotest_sandboxes",
            "Sandboxes alive.",
            MetricType::GAUGE,
            vec![gauge(&[], users.sandboxes as f64)],
        ),
    ]
}

/// Where the run stands.
pub(super) fn run(view: &View<'_>) -> [MetricFamily; 3] {
    let state = |state: State| {
        let labels = [("state", state.as_str())];
        gauge(&labels, f64::from(u8::from(state == view.state)))
    };
    let mut passed = BTreeMap::new();
    for verdict in view.thresholds {
        // The scenario and the command line may both have asked for it.
        *passed.entry(&*verdict.expression).or_insert(true) &= verdict.passed;
    }
    let passed = passed.into_iter().map(|(expression, passed)| {
        let labels = [("threshold", expression)];
        gauge(&labels, f64::from(u8::from(passed)))
    });
    [
        family(
            "aiotest_run_state",
            "1 for the state of the run, 0 for all others.",
            MetricType::GAUGE,
            State::ALL.map(state).to_vec(),
        ),
        family(
            "aiotest_run_time_seconds",
            "How long the run has been going on, without pauses.",
            MetricType::GAUGE,
            vec![gauge(&[], view.elapsed.as_secs_f64())],
        ),
        family(
            "aiotest_threshold_passed",
            "1 for thresholds that hold, 0 for those that do not or have no data.",
            MetricType::GAUGE,
            passed.collect(),
        ),
    ]
}
