//! A user that takes rows of a data file.

use aiotest::data::{AtEnd, Order, Row};
use aiotest::prelude::*;

use super::lifecycle::tell;

/// Takes a row of `users` in each task, as the options `order` and `at-end` say, and tells
/// the recorder its name.
#[derive(Default)]
pub(crate) struct Fed {
    client: Client,
}

#[user(weight = 0, wait_time = (0, 0.01))]
impl Fed {
    async fn test_row(&mut self) -> Result {
        let row = take()?;
        tell(&self.client, &format!("row-{}", row.text("name")?)).await?;
        Ok(())
    }
}

fn take() -> Result<Row> {
    let users = data::feed("users")?;
    let order = run::option("order").or_fail("no order")?;
    let at_end = match run::option("at-end").as_deref() {
        None => None,
        Some("wrap") => Some(AtEnd::Wrap),
        Some("stop-user") => Some(AtEnd::StopUser),
        Some("fail") => Some(AtEnd::Fail),
        Some(other) => fail!("no such end: {other}"),
    };
    match (order.as_str(), at_end) {
        ("sequential", None) => users.sequential(),
        ("sequential", Some(at_end)) => users.take(Order::Sequential, at_end),
        ("random", None) => users.random(),
        ("random", Some(at_end)) => users.take(Order::Random, at_end),
        ("unique", None) => users.unique(),
        ("unique", Some(at_end)) => users.take(Order::Unique, at_end),
        ("by-user", None) => users.by_user(),
        ("by-user", Some(at_end)) => users.take(Order::ByUser, at_end),
        (other, _) => fail!("no such order: {other}"),
    }
}
