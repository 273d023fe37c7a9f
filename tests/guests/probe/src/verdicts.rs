//! Users whose results are known beforehand. Each does its task once and is done.

use std::mem;

use aiotest::assert_eq;
use aiotest::metrics::Sample;
use aiotest::prelude::*;

use super::lifecycle::tell;

/// Lets a task run once; the next time the user has nothing left to do.
#[derive(Default)]
struct Once(bool);

impl Once {
    fn more(&mut self) -> Result {
        if mem::replace(&mut self.0, true) {
            return Err(Failure::stop_user());
        }
        Ok(())
    }
}

/// Gets answers of several statuses.
#[derive(Default)]
pub(crate) struct Statuses {
    client: Client,
    once: Once,
}

#[user(weight = 0)]
impl Statuses {
    async fn test_all(&mut self) -> Result {
        self.once.more()?;
        for status in ["200", "302", "404", "503"] {
            let request = self.client.get(format!("/status/{status}"));
            request.name(format!("status {status}")).send().await?;
        }
        Ok(())
    }
}

/// Knows better than the status.
#[derive(Default)]
pub(crate) struct Marks {
    client: Client,
    once: Once,
}

#[user(weight = 0)]
impl Marks {
    async fn test_marks(&mut self) -> Result {
        self.once.more()?;
        let missing = self
            .client
            .get("/status/404")
            .name("as expected")
            .send()
            .await?;
        missing.success();
        let sold_out = self
            .client
            .get("/status/200")
            .name("sold out")
            .send()
            .await?;
        sold_out.failure("no tea left");
        drop(sold_out);
        fail!("a failure that the marks outlive")
    }
}

/// Fails after it has let go of a response.
#[derive(Default)]
pub(crate) struct Parked {
    client: Client,
    once: Once,
}

#[user(weight = 0)]
impl Parked {
    async fn test_fail(&mut self) -> Result {
        self.once.more()?;
        self.client
            .get("/status/200")
            .name("before parked")
            .send()
            .await?;
        self.client.get("/status/200").name("parked").send().await?;
        fail!("nothing parked here")
    }
}

/// Fails while it holds a response.
#[derive(Default)]
pub(crate) struct Held {
    client: Client,
    once: Once,
    response: Option<Response>,
}

#[user(weight = 0)]
impl Held {
    async fn test_fail(&mut self) -> Result {
        self.once.more()?;
        self.response = Some(self.client.get("/status/200").name("held").send().await?);
        fail!("nothing held here")
    }
}

/// Expects another status.
#[derive(Default)]
pub(crate) struct Asserts {
    client: Client,
    once: Once,
}

#[user(weight = 0)]
impl Asserts {
    async fn test_assert(&mut self) -> Result {
        self.once.more()?;
        let response = self
            .client
            .get("/status/200")
            .name("asserted")
            .send()
            .await?;
        assert_eq!(response.status(), 201);
        Ok(())
    }
}

/// Panics in its first life.
#[derive(Default)]
pub(crate) struct Panics {
    client: Client,
}

#[user(weight = 0)]
impl Panics {
    async fn test_panic(&mut self) -> Result {
        if tell(&self.client, "panics").await? > 0 {
            return Err(Failure::stop_user());
        }
        let _response = self
            .client
            .get("/status/200")
            .name("panicked")
            .send()
            .await?;
        panic!("out of tea")
    }
}

/// Has nothing to do.
#[derive(Default)]
pub(crate) struct Quits;

#[user(weight = 0)]
impl Quits {
    async fn test_quit(&mut self) -> Result {
        Err(Failure::stop_user())
    }
}

/// Measures by itself.
#[derive(Default)]
pub(crate) struct Measures {
    once: Once,
}

#[user(weight = 0)]
impl Measures {
    async fn test_measure(&mut self) -> Result {
        self.once.more()?;
        for passed in [true, true, false] {
            metrics::check("in stock", passed);
        }
        for value in 1..=100_u32 {
            metrics::trend("basket", f64::from(value));
        }
        metrics::count("orders", 2.5);
        metrics::count("orders", 1.0);
        metrics::gauge("stock", 7.0);
        metrics::gauge("stock", 3.0);
        for error in [None, Some("unavailable")] {
            metrics::record(Sample {
                protocol: "gRPC",
                name: "List",
                duration: Duration::from_millis(5),
                size: 10,
                error,
            });
        }
        Ok(())
    }
}

/// Ends the whole run.
#[derive(Default)]
pub(crate) struct Ender;

#[user(weight = 0)]
impl Ender {
    async fn test_end(&mut self) -> Result {
        Err(Failure::stop_test("that is enough"))
    }
}
