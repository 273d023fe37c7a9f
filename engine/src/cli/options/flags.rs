//! The flags of `run` as clap reads them, in the groups that `--help` shows. Does not know
//! what they mean together.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::given::GivenArgs;
use super::load::LoadArgs;
use super::values::{Hidden, base_url, bound, duration, label, rate, size, tag};
use crate::threshold::Threshold;

/// All of them. None requires another through clap: that one may be in the run file.
#[derive(Clone, Debug, Args)]
pub(super) struct Flags {
    /// The scenario: a WebAssembly component or a Python script [default: aiotestfile.py
    /// or locustfile.py]
    #[arg(value_name = "FILE")]
    pub(super) file: Option<PathBuf>,

    /// Run only these user classes
    #[arg(value_name = "CLASS")]
    pub(super) classes: Vec<String>,

    /// A TOML file with these flags as keys, and more; flags of the command line win
    #[arg(short, long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,

    /// Base URL, instead of those of the user classes
    #[arg(short = 'H', long, value_name = "URL", value_parser = base_url)]
    pub(super) host: Option<String>,

    #[command(flatten)]
    pub(super) load: LoadArgs,

    #[command(flatten)]
    pub(super) course: CourseArgs,

    #[command(flatten)]
    pub(super) scenario: ScenarioArgs,

    #[command(flatten)]
    pub(super) sandbox: SandboxArgs,

    #[command(flatten)]
    pub(super) http: HttpArgs,

    #[command(flatten)]
    pub(super) results: ResultArgs,

    #[command(flatten)]
    pub(super) control: ControlArgs,

    #[command(flatten)]
    pub(super) push: PushArgs,
}

/// How the run goes beside its load.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Course of the run")]
pub(super) struct CourseArgs {
    /// Start iterations of a user this far apart, instead of the wait time of its class
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(super) pacing: Option<Duration>,

    /// Requests after which the run ends
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) max_requests: Option<u64>,

    /// How long users may take to finish when the run ends
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "30s")]
    pub(super) stop_timeout: Duration,

    /// Wait for the order to start
    #[arg(short, long)]
    pub(super) paused: bool,

    /// A condition on the results, such as 'http_req_duration: p(95)<500ms' or
    /// 'failures: rate<1% abort'; repeat for more
    #[arg(long = "threshold", alias = "thresholds", value_name = "EXPR")]
    pub(super) thresholds: Vec<Threshold>,

    /// Exit code when requests or tasks failed [default: 1; 0 with thresholds]
    #[arg(long, value_name = "CODE")]
    pub(super) exit_code_on_error: Option<u8>,

    /// Start even if the system's limits look too low
    #[arg(long)]
    pub(super) skip_preflight: bool,
}

/// What the scenario gets.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Scenario")]
pub(super) struct ScenarioArgs {
    /// Run only tasks with one of these tags
    #[arg(short = 'T', long, value_name = "TAG,…", value_delimiter = ',', value_parser = tag)]
    pub(super) tags: Vec<String>,

    /// Run no tasks with one of these tags
    #[arg(short = 'E', long, value_name = "TAG,…", value_delimiter = ',', value_parser = tag)]
    pub(super) exclude_tags: Vec<String>,

    #[command(flatten)]
    pub(super) given: GivenArgs,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Sandboxes")]
pub(super) struct SandboxArgs {
    /// Users that share a sandbox [default: what suits the machine for Python, and 1
    /// otherwise]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) users_per_sandbox: Option<u32>,

    /// Memory of each sandbox
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "64MiB")]
    pub(super) memory_limit: u64,

    /// How long a sandbox may compute without waiting before it is ended
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "1s")]
    pub(super) cpu_limit: Duration,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "HTTP")]
pub(super) struct HttpArgs {
    /// Grant the scenario another host, IP, CIDR, *.domain or * (all); repeat for more
    #[arg(long = "allow-host", alias = "allow-hosts", value_name = "HOST")]
    pub(super) allow_hosts: Vec<String>,

    /// Accept any TLS certificate
    #[arg(short = 'k', long)]
    pub(super) insecure: bool,

    /// Speak HTTP/2 to http:// hosts without asking
    #[arg(long)]
    pub(super) http2_prior_knowledge: bool,

    /// Limit for one request, unless the scenario sets one
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "30s")]
    pub(super) timeout: Duration,

    /// Largest response body
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "16MiB")]
    pub(super) max_body: u64,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Results")]
pub(super) struct ResultArgs {
    /// Write the results as JSON, for programs and for `report` and `compare`
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,

    /// Write a report with charts, one page that needs no network
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,

    /// Write PREFIX_stats.csv, …_stats_history.csv, …_failures.csv and …_exceptions.csv
    #[arg(long, value_name = "PREFIX")]
    pub(super) csv: Option<PathBuf>,

    /// Write what passed and what failed as JUnit XML, for CI systems
    #[arg(long, value_name = "FILE")]
    pub(super) junit: Option<PathBuf>,

    /// Write every request as a line of JSON; .gz and .zst are compressed
    #[arg(long, value_name = "FILE")]
    pub(super) samples: Option<PathBuf>,

    /// A word that tells this run from others, in reports and pushed metrics; repeat for more
    #[arg(long = "label", alias = "labels", value_name = "KEY=VALUE", value_parser = label)]
    pub(super) labels: Vec<(String, String)>,

    /// Distinct request names kept apart; the rest is counted as (other)
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(super) max_names: usize,

    /// Print plain lines instead of the dashboard on a terminal
    #[arg(long)]
    pub(super) no_tui: bool,

    /// Only print the summary
    #[arg(short, long, conflicts_with = "verbose")]
    pub(super) quiet: bool,

    /// Also print the scenario's debug lines
    #[arg(short, long)]
    pub(super) verbose: bool,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Metrics and control over HTTP")]
pub(super) struct ControlArgs {
    /// Serve Prometheus metrics and control on this address, for example 127.0.0.1:8089
    #[arg(long, value_name = "ADDR")]
    pub(super) prometheus: Option<SocketAddr>,

    /// Serve a dashboard for browsers on this address, beside metrics and control
    #[arg(long, value_name = "ADDR")]
    pub(super) web: Option<SocketAddr>,

    /// Upper bounds of the Prometheus histogram's buckets in seconds, rising
    #[arg(long, value_name = "S,S,…", value_delimiter = ',', value_parser = bound)]
    pub(super) prometheus_buckets: Vec<f64>,

    /// What controlling the run takes, as in `Authorization: Bearer TOKEN`; better given as
    /// environment variable AIOTEST_CONTROL_TOKEN
    #[arg(long, value_name = "TOKEN")]
    pub(super) control_token: Option<Hidden>,

    /// Serve on after the run, until told to quit
    #[arg(long)]
    pub(super) linger: bool,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Pushed metrics")]
pub(super) struct PushArgs {
    /// Push metrics to a Prometheus: the URL where it takes remote writes
    #[arg(long, value_name = "URL")]
    pub(super) remote_write: Option<Hidden>,

    /// Push metrics to an OpenTelemetry collector: its URL for OTLP over HTTP
    #[arg(long, value_name = "URL")]
    pub(super) otlp: Option<Hidden>,

    /// A header for pushing, as in 'Authorization: Bearer TOKEN', that no output shows; repeat
    /// for more
    #[arg(
        long = "push-header",
        alias = "push-headers",
        value_name = "NAME: VALUE"
    )]
    pub(super) push_headers: Vec<Hidden>,

    /// How often to push
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "5s")]
    pub(super) push_interval: Duration,
}

/// The keys of `[class.NAME]` in the run file.
#[derive(Clone, Debug, Args)]
pub(super) struct ClassArgs {
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    pub(super) weight: Option<u32>,

    #[arg(long, value_name = "URL", value_parser = base_url)]
    pub(super) host: Option<String>,

    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(super) pacing: Option<Duration>,

    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub(super) throughput: Option<f64>,
}
