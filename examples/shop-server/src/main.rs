//! The command line of the shop server.

use std::{io::Write, net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::Context;
use clap::Parser;
use rustix::process::{Resource, getrlimit, setrlimit};
use shop_server::{Conduct, Config};
use tokio::signal::unix::{SignalKind, signal};

/// A small shop over HTTP/1.1 and HTTP/2, as a target to try load tests on.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// Time each request takes
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = humantime::parse_duration)]
    latency: Duration,

    /// Up to so much more or less than the latency
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = humantime::parse_duration)]
    jitter: Duration,

    /// Share of the requests answered with status 500, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value = "0")]
    failure_rate: f64,

    /// Speak TLS, with a certificate signed by itself
    #[arg(long)]
    tls: bool,

    /// Write the certificate to this file as PEM, for clients to trust
    #[arg(long, value_name = "FILE", requires = "tls")]
    tls_cert_out: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    allow_many_connections();
    let config = Config {
        listen: args.listen,
        tls: args.tls,
        conduct: Conduct {
            latency: args.latency,
            jitter: args.jitter,
            failure_rate: args.failure_rate,
        },
    };
    let server = shop_server::start(config)
        .await
        .with_context(|| format!("cannot serve on {}", args.listen))?;
    if let (Some(path), Some(pem)) = (&args.tls_cert_out, server.certificate()) {
        std::fs::write(path, pem).with_context(|| format!("cannot write {}", path.display()))?;
    }
    // Before the line is out, or a signal sent on reading it would kill the process.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    writeln!(std::io::stdout(), "listening on {}", server.url())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    server.stop().await;
    Ok(())
}

/// Raises the limit of open files as far as the system permits. Where it permits less
/// than is needed, connections wait to be accepted.
fn allow_many_connections() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
}
