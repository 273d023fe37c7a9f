//! Keys pressed while a run is under way → orders for it. Knows the terminal and the
//! helm, not what becomes of an order.
//!
//! The terminal is not ours alone: the shell takes it back when the run is stopped or goes
//! to the background, and a process that touches it there is stopped by the system. So the
//! keys are looked for a few times a second, each time only after making sure that this
//! process is in the foreground and the terminal is set up as the keys need it.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;
use rustix::io::Errno;
use rustix::process::getpgrp;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios};
use rustix::termios::{tcgetattr, tcgetpgrp, tcsetattr};
use tokio::runtime::Handle;

use crate::lifecycle::State;
use crate::steering::{Amount, Change, Helm, Order};

const HELP: &str = "keys: w 1 user more, W 10 more, s 1 fewer, S 10 fewer (or iterations a \
                    second), p start, pause and go on, ? this line, Ctrl-C stop";

/// Between two looks at the keyboard: nobody notices, and it costs nothing.
const PAUSE: Duration = Duration::from_millis(50);

/// The keyboard as a helm. Dropping this gives the terminal back as it was.
pub(super) struct Keys {
    terminal: Arc<Terminal<io::Stdin>>,
    thread: thread::Thread,
}

impl Keys {
    /// Listens, if standard input is a terminal and this process is in its foreground.
    /// `say` shows what there is to say to who presses them. Needs a runtime.
    pub(super) fn listen(helm: Helm, say: impl Fn(&str) + Send + 'static) -> Option<Self> {
        let runtime = Handle::try_current().ok()?;
        let terminal = Arc::new(Terminal::open(io::stdin(), in_foreground)?);
        let watched = terminal.clone();
        let press = move |key| press(key, &helm, &runtime, &say);
        let listener = thread::Builder::new()
            .name("keys".to_owned())
            .spawn(move || watch(&watched, press));
        match listener {
            Ok(listener) => Some(Keys {
                terminal,
                thread: listener.thread().clone(),
            }),
            // Without a thread there are no keys, and the run goes on without.
            Err(_) => {
                terminal.close();
                None
            }
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.terminal.close();
        self.thread.unpark();
    }
}

/// Does what a key stands for.
fn press(key: u8, helm: &Helm, runtime: &Handle, say: &impl Fn(&str)) {
    match meaning(key, helm.status().state) {
        Some(Meaning::Order(order)) => {
            if let Err(refused) = runtime.block_on(helm.order(order)) {
                say(&refused.to_string());
            }
        }
        Some(Meaning::Help) => say(HELP),
        None => {}
    }
}

#[derive(Debug, PartialEq)]
enum Meaning {
    Order(Order),
    Help,
}

fn meaning(key: u8, state: State) -> Option<Meaning> {
    let order = match key {
        b'w' => users(1),
        b'W' => users(10),
        b's' => users(-1),
        b'S' => users(-10),
        b'p' => match state {
            // A run that waits for its start is held, too, to who sits before it.
            State::Ready => Order::Start,
            State::Paused => Order::Resume,
            State::Starting | State::Running | State::Stopping | State::Stopped => Order::Pause,
        },
        b'?' | b'h' => return Some(Meaning::Help),
        _ => return None,
    };
    Some(Meaning::Order(order))
}

/// More or fewer users; of a run that has none to choose, iterations a second.
fn users(by: i32) -> Order {
    Order::Load(Change {
        users: Some(Amount::By(by)),
        ..Change::default()
    })
}

/// Presses the keys that come from a terminal until it is closed or gone.
fn watch<F: AsFd>(terminal: &Terminal<F>, mut press: impl FnMut(u8)) {
    let mut plain = Plain::default();
    let mut bytes = [0; 64];
    while let Some(keys) = terminal.read(&mut bytes) {
        for &byte in keys {
            if plain.take(byte) {
                press(byte);
            }
        }
        if keys.is_empty() {
            plain = Plain::default();
            thread::park_timeout(PAUSE);
        }
    }
}

/// Tells letters from the parts of escape sequences, which other keys send: the `A` of an
/// arrow key and the `S` of F4 are no orders.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Plain {
    /// Between keys.
    #[default]
    Letter,
    /// After an escape.
    Escape,
    /// Before the last byte of a sequence.
    Sequence,
    /// Before the only byte of a sequence.
    Last,
}

impl Plain {
    /// Whether a byte is a letter by itself.
    fn take(&mut self, byte: u8) -> bool {
        const ESCAPE: u8 = 0x1b;
        let (next, letter) = match (*self, byte) {
            (_, ESCAPE) => (Plain::Escape, false),
            (Plain::Escape, b'[') => (Plain::Sequence, false),
            (Plain::Escape, b'O') => (Plain::Last, false),
            (Plain::Sequence, b' '..=b'?') => (Plain::Sequence, false),
            // F1 to F5 of the Linux console: `ESC [ [` and a letter.
            (Plain::Sequence, b'[') => (Plain::Last, false),
            // Also a letter pressed together with Alt.
            (Plain::Escape | Plain::Sequence | Plain::Last, _) => (Plain::Letter, false),
            (Plain::Letter, _) => (Plain::Letter, true),
        };
        *self = next;
        letter
    }
}

/// A terminal that sends keys as they are pressed, for as long as it is open.
struct Terminal<F: AsFd> {
    input: F,
    foreground: fn(&F) -> bool,
    /// How it was.
    before: Termios,
    /// The lock keeps a late look at the keyboard from undoing what closing restored.
    open: Mutex<bool>,
}

impl<F: AsFd> Terminal<F> {
    fn open(input: F, foreground: fn(&F) -> bool) -> Option<Self> {
        let before = tcgetattr(&input).ok().filter(|_| foreground(&input))?;
        let terminal = Terminal {
            input,
            foreground,
            before,
            open: Mutex::new(true),
        };
        terminal.set_up().ok()?;
        Some(terminal)
    }

    /// The keys pressed since the last time; nothing once the terminal is closed or gone.
    fn read<'a>(&self, bytes: &'a mut [u8]) -> Option<&'a [u8]> {
        let open = self.open.lock();
        if !*open {
            return None;
        }
        if !(self.foreground)(&self.input) {
            // It may come back, or may be gone for good.
            return tcgetattr(&self.input).ok().map(|_| &[][..]);
        }
        self.set_up().ok()?;
        match rustix::io::read(&self.input, &mut *bytes) {
            Ok(count) => bytes.get(..count),
            Err(Errno::INTR | Errno::AGAIN) => Some(&[]),
            Err(_) => None,
        }
    }

    /// Makes the terminal send each key at once and print none. It keeps making signals of
    /// Ctrl-C and Ctrl-Z. Reading does not wait.
    fn set_up(&self) -> rustix::io::Result<()> {
        let now = tcgetattr(&self.input)?;
        let lines = LocalModes::ICANON | LocalModes::ECHO;
        let waits = [SpecialCodeIndex::VMIN, SpecialCodeIndex::VTIME];
        let waiting = waits.iter().any(|code| now.special_codes[*code] != 0);
        if !now.local_modes.intersects(lines) && !waiting {
            return Ok(());
        }
        let mut keys = now;
        keys.local_modes.remove(lines);
        for code in waits {
            keys.special_codes[code] = 0;
        }
        tcsetattr(&self.input, OptionalActions::Now, &keys)
    }

    /// Gives the terminal back as it was.
    fn close(&self) {
        let mut open = self.open.lock();
        if std::mem::replace(&mut *open, false) && (self.foreground)(&self.input) {
            // A terminal that is gone needs nothing; in the background it is the shell's.
            let _ = tcsetattr(&self.input, OptionalActions::Now, &self.before);
        }
    }
}

/// Whether the terminal is this process's to use.
fn in_foreground<F: AsFd>(terminal: &F) -> bool {
    tcgetpgrp(terminal).is_ok_and(|group| group == getpgrp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steering::{Refused, Wheel, steering};
    use proptest::prelude::*;
    use std::fs::File;
    use std::io::Write;
    use std::os::fd::{FromRawFd, OwnedFd};
    use std::sync::mpsc;

    fn by(users: i32) -> Option<Meaning> {
        Some(Meaning::Order(super::users(users)))
    }

    #[test]
    fn letters_are_orders() {
        let running = |key| meaning(key, State::Running);
        assert_eq!(running(b'w'), by(1));
        assert_eq!(running(b'W'), by(10));
        assert_eq!(running(b's'), by(-1));
        assert_eq!(running(b'S'), by(-10));
        assert_eq!(running(b'h'), Some(Meaning::Help));
        assert_eq!(running(b'?'), Some(Meaning::Help));
        let others = (0..=255).filter(|key| !b"wWsSph?".contains(key));
        assert!(others.into_iter().all(|key| running(key).is_none()));
    }

    #[test]
    fn one_key_starts_pauses_and_resumes() {
        let order = |state| meaning(b'p', state);
        assert_eq!(order(State::Ready), Some(Meaning::Order(Order::Start)));
        assert_eq!(order(State::Running), Some(Meaning::Order(Order::Pause)));
        assert_eq!(order(State::Paused), Some(Meaning::Order(Order::Resume)));
    }

    fn letters(text: &[u8]) -> Vec<u8> {
        let mut plain = Plain::default();
        let letters = text.iter().copied();
        letters.filter(|byte| plain.take(*byte)).collect()
    }

    #[test]
    fn other_keys_press_no_letters() {
        assert_eq!(letters(b"wWp?"), b"wWp?");
        // Arrows, with Ctrl too, F4 of terminals and of the console, Delete, Alt-w.
        assert_eq!(
            letters(b"\x1b[Aw\x1b[1;5Dw\x1bOSw\x1b[[Dw\x1b[3~w\x1bww"),
            b"wwwwww"
        );
        assert_eq!(letters(b"\x1b\x1b[Ss"), b"s");
    }

    proptest! {
        #[test]
        fn after_any_bytes_a_letter_is_heard_again(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            // No sequence goes on after a letter, and none begins with one.
            let heard = letters(&[&bytes[..], b"~~w"].concat());
            prop_assert_eq!(heard.last(), Some(&b'w'));
        }
    }

    /// Both ends of a terminal: who sits before it, and what a process reads from.
    #[expect(unsafe_code, reason = "the only way to have a terminal in a test")]
    fn pseudo_terminal() -> (File, OwnedFd) {
        let (mut master, mut slave) = (-1, -1);
        let none = std::ptr::null_mut();
        // SAFETY: both numbers outlive the call, and the other arguments may be null.
        let opened =
            unsafe { libc::openpty(&mut master, &mut slave, none, none.cast(), none.cast()) };
        assert_eq!(opened, 0, "{}", io::Error::last_os_error());
        // SAFETY: the call has just opened them, and nobody else knows them.
        unsafe { (File::from_raw_fd(master), OwnedFd::from_raw_fd(slave)) }
    }

    fn modes(terminal: &impl AsFd) -> (bool, bool, bool) {
        let modes = tcgetattr(terminal).unwrap().local_modes;
        (
            modes.contains(LocalModes::ICANON),
            modes.contains(LocalModes::ECHO),
            modes.contains(LocalModes::ISIG),
        )
    }

    #[test]
    fn keys_come_as_they_are_pressed_and_the_terminal_is_given_back() {
        let (mut person, tty) = pseudo_terminal();
        let before = tcgetattr(&tty).unwrap();
        assert_eq!(modes(&tty), (true, true, true));
        let terminal = Terminal::open(tty.try_clone().unwrap(), |_| true).unwrap();
        assert_eq!(modes(&tty), (false, false, true));
        // As a shell does while the run is in the background.
        tcsetattr(&tty, OptionalActions::Now, &before).unwrap();
        let (pressed, keys) = mpsc::channel();
        thread::scope(|scope| {
            let terminal = &terminal;
            scope.spawn(move || watch(terminal, |key| pressed.send(key).unwrap()));
            // In this order the first one arrives only if there is no waiting for a line.
            for key in b"wSp" {
                person.write_all(&[*key]).unwrap();
                assert_eq!(keys.recv().unwrap(), *key);
            }
            assert_eq!(modes(&tty), (false, false, true));
            terminal.close();
        });
        assert_eq!(modes(&tty), (true, true, true));
        let after = tcgetattr(&tty).unwrap();
        let code = SpecialCodeIndex::VMIN;
        assert_eq!(after.special_codes[code], before.special_codes[code]);
    }

    #[test]
    fn in_the_background_the_terminal_is_left_alone() {
        let (mut person, tty) = pseudo_terminal();
        // A test has no control of this terminal, so it is in nobody's foreground.
        assert!(Terminal::open(tty.try_clone().unwrap(), in_foreground).is_none());
        assert_eq!(modes(&tty), (true, true, true));
        let mut terminal = Terminal::open(tty.try_clone().unwrap(), |_| true).unwrap();
        terminal.foreground = |_| false;
        person.write_all(b"w").unwrap();
        assert_eq!(terminal.read(&mut [0; 8]), Some(&[][..]));
        terminal.close();
        assert_eq!(
            modes(&tty),
            (false, false, true),
            "it is the shell's to set"
        );
        assert_eq!(terminal.read(&mut [0; 8]), None);
    }

    #[test]
    fn listening_ends_with_the_terminal() {
        let (person, tty) = pseudo_terminal();
        let terminal = Terminal::open(tty, |_| true).unwrap();
        drop(person);
        watch(&terminal, |_| {});
    }

    #[test]
    fn a_file_is_no_terminal() {
        assert!(Terminal::open(File::open("/dev/null").unwrap(), |_| true).is_none());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn refusals_and_help_are_said() {
        let (helm, wheel) = steering();
        let Wheel {
            mut orders,
            status: _status,
        } = wheel;
        let (say, said) = mpsc::channel();
        let runtime = Handle::current();
        let keyboard = thread::spawn(move || {
            for key in *b"pw?" {
                press(key, &helm, &runtime, &|text: &str| {
                    say.send(text.to_owned()).unwrap()
                });
            }
        });
        let start = orders.recv().await.unwrap();
        assert_eq!(start.order, Order::Start);
        start
            .reply
            .send(Err(Refused::Invalid("no".to_owned())))
            .unwrap();
        drop(orders);
        keyboard.join().unwrap();
        assert_eq!(
            said.iter().collect::<Vec<_>>(),
            ["no", "the run is over", HELP]
        );
    }
}
