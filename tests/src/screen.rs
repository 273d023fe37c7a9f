//! A process on a terminal: what a person would see, and the keys that a person would press.
//! Knows nothing of what the process does.

use std::{
    fs::File,
    io::{self, Read, Write},
    num::NonZeroU16,
    os::{
        fd::{FromRawFd, OwnedFd},
        unix::process::CommandExt as _,
    },
    process::{Child, Command},
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};
use rustix::{
    process::{ioctl_tiocsctty, setsid},
    termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize},
};

/// Longest that anything may take.
const TIMEOUT: Duration = Duration::from_secs(120);
/// How often the end of a process is looked for.
const POLL: Duration = Duration::from_millis(5);

/// A process whose standard streams are a terminal. It is killed when this is dropped.
pub struct Screen {
    child: Child,
    person: File,
    tty: Option<OwnedFd>,
    seen: Arc<Seen>,
    reader: Option<JoinHandle<()>>,
    deadline: Instant,
}

/// What has come from the process.
struct Seen {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    parser: vt100::Parser,
    bytes: Vec<u8>,
}

impl Screen {
    /// Starts a command on a terminal of so many columns and rows.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(mut command: Command, columns: u16, rows: u16) -> Self {
        let (person, tty) = pseudo_terminal();
        let seen = Arc::new(Seen {
            state: Mutex::new(State {
                parser: vt100::Parser::new(cells(rows), cells(columns), 1000),
                bytes: Vec::new(),
            }),
            changed: Condvar::new(),
        });
        set_size(&person, columns, rows);
        let clone = || tty.try_clone().expect("the terminal can be shared");
        command.stdin(clone()).stdout(clone()).stderr(clone());
        let child = take_terminal(&mut command)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        // It holds the terminal too, and would keep it open.
        drop(command);
        let reader = read(&person, seen.clone());
        Screen {
            child,
            person,
            tty: Some(tty),
            seen,
            reader: Some(reader),
            deadline: Instant::now() + TIMEOUT,
        }
    }

    /// Presses keys, as the bytes that they send.
    ///
    /// # Panics
    /// When the terminal is gone.
    pub fn press(&mut self, keys: &str) {
        let written = self.person.write_all(keys.as_bytes());
        written.expect("the terminal takes keys");
    }

    /// Makes the window larger or smaller.
    pub fn resize(&self, columns: u16, rows: u16) {
        let mut state = self.seen.state.lock();
        state
            .parser
            .screen_mut()
            .set_size(cells(rows), cells(columns));
        drop(state);
        set_size(&self.person, columns, rows);
    }

    /// Waits until the screen shows a text.
    ///
    /// # Panics
    /// When it does not within the time limit.
    pub fn wait_for(&self, text: &str) {
        self.wait_until(text, |screen| screen.contents().contains(text));
    }

    /// Waits until the screen shows this no longer.
    ///
    /// # Panics
    /// When it still does at the end of the time limit.
    pub fn wait_without(&self, text: &str) {
        self.wait_until(&format!("no {text}"), |screen| {
            !screen.contents().contains(text)
        });
    }

    /// Waits until the screen is like this.
    ///
    /// # Panics
    /// When it is not within the time limit.
    pub fn wait_until(&self, what: &str, holds: impl Fn(&vt100::Screen) -> bool) {
        let mut state = self.seen.state.lock();
        while !holds(state.parser.screen()) {
            let late = self.seen.changed.wait_until(&mut state, self.deadline);
            let screen = state.parser.screen();
            assert!(
                !late.timed_out() || holds(screen),
                "the screen never showed {what}:\n{}",
                screen.contents()
            );
        }
    }

    /// What is on the screen.
    pub fn contents(&self) -> String {
        self.seen.state.lock().parser.screen().contents()
    }

    /// All bytes that came so far.
    pub fn bytes(&self) -> String {
        String::from_utf8_lossy(&self.seen.state.lock().bytes).into_owned()
    }

    /// Whether the ordinary screen is shown, with a cursor.
    pub fn is_ordinary(&self) -> bool {
        let state = self.seen.state.lock();
        let screen = state.parser.screen();
        !screen.alternate_screen() && !screen.hide_cursor()
    }

    /// Whether the terminal sends whole lines and prints what is typed, as it does at first.
    ///
    /// # Panics
    /// After the end of the process.
    pub fn is_cooked(&self) -> bool {
        let tty = self
            .tty
            .as_ref()
            .expect("the process has not been waited for");
        let modes = tcgetattr(tty).expect("it is a terminal").local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    /// Waits for the end of the process and of what it wrote; its exit code.
    ///
    /// # Panics
    /// When the time limit passes first.
    pub fn wait(&mut self) -> Option<i32> {
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if Instant::now() < self.deadline => thread::sleep(POLL),
                Ok(None) => panic!("the time limit has passed:\n{}", self.contents()),
                Err(error) => panic!("cannot wait for the process: {error}"),
            }
        };
        status.code()
    }

    /// Waits until all that was written has been read, after the end of the process.
    pub fn close(&mut self) {
        self.tty = None;
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader does not panic");
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Both do nothing to a process that has been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(person: &File, seen: Arc<Seen>) -> JoinHandle<()> {
    let mut from = person.try_clone().expect("the terminal can be shared");
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        // It fails once nobody has the terminal open any more.
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            let mut state = seen.state.lock();
            state.parser.process(&bytes[..count]);
            state.bytes.extend_from_slice(&bytes[..count]);
            seen.changed.notify_all();
        }
    })
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("a screen has a size")
}

fn set_size(person: &File, columns: u16, rows: u16) {
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(person, size).expect("a terminal has a size");
}

/// Both ends of a terminal: who sits before it, and what a process has.
#[expect(unsafe_code, reason = "there is no safe way to have a terminal")]
fn pseudo_terminal() -> (File, OwnedFd) {
    let (mut master, mut slave) = (-1, -1);
    let none = std::ptr::null_mut();
    // SAFETY: both numbers outlive the call, and the other arguments may be null.
    let opened = unsafe { libc::openpty(&mut master, &mut slave, none, none.cast(), none.cast()) };
    assert_eq!(opened, 0, "{}", io::Error::last_os_error());
    // SAFETY: the call has just opened them, and nobody else knows them.
    let (person, tty) = unsafe { (File::from_raw_fd(master), OwnedFd::from_raw_fd(slave)) };
    // Another test's process must not hold this terminal open.
    for end in [&person as &dyn std::os::fd::AsFd, &tty] {
        let set = rustix::io::fcntl_setfd(end.as_fd(), rustix::io::FdFlags::CLOEXEC);
        set.expect("the terminal can be kept from other processes");
    }
    (person, tty)
}

/// Makes the terminal on standard input the one that controls the process.
#[expect(unsafe_code, reason = "it has to happen in the new process")]
fn take_terminal(command: &mut Command) -> &mut Command {
    let take = || -> io::Result<()> {
        setsid()?;
        ioctl_tiocsctty(rustix::stdio::stdin())?;
        Ok(())
    };
    // SAFETY: these are two system calls, which allocate nothing and take no lock.
    unsafe { command.pre_exec(take) }
}
