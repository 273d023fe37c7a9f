//! A user that only waits: what a sandbox costs by itself.

use aiotest::prelude::*;

/// Does nothing, for ever.
#[derive(Default)]
struct Idle;

#[user(wait_time = 3600)]
impl Idle {
    async fn test_nothing(&mut self) -> Result {
        Ok(())
    }
}

scenario!(Idle);
