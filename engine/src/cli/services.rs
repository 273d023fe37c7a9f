//! What serves and pushes a run's measurements beside it: the endpoints over HTTP and the
//! exporter.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use tokio::sync::mpsc;

use crate::config::Outputs;
use crate::control::{Access, Endpoint, Sources};
use crate::export::{self, Exporter};
use crate::output::terminal::print_error;
use crate::runner::Rest;
use crate::steering::Helm;

/// All of them, running.
pub(super) struct Services {
    endpoints: Vec<Endpoint>,
    words: Vec<String>,
    exporter: Option<Exporter>,
    notices: mpsc::UnboundedReceiver<String>,
}

impl Services {
    /// Starts what the outputs ask for.
    ///
    /// # Errors
    ///
    /// When an address, or a place to push to, cannot be used.
    pub(super) async fn start(outputs: &Outputs, sources: &Sources, helm: &Helm) -> Result<Self> {
        let (told, notices) = mpsc::unbounded_channel();
        let parts = export::Parts {
            sources: sources.series.clone(),
            helm: helm.clone(),
            labels: outputs.labels.clone(),
            // Nobody listens any more only when the process ends.
            say: Arc::new(move |line| drop(told.send(line.to_owned()))),
        };
        let mut services = Services {
            endpoints: Vec::new(),
            words: Vec::new(),
            exporter: Exporter::start(&outputs.push, &parts)?,
            notices,
        };
        let metrics = outputs.prometheus.filter(|addr| outputs.web != Some(*addr));
        let wanted = [(outputs.web, true), (metrics, false)];
        for (address, pages) in wanted {
            let Some(address) = address else { continue };
            let access = Access {
                token: outputs.control_token.clone(),
            };
            let endpoint =
                Endpoint::start(address, sources.clone(), helm.clone(), access, pages).await?;
            services.tell(endpoint.address(), pages, outputs);
            services.endpoints.push(endpoint);
        }
        Ok(services)
    }

    /// What there is to say about them.
    pub(super) fn words(&self) -> impl Iterator<Item = String> {
        self.words.iter().cloned()
    }

    fn tell(&mut self, address: SocketAddr, pages: bool, outputs: &Outputs) {
        self.words.push(match pages {
            true => format!("dashboard at http://{address}/"),
            false => format!("metrics at http://{address}/metrics"),
        });
        if !address.ip().is_loopback() && outputs.control_token.is_none() {
            self.words
                .push("control over HTTP is off: it needs --control-token here".to_owned());
        }
    }

    /// What there is to say about them while the run goes on.
    pub(super) async fn notice(&mut self) -> String {
        match self.notices.recv().await {
            Some(notice) => notice,
            // Nothing is pushed.
            None => std::future::pending().await,
        }
    }

    /// Ends all of them, after the time that they `linger`.
    pub(super) async fn finish(mut self, rest: Rest, linger: bool) {
        if let Some(exporter) = self.exporter {
            exporter.finish().await;
        }
        while let Ok(notice) = self.notices.try_recv() {
            print_error(&format!("aiotest-engine: {notice}"));
        }
        if linger && !self.endpoints.is_empty() {
            print_error("aiotest-engine: the run is over; serving on until POST /quit or Ctrl-C");
            rest.linger().await;
        } else {
            // Whoever gives orders now is told that the run is over.
            drop(rest);
        }
        for endpoint in self.endpoints {
            endpoint.finish().await;
        }
    }
}
