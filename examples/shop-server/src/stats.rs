//! What the server has seen, in atomic counters. Knows nothing of what the routes do.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use serde::{Deserialize, Serialize};

/// The routes that are told apart; the last one takes everything else.
const ROUTES: [&str; 8] = [
    "POST /login",
    "GET /products",
    "GET /cart",
    "POST /cart",
    "POST /orders",
    "POST /pay",
    "GET /delay/{ms}",
    "(other)",
];

/// What the server has seen since its start or the last reset.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Requests received, those to `/stats` excluded.
    pub requests: u64,
    /// The same by method and route.
    pub by_route: BTreeMap<String, u64>,
    /// Responses by status. Their sum is below `requests` by the requests still in
    /// progress and those whose client went away first.
    pub by_status: BTreeMap<u16, u64>,
    /// Connections accepted, whatever came over them.
    pub connections: u64,
}

/// The counters behind [`Stats`].
pub(crate) struct Counters {
    routes: [AtomicU64; ROUTES.len()],
    /// Indexed by status.
    statuses: Box<[AtomicU64]>,
    connections: AtomicU64,
}

impl Counters {
    pub(crate) fn new() -> Self {
        Self {
            routes: Default::default(),
            statuses: (0..1000).map(|_| AtomicU64::new(0)).collect(),
            connections: AtomicU64::new(0),
        }
    }

    pub(crate) fn connection(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request; `path` is the pattern of its route.
    pub(crate) fn request(&self, method: &str, path: &str) {
        let route = ROUTES
            .iter()
            .position(|route| route.split_once(' ') == Some((method, path)))
            .unwrap_or(ROUTES.len() - 1);
        self.routes[route].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn response(&self, status: u16) {
        if let Some(counter) = self.statuses.get(usize::from(status)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn stats(&self) -> Stats {
        let by_route: BTreeMap<_, _> = ROUTES
            .iter()
            .zip(&self.routes)
            .map(|(&route, counter)| (route.to_owned(), counter.load(Ordering::Relaxed)))
            .filter(|&(_, count)| count > 0)
            .collect();
        Stats {
            requests: by_route.values().sum(),
            by_route,
            by_status: (0..)
                .zip(&self.statuses)
                .map(|(status, counter)| (status, counter.load(Ordering::Relaxed)))
                .filter(|&(_, count)| count > 0)
                .collect(),
            connections: self.connections.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn reset(&self) {
        for counter in self.routes.iter().chain(&self.statuses) {
            counter.store(0, Ordering::Relaxed);
        }
        self.connections.store(0, Ordering::Relaxed);
    }
}
