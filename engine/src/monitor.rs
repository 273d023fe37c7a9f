//! Looks at a run about once a second, and keeps what it saw: the run over time, and a
//! report so far for everyone who watches. Knows neither who that is nor what the run does
//! about what is seen.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::health::{self, Health};
use crate::lifecycle::State;
use crate::metrics::users::UserGauges;
use crate::metrics::{Metrics, Snapshot};
use crate::report::{
    Detail, EngineState, Environment, LogLine, Parts, Recent, Report, Requests, Run, Threshold,
    TimelineColumns, Users,
};
use crate::secrets::Secrets;
use crate::threshold::Verdict;
use crate::timeline::{Interval, Process, Timeline};

/// How many lines of the log are kept.
const LOG_LINES: usize = 200;
/// Looking takes one part of the time in so many, at most.
const THRIFT: u32 = 50;

/// What a monitor looks at.
pub struct Sources {
    /// Measurements.
    pub metrics: Arc<Metrics>,
    /// Users.
    pub gauges: Arc<UserGauges>,
    /// How the thresholds stand; whoever judges them writes it here.
    pub thresholds: Arc<Mutex<Vec<Verdict>>>,
    /// What no report may show.
    pub secrets: Secrets,
    /// What is known of the run from the beginning.
    pub run: Run,
    /// Where it takes place.
    pub environment: Environment,
}

/// Where a run stands when it is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Its state.
    pub state: State,
    /// Time of the run.
    pub elapsed: Duration,
    /// All pauses so far.
    pub paused: Duration,
    /// When the load began, if it has.
    pub began: Option<SystemTime>,
}

/// How a run ended.
#[derive(Clone, Debug, Default)]
pub struct End {
    /// Why.
    pub reason: String,
    /// What the process returns.
    pub exit_code: u8,
    /// Users that were cut off.
    pub users_ended: u64,
}

/// Looks at a run.
pub struct Monitor {
    sources: Sources,
    seen: Mutex<Seen>,
    log: Mutex<VecDeque<LogLine>>,
    latest: watch::Sender<Arc<Report>>,
    /// The whole report, once there is one.
    finished: OnceLock<Report>,
}

/// What was seen so far.
struct Seen {
    moment: Moment,
    /// When the load began; as far as it has not, now.
    began: String,
    timeline: Timeline,
    health: Health,
    engine: EngineState,
    /// When the next look is due.
    due: Instant,
}

impl Monitor {
    /// A monitor that has seen nothing yet.
    pub fn new(sources: Sources) -> Self {
        let seen = Seen {
            moment: Moment {
                state: State::Ready,
                elapsed: Duration::ZERO,
                paused: Duration::ZERO,
                began: None,
            },
            began: rfc3339(SystemTime::now()),
            timeline: Timeline::default(),
            health: Health::start(),
            engine: EngineState::default(),
            due: Instant::now(),
        };
        let log = Mutex::default();
        let nothing = Snapshot::default();
        let first = sources.report(&seen, &nothing, TimelineColumns::default(), &log);
        Monitor {
            sources,
            seen: Mutex::new(seen),
            log,
            latest: watch::Sender::new(Arc::new(first)),
            finished: OnceLock::new(),
        }
    }

    /// Looks at the run, unless looking has cost too much of late: with hundreds of names
    /// looks are farther apart. Returns what was measured so far, without secrets.
    pub fn look(&self, moment: Moment) -> Option<Snapshot> {
        let began = Instant::now();
        if began < self.seen.lock().due {
            return None;
        }
        let snapshot = self.look_now(moment);
        self.seen.lock().due = began + began.elapsed() * THRIFT;
        Some(snapshot)
    }

    /// Looks at the run, whatever that costs.
    pub fn look_now(&self, moment: Moment) -> Snapshot {
        let snapshot = self.snapshot();
        let mut seen = self.seen.lock();
        let interval = seen.take_in(moment, &snapshot, &self.sources);
        let columns =
            TimelineColumns::new(interval.as_slice(), seen.timeline.names(), Detail::Charts);
        let mut report = self.sources.report(&seen, &snapshot, columns, &self.log);
        if let Some(interval) = interval {
            since(&mut report, &self.latest.borrow(), interval.span);
        }
        self.latest.send_replace(Arc::new(report));
        snapshot
    }

    /// Keeps a line of the log.
    pub fn log(&self, line: LogLine) {
        let mut log = self.log.lock();
        if log.len() == LOG_LINES {
            log.pop_front();
        }
        log.push_back(line);
    }

    /// Time of the run at the last look.
    pub fn elapsed(&self) -> Duration {
        self.seen.lock().moment.elapsed
    }

    /// The report at each look: without histograms, and of its timeline only what was new
    /// at that look.
    pub fn updates(&self) -> watch::Receiver<Arc<Report>> {
        self.latest.subscribe()
    }

    /// The report at the last look with the whole timeline; without histograms as long as the
    /// run goes on.
    pub fn so_far(&self) -> Report {
        if let Some(report) = self.finished.get() {
            return report.clone();
        }
        let latest = self.latest.borrow().clone();
        // The run does not wait until all of them are columns.
        let (intervals, names) = {
            let timeline = &self.seen.lock().timeline;
            (timeline.intervals().to_vec(), timeline.names().to_vec())
        };
        Report {
            timeline: TimelineColumns::new(&intervals, &names, Detail::Charts),
            ..(*latest).clone()
        }
    }

    /// The report of a run that is over, with everything. Those who watch get it too.
    pub fn finish(&self, moment: Moment, snapshot: &Snapshot, end: End) -> Report {
        let mut seen = self.seen.lock();
        let interval = seen.take_in(moment, snapshot, &self.sources);
        let timeline = &seen.timeline;
        let columns =
            TimelineColumns::new(timeline.intervals(), timeline.names(), Detail::Everything);
        let newest = TimelineColumns::new(interval.as_slice(), timeline.names(), Detail::Charts);
        let finished = |report: Report| Report {
            run: Run {
                end_reason: end.reason.clone(),
                exit_code: end.exit_code,
                ..report.run
            },
            users: Users {
                ended_by_stop_timeout: end.users_ended,
                ..report.users
            },
            ..report
        };
        let report = self.sources.report(&seen, snapshot, newest, &self.log);
        self.latest.send_replace(Arc::new(finished(report)));
        let parts = self.sources.parts(&seen, snapshot, columns, &self.log);
        let report = finished(Report::new(Parts {
            histograms: true,
            ..parts
        }));
        self.finished.get_or_init(|| report).clone()
    }

    /// Everything measured so far, without secrets.
    pub fn snapshot(&self) -> Snapshot {
        let sources = &self.sources;
        sources.metrics.snapshot().masked(&sources.secrets)
    }
}

impl Seen {
    /// Adds what is new.
    fn take_in(
        &mut self,
        moment: Moment,
        snapshot: &Snapshot,
        sources: &Sources,
    ) -> Option<Interval> {
        if self.moment.elapsed.is_zero() {
            // What comes before the load says nothing about it.
            self.health = Health::start();
        } else {
            self.health.sample();
        }
        self.engine = EngineState {
            saturated: self.health.was_saturated(),
            cpu_percent: self.health.cpu_percent(),
            memory_bytes: health::memory_bytes(),
            sandboxes: 0,
        };
        self.moment = moment;
        self.began = rfc3339(moment.began.unwrap_or_else(SystemTime::now));
        let process = Process {
            cpu_percent: self.engine.cpu_percent,
            memory: self.engine.memory_bytes,
        };
        let users = sources.gauges.snapshot();
        self.timeline
            .push(moment.elapsed, snapshot, &users, process)
    }
}

impl Sources {
    fn report(
        &self,
        seen: &Seen,
        snapshot: &Snapshot,
        timeline: TimelineColumns,
        log: &Mutex<VecDeque<LogLine>>,
    ) -> Report {
        Report::new(self.parts(seen, snapshot, timeline, log))
    }

    fn parts<'a>(
        &self,
        seen: &Seen,
        snapshot: &'a Snapshot,
        timeline: TimelineColumns,
        log: &Mutex<VecDeque<LogLine>>,
    ) -> Parts<'a> {
        let users = self.gauges.snapshot();
        Parts {
            run: Run {
                started: seen.began.clone(),
                state: seen.moment.state.to_string(),
                duration_seconds: seen.moment.elapsed.as_secs_f64(),
                paused_seconds: seen.moment.paused.as_secs_f64(),
                ..self.run.clone()
            },
            environment: self.environment.clone(),
            thresholds: self.thresholds.lock().iter().map(Threshold::from).collect(),
            engine: EngineState {
                sandboxes: users.sandboxes,
                ..seen.engine
            },
            users,
            users_ended: 0,
            snapshot,
            timeline,
            log: log.lock().iter().cloned().collect(),
            histograms: false,
        }
    }
}

fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}

/// Fills in how many requests there were since an earlier report, `span` ago.
fn since(report: &mut Report, earlier: &Report, span: Duration) {
    let recent = |now: &Requests, before: Option<&Requests>| {
        let (requests, failures) = before.map_or((0, 0), |b| (b.requests, b.failures));
        Recent::of(
            now.requests.saturating_sub(requests),
            now.failures.saturating_sub(failures),
            span,
        )
    };
    let mut before: HashMap<_, _> = HashMap::new();
    for row in &earlier.requests {
        before.insert((&row.name, &row.method, &row.tags), &row.requests);
    }
    for row in &mut report.requests {
        let earlier = before.get(&(&row.name, &row.method, &row.tags));
        row.requests.recent = Some(recent(&row.requests, earlier.copied()));
    }
    report.total.recent = Some(recent(&report.total, Some(&earlier.total)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, Sink, Timings};
    use std::collections::BTreeMap;

    fn monitor(metrics: &Arc<Metrics>) -> Monitor {
        let secret = BTreeMap::from([("key".to_owned(), "hunter2".to_owned())]);
        Monitor::new(Sources {
            metrics: metrics.clone(),
            gauges: UserGauges::new(["Buyer"]),
            thresholds: Arc::default(),
            secrets: Secrets::new(secret).unwrap(),
            run: Run {
                component: "shop.wasm".to_owned(),
                ..Run::default()
            },
            environment: Environment::default(),
        })
    }

    fn request(metrics: &Metrics, name: &str) {
        metrics.record(&Sample {
            method: "GET",
            name,
            tags: "",
            status: 200,
            failure: None,
            timings: Timings {
                total: Duration::from_millis(2),
                ..Timings::default()
            },
            sent: 0,
            received: 0,
            late: None,
        });
    }

    fn at(seconds: u64) -> Moment {
        Moment {
            state: State::Running,
            elapsed: Duration::from_secs(seconds),
            paused: Duration::ZERO,
            began: None,
        }
    }

    #[test]
    fn each_update_has_what_is_new_and_all_so_far() {
        let metrics = Arc::new(Metrics::default());
        let monitor = monitor(&metrics);
        let updates = monitor.updates();
        assert_eq!(updates.borrow().run.state, "ready");
        request(&metrics, "/old");
        monitor.look_now(at(2));
        (0..6).for_each(|_| request(&metrics, "/new"));
        monitor.look_now(at(4));
        let report = updates.borrow().clone();
        assert_eq!(
            (report.total.requests, &*report.timeline.requests),
            (7, &[6][..])
        );
        let rates = report.requests.iter().map(|row| {
            let recent = row.requests.recent.unwrap_or_default();
            (&*row.name, recent.per_second)
        });
        assert_eq!(rates.collect::<Vec<_>>(), [("/new", 3.0), ("/old", 0.0)]);
        assert_eq!(monitor.so_far().timeline.requests, [1, 6]);
    }

    #[test]
    fn the_last_report_has_everything_and_ends_the_updates() {
        let metrics = Arc::new(Metrics::default());
        let monitor = monitor(&metrics);
        request(&metrics, "/hunter2");
        monitor.log(LogLine::default());
        let snapshot = monitor.snapshot();
        let end = End {
            reason: "completed".to_owned(),
            exit_code: 1,
            users_ended: 3,
        };
        let report = monitor.finish(
            Moment {
                state: State::Stopped,
                ..at(1)
            },
            &snapshot,
            end,
        );
        assert_eq!(report.requests[0].name, "/***");
        assert_eq!(
            (report.run.exit_code, report.users.ended_by_stop_timeout),
            (1, 3)
        );
        assert_eq!(report.timeline.histograms.len(), 1);
        let time = report.total.time_ms.to_durations().unwrap().unwrap();
        assert_eq!(time.count(), 1);
        let last = monitor.updates().borrow().clone();
        assert_eq!(
            (&*last.run.state, &*last.run.end_reason),
            ("stopped", "completed")
        );
        assert_eq!(
            (last.log.len(), last.total.time_ms.histogram.is_none()),
            (1, true)
        );
    }

    #[test]
    fn a_log_is_kept_in_part() {
        let monitor = monitor(&Arc::default());
        for n in 0..LOG_LINES + 5 {
            monitor.log(LogLine {
                text: n.to_string(),
                ..LogLine::default()
            });
        }
        monitor.look_now(at(1));
        let log = monitor.so_far().log;
        assert_eq!((log.len(), &*log[0].text), (LOG_LINES, "5"));
    }
}
