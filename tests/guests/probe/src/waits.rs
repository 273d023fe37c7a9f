//! Users that measure how far apart the engine starts their tasks.

use aiotest::prelude::*;

use super::lifecycle::tell;

/// Tasks of each user.
const BEATS: u32 = 5;

/// Reports the time between its beats in milliseconds.
#[derive(Default)]
struct Pulse {
    last: Option<Duration>,
    beats: u32,
}

impl Pulse {
    fn start(&mut self) {
        self.last = Some(run::run_time());
    }

    fn beat(&mut self, name: &str) -> Result {
        let now = run::run_time();
        if let Some(last) = self.last.replace(now) {
            metrics::trend(name, (now - last).as_secs_f64() * 1e3);
        }
        self.beats += 1;
        if self.beats == BEATS {
            return Err(Failure::stop_user());
        }
        Ok(())
    }
}

/// Waits for the same time always.
#[derive(Default)]
pub(crate) struct Fixed {
    pulse: Pulse,
}

#[user(weight = 0, wait_time = 0.1)]
impl Fixed {
    async fn on_start(&mut self) -> Result {
        self.pulse.start();
        Ok(())
    }

    async fn test_beat(&mut self) -> Result {
        self.pulse.beat("fixed")
    }
}

/// Waits for a time from a range.
#[derive(Default)]
pub(crate) struct Range {
    pulse: Pulse,
}

#[user(weight = 0, wait_time = (0.05, 0.15))]
impl Range {
    async fn on_start(&mut self) -> Result {
        self.pulse.start();
        Ok(())
    }

    async fn test_beat(&mut self) -> Result {
        self.pulse.beat("range")
    }
}

/// Starts its tasks a fixed time apart, of which they take a third.
#[derive(Default)]
pub(crate) struct Paced {
    pulse: Pulse,
}

#[user(weight = 0, wait_time = pacing(0.3))]
impl Paced {
    async fn test_beat(&mut self) -> Result {
        self.pulse.beat("paced")?;
        wait(Duration::from_millis(100)).await
    }
}

/// Says itself how long to wait, and tells the recorder the order of waits and tasks.
#[derive(Default)]
pub(crate) struct Computed {
    client: Client,
    pulse: Pulse,
    order: String,
}

#[user(weight = 0, wait_time = computed)]
impl Computed {
    async fn on_start(&mut self) -> Result {
        self.pulse.start();
        Ok(())
    }

    async fn test_beat(&mut self) -> Result {
        self.order.push('t');
        self.pulse.beat("computed")
    }

    fn wait_time(&mut self) -> Duration {
        self.order.push('w');
        Duration::from_millis(30)
    }

    async fn on_stop(&mut self) -> Result {
        tell(&self.client, &self.order).await?;
        Ok(())
    }
}
