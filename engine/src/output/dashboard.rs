//! The live dashboard on a terminal: a screen that follows a run, and keys that steer it. It
//! draws on a thread of its own, so that a slow terminal never holds up the run.
//!
//! The keyboard is looked at some times a second (see [`crate::keyboard`]); drawn is only
//! when there is something new. In the background nothing is drawn, and the terminal is not
//! touched.

mod chart;
mod draw;
mod history;
mod log;
mod model;
mod screen;
mod text;
mod theme;
mod troubles;

use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustix::process::{Signal, getpid, kill_current_process_group, kill_process};
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use self::log::Log;
use self::model::{Model, Wish};
use self::screen::Screen;
use self::theme::Theme;
use super::format::count;
use super::terminal::{print_error, print_log};
use crate::keyboard::{Keyboard, Keys, Manner};
use crate::report::{LogLine, Report};
use crate::steering::{Helm, Order, Status};

/// Between two looks at the keyboard.
const LOOK: Duration = Duration::from_millis(30);
/// Between two looks at new lines of the log, of which there may be many.
const LINES: Duration = Duration::from_millis(200);
/// Lines of the log that are printed when the screen is gone.
const LAST_LINES: usize = 100;

/// A dashboard under way. Dropping it gives the terminal back, and prints the last lines of
/// the log where they stay.
#[derive(Debug)]
pub struct Dashboard {
    shared: Arc<Shared>,
    updates: watch::Receiver<Arc<Report>>,
    drawing: Option<JoinHandle<Log>>,
    continued: AbortHandle,
}

/// What is told to the thread that draws.
#[derive(Debug, Default)]
struct Shared {
    /// Lines that it has not seen yet.
    lines: Mutex<Log>,
    /// Where the run stands, after an order.
    status: Mutex<Option<Status>>,
    over: AtomicBool,
    /// The process was stopped and goes on, so that anything may be on the screen.
    continued: AtomicBool,
}

impl Dashboard {
    /// Takes the screen if standard input and standard error are a terminal, with this
    /// process in its foreground. `updates` is what there is to show, `helm` is for who
    /// presses keys. Needs a runtime.
    #[must_use]
    pub fn start(updates: watch::Receiver<Arc<Report>>, helm: Helm, colour: bool) -> Option<Self> {
        let runtime = Handle::try_current().ok()?;
        if !io::stderr().is_terminal() {
            return None;
        }
        let screen = Screen::new()?;
        let keyboard = Keyboard::open(Manner::Screen)?;
        let shared = Arc::new(Shared::default());
        let drawing = Drawing {
            model: Model::new(updates.borrow().clone()),
            theme: Theme::new(colour),
            keys: Keys::default(),
            keyboard,
            screen,
            updates: updates.clone(),
            helm,
            runtime: runtime.clone(),
            shared: shared.clone(),
            stale: true,
            read: Instant::now(),
        };
        let drawing = thread::Builder::new()
            .name("dashboard".to_owned())
            .spawn(move || drawing.follow())
            .ok()?;
        let continued = runtime.spawn(notice_continuing(shared.clone()));
        Some(Dashboard {
            shared,
            updates,
            drawing: Some(drawing),
            continued: continued.abort_handle(),
        })
    }

    /// Shows a line of the engine.
    pub fn println(&self, line: &str) {
        self.log(LogLine {
            at_seconds: self.updates.borrow().run.duration_seconds,
            level: "info".to_owned(),
            class: String::new(),
            text: line.to_owned(),
        });
    }

    /// Shows a line of the log.
    pub fn log(&self, line: LogLine) {
        match &self.drawing {
            Some(drawing) if !drawing.is_finished() => self.shared.lines.lock().push(line),
            // The terminal is gone, or the drawing has failed.
            _ => print_log(&line),
        }
    }

    fn finish(&mut self) {
        let Some(drawing) = self.drawing.take() else {
            return;
        };
        self.continued.abort();
        self.shared.over.store(true, Ordering::Release);
        drawing.thread().unpark();
        let Ok(mut log) = drawing.join() else {
            // What went wrong has been told.
            return;
        };
        log.append(std::mem::take(&mut self.shared.lines.lock()));
        let lines = log.lines();
        let first = lines.len().saturating_sub(LAST_LINES);
        let earlier = log.written() - (lines.len() - first) as u64;
        if earlier > 0 {
            print_error(&format!("({} earlier lines)", count(earlier)));
        }
        for line in lines.range(first..) {
            print_log(line);
        }
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        self.finish();
    }
}

async fn notice_continuing(shared: Arc<Shared>) {
    if let Ok(mut continued) = signal(SignalKind::from_raw(Signal::CONT.as_raw())) {
        while continued.recv().await.is_some() {
            shared.continued.store(true, Ordering::Release);
        }
    }
}

/// The thread that draws.
struct Drawing {
    model: Model,
    theme: Theme,
    keys: Keys,
    keyboard: Keyboard,
    screen: Screen,
    updates: watch::Receiver<Arc<Report>>,
    helm: Helm,
    runtime: Handle,
    shared: Arc<Shared>,
    /// What is on the screen is no longer true.
    stale: bool,
    /// When lines of the log were last taken in.
    read: Instant,
}

impl Drawing {
    /// Shows the run until it is over or the terminal is gone; the log.
    fn follow(mut self) -> Log {
        while !self.shared.over.load(Ordering::Acquire) {
            self.take_in();
            if self.look().is_none() {
                break;
            }
            thread::park_timeout(LOOK);
        }
        self.screen.leave();
        self.keyboard.close();
        self.model.log
    }

    /// What the run has told since the last time.
    fn take_in(&mut self) {
        if self.updates.has_changed().unwrap_or(false) {
            let report = self.updates.borrow_and_update().clone();
            self.model.update(report);
            self.stale = true;
        }
        if let Some(status) = self.shared.status.lock().take() {
            self.model.stands(&status);
            self.stale = true;
        }
        // Lines may come fast; nobody reads that fast.
        if self.read.elapsed() >= LINES {
            self.read = Instant::now();
            let lines = std::mem::take(&mut *self.shared.lines.lock());
            self.stale |= lines.written() > 0;
            self.model.wrote(lines);
        }
    }

    /// Looks at the keyboard, and draws if there is something new and the screen is ours.
    /// Nothing, once the terminal is gone.
    fn look(&mut self) -> Option<()> {
        let mut bytes = [0; 64];
        let pressed = self.keyboard.read(&mut bytes)?;
        if !self.keyboard.is_ours() {
            self.screen.forget();
            self.stale = true;
            return Some(());
        }
        let mut keys: Vec<_> = pressed.iter().filter_map(|b| self.keys.take(*b)).collect();
        if pressed.is_empty() {
            keys.extend(self.keys.pause());
        }
        for key in keys {
            self.stale = true;
            match self.model.press(key) {
                Some(Wish::Order(order)) => self.order(order),
                Some(Wish::Interrupt) => {
                    // As Ctrl-C does; that it can be sent to oneself is certain.
                    let _ = kill_process(getpid(), Signal::INT);
                }
                Some(Wish::Suspend) => {
                    self.suspend();
                    return Some(());
                }
                None => {}
            }
        }
        if self.shared.continued.swap(false, Ordering::AcqRel) {
            self.screen.forget();
            self.stale = true;
        }
        if self.stale || self.screen.is_outdated() {
            let (model, theme) = (&mut self.model, self.theme);
            let drawn = self.screen.draw(|buffer| draw::draw(model, theme, buffer));
            self.stale = false;
            drawn.ok()?;
        }
        Some(())
    }

    /// Gives an order, without waiting for the answer.
    fn order(&self, order: Order) {
        let (helm, shared, updates) =
            (self.helm.clone(), self.shared.clone(), self.updates.clone());
        self.runtime.spawn(async move {
            match helm.order(order).await {
                Ok(status) => *shared.status.lock() = Some(status),
                Err(refused) => shared.lines.lock().push(LogLine {
                    at_seconds: updates.borrow().run.duration_seconds,
                    level: "info".to_owned(),
                    class: String::new(),
                    text: refused.to_string(),
                }),
            }
        });
    }

    /// Stops the process, and all that the shell started with it, as Ctrl-Z does. The screen
    /// is entered again with the first look after it goes on, in the foreground.
    fn suspend(&mut self) {
        self.screen.leave();
        self.keyboard.lend();
        self.stale = true;
        // A group that nobody could continue is not stopped.
        let _ = kill_current_process_group(Signal::TSTP);
    }
}

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
