//! Every request as a line of a file, written while the run goes on. Each thread gathers
//! lines in a buffer of its own and hands full ones over without waiting; what the file is
//! too slow for, or has no room for, is dropped and counted. Knows single samples, and
//! nothing of what becomes of them elsewhere.

mod line;
mod writer;

#[cfg(test)]
mod tests;

use crate::metrics::{self, Metrics};
use crate::output::file::WriteError;
use crate::sample::{Sample, Sink};
use crate::secrets::Secrets;
use line::{Clock, Lines};
use parking_lot::Mutex;
use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::thread;
use std::time::Duration;
use tokio::sync::watch;
use writer::Writer;

/// A buffer of this size in bytes is full.
const CHUNK: usize = 64 << 10;
/// Full buffers that may wait for the file: 32 MiB, more than a second of any machine's
/// requests.
const QUEUE: usize = 512;
/// How long a file may take nothing at all before the end of the run gives up on it.
const PATIENCE: Duration = Duration::from_secs(10);

/// A file of all requests.
#[derive(Debug)]
pub struct Samples {
    path: PathBuf,
    shards: Vec<Padded>,
    shared: Arc<Shared>,
    /// What the writer has to say when it is done; taken by who waits for that.
    done: Mutex<Option<Receiver<Result<(), WriteError>>>>,
}

/// What the threads that record and the one that writes have in common.
#[derive(Debug)]
struct Shared {
    metrics: Arc<Metrics>,
    clock: Clock,
    /// Samples handed over that are neither written nor dropped yet.
    pending: AtomicU64,
    /// The buffers that were not full when the run was over.
    rest: Mutex<Vec<Chunk>>,
    failure: watch::Sender<Option<String>>,
}

impl Shared {
    /// These will not be written.
    fn drop_samples(&self, samples: u64) {
        if samples > 0 {
            self.metrics.samples_dropped(samples);
        }
    }
}

/// Two threads never share a cache line (nor the pair of lines that is fetched together).
#[derive(Debug)]
#[repr(align(128))]
struct Padded(Mutex<Shard>);

/// What one thread has gathered.
#[derive(Debug)]
struct Shard {
    lines: Lines,
    chunk: Chunk,
    /// The newest second of which the buffer has a sample.
    second: u64,
    /// Absent when the run is over.
    queue: Option<SyncSender<Chunk>>,
}

/// Whole lines.
#[derive(Debug, Default)]
struct Chunk {
    text: Vec<u8>,
    samples: u64,
}

impl Samples {
    /// Creates the file, or replaces the content of one that is there. Its ending decides
    /// whether it is compressed: `.gz` and `.zst` are. What is no file, such as a pipe, is
    /// written to; one that nobody reads yet makes this wait for its reader.
    ///
    /// # Errors
    ///
    /// When it cannot be created.
    pub fn create(
        path: &Path,
        secrets: &Secrets,
        metrics: Arc<Metrics>,
    ) -> Result<Self, WriteError> {
        Self::create_with(path, secrets, metrics, QUEUE)
    }

    fn create_with(
        path: &Path,
        secrets: &Secrets,
        metrics: Arc<Metrics>,
        queue: usize,
    ) -> Result<Self, WriteError> {
        let failed = |cause| WriteError::new(path, cause);
        let shared = Arc::new(Shared {
            metrics,
            clock: Clock::new(),
            pending: AtomicU64::new(0),
            rest: Mutex::default(),
            failure: watch::Sender::new(None),
        });
        let writer = Writer::open(path, shared.clone()).map_err(failed)?;
        let (queue, chunks) = mpsc::sync_channel(queue);
        let (tell, done) = mpsc::channel();
        thread::Builder::new()
            .name("samples".to_owned())
            .spawn(move || {
                // Nobody waits any more when the end of the run has given up.
                let _ = tell.send(writer.run(&chunks));
            })
            .map_err(failed)?;
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let shard = || {
            Padded(Mutex::new(Shard {
                lines: Lines::new(secrets.clone()),
                chunk: Chunk::default(),
                second: 0,
                queue: Some(queue.clone()),
            }))
        };
        Ok(Self {
            path: path.to_owned(),
            shards: (0..threads).map(|_| shard()).collect(),
            shared,
            done: Mutex::new(Some(done)),
        })
    }

    /// Resolves with one line for people when the file cannot be written any more, while
    /// the run goes on.
    pub async fn failure(&self) -> String {
        let mut failure = self.shared.failure.subscribe();
        // The sender lives as long as this, so that there is always a value to wait for.
        match failure.wait_for(Option::is_some).await {
            Ok(line) => line.clone().unwrap_or_default(),
            Err(_) => std::future::pending().await,
        }
    }

    /// Writes what is left, once the run is over. Blocks until it is written, or until the
    /// file has taken nothing for some seconds. What was dropped is among the measurements
    /// then.
    ///
    /// # Errors
    ///
    /// When not everything that was handed over could be written.
    pub fn finish(&self) -> Result<(), WriteError> {
        self.finish_within(PATIENCE)
    }

    fn finish_within(&self, patience: Duration) -> Result<(), WriteError> {
        let Some(done) = self.done.lock().take() else {
            return Ok(());
        };
        let ends = self.shards.iter().map(|Padded(shard)| shard.lock().end());
        let (rest, queues): (Vec<_>, Vec<_>) = ends.unzip();
        let left: u64 = rest.iter().map(|chunk| chunk.samples).sum();
        self.shared.pending.fetch_add(left, Ordering::Relaxed);
        *self.shared.rest.lock() = rest;
        // The writer looks at the rest when the last of them is gone.
        drop(queues);
        loop {
            let before = self.shared.pending.load(Ordering::Relaxed);
            match done.recv_timeout(patience) {
                Ok(result) => return result,
                Err(RecvTimeoutError::Timeout)
                    if self.shared.pending.load(Ordering::Relaxed) != before => {}
                Err(error) => {
                    let left = self.shared.pending.load(Ordering::Relaxed);
                    self.shared.drop_samples(left);
                    let cause = match error {
                        RecvTimeoutError::Timeout => "it takes no more: nobody reads it",
                        RecvTimeoutError::Disconnected => "the thread that writes it died",
                    };
                    return Err(WriteError::new(&self.path, io::Error::other(cause)));
                }
            }
        }
    }
}

impl Sink for Samples {
    fn record(&self, sample: &Sample<'_>) {
        let at = metrics::thread_index() % self.shards.len();
        self.shards[at].0.lock().add(sample, &self.shared);
    }
}

impl Shard {
    fn add(&mut self, sample: &Sample<'_>, shared: &Shared) {
        if self.queue.is_none() {
            return shared.drop_samples(1);
        }
        let started = shared.clock.start_of(sample);
        // At least once a second, so that somebody may look on.
        if started.as_secs() > self.second {
            self.hand_over(shared);
            self.second = started.as_secs();
        }
        self.lines.write(&mut self.chunk.text, sample, started);
        self.chunk.samples += 1;
        if self.chunk.text.len() >= CHUNK {
            self.hand_over(shared);
        }
    }

    fn hand_over(&mut self, shared: &Shared) {
        let chunk = mem::take(&mut self.chunk);
        let Chunk { samples, .. } = chunk;
        if samples == 0 {
            self.chunk = chunk;
            return;
        }
        shared.pending.fetch_add(samples, Ordering::Relaxed);
        let refused = match &self.queue {
            Some(queue) => queue.try_send(chunk).err(),
            None => Some(TrySendError::Disconnected(chunk)),
        };
        match refused {
            None => self.chunk.text.reserve(CHUNK + CHUNK / 8),
            Some(TrySendError::Full(mut chunk) | TrySendError::Disconnected(mut chunk)) => {
                shared.pending.fetch_sub(samples, Ordering::Relaxed);
                shared.drop_samples(samples);
                chunk.text.clear();
                self.chunk.text = chunk.text;
            }
        }
    }

    fn end(&mut self) -> (Chunk, Option<SyncSender<Chunk>>) {
        (mem::take(&mut self.chunk), self.queue.take())
    }
}
