//! The load shape and the hooks, which do what the options `shape` and `hooks` say.

use aiotest::prelude::*;

use super::lifecycle::tell;

/// Four users, then one, then the end.
#[derive(Default)]
pub(crate) struct Shape {
    ticks: usize,
}

impl LoadShape for Shape {
    fn tick(&mut self, _: Duration) -> Option<Target> {
        if run::option("shape").as_deref() == Some("panic") {
            panic!("no shape today");
        }
        let users = *[4, 1].get(self.ticks)?;
        self.ticks += 1;
        Some(Target {
            users,
            spawn_rate: 1000.0,
        })
    }
}

/// Tells the recorder of both ends of the run, or fails at one of them.
#[derive(Default)]
pub(crate) struct Witness {
    client: Client,
}

impl Witness {
    async fn see(&self, what: &str) -> Result {
        match run::option("hooks").as_deref() {
            Some("tell") => {
                tell(&self.client, what).await?;
                Ok(())
            }
            Some(failing) if failing == what => fail!("no {what} today"),
            _ => Ok(()),
        }
    }
}

impl Hooks for Witness {
    async fn on_test_start(&mut self) -> Result {
        self.see("test-start").await
    }

    async fn on_test_stop(&mut self) -> Result {
        self.see("test-stop").await
    }
}
