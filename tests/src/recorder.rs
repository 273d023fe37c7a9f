//! A loopback server to which guests tell what happens to them, and that can hold their
//! requests. Knows nothing of the events' meaning.
//!
//! | path | answer |
//! |---|---|
//! | `/event?user=N&what=WORD` | how often this URL was asked for before |
//! | `/gate?of=N` | `ok`, as soon as N have come to this URL |
//! | `/hold` | none |
//! | `/status/CODE` | `ok` with this status |
//! | any other | `ok` |

use std::{
    collections::BTreeMap,
    fmt::Write,
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener as StdTcpListener},
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    runtime,
    sync::{oneshot, watch},
    task::JoinSet,
    time,
};

/// Longest time that a test waits for events.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a gate stays closed beyond need, so that who came too early is seen in time.
const LINGER: Duration = Duration::from_millis(50);

/// Something that a guest told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The user that told it; 0 for the load shape and the hooks.
    pub user: u64,
    /// What happened.
    pub what: String,
}

/// The running server. Dropping it ends its connections and its thread.
pub struct Recorder {
    address: SocketAddr,
    state: Arc<State>,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

#[derive(Default)]
struct State {
    log: Mutex<Log>,
    /// An event was added.
    told: Condvar,
    /// Requests so far, for those that wait at a gate.
    requests: watch::Sender<usize>,
}

#[derive(Default)]
struct Log {
    events: Vec<Event>,
    /// Requests by URL.
    requests: BTreeMap<String, usize>,
    at_gates: usize,
    peak_at_gates: usize,
}

impl Recorder {
    /// Starts the server on a free port of 127.0.0.1. It is ready when this returns.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start() -> Self {
        Self::try_start().expect("the recorder can be started")
    }

    fn try_start() -> io::Result<Self> {
        let listener = StdTcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let state = Arc::new(State::default());
        let serve = serve(listener, Arc::clone(&state));
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    result = serve => result.expect("the recorder can accept"),
                    _ = stopped => {}
                }
            });
        });
        Ok(Self {
            address,
            state,
            running: Some((stop, thread)),
        })
    }

    /// The base URL, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All events so far, in the order in which they came.
    pub fn events(&self) -> Vec<Event> {
        self.state.log.lock().events.clone()
    }

    /// What each user told, in order.
    pub fn lives(&self) -> BTreeMap<u64, Vec<String>> {
        let mut lives: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for event in self.events() {
            lives.entry(event.user).or_default().push(event.what);
        }
        lives
    }

    /// Requests so far to a path with its query.
    pub fn requests(&self, url: &str) -> usize {
        self.state
            .log
            .lock()
            .requests
            .get(url)
            .copied()
            .unwrap_or(0)
    }

    /// The most requests that were at gates at a time.
    pub fn peak_at_gates(&self) -> usize {
        self.state.log.lock().peak_at_gates
    }

    /// Waits until `what` was told `times` times.
    ///
    /// # Panics
    /// When it was not for a minute.
    pub fn wait_for(&self, what: &str, times: usize) {
        let told = |log: &Log| log.events.iter().filter(|event| event.what == what).count();
        self.wait_until(|log| told(log) >= times, what);
    }

    /// Waits until a path with its query was asked for `times` times.
    ///
    /// # Panics
    /// When it was not for a minute.
    pub fn wait_for_requests(&self, url: &str, times: usize) {
        let asked = |log: &Log| log.requests.get(url).copied().unwrap_or(0);
        self.wait_until(|log| asked(log) >= times, url);
    }

    fn wait_until(&self, mut done: impl FnMut(&Log) -> bool, what: &str) {
        let deadline = Instant::now() + PATIENCE;
        let mut log = self.state.log.lock();
        while !done(&log) {
            let waited = self.state.told.wait_until(&mut log, deadline);
            assert!(
                !waited.timed_out(),
                "not enough of {what:?} in {:?}",
                log.events
            );
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            // Both fail only after the thread has panicked, which it has printed.
            let _ = stop.send(());
            let _ = thread.join();
        }
    }
}

async fn serve(listener: StdTcpListener, state: Arc<State>) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        while connections.try_join_next().is_some() {}
        connections.spawn(converse(stream, Arc::clone(&state)));
    }
}

/// One connection. How it ends is the guest's matter.
async fn converse(stream: TcpStream, state: Arc<State>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    while let Some(url) = next_url(&mut stream).await? {
        let (status, body) = state.answer(&url).await;
        let mut answer = String::new();
        let length = body.len();
        let _ = write!(
            answer,
            "HTTP/1.1 {status} x\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        stream.get_mut().write_all(answer.as_bytes()).await?;
    }
    Ok(())
}

/// The path and query of the next request, which has no body.
async fn next_url(stream: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut first = String::new();
    if stream.read_line(&mut first).await? == 0 {
        return Ok(None);
    }
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
    }
    Ok(first.split(' ').nth(1).map(str::to_owned))
}

impl State {
    async fn answer(&self, url: &str) -> (u16, String) {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let field = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs
                .find(|(key, _)| *key == name)
                .map_or("", |(_, value)| value)
        };
        let event = (path == "/event").then(|| Event {
            user: field("user").parse().unwrap_or_default(),
            what: field("what").to_owned(),
        });
        let before = self.enter(url, event);
        match path {
            "/event" => (200, before.to_string()),
            "/gate" => {
                self.pass(url, field("of").parse().unwrap_or(1)).await;
                (200, "ok".to_owned())
            }
            "/hold" => std::future::pending().await,
            path => {
                let status = path
                    .strip_prefix("/status/")
                    .and_then(|code| code.parse().ok());
                (status.unwrap_or(200), "ok".to_owned())
            }
        }
    }

    /// Counts a request. How many there were before.
    fn enter(&self, url: &str, event: Option<Event>) -> usize {
        let mut log = self.log.lock();
        log.events.extend(event);
        let count = log.requests.entry(url.to_owned()).or_default();
        *count += 1;
        let before = *count - 1;
        self.told.notify_all();
        drop(log);
        self.requests.send_modify(|requests| *requests += 1);
        before
    }

    /// Waits until a gate opens.
    async fn pass(&self, url: &str, of: usize) {
        {
            let mut log = self.log.lock();
            log.at_gates += 1;
            log.peak_at_gates = log.peak_at_gates.max(log.at_gates);
        }
        let come = || {
            self.log
                .lock()
                .requests
                .get(url)
                .is_some_and(|count| *count >= of)
        };
        let mut requests = self.requests.subscribe();
        // Fails only with the sender, which is here.
        let _ = requests.wait_for(|_| come()).await;
        time::sleep(LINGER).await;
        self.log.lock().at_gates -= 1;
    }
}
