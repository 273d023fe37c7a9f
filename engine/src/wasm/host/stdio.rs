//! Standard streams of a sandbox: both go line by line to the log, and the end of
//! standard error is kept as the last words of a guest that traps. No other WASI
//! capability is granted beyond clocks, random numbers and the folders of the run.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder};

use crate::wasm::run::{Level, Run};

const TAIL: usize = 1024;
const MAX_LINE: usize = 4096;

/// The end of what was written to standard error.
#[derive(Clone, Default)]
pub(super) struct Tail(Arc<Mutex<VecDeque<u8>>>);

impl Tail {
    fn push(&self, bytes: &[u8]) {
        let mut tail = self.0.lock();
        tail.extend(&bytes[bytes.len().saturating_sub(TAIL)..]);
        let excess = tail.len().saturating_sub(TAIL);
        tail.drain(..excess);
    }

    /// Its lines as one, or nothing when there is none.
    pub(super) fn text(&self) -> Option<String> {
        let bytes: Vec<u8> = self.0.lock().iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text
            .lines()
            .map(str::trim)
            .filter(|l| !l.is_empty())
            .collect();
        let worth = lines
            .iter()
            .filter(|l| !l.starts_with("note: run with"))
            .copied();
        let text = worth.collect::<Vec<_>>().join(" ");
        // Rust's panics begin with a thread, of which a guest has one.
        let text = match text.split_once(" panicked at ") {
            Some((thread, panic)) if thread.starts_with("thread ") => {
                format!("panicked at {panic}")
            }
            _ => text,
        };
        (!text.is_empty()).then_some(text)
    }
}

/// A WASI context that can write to the log, read the folders of the run, and nothing more.
pub(super) fn wasi(run: &Arc<Run>, class: &Arc<str>, stderr: &Tail) -> WasiCtx {
    let stream = |tail: Option<Tail>, level| Lines {
        run: run.clone(),
        class: class.clone(),
        level,
        tail,
    };
    let mut wasi = WasiCtxBuilder::new()
        .stdout(stream(None, Level::Info))
        .stderr(stream(Some(stderr.clone()), Level::Warn))
        .allow_tcp(false)
        .allow_udp(false)
        .build();
    run.folders.grant(&mut wasi);
    wasi
}

struct Lines {
    run: Arc<Run>,
    class: Arc<str>,
    level: Level,
    tail: Option<Tail>,
}

impl IsTerminal for Lines {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Lines {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        // Only WASI 0.3 asks for this stream, and it is not offered.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(LineStream {
            run: self.run.clone(),
            class: self.class.clone(),
            level: self.level,
            tail: self.tail.clone(),
            line: Vec::new(),
        })
    }
}

struct LineStream {
    run: Arc<Run>,
    class: Arc<str>,
    level: Level,
    tail: Option<Tail>,
    line: Vec<u8>,
}

impl LineStream {
    fn emit(&mut self) {
        let line = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&line);
        self.run.log(self.level, &self.class, text.trim_end());
    }
}

impl OutputStream for LineStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if let Some(tail) = &self.tail {
            tail.push(&bytes);
        }
        for &byte in &bytes {
            if byte == b'\n' || self.line.len() == MAX_LINE {
                self.emit();
            }
            if byte != b'\n' {
                self.line.push(byte);
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 * 1024)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for LineStream {
    async fn ready(&mut self) {}
}

impl Drop for LineStream {
    fn drop(&mut self) {
        if !self.line.is_empty() {
            self.emit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_keeps_the_end() {
        let tail = Tail::default();
        assert_eq!(tail.text(), None);
        tail.push(&[b'x'; 5000]);
        tail.push(b"\npanicked at src/lib.rs:3:\nboom\nnote: run with `RUST_BACKTRACE=1`\n");
        let text = tail.text().unwrap();
        assert!(text.ends_with("panicked at src/lib.rs:3: boom"), "{text}");
        assert!(text.len() <= TAIL);
    }
}
