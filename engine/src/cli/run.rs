//! `aiotest-engine run`: puts a run together, watches it, and prints and writes what came
//! of it.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context, Result};
use tokio::sync::mpsc;

use super::exit;
use super::options::{RunArgs, check_base_url};
use crate::config::RunConfig;
use crate::control::{Endpoint, Sources};
use crate::http::{Client, ClientConfig, Egress};
use crate::metrics::users::UserGauges;
use crate::metrics::{self, Metrics};
use crate::output::summary::{Style, summary};
use crate::output::terminal::{Progress, ProgressLine, print, print_error};
use crate::output::{RunSummary, file, json};
use crate::preflight::{self, Needs};
use crate::runner::{self, Event, Outcome};
use crate::user_class::{self, UserClass};
use crate::wasm::component::Convention;
use crate::wasm::plugin::{Plugin, PoolSize, Source};
use crate::wasm::run::{Level, LogLine, Run, RunParts};

/// Distinct error texts kept apart.
const MAX_ERRORS: usize = 500;

pub(super) fn run(args: RunArgs) -> Result<u8> {
    let source = Source::read(&args.file)?;
    let config = args.validate(source.outline())?;
    preflight(&config, &source)?;
    let runtime = super::runtime()?;
    runtime.block_on(conduct(&config, source))
}

/// Compares what the run needs with what the system allows.
fn preflight(config: &RunConfig, source: &Source) -> Result<()> {
    let limits = preflight::raise_and_read();
    if config.skip_preflight {
        return Ok(());
    }
    let users = u64::from(config.load.peak_users());
    // `send` is in either; without them a scenario cannot connect.
    let sends = |import: &String| {
        ["aiotest:engine/io@", "aiotest:engine/blocking-io@"]
            .iter()
            .any(|io| import.starts_with(io))
    };
    let connects = source.outline().imports.iter().any(sends);
    let needs = Needs {
        sandboxes: users.div_ceil(u64::from(config.users_per_sandbox)),
        connections: if connects { users } else { 0 },
    };
    let packable = (source.outline().convention == Convention::Async).then_some(users);
    Ok(preflight::check(needs, limits, packable)?)
}

async fn conduct(config: &RunConfig, source: Source) -> Result<u8> {
    let size = PoolSize {
        sandboxes: config.load.peak_users().div_ceil(config.users_per_sandbox),
        memory: config.limits.memory,
        table_elements: config.limits.table_elements,
    };
    let plugin = Arc::new(Plugin::load(source, size)?);
    let classes = choose_classes(config, &plugin).await?;
    let host = classes.first().and_then(|c| c.host.clone());
    let metrics = Arc::new(Metrics::new(metrics::Limits {
        max_names: config.max_names,
        max_errors: MAX_ERRORS,
    }));
    let gauges = UserGauges::new(classes.iter().map(|class| class.name.clone()));
    let endpoint = match config.outputs.prometheus {
        None => None,
        Some(address) => {
            let sources = Sources {
                metrics: metrics.clone(),
                gauges: gauges.clone(),
                buckets: config.outputs.buckets.clone(),
            };
            Some(Endpoint::start(address, sources).await?)
        }
    };
    let (run, log) = Run::new(RunParts {
        metrics: metrics.clone(),
        gauges: gauges.clone(),
        client: client(config, &classes)?,
        options: config.options.clone(),
        limits: config.limits,
        classes,
        ticks: plugin.ticks(),
        level: if config.outputs.verbose {
            Level::Debug
        } else {
            Level::Info
        },
    });
    let started = SystemTime::now();
    let outcome = watch(&plugin, &run, config, log, endpoint.as_ref()).await;
    let snapshot = metrics.snapshot();
    let report = RunSummary {
        component: config.file.display().to_string(),
        host,
        started,
        duration: outcome.elapsed,
        end_reason: outcome.reason.to_string(),
        exit_code: exit::of_run(&outcome.reason, &snapshot, config.exit_code_on_error),
        saturated: outcome.saturated,
        users: gauges.snapshot(),
        snapshot,
    };
    print(&summary(&report, style()));
    if let Some(path) = &config.outputs.json {
        file::write(path, &json::render(&report))?;
    }
    Ok(report.exit_code)
}

/// Asks the component for its classes and applies the command line to them.
async fn choose_classes(config: &RunConfig, plugin: &Plugin) -> Result<Vec<UserClass>> {
    let manifest = plugin
        .describe(&super::unattended(config.limits, plugin)?)
        .await?;
    let mut classes = user_class::select(manifest.classes, &config.classes)?;
    for class in &mut classes {
        if config.host.is_some() {
            class.host.clone_from(&config.host);
        }
        if let Some(host) = &class.host {
            check_base_url(host)
                .map_err(anyhow::Error::msg)
                .with_context(|| format!("host '{host}' of user class '{}'", class.name))?;
        }
    }
    Ok(classes)
}

/// A client that reaches the run's own hosts and what the command line grants.
fn client(config: &RunConfig, classes: &[UserClass]) -> Result<Client> {
    let own = classes
        .iter()
        .filter_map(|class| authority(class.host.as_deref()?));
    let granted: Vec<String> = own.chain(config.http.allow_hosts.iter().cloned()).collect();
    let egress = Egress::new(granted.iter().map(String::as_str)).context("--allow-host")?;
    Ok(Client::new(ClientConfig {
        insecure: config.http.insecure,
        http2_prior_knowledge: config.http.http2_prior_knowledge,
        egress,
        max_body: config.http.max_body,
        timeout: config.http.timeout,
        ..ClientConfig::default()
    })?)
}

/// `host:port` of a URL, as grants are written.
fn authority(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    Some(format!(
        "{}:{}",
        url.host_str()?,
        url.port_or_known_default()?
    ))
}

async fn watch(
    plugin: &Arc<Plugin>,
    run: &Arc<Run>,
    config: &RunConfig,
    log: mpsc::Receiver<LogLine>,
    endpoint: Option<&Endpoint>,
) -> Outcome {
    let total = runner::planned_duration(config);
    let progress = Progress::start(total, !config.outputs.quiet);
    if let Some(endpoint) = endpoint
        && !config.outputs.quiet
    {
        progress.println(&format!("metrics at http://{}/metrics", endpoint.address()));
    }
    let quiet = config.outputs.quiet;
    let mut show = |event: Event| match event {
        Event::Notice(text) => progress.println(&format!("aiotest-engine: {text}")),
        Event::Progress(_) | Event::Log(_) if quiet => {}
        Event::Log(line) => progress.println(&log_line(&line)),
        Event::Progress(state) => progress.update(&ProgressLine {
            elapsed: state.elapsed,
            total,
            users: state.users,
            target: u64::from(state.target),
            ..ProgressLine::of_window(&state.window, state.span)
        }),
    };
    let outcome = runner::run(plugin, run, config, log, &mut show).await;
    progress.finish();
    outcome
}

fn log_line(line: &LogLine) -> String {
    let mark = match line.level {
        Level::Debug | Level::Info => "",
        Level::Warn => "warning: ",
        Level::Error => "error: ",
    };
    format!("[{}] {mark}{}", line.class, line.text)
}

fn style() -> Style {
    let tty = std::io::stdout().is_terminal();
    let width = match rustix::termios::tcgetwinsize(std::io::stdout()) {
        Ok(size) if tty && size.ws_col > 0 => size.ws_col,
        _ => 140,
    };
    Style {
        width,
        colour: tty && std::env::var_os("NO_COLOR").is_none(),
    }
}

/// An error on standard error, as every command reports it.
pub(super) fn complain(error: &anyhow::Error) {
    print_error(&format!("aiotest-engine: {error:#}"));
}
