//! The keyboard of whoever sits before a run: the terminal → keys → orders. Knows neither
//! what is shown nor what becomes of an order.
//!
//! The terminal is not ours alone: the shell takes it back when the run is stopped or goes
//! to the background, and a process that touches it there is stopped by the system. So the
//! keys are looked for some times a second, each time only after making sure that this
//! process is in the foreground and the terminal is set up as the keys need it.

mod key;

pub use key::{Key, Keys};

use std::io;
use std::os::fd::AsFd;

use parking_lot::Mutex;
use rustix::io::Errno;
use rustix::process::getpgrp;
use rustix::termios::{InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios};
use rustix::termios::{tcgetattr, tcgetpgrp, tcsetattr};

use crate::lifecycle::State;
use crate::steering::{Amount, Change, Order};

/// The order that a letter stands for.
#[must_use]
pub fn order(letter: char, state: State) -> Option<Order> {
    Some(match letter {
        'w' => users(1),
        'W' => users(10),
        's' => users(-1),
        'S' => users(-10),
        'p' => match state {
            // A run that waits for its start is held, too, to who sits before it.
            State::Ready => Order::Start,
            State::Paused => Order::Resume,
            State::Starting | State::Running | State::Stopping | State::Stopped => Order::Pause,
        },
        _ => return None,
    })
}

/// More or fewer users; of a run that has none to choose, iterations a second.
fn users(by: i32) -> Order {
    Order::Load(Change {
        users: Some(Amount::By(by)),
        ..Change::default()
    })
}

/// What becomes of the terminal's own keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Ctrl-C, Ctrl-Z and the like do what they do to any program.
    Lines,
    /// Only Ctrl-C does; Ctrl-Z is [`Key::Suspend`]. For a program that has the whole screen
    /// and has to give it back before it stops.
    Screen,
}

/// A terminal that sends keys as they are pressed, for as long as it is open.
#[derive(Debug)]
pub struct Keyboard<F: AsFd = io::Stdin> {
    input: F,
    manner: Manner,
    foreground: fn(&F) -> bool,
    /// How it was.
    before: Termios,
    /// The lock keeps a late look at the keyboard from undoing what closing restored.
    open: Mutex<bool>,
}

impl Keyboard {
    /// Standard input, if it is a terminal and this process is in its foreground.
    #[must_use]
    pub fn open(manner: Manner) -> Option<Self> {
        Self::on(io::stdin(), manner, in_foreground)
    }
}

impl<F: AsFd> Keyboard<F> {
    fn on(input: F, manner: Manner, foreground: fn(&F) -> bool) -> Option<Self> {
        let before = tcgetattr(&input).ok().filter(|_| foreground(&input))?;
        let keyboard = Keyboard {
            input,
            manner,
            foreground,
            before,
            open: Mutex::new(true),
        };
        keyboard.set_up().ok()?;
        Some(keyboard)
    }

    /// Whether the terminal is this process's to use now.
    pub fn is_ours(&self) -> bool {
        (self.foreground)(&self.input)
    }

    /// The bytes that came since the last time; nothing once the terminal is closed or gone.
    pub fn read<'a>(&self, bytes: &'a mut [u8]) -> Option<&'a [u8]> {
        let open = self.open.lock();
        if !*open {
            return None;
        }
        if !self.is_ours() {
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

    /// Makes the terminal send each key at once and print none. Reading does not wait.
    fn set_up(&self) -> rustix::io::Result<()> {
        let now = tcgetattr(&self.input)?;
        let mut keys = now.clone();
        keys.local_modes
            .remove(LocalModes::ICANON | LocalModes::ECHO);
        let mut none = vec![SpecialCodeIndex::VMIN, SpecialCodeIndex::VTIME];
        if self.manner == Manner::Screen {
            // Ctrl-S would hold the screen, and with it the end of the run.
            keys.input_modes.remove(InputModes::IXON);
            none.extend([SpecialCodeIndex::VSUSP, SpecialCodeIndex::VQUIT]);
        }
        let mut same = keys.local_modes == now.local_modes && keys.input_modes == now.input_modes;
        for code in none {
            same &= now.special_codes[code] == 0;
            keys.special_codes[code] = 0;
        }
        if same {
            return Ok(());
        }
        tcsetattr(&self.input, OptionalActions::Now, &keys)
    }

    /// Gives the terminal back as it was until the next look at it.
    pub fn lend(&self) {
        let open = self.open.lock();
        if *open {
            self.restore();
        }
    }

    /// Gives the terminal back as it was, for good.
    pub fn close(&self) {
        let mut open = self.open.lock();
        if std::mem::replace(&mut *open, false) {
            self.restore();
        }
    }

    fn restore(&self) {
        if self.is_ours() {
            // A terminal that is gone needs nothing; in the background it is the shell's.
            let _ = tcsetattr(&self.input, OptionalActions::Now, &self.before);
        }
    }
}

impl<F: AsFd> Drop for Keyboard<F> {
    fn drop(&mut self) {
        self.close();
    }
}

/// Whether the terminal is this process's to use.
fn in_foreground<F: AsFd>(terminal: &F) -> bool {
    tcgetpgrp(terminal).is_ok_and(|group| group == getpgrp())
}

#[cfg(test)]
mod tests;
