//! A validated run, as plain data: what `cli` builds and every other module reads.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::load_shape::Stage;

/// How many users there shall be over time.
#[derive(Clone, Debug, PartialEq)]
pub enum Load {
    /// A fixed number, reached at the spawn rate.
    Constant {
        /// Users.
        users: u32,
    },
    /// Linear ramps from stage to stage, beginning at 0 users.
    Stages(Vec<Stage>),
    /// The component's own load shape.
    Shape {
        /// The most users it may ask for; the sandboxes are sized for it.
        max_users: u32,
    },
}

impl Load {
    /// The most users alive at a time.
    pub fn peak_users(&self) -> u32 {
        match self {
            Load::Constant { users } => *users,
            Load::Stages(stages) => stages.iter().map(|s| s.users).max().unwrap_or(0),
            Load::Shape { max_users } => *max_users,
        }
    }
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

/// Where results go.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outputs {
    /// Address of the `/metrics` endpoint.
    pub prometheus: Option<SocketAddr>,
    /// Upper bounds of its histogram buckets in seconds; empty for the defaults.
    pub buckets: Vec<f64>,
    /// File of the JSON summary.
    pub json: Option<PathBuf>,
    /// Only the summary.
    pub quiet: bool,
    /// Also the scenario's debug lines.
    pub verbose: bool,
}

/// One run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunConfig {
    /// The component.
    pub file: PathBuf,
    /// Names of the classes to run; all with a weight when empty.
    pub classes: Vec<String>,
    /// Replaces the classes' hosts.
    pub host: Option<String>,
    /// The load.
    pub load: Load,
    /// Users started or stopped a second; infinite means at once.
    pub spawn_rate: f64,
    /// When the run ends; absent for stages and shapes, which end themselves, and for
    /// runs until Ctrl-C.
    pub run_time: Option<Duration>,
    /// How long users may take to finish once they are asked to stop.
    pub stop_timeout: Duration,
    /// `-e` options for the scenario.
    pub options: BTreeMap<String, String>,
    /// Users that share a sandbox.
    pub users_per_sandbox: u32,
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
    /// Exit code when requests or tasks failed.
    pub exit_code_on_error: u8,
}
