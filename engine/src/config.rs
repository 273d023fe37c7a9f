//! A validated run, as plain data: what `cli` builds and every other module reads.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use crate::feed::FeedSource;
use crate::load_shape::Curve;
use crate::secrets::Secrets;
use crate::threshold::Threshold;

/// What a plan keeps up over time.
#[derive(Clone, Debug, PartialEq)]
pub enum Load {
    /// Closed: so many users at a time, each at its own pace.
    Users(Curve),
    /// Closed: as many users as the component's own load shape wants.
    Shape,
    /// Open: so many iterations started a second, however long they take.
    Arrivals {
        /// Iterations a second.
        rate: Curve,
        /// Users that are started beforehand.
        users: u32,
        /// How long an iteration may wait for a free user before it is dropped.
        patience: Duration,
    },
}

impl Load {
    /// How long it takes; nothing for one that does not end by itself.
    pub fn duration(&self) -> Option<Duration> {
        match self {
            Load::Users(curve) | Load::Arrivals { rate: curve, .. } => curve.duration(),
            Load::Shape => None,
        }
    }
}

/// The load of some user classes.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Unique in the run.
    pub name: String,
    /// Names of its classes; all with a weight when empty.
    pub classes: Vec<String>,
    /// Time of the run at which it begins.
    pub start: Duration,
    /// When it ends, counted from its start; absent for those that end themselves, and
    /// for runs until Ctrl-C.
    pub run_time: Option<Duration>,
    /// The load.
    pub load: Load,
    /// The most users it may have at a time.
    pub max_users: u32,
    /// Users started or stopped a second; infinite means at once.
    pub spawn_rate: f64,
    /// Iterations after which a user has nothing left to do.
    pub iterations: Option<u64>,
    /// Iterations after which all of its users have nothing left to do.
    pub shared_iterations: Option<u64>,
}

/// What a run changes of a class.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClassSettings {
    /// Its weight.
    pub weight: Option<u32>,
    /// Its base URL.
    pub host: Option<String>,
    /// Iterations start this far apart, instead of its wait time.
    pub pacing: Option<Duration>,
    /// Iterations of all its users a second, at most.
    pub throughput: Option<f64>,
}

/// What one sandbox may use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Linear memory in bytes.
    pub memory: usize,
    /// Computing without a wait, before the sandbox is ended.
    pub cpu: Duration,
    /// Elements of each table.
    pub table_elements: usize,
    /// Log lines a second, over all sandboxes of the run.
    pub log_lines: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            memory: 64 << 20,
            cpu: Duration::from_secs(1),
            table_elements: 20_000,
            log_lines: 100,
        }
    }
}

/// What the scenario's HTTP sessions may do and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Http {
    /// Addresses granted beside the run's own hosts.
    pub allow_hosts: Vec<String>,
    /// Accept any certificate.
    pub insecure: bool,
    /// Speak HTTP/2 without TLS.
    pub http2_prior_knowledge: bool,
    /// Largest response body in bytes.
    pub max_body: u64,
    /// Limit of one exchange unless the scenario sets one.
    pub timeout: Duration,
}

/// A folder that the scenario may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What the scenario calls it.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

/// Where measurements are pushed while the run goes on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Push {
    /// Where a Prometheus takes remote writes.
    pub remote_write: Option<Url>,
    /// Where an OpenTelemetry collector takes metrics over HTTP.
    pub otlp: Option<Url>,
    /// Headers of these requests: names and values, which no output shows.
    pub headers: Vec<(String, String)>,
    /// How far apart.
    pub interval: Duration,
}

/// Where results go.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outputs {
    /// Address of the HTTP endpoint: metrics and control.
    pub prometheus: Option<SocketAddr>,
    /// The same with pages for people.
    pub web: Option<SocketAddr>,
    /// What controlling the run over HTTP takes.
    pub control_token: Option<String>,
    /// Serve on after the run, until told to quit.
    pub linger: bool,
    /// Upper bounds of its histogram buckets in seconds; empty for the defaults.
    pub buckets: Vec<f64>,
    /// File of the JSON document.
    pub json: Option<PathBuf>,
    /// File of the HTML report.
    pub html: Option<PathBuf>,
    /// What the names of the CSV files begin with.
    pub csv: Option<PathBuf>,
    /// File for CI systems.
    pub junit: Option<PathBuf>,
    /// File of all requests.
    pub samples: Option<PathBuf>,
    /// Where measurements are pushed.
    pub push: Push,
    /// Words that tell this run from others.
    pub labels: BTreeMap<String, String>,
    /// Plain lines instead of the dashboard on a terminal.
    pub no_tui: bool,
    /// Only the summary.
    pub quiet: bool,
    /// Also the scenario's debug lines.
    pub verbose: bool,
}

/// One run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunConfig {
    /// The component or script.
    pub file: PathBuf,
    /// Names of the classes to run; all with a weight when empty. With plans of their own
    /// it is empty.
    pub classes: Vec<String>,
    /// Where classes were named, other than on the command line, for messages.
    pub class_places: BTreeMap<String, String>,
    /// What becomes of single classes, by name.
    pub class_settings: BTreeMap<String, ClassSettings>,
    /// Replaces the classes' hosts.
    pub host: Option<String>,
    /// Only tasks with one of these tags, when there are any.
    pub tags: Vec<String>,
    /// No tasks with one of these tags.
    pub exclude_tags: Vec<String>,
    /// At least one.
    pub plans: Vec<Plan>,
    /// Replaces the wait time of all classes: iterations start this far apart.
    pub pacing: Option<Duration>,
    /// Requests after which the run ends.
    pub max_requests: Option<u64>,
    /// Wait for the order to start.
    pub paused: bool,
    /// How long users may take to finish once they are asked to stop.
    pub stop_timeout: Duration,
    /// `-e` options for the scenario.
    pub options: BTreeMap<String, String>,
    /// `--secret` values for the scenario.
    pub secrets: Secrets,
    /// `--data` files for the scenario.
    pub data: Vec<FeedSource>,
    /// `--dir` folders for the scenario.
    pub folders: Vec<Grant>,
    /// Conditions on the results, beside those of the scenario.
    pub thresholds: Vec<Threshold>,
    /// Users that share a sandbox, if that was asked for.
    pub users_per_sandbox: Option<u32>,
    /// Limits of each sandbox.
    pub limits: Limits,
    /// Distinct request names in the results.
    pub max_names: usize,
    /// HTTP settings.
    pub http: Http,
    /// Results.
    pub outputs: Outputs,
    /// Start even if the system's limits look too low.
    pub skip_preflight: bool,
    /// Exit code when requests or tasks failed. Unless it is given, that is no error of a
    /// run with thresholds: they judge.
    pub exit_code_on_error: Option<u8>,
}

impl RunConfig {
    /// The most users alive at a time.
    pub fn max_users(&self) -> u32 {
        self.plans
            .iter()
            .fold(0, |sum, plan| sum.saturating_add(plan.max_users))
    }
}
