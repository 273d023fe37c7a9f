//! Users whose iterations are counted, or held back, by the engine. They never wait.

use aiotest::prelude::*;

use super::lifecycle::tell;

/// Sends one request an iteration, named after it.
#[derive(Default)]
pub(crate) struct Once {
    client: Client,
}

#[user(weight = 0)]
impl Once {
    async fn test_once(&mut self) -> Result {
        let url = format!("/event?user={}&what=once", run::user_id());
        self.client.get(url).name("once").send().await?;
        Ok(())
    }
}

/// Starts twenty iterations a second at most, over all of its users.
#[derive(Default)]
pub(crate) struct Throttled {
    client: Client,
}

#[user(weight = 0, throughput = 20.0)]
impl Throttled {
    async fn test_throttled(&mut self) -> Result {
        tell(&self.client, "throttled").await?;
        Ok(())
    }
}
