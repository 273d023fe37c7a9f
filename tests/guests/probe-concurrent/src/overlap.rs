//! Users with several tasks at a time. Their requests are held by the recorder until as
//! many have come as shall be under way together.

use std::cell::Cell;

use aiotest::prelude::*;

/// Counts tasks, the last of which ends the user.
fn count(tasks: &Cell<u32>, last: u32) -> Result {
    tasks.set(tasks.get() + 1);
    if tasks.get() == last {
        return Err(Failure::stop_user());
    }
    Ok(())
}

/// Four tasks, two at a time, twice.
#[derive(Default)]
pub(crate) struct Pairs {
    client: Client,
    tasks: Cell<u32>,
}

#[user(weight = 0, execution = concurrent, max_concurrent_tasks = 2)]
impl Pairs {
    async fn test_a(&self) -> Result {
        self.meet("a").await
    }

    async fn test_b(&self) -> Result {
        self.meet("b").await
    }

    async fn test_c(&self) -> Result {
        self.meet("c").await
    }

    async fn test_d(&self) -> Result {
        self.meet("d").await
    }

    async fn meet(&self, task: &str) -> Result {
        metrics::count(task, 1.0);
        self.client.get("/gate?of=2").send().await?;
        count(&self.tasks, 8)
    }
}

/// Three tasks, all at a time.
#[derive(Default)]
pub(crate) struct Everything {
    client: Client,
    tasks: Cell<u32>,
}

#[user(weight = 0, execution = concurrent)]
impl Everything {
    async fn test_a(&self) -> Result {
        self.meet().await
    }

    async fn test_b(&self) -> Result {
        self.meet().await
    }

    async fn test_c(&self) -> Result {
        self.meet().await
    }

    async fn meet(&self) -> Result {
        self.client.get("/gate?of=3").send().await?;
        count(&self.tasks, 3)
    }
}

/// Four tasks at a time, drawn by weight.
#[derive(Default)]
pub(crate) struct Drawn {
    client: Client,
    tasks: Cell<u32>,
}

#[user(weight = 0, execution = concurrent, max_concurrent_tasks = 4)]
impl Drawn {
    #[weight(9)]
    async fn test_often(&self) -> Result {
        self.meet("often").await
    }

    async fn test_seldom(&self) -> Result {
        self.meet("seldom").await
    }

    async fn meet(&self, task: &str) -> Result {
        metrics::count(task, 1.0);
        self.client.get("/gate?of=4").send().await?;
        count(&self.tasks, 40)
    }
}
