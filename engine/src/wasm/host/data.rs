//! `data`: rows of the run's data files.

use std::sync::Arc;

use wasmtime::component::Resource;

use super::Host;
use crate::feed;
use crate::wasm::bindings::data as wit;
use crate::wasm::bindings::types::Failure;

/// A data file that the guest has opened. All sandboxes share its rows.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Feed(Arc<feed::Feed>);

impl From<wit::Order> for feed::Order {
    fn from(order: wit::Order) -> Self {
        match order {
            wit::Order::Sequential => feed::Order::Sequential,
            wit::Order::Random => feed::Order::Random,
            wit::Order::Unique => feed::Order::Unique,
            wit::Order::ByUser => feed::Order::ByUser,
        }
    }
}

impl From<wit::AtEnd> for feed::AtEnd {
    fn from(at_end: wit::AtEnd) -> Self {
        match at_end {
            wit::AtEnd::Wrap => feed::AtEnd::Wrap,
            wit::AtEnd::StopUser => feed::AtEnd::StopUser,
            wit::AtEnd::Fail => feed::AtEnd::Fail,
        }
    }
}

impl Host {
    fn feed(&self, feed: &Resource<Feed>) -> wasmtime::Result<&feed::Feed> {
        Ok(&self.table.get(feed)?.0)
    }
}

impl wit::Host for Host {}

impl wit::HostFeed for Host {
    fn open(&mut self, name: String) -> wasmtime::Result<Result<Resource<Feed>, String>> {
        Ok(match self.run.feeds.get(&name) {
            Ok(feed) => Ok(self.table.push(Feed(feed))?),
            Err(error) => Err(error),
        })
    }

    fn columns(&mut self, feed: Resource<Feed>) -> wasmtime::Result<Vec<String>> {
        Ok(self.feed(&feed)?.columns().to_vec())
    }

    fn rows(&mut self, feed: Resource<Feed>) -> wasmtime::Result<u64> {
        Ok(self.feed(&feed)?.rows())
    }

    fn next(
        &mut self,
        feed: Resource<Feed>,
        user: u64,
        order: wit::Order,
        at_end: wit::AtEnd,
    ) -> wasmtime::Result<Result<Vec<String>, Failure>> {
        let next = self.feed(&feed)?.next(user, order.into(), at_end.into());
        Ok(match next {
            feed::Next::Row(row) => Ok(row.map(str::to_owned).collect()),
            feed::Next::StopUser => Err(Failure::StopUser),
            feed::Next::Failed(reason) => Err(Failure::Failed(reason)),
        })
    }

    fn drop(&mut self, feed: Resource<Feed>) -> wasmtime::Result<()> {
        self.table.delete(feed)?;
        Ok(())
    }
}
