//! What all sandboxes of a run share. Knows neither schedules nor outputs: log lines and
//! the wish to stop leave through channels.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::folders::Folders;
use super::host::{Member, clip};
use super::observed::Observed;
use crate::clock::RunClock;
use crate::config::Limits;
use crate::feed::Feeds;
use crate::http::Client;
use crate::itinerary::Itinerary;
use crate::metrics::Metrics;
use crate::metrics::users::UserGauges;
use crate::sample::Sink;
use crate::script::Script;
use crate::secrets::Secrets;
use crate::turnstile::Turnstile;
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
    pub(super) samples: Option<Arc<dyn Sink>>,
    pub(crate) gauges: Arc<UserGauges>,
    pub(crate) client: Client,
    pub(crate) options: BTreeMap<String, String>,
    pub(crate) secrets: Secrets,
    pub(crate) feeds: Feeds,
    pub(super) folders: Folders,
    pub(super) script: Option<Arc<Script>>,
    pub(crate) clock: RunClock,
    pub(crate) limits: Limits,
    pub(crate) classes: Vec<RunClass>,
    pub(super) observed: Observed,
    /// Epochs so far; see `Ticker`.
    pub(crate) ticks: Arc<AtomicU64>,
    live: AtomicU32,
    level: Level,
    log: mpsc::Sender<LogLine>,
    /// Since when, and how many lines more within that second.
    log_allowance: Mutex<(Instant, u32)>,
    stop: CancellationToken,
    stop_reason: Mutex<Option<String>>,
}

/// A class that runs.
pub(crate) struct RunClass {
    pub(crate) name: Arc<str>,
    pub(crate) host: Option<Arc<str>>,
    pub(crate) class: UserClass,
    pub(crate) itinerary: Itinerary,
    pub(crate) turnstile: Turnstile,
}

impl RunClass {
    fn new((class, turnstile): (UserClass, Turnstile)) -> Self {
        RunClass {
            name: Arc::from(class.name.as_str()),
            host: class.host.as_deref().map(Arc::from),
            itinerary: Itinerary::new(&class),
            class,
            turnstile,
        }
    }
}

/// What a scenario is given.
#[derive(Clone, Default)]
pub struct Given {
    /// `-e` options.
    pub options: BTreeMap<String, String>,
    /// `--secret` values.
    pub secrets: Secrets,
    /// `--data` files.
    pub feeds: Feeds,
    /// `--dir` folders.
    pub folders: Folders,
    /// The script, if it is one.
    pub script: Option<Arc<Script>>,
}

/// What [`Run::new`] takes.
pub struct RunParts {
    /// Where measurements go.
    pub metrics: Arc<Metrics>,
    /// Where each request goes as well, if anywhere.
    pub samples: Option<Arc<dyn Sink>>,
    /// Where users are counted.
    pub gauges: Arc<UserGauges>,
    /// The HTTP client.
    pub client: Client,
    /// For the scenario.
    pub given: Given,
    /// Limits of each sandbox.
    pub limits: Limits,
    /// The classes that run, and what their users go by.
    pub classes: Vec<(UserClass, Turnstile)>,
    /// The plugin's epoch counter.
    pub ticks: Arc<AtomicU64>,
    /// The least severe lines that are shown.
    pub level: Level,
}

impl Run {
    /// Ready to start. The receiver yields the scenario's log lines.
    pub fn new(parts: RunParts) -> (Arc<Self>, mpsc::Receiver<LogLine>) {
        let (log, lines) = mpsc::channel(LOG_QUEUE);
        let run = Run {
            metrics: parts.metrics,
            samples: parts.samples,
            gauges: parts.gauges,
            client: parts.client,
            options: parts.given.options,
            secrets: parts.given.secrets,
            feeds: parts.given.feeds,
            folders: parts.given.folders,
            script: parts.given.script,
            observed: Observed::default(),
            clock: RunClock::ready(),
            log_allowance: Mutex::new((Instant::now(), parts.limits.log_lines)),
            limits: parts.limits,
            classes: parts.classes.into_iter().map(RunClass::new).collect(),
            ticks: parts.ticks,
            live: AtomicU32::new(0),
            level: parts.level,
            log,
            stop: CancellationToken::new(),
            stop_reason: Mutex::new(None),
        };
        (Arc::new(run), lines)
    }

    /// Its clock.
    pub fn clock(&self) -> &RunClock {
        &self.clock
    }

    /// Time since the run started, without its pauses.
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
        let reason = self.secrets.mask(&clip(reason)).into_owned();
        self.stop_reason.lock().get_or_insert(reason);
        self.stop.cancel();
    }

    /// A step of a user failed.
    pub(super) fn count_error(&self, member: &Member, step: &str, message: &str) {
        self.metrics.task_error(&member.class, step, message);
        self.observed.user_error(member, step, message);
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
        let text = self
            .secrets
            .mask(text)
            .replace(|c: char| c.is_control() && c != '\t', "\u{fffd}");
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
        let mut allowance = self.log_allowance.lock();
        if allowance.0.elapsed() >= Duration::from_secs(1) {
            *allowance = (Instant::now(), self.limits.log_lines);
        }
        let granted = allowance.1 > 0;
        allowance.1 = allowance.1.saturating_sub(1);
        granted
    }
}
