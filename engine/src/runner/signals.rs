//! Ctrl-C and SIGTERM.

use std::future::pending;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that end a run.
pub(super) struct Signals {
    terminate: Option<Signal>,
    interrupt: Option<Signal>,
}

impl Signals {
    pub(super) fn new() -> Self {
        // Without a handler the signal ends the process, as it would without us.
        Signals {
            terminate: signal(SignalKind::terminate()).ok(),
            interrupt: signal(SignalKind::interrupt()).ok(),
        }
    }

    /// Resolves at the next of them.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            () = received(&mut self.terminate) => {}
            () = received(&mut self.interrupt) => {}
        }
    }
}

async fn received(signal: &mut Option<Signal>) {
    let next = match signal {
        Some(signal) => signal.recv().await,
        None => None,
    };
    if next.is_none() {
        pending::<()>().await;
    }
}
