//! The thread that writes lines to the file: blocks of whole lines, compressed each by
//! itself, so that whatever ends the writing leaves a file that can be read. Knows nothing
//! of the lines' content.

use super::{Chunk, Shared};
use crate::output::file::WriteError;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

/// Text that is compressed at a time, in bytes: more would hardly become smaller.
const BLOCK: usize = 1 << 20;
/// How long text waits for more to be compressed with it.
const LONGEST: Duration = Duration::from_secs(5);
/// For both, the fastest: lines are so much alike that they become a tenth anyway.
const LEVEL: u32 = 1;

/// What becomes of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Plain,
    Gzip,
    Zstandard,
}

impl Encoding {
    fn of(path: &Path) -> Self {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("gz") => Self::Gzip,
            Some("zst") => Self::Zstandard,
            _ => Self::Plain,
        }
    }

    /// The text as a member or a frame of its own; files may have any number of them.
    fn encode(self, text: Vec<u8>) -> io::Result<Vec<u8>> {
        match self {
            Self::Plain => Ok(text),
            Self::Gzip => {
                let mut member = GzEncoder::new(Vec::new(), Compression::new(LEVEL));
                member.write_all(&text)?;
                member.finish()
            }
            Self::Zstandard => zstd::bulk::compress(&text, LEVEL.cast_signed()),
        }
    }
}

/// Writes what the threads have gathered.
pub(super) struct Writer {
    path: PathBuf,
    target: Target,
    encoding: Encoding,
    block: Chunk,
    /// When the first of the block came.
    began: Instant,
    failed: Option<WriteError>,
    shared: Arc<Shared>,
}

impl Writer {
    pub(super) fn open(path: &Path, shared: Arc<Shared>) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            target: Target::open(path)?,
            encoding: Encoding::of(path),
            block: Chunk::default(),
            began: Instant::now(),
            failed: None,
            shared,
        })
    }

    /// Writes until the run is over.
    pub(super) fn run(mut self, chunks: &Receiver<Chunk>) -> Result<(), WriteError> {
        chunks.iter().for_each(|chunk| self.take(chunk));
        let rest = std::mem::take(&mut *self.shared.rest.lock());
        rest.into_iter().for_each(|chunk| self.take(chunk));
        self.write();
        self.failed.map_or(Ok(()), Err)
    }

    fn take(&mut self, chunk: Chunk) {
        if self.failed.is_some() {
            self.settle(chunk.samples, false);
            return;
        }
        if self.block.samples == 0 {
            self.began = Instant::now();
            self.block = chunk;
        } else {
            self.block.text.extend_from_slice(&chunk.text);
            self.block.samples += chunk.samples;
        }
        let compressed = self.encoding != Encoding::Plain;
        let may_grow = self.block.text.len() < BLOCK && self.began.elapsed() < LONGEST;
        if !(compressed && may_grow) {
            self.write();
        }
    }

    /// Writes the block, or finds out that nothing can be written any more.
    fn write(&mut self) {
        let Chunk { text, samples } = std::mem::take(&mut self.block);
        if samples == 0 {
            return;
        }
        let encoded = self.encoding.encode(text);
        let written = encoded.and_then(|block| self.target.append(&block));
        self.settle(samples, written.is_ok());
        if let Err(cause) = written {
            let error = WriteError::new(&self.path, cause);
            let line = format!("{error}; the run goes on, its samples are dropped");
            self.shared.failure.send_replace(Some(line));
            self.failed = Some(error);
        }
    }

    fn settle(&self, samples: u64, written: bool) {
        if !written {
            self.shared.drop_samples(samples);
        }
        self.shared.pending.fetch_sub(samples, Ordering::Relaxed);
    }
}

/// Where the blocks go.
#[derive(Debug)]
struct Target {
    file: File,
    /// Bytes of whole blocks; absent where nothing can be taken back.
    length: Option<u64>,
}

impl Target {
    fn open(path: &Path) -> io::Result<Self> {
        let output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        if is_same(path, &output.metadata()?) {
            // A file opened again would be overwritten by what is printed from its start.
            return Ok(Self {
                file: output,
                length: None,
            });
        }
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)?;
        let length = file.metadata()?.is_file().then_some(0);
        Ok(Self { file, length })
    }

    /// Writes all of the block, or takes back what there is of it.
    fn append(&mut self, block: &[u8]) -> io::Result<()> {
        let written = self.file.write_all(block);
        if let Some(length) = &mut self.length {
            match &written {
                Ok(()) => *length += block.len() as u64,
                // Whoever reads the file has to live with half a line if this fails too.
                Err(_) => drop(self.file.set_len(*length)),
            }
        }
        written
    }
}

fn is_same(path: &Path, open: &Metadata) -> bool {
    std::fs::metadata(path)
        .is_ok_and(|there| (there.dev(), there.ino()) == (open.dev(), open.ino()))
}
