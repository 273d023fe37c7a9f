//! Keys and orders, on pseudo-terminals.

use super::*;
use std::fs::File;
use std::io::Write;
use std::os::fd::{FromRawFd, OwnedFd};

#[test]
fn letters_are_orders() {
    let running = |key| order(key, State::Running);
    assert_eq!(running('w'), Some(users(1)));
    assert_eq!(running('W'), Some(users(10)));
    assert_eq!(running('s'), Some(users(-1)));
    assert_eq!(running('S'), Some(users(-10)));
    let mut others = (' '..='~').filter(|key| !"wWsSp".contains(*key));
    assert!(others.all(|key| running(key).is_none()));
}

#[test]
fn one_key_starts_pauses_and_resumes() {
    assert_eq!(order('p', State::Ready), Some(Order::Start));
    assert_eq!(order('p', State::Running), Some(Order::Pause));
    assert_eq!(order('p', State::Paused), Some(Order::Resume));
}

/// Both ends of a terminal: who sits before it, and what a process reads from.
#[expect(unsafe_code, reason = "the only way to have a terminal in a test")]
fn pseudo_terminal() -> (File, OwnedFd) {
    let (mut master, mut slave) = (-1, -1);
    let none = std::ptr::null_mut();
    // SAFETY: both numbers outlive the call, and the other arguments may be null.
    let opened = unsafe { libc::openpty(&mut master, &mut slave, none, none.cast(), none.cast()) };
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

/// Looks until a byte comes.
fn next(keyboard: &Keyboard<OwnedFd>) -> u8 {
    loop {
        if let [byte, ..] = keyboard.read(&mut [0; 1]).unwrap() {
            return *byte;
        }
        std::thread::yield_now();
    }
}

#[test]
fn keys_come_as_they_are_pressed_and_the_terminal_is_given_back() {
    let (mut person, tty) = pseudo_terminal();
    let before = tcgetattr(&tty).unwrap();
    assert_eq!(modes(&tty), (true, true, true));
    let keyboard = Keyboard::on(tty.try_clone().unwrap(), Manner::Lines, |_| true).unwrap();
    assert_eq!(modes(&tty), (false, false, true));
    // As a shell does while the run is in the background.
    tcsetattr(&tty, OptionalActions::Now, &before).unwrap();
    assert_eq!(keyboard.read(&mut [0; 8]), Some(&[][..]));
    // In this order the first one arrives only if there is no waiting for a line.
    for key in b"wSp" {
        person.write_all(&[*key]).unwrap();
        assert_eq!(next(&keyboard), *key);
    }
    assert_eq!(modes(&tty), (false, false, true));
    keyboard.lend();
    assert_eq!(modes(&tty), (true, true, true));
    assert_eq!(keyboard.read(&mut [0; 8]), Some(&[][..]));
    assert_eq!(modes(&tty), (false, false, true));
    keyboard.close();
    assert_eq!(modes(&tty), (true, true, true));
    let after = tcgetattr(&tty).unwrap();
    let code = SpecialCodeIndex::VMIN;
    assert_eq!(after.special_codes[code], before.special_codes[code]);
    assert_eq!(keyboard.read(&mut [0; 8]), None);
}

#[test]
fn who_has_the_whole_screen_hears_of_being_stopped() {
    let (mut person, tty) = pseudo_terminal();
    let suspends = |tty| tcgetattr(tty).unwrap().special_codes[SpecialCodeIndex::VSUSP];
    let keyboard = Keyboard::on(tty.try_clone().unwrap(), Manner::Screen, |_| true).unwrap();
    assert_eq!(suspends(&tty), 0);
    person.write_all(b"\x1a").unwrap();
    assert_eq!(next(&keyboard), 0x1a);
    drop(keyboard);
    assert_eq!(suspends(&tty), 0x1a);
    assert_eq!(modes(&tty), (true, true, true));
}

#[test]
fn in_the_background_the_terminal_is_left_alone() {
    let (mut person, tty) = pseudo_terminal();
    let open = |foreground| Keyboard::on(tty.try_clone().unwrap(), Manner::Lines, foreground);
    // A test has no control of this terminal, so it is in nobody's foreground.
    assert!(open(in_foreground).is_none());
    assert_eq!(modes(&tty), (true, true, true));
    let mut keyboard = open(|_| true).unwrap();
    keyboard.foreground = |_| false;
    person.write_all(b"w").unwrap();
    assert_eq!(keyboard.read(&mut [0; 8]), Some(&[][..]));
    keyboard.close();
    assert_eq!(
        modes(&tty),
        (false, false, true),
        "it is the shell's to set"
    );
    assert_eq!(keyboard.read(&mut [0; 8]), None);
}

#[test]
fn reading_ends_with_the_terminal() {
    let (person, tty) = pseudo_terminal();
    let keyboard = Keyboard::on(tty, Manner::Lines, |_| true).unwrap();
    drop(person);
    assert_eq!(keyboard.read(&mut [0; 8]), None);
}

#[test]
fn a_file_is_no_terminal() {
    let file = File::open("/dev/null").unwrap();
    assert!(Keyboard::on(file, Manner::Lines, |_| true).is_none());
}
