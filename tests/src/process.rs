//! A process with a time limit, whose lines can be read as they appear and to which
//! signals can be sent. Knows nothing of what the process does.

use std::{
    fmt,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// Bytes kept of each stream; what follows is read and thrown away.
const MAX_OUTPUT: u64 = 16 << 20;
/// How often the end of a process is looked for.
const POLL: Duration = Duration::from_millis(5);

/// What a process left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The exit code; absent when a signal ended it.
    pub code: Option<i32>,
    /// Everything written to the standard output, as text.
    pub stdout: String,
    /// Everything written to the standard error, as text.
    pub stderr: String,
}

/// A running process. It is killed when this is dropped.
pub struct Process {
    child: Child,
    lines: Receiver<(Stream, String)>,
    stdout: String,
    stderr: String,
    deadline: Instant,
}

#[derive(Clone, Copy)]
enum Stream {
    Out,
    Err,
}

impl Process {
    /// Starts a command without a standard input.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn spawn(mut command: Command, timeout: Duration) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let (sender, lines) = mpsc::channel();
        read_lines(child.stdout.take(), Stream::Out, sender.clone());
        read_lines(child.stderr.take(), Stream::Err, sender);
        Self {
            child,
            lines,
            stdout: String::new(),
            stderr: String::new(),
            deadline: Instant::now() + timeout,
        }
    }

    /// Waits for the next line, of either stream, that contains `text`, and returns it
    /// without its end.
    ///
    /// # Panics
    /// When the process closes its output or the time limit passes before.
    pub fn wait_for_line(&mut self, text: &str) -> String {
        loop {
            match self.next_line() {
                Some(line) if line.contains(text) => return line.trim_end().to_owned(),
                Some(_) => {}
                None => panic!("no line with {text:?}\n{self}"),
            }
        }
    }

    /// Sends SIGINT, as Ctrl-C does.
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Waits for the end.
    ///
    /// # Panics
    /// When the time limit passes first.
    pub fn wait(mut self) -> Output {
        while self.next_line().is_some() {}
        let status = self.exit_status();
        Output {
            code: status.code(),
            stdout: std::mem::take(&mut self.stdout),
            stderr: std::mem::take(&mut self.stderr),
        }
    }

    fn signal(&self, signal: Signal) {
        // The id cannot belong to another process: this one has not been waited for.
        kill_process(Pid::from_child(&self.child), signal).expect("the process can be signalled");
    }

    /// The next line, or nothing after both streams were closed.
    fn next_line(&mut self) -> Option<String> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        match self.lines.recv_timeout(left) {
            Ok((stream, line)) => {
                match stream {
                    Stream::Out => self.stdout.push_str(&line),
                    Stream::Err => self.stderr.push_str(&line),
                }
                Some(line)
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("the time limit has passed\n{self}"),
        }
    }

    fn exit_status(&mut self) -> ExitStatus {
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return status,
                Ok(None) if Instant::now() < self.deadline => thread::sleep(POLL),
                Ok(None) => panic!("the time limit has passed\n{self}"),
                Err(error) => panic!("cannot wait for the process: {error}"),
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both do nothing to a process that has been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All output so far, for the message of a failed test.
impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr)
    }
}

fn read_lines(
    pipe: Option<impl Read + Send + 'static>,
    stream: Stream,
    lines: Sender<(Stream, String)>,
) {
    let mut pipe = BufReader::new(pipe.expect("the stream is piped"));
    thread::spawn(move || {
        let mut kept = pipe.by_ref().take(MAX_OUTPUT);
        let mut line = Vec::new();
        while kept.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            let text = String::from_utf8_lossy(&line).into_owned();
            if lines.send((stream, text)).is_err() {
                return;
            }
            line.clear();
        }
        // A process must not block on a full pipe.
        let _ = std::io::copy(&mut pipe, &mut std::io::sink());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn shell(script: &str, timeout: Duration) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Process::spawn(command, timeout)
    }

    #[test]
    fn code_and_output_are_kept_apart() {
        let output = shell("echo out; echo err >&2; printf end; exit 7", LONG).wait();
        assert_eq!(output.code, Some(7));
        assert_eq!(output.stdout, "out\nend");
        assert_eq!(output.stderr, "err\n");
    }

    #[test]
    fn lines_appear_while_the_process_runs_and_signals_reach_it() {
        // Not INT: a shell cannot trap what its parent ignores, as the parents of background
        // jobs do.
        let script = "trap 'echo caught; exit 3' TERM; echo first; echo ready >&2; \
                      while :; do sleep 0.01; done";
        let mut process = shell(script, LONG);
        assert_eq!(process.wait_for_line("ready"), "ready");
        process.terminate();
        let output = process.wait();
        assert_eq!(output.code, Some(3));
        assert_eq!(output.stdout, "first\ncaught\n");
    }

    #[test]
    fn a_process_ended_by_a_signal_has_no_code() {
        let mut process = shell("echo ready; exec sleep 60", LONG);
        process.wait_for_line("ready");
        process.terminate();
        assert_eq!(process.wait().code, None);
    }

    #[test]
    #[should_panic(expected = "time limit")]
    fn a_process_over_its_time_limit_fails_the_test() {
        shell("echo still here; exec sleep 60", Duration::from_millis(100)).wait();
    }

    #[test]
    #[should_panic(expected = "no line with \"never\"\nstdout:\nsomething else")]
    fn a_missing_line_shows_what_came_instead() {
        shell("echo something else", LONG).wait_for_line("never");
    }

    #[test]
    fn dropping_kills_the_process() {
        let process = shell("exec sleep 60", LONG);
        let pid = Pid::from_child(&process.child);
        drop(process);
        assert!(rustix::process::test_kill_process(pid).is_err());
    }

    #[test]
    fn a_flood_of_output_neither_blocks_the_process_nor_fills_the_memory() {
        let output = shell("yes | head -c 20000000", LONG).wait();
        assert_eq!(output.code, Some(0));
        assert_eq!(output.stdout.len() as u64, MAX_OUTPUT);
    }
}
