//! `aiotest-engine run`: puts a run together, watches it, and prints and writes what came
//! of it.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context, Result};
use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::exit;
use super::keys::Keys;
use super::options::{RunArgs, check_base_url};
use super::quarters::{self, Quarters};
use crate::config::RunConfig;
use crate::control::{Access, Endpoint, Sources};
use crate::feed::Feeds;
use crate::http::{Client, ClientConfig, Egress};
use crate::metrics::users::UserGauges;
use crate::metrics::{self, Metrics, Snapshot};
use crate::output::summary::{Style, summary};
use crate::output::terminal::{Progress, ProgressLine, print, print_error};
use crate::output::{RunSummary, file, json};
use crate::packing::Packing;
use crate::plan;
use crate::runner::{self, Event, Outcome, Parts, Rest};
use crate::steering::{Helm, steering};
use crate::threshold::{Threshold, Verdict};
use crate::user_class::{self, UserClass};
use crate::wasm::folders::Folders;
use crate::wasm::plugin::{Manifest, Plugin, PluginError};
use crate::wasm::run::{Given, Level, LogLine, Run, RunParts};
use crate::wasm::source::Source;

/// Distinct error texts kept apart.
const MAX_ERRORS: usize = 500;

pub(super) fn run(args: RunArgs) -> Result<u8> {
    let source = args.open()?;
    let mut config = args.validate(source.outline())?;
    let given = Given {
        options: config.options.clone(),
        secrets: config.secrets.clone(),
        feeds: Feeds::read(&config.data)?,
        folders: Folders::open(&config.folders)?,
        script: source.script().cloned(),
    };
    let runtime = super::runtime()?;
    let manifest = runtime.block_on(describe(&source, &config, given.clone()))?;
    // An interpreter exports a load shape, whether its script has one or not.
    config.plans = args.plans(manifest.shaped)?;
    let classes = choose_classes(&config, manifest.classes)?;
    let quarters = Quarters::new(&config, source.outline(), &classes);
    quarters.check(&config)?;
    let words = quarters.words(&config);
    let config = quarters.extend(config);
    let scenario = Scenario {
        plugin: Plugin::load(&source, quarters.pool(&config))?,
        given,
        thresholds: [manifest.thresholds, config.thresholds.clone()].concat(),
        classes,
        packing: quarters.packing,
        words,
    };
    runtime.block_on(conduct(&config, scenario))
}

/// A scenario that has described itself, ready to run.
struct Scenario {
    plugin: Plugin,
    given: Given,
    thresholds: Vec<Threshold>,
    /// Those that run.
    classes: Vec<UserClass>,
    packing: Packing,
    /// What there is to say about that.
    words: Option<String>,
}

/// What the component says of itself, in an engine that has no room for anybody: how much
/// the run takes depends on it.
async fn describe(source: &Source, config: &RunConfig, given: Given) -> Result<Manifest> {
    let plugin = Plugin::load(source, quarters::pool(config, 1))?;
    let run = super::unattended(config.limits, &plugin, given)?;
    Ok(plugin.describe(&run).await?)
}

async fn conduct(config: &RunConfig, scenario: Scenario) -> Result<u8> {
    let Scenario {
        plugin,
        given,
        thresholds,
        classes,
        packing,
        words,
    } = scenario;
    let plugin = Arc::new(plugin);
    let host = classes.first().and_then(|c| c.host.clone());
    let (plans, turnstiles) = plan::assign(&config.plans, &classes)?;
    let metrics = Arc::new(Metrics::new(metrics::Limits {
        max_names: config.max_names,
        max_errors: MAX_ERRORS,
    }));
    let gauges = UserGauges::new(classes.iter().map(|class| class.name.clone()));
    let board = Arc::new(Mutex::new(Vec::new()));
    let (helm, wheel) = steering();
    let endpoint = match config.outputs.prometheus {
        None => None,
        Some(address) => {
            let sources = Sources {
                metrics: metrics.clone(),
                gauges: gauges.clone(),
                buckets: config.outputs.buckets.clone(),
                thresholds: board.clone(),
                secrets: config.secrets.clone(),
            };
            let access = Access {
                token: config.outputs.control_token.clone(),
            };
            Some(Endpoint::start(address, sources, helm.clone(), access).await?)
        }
    };
    let (run, log) = Run::new(RunParts {
        metrics: metrics.clone(),
        gauges: gauges.clone(),
        client: client(config, &classes)?,
        given,
        limits: config.limits,
        classes: classes.into_iter().zip(turnstiles).collect(),
        ticks: plugin.ticks(),
        level: if config.outputs.verbose {
            Level::Debug
        } else {
            Level::Info
        },
    });
    let parts = Parts {
        plugin,
        run,
        packing,
        plans,
        thresholds: thresholds.clone(),
        board: board.clone(),
        wheel,
    };
    let started = SystemTime::now();
    let (outcome, rest) = watch(parts, config, words, log, &helm, endpoint.as_ref()).await;
    let snapshot = metrics.snapshot().masked(&config.secrets);
    let verdicts = judge(&thresholds, &snapshot, &outcome);
    board.lock().clone_from(&verdicts);
    let report = RunSummary {
        component: config.file.display().to_string(),
        host,
        started,
        duration: outcome.elapsed,
        paused: outcome.paused,
        end_reason: config
            .secrets
            .mask(&outcome.reason.to_string())
            .into_owned(),
        exit_code: exit::of_run(
            &outcome.reason,
            &snapshot,
            &verdicts,
            config.exit_code_on_error,
        ),
        saturated: outcome.saturated,
        users: gauges.snapshot(),
        users_ended: outcome.users_ended,
        thresholds: verdicts,
        snapshot,
    };
    print(&summary(&report, style()));
    let written = match &config.outputs.json {
        Some(path) => file::write(path, json::render(&report)),
        None => Ok(()),
    };
    if let Some(endpoint) = endpoint {
        if config.outputs.linger && !outcome.quit {
            rest.linger().await;
        } else {
            // Whoever gives orders now is told that the run is over.
            drop(rest);
        }
        endpoint.finish().await;
    }
    written?;
    Ok(report.exit_code)
}

/// How the thresholds stand at the end.
fn judge(thresholds: &[Threshold], snapshot: &Snapshot, outcome: &Outcome) -> Vec<Verdict> {
    let judged = thresholds.iter().enumerate();
    judged
        .map(|(at, threshold)| Verdict {
            aborted: outcome.crossed == Some(at),
            ..threshold.evaluate(snapshot, outcome.elapsed)
        })
        .collect()
}

/// Applies the run's settings to the component's classes.
fn choose_classes(config: &RunConfig, all: Vec<UserClass>) -> Result<Vec<UserClass>> {
    let planned = config.plans.iter().flat_map(|plan| &plan.classes);
    let settings = config.class_settings.keys();
    for name in config.classes.iter().chain(planned.clone()).chain(settings) {
        let found = user_class::find(&all, name);
        match config.class_places.get(name) {
            Some(place) => found.with_context(|| place.clone())?,
            None => found?,
        };
    }
    let named: Vec<String> = match config.classes.is_empty() {
        true => planned.cloned().collect(),
        false => config.classes.clone(),
    };
    let mut all = all;
    for class in &mut all {
        if let Some(weight) = config
            .class_settings
            .get(&class.name)
            .and_then(|s| s.weight)
        {
            class.weight = weight;
        }
    }
    let mut classes = user_class::select(all, &named)?;
    for class in &mut classes {
        let settings = config.class_settings.get(&class.name);
        let host = settings.and_then(|settings| settings.host.as_ref());
        if let Some(host) = host.or(config.host.as_ref()) {
            class.host = Some(host.clone());
        }
        class.pacing = settings
            .and_then(|settings| settings.pacing)
            .or(config.pacing);
        class.throughput = settings
            .and_then(|settings| settings.throughput)
            .or(class.throughput);
        if class.host.as_deref() == Some("") {
            // Absolute URLs do without one.
            if config.http.allow_hosts.is_empty() {
                return Err(user_class::InvalidClass::NoHost(class.name.clone()).into());
            }
            class.host = None;
        }
        if let Some(host) = &class.host {
            check_base_url(host)
                .map_err(anyhow::Error::msg)
                .with_context(|| format!("host '{host}' of user class '{}'", class.name))?;
        }
    }
    Ok(user_class::keep_tagged(
        classes,
        &config.tags,
        &config.exclude_tags,
    )?)
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
        max_requests: config.max_requests,
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
    parts: Parts,
    config: &RunConfig,
    words: Option<String>,
    log: mpsc::Receiver<LogLine>,
    helm: &Helm,
    endpoint: Option<&Endpoint>,
) -> (Outcome, Rest) {
    let total = runner::planned_duration(config);
    let quiet = config.outputs.quiet;
    let progress = Arc::new(Progress::start(total, !quiet));
    if let Some(words) = words.filter(|_| !quiet) {
        progress.println(&words);
    }
    if let Some(endpoint) = endpoint
        && !quiet
    {
        let address = endpoint.address();
        progress.println(&format!("metrics at http://{address}/metrics"));
        if !address.ip().is_loopback() && config.outputs.control_token.is_none() {
            progress.println("control over HTTP is off: it needs --control-token here");
        }
    }
    let answers = progress.clone();
    let say = move |line: &str| answers.println(line);
    let _keys = (!quiet).then(|| Keys::listen(helm.clone(), say));
    let secrets = &config.secrets;
    let mut show = |event: Event| match event {
        Event::Notice(text) => {
            progress.println(&format!("aiotest-engine: {}", secrets.mask(&text)));
        }
        Event::Progress(_) | Event::Log(_) if quiet => {}
        Event::Log(line) => progress.println(&log_line(&line)),
        Event::Progress(state) => progress.update(&ProgressLine {
            state: state.state,
            elapsed: state.elapsed,
            total,
            users: state.users,
            target: u64::from(state.target),
            dropped: state.dropped,
            ..ProgressLine::of_window(&state.window, state.span)
        }),
    };
    let outcome = runner::run(parts, config, log, &mut show).await;
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
    match error.downcast_ref() {
        // It is the scenario that speaks.
        Some(PluginError::Scenario(words)) => words.lines().for_each(print_error),
        _ => print_error(&format!("aiotest-engine: {error:#}")),
    }
}
