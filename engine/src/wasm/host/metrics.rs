//! `metrics`: what a scenario measures by itself.

use std::time::Duration;

use super::{Host, clip};
use crate::sample::{Failure, Sample, Sink, Timings};
use crate::wasm::bindings::metrics as wit;

impl wit::Host for Host {
    fn record(&mut self, sample: wit::Sample) -> wasmtime::Result<()> {
        let error = sample.error.map(clip);
        self.run.metrics.record(&Sample {
            method: &clip(sample.protocol),
            name: &clip(sample.name),
            status: 0,
            failure: error.as_deref().map(|message| Failure {
                kind: "scenario",
                message,
            }),
            timings: Timings {
                total: Duration::from_nanos(sample.duration),
                ..Timings::default()
            },
            sent: 0,
            received: sample.size,
        });
        Ok(())
    }

    fn count(&mut self, name: String, value: f64) -> wasmtime::Result<()> {
        self.run.metrics.count(&clip(name), value);
        Ok(())
    }

    fn gauge(&mut self, name: String, value: f64) -> wasmtime::Result<()> {
        self.run.metrics.gauge(&clip(name), value);
        Ok(())
    }

    fn trend(&mut self, name: String, value: f64) -> wasmtime::Result<()> {
        self.run.metrics.trend(&clip(name), value);
        Ok(())
    }

    fn check(&mut self, name: String, passed: bool) -> wasmtime::Result<bool> {
        self.run.metrics.check(&clip(name), passed);
        Ok(passed)
    }
}
