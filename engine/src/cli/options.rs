//! The flags of `run`, and what they mean together.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::config::{Http, Limits, Load, Outputs, RunConfig};
use crate::load_shape::{Stage, parse_duration};
use crate::wasm::component::{Convention, Outline};

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// The scenario: a WebAssembly component
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,

    /// Run only these user classes
    #[arg(value_name = "CLASS")]
    classes: Vec<String>,

    /// Base URL, instead of those of the user classes
    #[arg(short = 'H', long, value_name = "URL", value_parser = base_url)]
    host: Option<String>,

    /// Users [default: the scenario's load shape, or 1]
    #[arg(short, long, value_name = "N", conflicts_with = "stages")]
    users: Option<u32>,

    /// Users started or stopped per second [default: all at once]
    #[arg(short = 'r', long, value_name = "RATE", value_parser = rate)]
    spawn_rate: Option<f64>,

    /// How long to run: 90, 30s, 5m, 1h30m [default: until the load is over or Ctrl-C]
    #[arg(short = 't', long, value_name = "TIME", value_parser = duration)]
    run_time: Option<Duration>,

    /// Ramp linearly to USERS over DURATION; repeat for further stages
    #[arg(short, long = "stage", value_name = "DURATION:USERS")]
    stages: Vec<Stage>,

    /// How long users may take to finish when the run ends
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "30s")]
    stop_timeout: Duration,

    /// The most users a load shape may ask for
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    max_users: u32,

    /// An option for the scenario; repeat for more
    #[arg(short = 'e', long = "env", value_name = "KEY=VALUE", value_parser = key_value)]
    options: Vec<(String, String)>,

    /// Users that share a sandbox (async convention only)
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    users_per_sandbox: u32,

    /// Memory of each sandbox
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "64MiB")]
    memory_limit: u64,

    /// How long a sandbox may compute without waiting before it is ended
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "1s")]
    cpu_limit: Duration,

    /// Grant the scenario another host, IP, CIDR, *.domain or * (all); repeat for more
    #[arg(long = "allow-host", value_name = "HOST")]
    allow_hosts: Vec<String>,

    /// Accept any TLS certificate
    #[arg(short = 'k', long)]
    insecure: bool,

    /// Speak HTTP/2 to http:// hosts without asking
    #[arg(long)]
    http2_prior_knowledge: bool,

    /// Limit for one request, unless the scenario sets one
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "30s")]
    timeout: Duration,

    /// Largest response body
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "16MiB")]
    max_body: u64,

    /// Serve Prometheus metrics on this address, for example 127.0.0.1:8089
    #[arg(long, value_name = "ADDR")]
    prometheus: Option<SocketAddr>,

    /// Upper bounds of the Prometheus histogram's buckets in seconds, rising
    #[arg(
        long,
        value_name = "S,S,…",
        value_delimiter = ',',
        requires = "prometheus"
    )]
    prometheus_buckets: Vec<f64>,

    /// Write the results as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Distinct request names kept apart; the rest is counted as (other)
    #[arg(long, value_name = "N", default_value_t = 1000)]
    max_names: usize,

    /// Exit code when requests or tasks failed
    #[arg(long, value_name = "CODE", default_value_t = 1)]
    exit_code_on_error: u8,

    /// Start even if the system's limits look too low
    #[arg(long)]
    skip_preflight: bool,

    /// Only print the summary
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,

    /// Also print the scenario's debug lines
    #[arg(short, long)]
    verbose: bool,
}

impl RunArgs {
    /// What the flags mean for this component.
    pub(super) fn validate(self, outline: &Outline) -> Result<RunConfig> {
        if self.users_per_sandbox > 1 && outline.convention == Convention::Blocking {
            bail!(
                "--users-per-sandbox {}: the component uses the blocking convention, which has \
                 one user a sandbox; build it with the SDK's `concurrent` feature",
                self.users_per_sandbox
            );
        }
        if self
            .prometheus_buckets
            .windows(2)
            .any(|pair| pair[0] >= pair[1])
            || self
                .prometheus_buckets
                .iter()
                .any(|b| !b.is_finite() || *b <= 0.0)
        {
            bail!("--prometheus-buckets must be above 0 and rising");
        }
        if self.memory_limit > 4 << 30 {
            bail!("--memory-limit: a sandbox has 4GiB at most");
        }
        if self.memory_limit < 64 << 10 {
            bail!("--memory-limit: a sandbox needs 64KiB at least, and usually 2MiB");
        }
        let load = if !self.stages.is_empty() {
            Load::Stages(self.stages)
        } else if let Some(users) = self.users {
            Load::Constant { users }
        } else if outline.shape {
            Load::Shape {
                max_users: self.max_users,
            }
        } else {
            Load::Constant { users: 1 }
        };
        if load.peak_users() == 0 {
            bail!("0 users do nothing; give --users or --stage at least one");
        }
        Ok(RunConfig {
            file: self.file,
            classes: self.classes,
            host: self.host,
            load,
            spawn_rate: self.spawn_rate.unwrap_or(f64::INFINITY),
            run_time: self.run_time,
            stop_timeout: self.stop_timeout,
            options: self.options.into_iter().collect::<BTreeMap<_, _>>(),
            users_per_sandbox: self.users_per_sandbox,
            limits: Limits {
                memory: usize::try_from(self.memory_limit).context("--memory-limit")?,
                cpu: self.cpu_limit,
                ..Limits::default()
            },
            max_names: self.max_names,
            http: Http {
                allow_hosts: self.allow_hosts,
                insecure: self.insecure,
                http2_prior_knowledge: self.http2_prior_knowledge,
                max_body: self.max_body,
                timeout: self.timeout,
            },
            outputs: Outputs {
                prometheus: self.prometheus,
                buckets: self.prometheus_buckets,
                json: self.json,
                quiet: self.quiet,
                verbose: self.verbose,
            },
            skip_preflight: self.skip_preflight,
            exit_code_on_error: self.exit_code_on_error,
        })
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text)
        .filter(|time| !time.is_zero())
        .ok_or_else(|| "not a duration above 0, for example 30s, 5m or 1h30m".into())
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate.is_finite() => Ok(rate),
        _ => Err("not a number above 0".into()),
    }
}

/// Reads a size as people write it: `4096`, `64MiB`, `64M`, `1.5GB`.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let split = text
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kib" => 1024.0,
        "m" | "mib" => 1024.0 * 1024.0,
        "g" | "gib" => 1024.0 * 1024.0 * 1024.0,
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        _ => return Err(format!("unknown unit '{unit}'; use KiB, MiB or GiB")),
    };
    match number.trim().parse::<f64>() {
        Ok(number) if number > 0.0 && number * factor < 1e18 => Ok((number * factor) as u64),
        _ => Err("not a size above 0, for example 64MiB".into()),
    }
}

fn base_url(text: &str) -> Result<String, String> {
    check_base_url(text).map(|()| text.to_owned())
}

/// Whether a text can be the base URL of sessions.
pub(super) fn check_base_url(text: &str) -> Result<(), String> {
    let url = url::Url::parse(text)
        .map_err(|e| format!("not a URL such as http://127.0.0.1:8080 ({e})"))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(()),
        _ => Err("begins with neither http:// nor https://".into()),
    }
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("not KEY=VALUE".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        run: RunArgs,
    }

    fn outline(convention: Convention, shape: bool) -> Outline {
        Outline {
            convention,
            shape,
            hooks: false,
            imports: Vec::new(),
            memory: 0,
            table: 0,
        }
    }

    fn parse(words: &str, outline: &Outline) -> Result<RunConfig> {
        Line::try_parse_from(format!("run {words}").split(' '))?
            .run
            .validate(outline)
    }

    #[test]
    fn the_load_comes_from_the_flags_before_the_shape() {
        let shaped = outline(Convention::Blocking, true);
        let load = |words: &str, o: &Outline| parse(words, o).unwrap().load;
        assert_eq!(load("a.wasm", &shaped), Load::Shape { max_users: 10_000 });
        assert_eq!(load("a.wasm -u 5", &shaped), Load::Constant { users: 5 });
        assert_eq!(
            load("a.wasm", &outline(Convention::Async, false)),
            Load::Constant { users: 1 }
        );
        assert_eq!(load("a.wasm -s 1s:5 -s 2s:9", &shaped).peak_users(), 9);
    }

    #[test]
    fn bad_flags_are_refused() {
        let blocking = outline(Convention::Blocking, false);
        for bad in [
            "a.wasm -u 0",
            "a.wasm -u x",
            "a.wasm -u 1 -s 1s:1",
            "a.wasm -r 0",
            "a.wasm -r nan",
            "a.wasm -t 0",
            "a.wasm -t soon",
            "a.wasm -s 5",
            "a.wasm -H localhost:8080",
            "a.wasm -H ftp://localhost",
            "a.wasm -e novalue",
            "a.wasm --users-per-sandbox 0",
            "a.wasm --users-per-sandbox 2",
            "a.wasm --memory-limit 5GiB",
            "a.wasm --memory-limit 1",
            "a.wasm --memory-limit 1x",
            "a.wasm --prometheus nowhere",
            "a.wasm --prometheus 127.0.0.1:1 --prometheus-buckets 2,1",
            "a.wasm --prometheus-buckets 1,2",
            "a.wasm -q -v",
            "",
        ] {
            assert!(parse(bad, &blocking).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_read_as_people_write_them() {
        assert_eq!(size("4096"), Ok(4096));
        assert_eq!(size("64MiB"), Ok(64 << 20));
        assert_eq!(size("1.5 GB"), Ok(1_500_000_000));
        assert_eq!(size("2k"), Ok(2048));
        assert!(size("").is_err() && size("-1").is_err() && size("9e99").is_err());
    }
}
