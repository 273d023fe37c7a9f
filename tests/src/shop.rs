//! The shop server in the process of the test. Knows nothing of its routes.

use shop_server::{Config, Server, Stats};
use tokio::runtime::{Builder, Runtime};

/// A running shop with threads of its own. Dropping it stops it.
pub struct Shop {
    server: Server,
    _runtime: Runtime,
}

impl Shop {
    /// Starts a shop; it is ready when this returns.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(config: Config) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        let runtime = runtime.expect("a runtime can be started");
        let server = runtime.block_on(shop_server::start(config));
        Self {
            server: server.expect("the shop can be started"),
            _runtime: runtime,
        }
    }

    /// The base URL, without a slash at its end.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The certificate to trust, as PEM, when the shop speaks TLS.
    pub fn certificate(&self) -> Option<&str> {
        self.server.certificate()
    }

    /// What the shop has seen.
    pub fn stats(&self) -> Stats {
        self.server.stats()
    }
}
