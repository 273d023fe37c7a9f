//! What all sandboxes of a run share. Knows neither schedules nor outputs: log lines and
//! the wish to stop leave through channels.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::host::clip;
use crate::clock::RunClock;
use crate::config::Limits;
use crate::http::Client;
use crate::metrics::Metrics;
use crate::metrics::users::UserGauges;
use crate::user_class::UserClass;

/// Severity of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Shown with `-v` only.
    Debug,
    /// Shown.
    Info,
    /// Shown, marked.
    Warn,
    /// Shown, marked.
    Error,
}

/// A line that a scenario wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Severity.
    pub level: Level,
    /// Class of the user that wrote it.
    pub class: Arc<str>,
    /// One line without control characters.
    pub text: String,
}

/// Lines that may wait for the terminal.
const LOG_QUEUE: usize = 256;

/// What all sandboxes of a run share.
pub struct Run {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) gauges: Arc<UserGauges>,
    pub(crate) client: Client,
    pub(crate) options: BTreeMap<String, String>,
    pub(crate) clock: RunClock,
    pub(crate) limits: Limits,
    pub(crate) classes: Vec<UserClass>,
    /// Epochs so far; see `Ticker`.
    pub(crate) ticks: Arc<AtomicU64>,
    live: AtomicU32,
    level: Level,
    log: mpsc::Sender<LogLine>,
    log_allowance: Mutex<(Duration, u32)>,
    stop: CancellationToken,
    stop_reason: Mutex<Option<String>>,
}

/// What [`Run::new`] takes.
pub struct RunParts {
    /// Where measurements go.
    pub metrics: Arc<Metrics>,
    /// Where users are counted.
    pub gauges: Arc<UserGauges>,
    /// The HTTP client.
    pub client: Client,
    /// `-e` options.
    pub options: BTreeMap<String, String>,
    /// Limits of each sandbox.
    pub limits: Limits,
    /// The classes that run.
    pub classes: Vec<UserClass>,
    /// The plugin's epoch counter.
    pub ticks: Arc<AtomicU64>,
    /// The least severe lines that are shown.
    pub level: Level,
}

impl Run {
    /// Starts the clock. The receiver yields the scenario's log lines.
    pub fn new(parts: RunParts) -> (Arc<Self>, mpsc::Receiver<LogLine>) {
        let (log, lines) = mpsc::channel(LOG_QUEUE);
        let run = Run {
            metrics: parts.metrics,
            gauges: parts.gauges,
            client: parts.client,
            options: parts.options,
            clock: RunClock::start(),
            log_allowance: Mutex::new((Duration::ZERO, parts.limits.log_lines)),
            limits: parts.limits,
            classes: parts.classes,
            ticks: parts.ticks,
            live: AtomicU32::new(0),
            level: parts.level,
            log,
            stop: CancellationToken::new(),
            stop_reason: Mutex::new(None),
        };
        (Arc::new(run), lines)
    }

    /// Time since the run started.
    pub fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// Resolves when the scenario asked for the end of the run, with its reason.
    pub async fn stop_requested(&self) -> String {
        self.stop.cancelled().await;
        self.stop_reason.lock().clone().unwrap_or_default()
    }

    /// The scenario asks for the end of the run; the first reason counts.
    pub(crate) fn request_stop(&self, reason: String) {
        self.stop_reason.lock().get_or_insert(clip(reason));
        self.stop.cancel();
    }

    /// Tells how many users live.
    pub fn set_live_users(&self, users: u32) {
        self.live.store(users, Ordering::Relaxed);
    }

    pub(crate) fn live_users(&self) -> u32 {
        self.live.load(Ordering::Relaxed)
    }

    /// Passes a line on, or counts it as dropped when there are too many.
    pub(crate) fn log(&self, level: Level, class: &Arc<str>, text: &str) {
        if level < self.level || text.is_empty() {
            return;
        }
        let text = text.replace(|c: char| c.is_control() && c != '\t', "\u{fffd}");
        let line = LogLine {
            level,
            class: class.clone(),
            text,
        };
        if !self.may_log() || self.log.try_send(line).is_err() {
            self.metrics.log_dropped(1);
        }
    }

    fn may_log(&self) -> bool {
        let now = self.clock.elapsed();
        let mut allowance = self.log_allowance.lock();
        if now.saturating_sub(allowance.0) >= Duration::from_secs(1) {
            *allowance = (now, self.limits.log_lines);
        }
        let granted = allowance.1 > 0;
        allowance.1 = allowance.1.saturating_sub(1);
        granted
    }
}
