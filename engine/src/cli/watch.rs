//! What people see of a run while it is under way.

use tokio::sync::mpsc;

use super::keys::Keys;
use super::run::has_colours;
use super::samples::SamplesFile;
use super::services::Services;
use crate::config::RunConfig;
use crate::monitor::Monitor;
use crate::output::dashboard::Dashboard;
use crate::output::terminal::{Lines, print_error, print_log};
use crate::report::{self, Report};
use crate::runner::{self, Event, Outcome, Parts, Rest};
use crate::steering::Helm;
use crate::wasm::run::{Level, LogLine};

/// Runs it and shows how it proceeds, after some `words` about what is there to know
/// beforehand.
pub(super) async fn watch(
    parts: Parts,
    config: &RunConfig,
    words: Vec<String>,
    log: mpsc::Receiver<LogLine>,
    helm: &Helm,
    samples: &SamplesFile,
    services: &mut Services,
) -> (Outcome, Rest) {
    let monitor = parts.monitor.clone();
    let display = Display::new(config, &monitor, helm);
    words.iter().for_each(|words| display.tell(words));
    let mut updates = monitor.updates();
    updates.mark_unchanged();
    let say = |text: &str| {
        let line = notice(&monitor, text);
        monitor.log(line.clone());
        display.notice(line);
    };
    let mut show = |event: Event| match event {
        Event::Notice(text) => say(&config.secrets.mask(&text)),
        Event::Log(line) => {
            let line = log_line(&monitor, &line);
            monitor.log(line.clone());
            display.log(line);
        }
    };
    let mut told = false;
    let run = runner::run(parts, config, log, &mut show);
    tokio::pin!(run);
    loop {
        tokio::select! {
            // With the display, the terminal is given back.
            outcome = &mut run => return outcome,
            line = samples.failure(), if !told => {
                told = true;
                say(&line);
            }
            line = services.notice() => {
                say(&line);
            }
            Ok(()) = updates.changed() => {
                let report = updates.borrow_and_update().clone();
                display.update(&report);
            }
        }
    }
}

/// Where it is shown.
enum Display {
    /// On the whole screen.
    Dashboard(Dashboard),
    /// In lines.
    Lines { lines: Lines, _keys: Option<Keys> },
    /// Only what goes wrong.
    Quiet,
}

impl Display {
    fn new(config: &RunConfig, monitor: &Monitor, helm: &Helm) -> Self {
        if config.outputs.quiet {
            return Display::Quiet;
        }
        let dashboard = match config.outputs.no_tui || is_dumb() {
            true => None,
            false => Dashboard::start(monitor.updates(), helm.clone(), has_colours()),
        };
        match dashboard {
            Some(dashboard) => Display::Dashboard(dashboard),
            None => Display::Lines {
                lines: Lines::new(),
                _keys: Keys::listen(helm.clone(), print_error),
            },
        }
    }

    /// What is good to know.
    fn tell(&self, words: &str) {
        match self {
            Display::Dashboard(dashboard) => dashboard.println(words),
            Display::Lines { .. } => print_error(words),
            Display::Quiet => {}
        }
    }

    /// What the engine has to say.
    fn notice(&self, line: report::LogLine) {
        match self {
            Display::Dashboard(dashboard) => dashboard.log(line),
            _ => print_error(&format!("aiotest-engine: {}", line.text)),
        }
    }

    /// What the scenario wrote.
    fn log(&self, line: report::LogLine) {
        match self {
            Display::Dashboard(dashboard) => dashboard.log(line),
            Display::Lines { .. } => print_log(&line),
            Display::Quiet => {}
        }
    }

    /// The run so far. The dashboard looks for itself.
    fn update(&self, report: &Report) {
        if let Display::Lines { lines, .. } = self {
            lines.update(report);
        }
    }
}

/// Whether the terminal says that it can only print lines.
fn is_dumb() -> bool {
    std::env::var_os("TERM").is_none_or(|terminal| terminal == "dumb" || terminal.is_empty())
}

/// A line of the scenario, for reports.
fn log_line(monitor: &Monitor, line: &LogLine) -> report::LogLine {
    let level = match line.level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warning",
        Level::Error => "error",
    };
    report::LogLine {
        at_seconds: monitor.elapsed().as_secs_f64(),
        level: level.to_owned(),
        class: line.class.to_string(),
        text: line.text.clone(),
    }
}

/// What the engine has to say, for reports.
fn notice(monitor: &Monitor, text: &str) -> report::LogLine {
    report::LogLine {
        at_seconds: monitor.elapsed().as_secs_f64(),
        level: "warning".to_owned(),
        class: String::new(),
        text: text.to_owned(),
    }
}
