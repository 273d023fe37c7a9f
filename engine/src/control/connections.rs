//! Takes connections and speaks HTTP on them, so that nobody can keep others out by
//! being many or slow. Knows nothing of what is asked.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::{Shown, reply};

/// Connections at a time.
pub(super) const LIMIT: usize = 64;
/// How long a client may take to send the head of a request, or to think of another one.
pub(super) const HEAD_TIME: Duration = Duration::from_secs(30);
/// The head of a request has to be smaller, in bytes.
pub(super) const MAX_HEAD: usize = 16 << 10;
/// How long requests in hand may take once the endpoint closes.
const DRAIN: Duration = Duration::from_secs(1);
/// How long to wait when the system has no connection to give.
const RECOVERY: Duration = Duration::from_millis(100);

/// Serves until `closing`, and then what is in hand.
pub(super) async fn serve(listener: TcpListener, shown: Arc<Shown>, closing: CancellationToken) {
    let mut open = Open::default();
    loop {
        let accepted = tokio::select! {
            biased;
            () = closing.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let stays = Arc::default();
                let talk = converse(stream, shown.clone(), closing.clone(), Arc::clone(&stays));
                open.add(talk, stays);
            }
            // Out of files, most likely, of which the run may have taken all.
            Err(_) => tokio::time::sleep(RECOVERY).await,
        }
    }
    drop(listener);
    open.drain().await;
}

/// The connections, the oldest first. At the limit the oldest one gives way: whoever asks
/// is answered within moments of connecting, so those who stay are idle, or slow on
/// purpose. Those who follow the run come last: they may.
#[derive(Default)]
struct Open {
    tasks: JoinSet<()>,
    ages: VecDeque<(AbortHandle, Stays)>,
}

/// Whether a connection follows the run.
type Stays = Arc<AtomicBool>;

impl Open {
    fn add(&mut self, connection: impl Future<Output = ()> + Send + 'static, stays: Stays) {
        while self.tasks.try_join_next().is_some() {}
        self.ages.retain(|(task, _)| !task.is_finished());
        while self.ages.len() >= LIMIT {
            let idle = |(_, stays): &(AbortHandle, Stays)| !stays.load(Ordering::Relaxed);
            let oldest = self.ages.iter().position(idle).unwrap_or(0);
            if let Some((task, _)) = self.ages.remove(oldest) {
                task.abort();
            }
        }
        self.ages.push_back((self.tasks.spawn(connection), stays));
    }

    async fn drain(mut self) {
        let all = async { while self.tasks.join_next().await.is_some() {} };
        // Who is not done by then is cut off, with the tasks.
        let _ = tokio::time::timeout(DRAIN, all).await;
    }
}

/// Answers the requests of one client.
async fn converse(stream: TcpStream, shown: Arc<Shown>, closing: CancellationToken, stays: Stays) {
    let service = service_fn(|request| {
        let (shown, stays) = (shown.clone(), stays.clone());
        async move {
            let reply = shown.answer(request).await;
            stays.store(reply::goes_on(&reply), Ordering::Relaxed);
            Ok::<_, Infallible>(reply)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    // A client that breaks off, or sends garbage, is its own concern.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = closing.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
