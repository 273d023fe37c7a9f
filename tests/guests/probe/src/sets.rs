//! Users with task sets and tags, which tell the recorder which task they do.

use aiotest::prelude::*;

use super::lifecycle::tell;

/// Opens, browses (four times one of two tasks or a set of two), checks out, and closes.
#[derive(Default)]
pub(crate) struct Sets {
    client: Client,
}

#[user(
    weight = 0,
    wait_time = (0, 0.01),
    sets(
        browse(weighted, rounds = 4),
        inspect(sequential, parent = browse),
        checkout(sequential),
    )
)]
impl Sets {
    async fn test_open(&mut self) -> Result {
        self.tell("open").await
    }

    #[task(set = browse)]
    async fn test_list(&mut self) -> Result {
        self.tell("list").await
    }

    #[task(set = browse)]
    async fn test_search(&mut self) -> Result {
        self.tell("search").await
    }

    #[task(set = inspect)]
    async fn test_zoom(&mut self) -> Result {
        self.tell("zoom").await
    }

    #[task(set = inspect)]
    async fn test_unzoom(&mut self) -> Result {
        self.tell("unzoom").await
    }

    #[task(set = checkout)]
    async fn test_cart(&mut self) -> Result {
        self.tell("cart").await
    }

    #[task(set = checkout)]
    async fn test_pay(&mut self) -> Result {
        self.tell("pay").await
    }

    async fn test_close(&mut self) -> Result {
        self.tell("close").await
    }

    async fn tell(&self, what: &str) -> Result {
        tell(&self.client, what).await?;
        Ok(())
    }
}

/// Stays in a set until it has done three tasks there, and then does one outside.
#[derive(Default)]
pub(crate) struct Leaver {
    client: Client,
    inside: u32,
}

#[user(weight = 0, wait_time = (0, 0.01), sets(stay(weighted)))]
impl Leaver {
    #[task(set = stay)]
    async fn test_left(&mut self) -> Result {
        self.inside("left").await
    }

    #[task(set = stay)]
    async fn test_right(&mut self) -> Result {
        self.inside("right").await
    }

    async fn test_outside(&mut self) -> Result {
        tell(&self.client, "outside").await?;
        Ok(())
    }

    async fn inside(&mut self, what: &str) -> Result {
        tell(&self.client, what).await?;
        self.inside += 1;
        if self.inside.is_multiple_of(3) {
            return Err(Failure::leave_set());
        }
        Ok(())
    }
}

/// Has a task for each of some tags, and one with two.
#[derive(Default)]
pub(crate) struct Tagged {
    client: Client,
}

#[user(weight = 0, wait_time = (0, 0.01))]
impl Tagged {
    #[task(tags = ["fast"])]
    async fn test_quick(&mut self) -> Result {
        self.tell("quick").await
    }

    #[task(tags = ["slow"])]
    async fn test_thorough(&mut self) -> Result {
        self.tell("thorough").await
    }

    #[task(tags = ["fast", "admin"])]
    async fn test_admin(&mut self) -> Result {
        self.tell("admin").await
    }

    async fn tell(&self, what: &str) -> Result {
        tell(&self.client, what).await?;
        Ok(())
    }
}
