//! `aiotest-engine run`: puts a run together, watches it, and prints and writes what came
//! of it.

use std::io::IsTerminal;
use std::sync::Arc;

use anyhow::{Context, Result};
use parking_lot::Mutex;

use super::environment::environment;
use super::options::{RunArgs, check_base_url};
use super::quarters::{self, Quarters};
use super::samples::SamplesFile;
use super::services::Services;
use super::watch::watch;
use super::{exit, results};
use crate::config::RunConfig;
use crate::control;
use crate::feed::Feeds;
use crate::http::{Client, ClientConfig, Egress};
use crate::lifecycle::State;
use crate::metrics::users::UserGauges;
use crate::metrics::{self, Metrics, Snapshot};
use crate::monitor::{self, End, Moment, Monitor};
use crate::output::prometheus;
use crate::output::summary::{Style, summary};
use crate::output::terminal::{print, print_error};
use crate::packing::Packing;
use crate::plan;
use crate::report;
use crate::runner::{self, Outcome, Parts};
use crate::steering::steering;
use crate::threshold::{Threshold, Verdict};
use crate::user_class::{self, UserClass};
use crate::wasm::folders::Folders;
use crate::wasm::plugin::{Manifest, Plugin, PluginError};
use crate::wasm::run::{Given, Level, Run, RunParts};
use crate::wasm::source::Source;

/// Distinct error texts kept apart.
const MAX_ERRORS: usize = 500;

pub(super) fn run(args: RunArgs) -> Result<u8> {
    let source = args.open()?;
    let mut config = args.validate(source.outline())?;
    results::warn(&config.outputs);
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
    let planned = runner::planned_duration(config);
    let monitor = Arc::new(Monitor::new(monitor::Sources {
        metrics: metrics.clone(),
        gauges: gauges.clone(),
        thresholds: board.clone(),
        secrets: config.secrets.clone(),
        run: report::Run {
            component: config.file.display().to_string(),
            host,
            labels: config.outputs.labels.clone(),
            planned_seconds: planned.map(|span| span.as_secs_f64()),
            ..report::Run::default()
        },
        environment: environment(config, packing.most),
    }));
    let mut services = Services::start(
        &config.outputs,
        &control::Sources {
            series: prometheus::Sources {
                metrics: metrics.clone(),
                gauges: gauges.clone(),
                buckets: config.outputs.buckets.clone(),
                thresholds: board.clone(),
                secrets: config.secrets.clone(),
            },
            monitor: monitor.clone(),
        },
        &helm,
    )
    .await?;
    let words: Vec<_> = words.into_iter().chain(services.words()).collect();
    let samples = SamplesFile::create(config, &metrics);
    let (run, log) = Run::new(RunParts {
        metrics,
        samples: samples.sink(),
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
        monitor: monitor.clone(),
    };
    let (outcome, rest) = watch(parts, config, words, log, &helm, &samples, &mut services).await;
    let unwritten = samples.finish();
    let snapshot = monitor.snapshot();
    let verdicts = judge(&thresholds, &snapshot, &outcome);
    board.lock().clone_from(&verdicts);
    let exit_code = exit::of_run(
        &outcome.reason,
        &snapshot,
        &verdicts,
        config.exit_code_on_error,
    );
    let reason = outcome.reason.to_string();
    let moment = Moment {
        state: State::Stopped,
        elapsed: outcome.elapsed,
        paused: outcome.paused,
        began: outcome.began,
    };
    let end = End {
        reason: config.secrets.mask(&reason).into_owned(),
        exit_code,
        users_ended: outcome.users_ended,
    };
    let report = monitor.finish(moment, &snapshot, end);
    print(&summary(&report, style()));
    let mut failures = results::write_all(&report, &config.outputs);
    failures.extend(unwritten);
    for failure in &failures {
        print_error(&format!("aiotest-engine: {failure}"));
    }
    services
        .finish(rest, config.outputs.linger && !outcome.quit)
        .await;
    Ok(match failures.is_empty() {
        true => exit_code,
        false => exit::OUTPUT,
    })
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

/// How the summary looks where standard output leads.
pub(super) fn style() -> Style {
    let tty = std::io::stdout().is_terminal();
    let width = match rustix::termios::tcgetwinsize(std::io::stdout()) {
        Ok(size) if tty && size.ws_col > 0 => size.ws_col,
        _ => 140,
    };
    Style {
        width,
        colour: tty && has_colours(),
    }
}

/// Whether the user wants any.
pub(super) fn has_colours() -> bool {
    std::env::var_os("NO_COLOR").is_none()
}

/// An error on standard error, as every command reports it.
pub(super) fn complain(error: &anyhow::Error) {
    match error.downcast_ref() {
        // It is the scenario that speaks.
        Some(PluginError::Scenario(words)) => words.lines().for_each(print_error),
        _ => print_error(&format!("aiotest-engine: {error:#}")),
    }
}
