//! A small shop over HTTP, as the target of the examples and tests: log in, look at
//! products, fill a cart, order and pay. It can be told to be slow and to fail, and it
//! counts what it has seen, so that a load test can be held against the truth.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! let shop = shop_server::start(shop_server::Config::default()).await?;
//! println!("{}", shop.url());
//! assert_eq!(shop.stats().requests, 0);
//! # Ok(())
//! # }
//! ```

mod delay;
mod routes;
mod server;
mod shop;
mod stats;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::task::JoinHandle;

use routes::App;
pub use stats::Stats;

const MAX_LATENCY: Duration = Duration::from_secs(3600);

/// How the server is reached and how it behaves.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Speak TLS, with a certificate made for this server: see [`Server::certificate`].
    pub tls: bool,
    /// How requests to the shop are held up or failed.
    pub conduct: Conduct,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            tls: false,
            conduct: Conduct::default(),
        }
    }
}

/// How requests to the shop, `/delay` and `/stats` excluded, are held up or failed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Conduct {
    /// Time before a request is looked at, at most an hour.
    pub latency: Duration,
    /// Up to so much more or less than `latency`, uniformly distributed; at most an hour.
    pub jitter: Duration,
    /// Share of the requests answered with status 500, from 0 to 1.
    pub failure_rate: f64,
}

impl Conduct {
    fn check(&self) -> io::Result<()> {
        let invalid = |message| Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        if self.latency.max(self.jitter) > MAX_LATENCY {
            return invalid("the latency and the jitter must not exceed an hour");
        }
        if !(0.0..=1.0).contains(&self.failure_rate) {
            return invalid("the failure rate must be from 0 to 1");
        }
        Ok(())
    }

    fn draw_delay(&self) -> Duration {
        if self.jitter.is_zero() {
            return self.latency;
        }
        let spread = self.jitter.mul_f64(2.0 * rand::random::<f64>());
        (self.latency + spread).saturating_sub(self.jitter)
    }

    fn draw_failure(&self) -> bool {
        self.failure_rate > 0.0 && rand::random::<f64>() < self.failure_rate
    }
}

/// A running server. Dropping it stops it.
pub struct Server {
    address: SocketAddr,
    certificate: Option<String>,
    app: Arc<App>,
    task: JoinHandle<()>,
}

/// Starts a server on the current tokio runtime; it is ready when this returns.
///
/// # Errors
/// When the address cannot be bound, the conduct is out of its limits or the certificate
/// cannot be made.
pub async fn start(config: Config) -> io::Result<Server> {
    config.conduct.check()?;
    let listener = server::bind(config.listen)?;
    let address = listener.local_addr()?;
    let (tls, certificate) = match config.tls {
        true => server::self_signed().map(|(tls, pem)| (Some(tls), Some(pem)))?,
        false => (None, None),
    };
    let app = Arc::new(App::new(config.conduct)?);
    let router = routes::router(Arc::clone(&app));
    let task = tokio::spawn(server::serve(listener, tls, Arc::clone(&app), router));
    Ok(Server {
        address,
        certificate,
        app,
        task,
    })
}

impl Server {
    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL, without a slash at its end.
    pub fn url(&self) -> String {
        let scheme = match self.certificate {
            Some(_) => "https",
            None => "http",
        };
        format!("{scheme}://{}", self.address)
    }

    /// The certificate to trust, as PEM, when the server speaks TLS. It is valid for
    /// `localhost` and the loopback addresses.
    pub fn certificate(&self) -> Option<&str> {
        self.certificate.as_deref()
    }

    /// What the server has seen, as `GET /stats` tells it.
    pub fn stats(&self) -> Stats {
        self.app.counters.stats()
    }

    /// Stops listening and closes every connection; requests in progress are cut off.
    pub async fn stop(mut self) {
        self.task.abort();
        // The error says that it was aborted.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
