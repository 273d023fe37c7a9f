//! The file of all requests, if a run has one. Whatever keeps it from being written costs
//! the run nothing but its samples.

use std::sync::Arc;

use crate::config::RunConfig;
use crate::metrics::Metrics;
use crate::output::file::WriteError;
use crate::output::samples::Samples;
use crate::output::terminal::print_error;
use crate::sample::Sink;

/// The file, or why there is none.
#[derive(Default)]
pub(super) struct SamplesFile {
    samples: Option<Arc<Samples>>,
    failure: Option<WriteError>,
}

impl SamplesFile {
    /// Creates it if the run shall have one. Says at once if that is not possible.
    pub(super) fn create(config: &RunConfig, metrics: &Arc<Metrics>) -> Self {
        let Some(path) = &config.outputs.samples else {
            return SamplesFile::default();
        };
        match Samples::create(path, &config.secrets, metrics.clone()) {
            Ok(samples) => SamplesFile {
                samples: Some(Arc::new(samples)),
                failure: None,
            },
            Err(error) => {
                print_error(&format!(
                    "aiotest-engine: {error}; the run goes on without it"
                ));
                SamplesFile {
                    samples: None,
                    failure: Some(error),
                }
            }
        }
    }

    /// Where requests go.
    pub(super) fn sink(&self) -> Option<Arc<dyn Sink>> {
        let samples = self.samples.clone()?;
        Some(samples)
    }

    /// Resolves with one line for people when it cannot be written any more.
    pub(super) async fn failure(&self) -> String {
        match &self.samples {
            Some(samples) => samples.failure().await,
            None => std::future::pending().await,
        }
    }

    /// Writes what is left, once the run is over. What was dropped is among the measurements
    /// then.
    pub(super) fn finish(self) -> Option<WriteError> {
        let unfinished = self.samples.and_then(|samples| samples.finish().err());
        self.failure.or(unfinished)
    }
}
