//! Bytes that a terminal sends → keys. Pure.

/// A key that means something to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A letter, digit or sign of ASCII.
    Char(char),
    /// Tab.
    Tab,
    /// Shift and Tab.
    BackTab,
    /// Escape by itself.
    Escape,
    /// Ctrl-Z, where the terminal makes no signal of it.
    Suspend,
    /// An arrow.
    Up,
    /// An arrow.
    Down,
    /// An arrow.
    Left,
    /// An arrow.
    Right,
    /// A page back.
    PageUp,
    /// A page on.
    PageDown,
    /// To the first line.
    Home,
    /// To the last line.
    End,
}

/// Tells keys apart, byte by byte: the `A` of an arrow key and the `S` of F4 are no letters.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum State {
    /// Between keys.
    #[default]
    Letter,
    /// After an escape.
    Escape,
    /// Within a sequence, after its parameter: a digit, nothing, or more than a key of ours
    /// has.
    Sequence(Parameter),
    /// Before the only byte of a sequence, which may be one of ours.
    Last(bool),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Parameter {
    None,
    Digit(u8),
    More,
}

impl Keys {
    /// The key that a byte completes.
    pub fn take(&mut self, byte: u8) -> Option<Key> {
        const ESCAPE: u8 = 0x1b;
        let (next, key) = match (self.state, byte) {
            (_, ESCAPE) => (State::Escape, None),
            (State::Escape, b'[') => (State::Sequence(Parameter::None), None),
            (State::Escape, b'O') => (State::Last(true), None),
            (State::Sequence(Parameter::None), b'0'..=b'9') => {
                (State::Sequence(Parameter::Digit(byte)), None)
            }
            (State::Sequence(_), b' '..=b'?') => (State::Sequence(Parameter::More), None),
            // F1 to F5 of the Linux console: `ESC [ [` and a letter.
            (State::Sequence(_), b'[') => (State::Last(false), None),
            (State::Sequence(Parameter::None), b'Z') => (State::Letter, Some(Key::BackTab)),
            (State::Sequence(Parameter::None) | State::Last(true), _) => {
                (State::Letter, named(byte))
            }
            (State::Sequence(Parameter::Digit(digit)), b'~') => (State::Letter, numbered(digit)),
            // Also a letter pressed together with Alt.
            (State::Escape | State::Sequence(_) | State::Last(_), _) => (State::Letter, None),
            (State::Letter, _) => (State::Letter, single(byte)),
        };
        self.state = next;
        key
    }

    /// Nothing more came: what was begun is over, and an escape was the key of that name.
    pub fn pause(&mut self) -> Option<Key> {
        let state = std::mem::take(&mut self.state);
        (state == State::Escape).then_some(Key::Escape)
    }
}

fn single(byte: u8) -> Option<Key> {
    match byte {
        b'\t' => Some(Key::Tab),
        0x1a => Some(Key::Suspend),
        b' '..=b'~' => Some(Key::Char(byte.into())),
        _ => None,
    }
}

fn named(last: u8) -> Option<Key> {
    Some(match last {
        b'A' => Key::Up,
        b'B' => Key::Down,
        b'C' => Key::Right,
        b'D' => Key::Left,
        b'F' => Key::End,
        b'H' => Key::Home,
        _ => return None,
    })
}

fn numbered(digit: u8) -> Option<Key> {
    Some(match digit {
        b'1' | b'7' => Key::Home,
        b'4' | b'8' => Key::End,
        b'5' => Key::PageUp,
        b'6' => Key::PageDown,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys(text: &[u8]) -> Vec<Key> {
        let mut keys = Keys::default();
        let mut all: Vec<_> = text.iter().filter_map(|byte| keys.take(*byte)).collect();
        all.extend(keys.pause());
        all
    }

    #[test]
    fn other_keys_press_no_letters() {
        let letters = |text: &str| text.chars().map(Key::Char).collect::<Vec<_>>();
        assert_eq!(keys(b"wWp?"), letters("wWp?"));
        // Arrows with Ctrl, F4 of terminals and of the console, Delete, Alt-w, an umlaut.
        assert_eq!(
            keys(b"\x1b[1;5Dw\x1bOSw\x1b[[Dw\x1b[3~w\x1bww\xc3\xa4w"),
            letters("wwwwww")
        );
        assert_eq!(keys(b"\x1b\x1bOSs"), letters("s"));
    }

    #[test]
    fn keys_that_move_are_known_in_each_spelling() {
        use Key::{BackTab, Down, End, Escape, Home, Left, PageDown, PageUp, Right, Tab, Up};
        assert_eq!(
            keys(b"\x1b[A\x1b[B\x1b[C\x1b[D\x1bOA\x1bOB"),
            [Up, Down, Right, Left, Up, Down]
        );
        assert_eq!(
            keys(b"\x1b[H\x1bOH\x1b[1~\x1b[7~\x1b[F\x1bOF\x1b[4~\x1b[8~"),
            [Home, Home, Home, Home, End, End, End, End]
        );
        assert_eq!(
            keys(b"\x1b[5~\x1b[6~\t\x1b[Z\x1a\x1b"),
            [PageUp, PageDown, Tab, BackTab, Key::Suspend, Escape]
        );
    }

    proptest! {
        #[test]
        fn after_any_bytes_a_letter_is_heard_again(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            // No sequence goes on after a letter, and none begins with one.
            let heard = keys(&[&bytes[..], b"~~w"].concat());
            prop_assert_eq!(heard.last(), Some(&Key::Char('w')));
        }
    }
}
