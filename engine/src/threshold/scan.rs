//! The words of a threshold's text, and the message about one that does not belong there.
//! Knows nothing of what the words mean.

use std::fmt;
use std::fmt::Write as _;

use thiserror::Error;

const EXAMPLE: &str = r#"http_req_duration{name="Login"}: p(95)<500ms"#;

/// Longest piece of a text that a message repeats, in characters.
const MAX_REPEATED: usize = 100;

/// Why a text is not a threshold.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("threshold '{text}', {place}: {problem}; for example {EXAMPLE}")]
pub struct InvalidThreshold {
    text: String,
    problem: String,
    /// `at '…'` or `at its end`.
    place: String,
}

impl InvalidThreshold {
    fn new(text: &str, at: usize, problem: String) -> Self {
        let place = match text.get(at..).map(str::trim_end) {
            None | Some("") => "at its end".to_owned(),
            Some(rest) => format!("at '{}'", repeated(rest)),
        };
        Self {
            text: repeated(text.trim()),
            problem,
            place,
        }
    }
}

/// The beginning, on one line and without control characters, for a message.
pub(super) fn repeated(text: &str) -> String {
    let mut cut: String = text.chars().take(MAX_REPEATED).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut.replace(char::is_control, " ")
}

/// A text in quotes, as the parser reads it.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            if matches!(c, '"' | '\\') {
                f.write_char('\\')?;
            }
            f.write_char(c)?;
        }
        f.write_char('"')
    }
}

/// What was read, or why it could not be.
pub(super) type Parsed<T> = Result<T, InvalidThreshold>;

/// A text that is read from left to right.
pub(super) struct Scanner<'a> {
    pub(super) text: &'a str,
    /// Where the rest begins, in bytes; always between characters.
    pub(super) at: usize,
}

impl<'a> Scanner<'a> {
    /// Digits with or without a fraction.
    pub(super) fn number(&mut self) -> Parsed<f64> {
        let start = self.at;
        let digits = self.take_while(|c| c.is_ascii_digit() || c == '.');
        match digits.parse() {
            Ok(number) if f64::is_finite(number) => Ok(number),
            _ => {
                self.at = start;
                self.fail("expected a number")
            }
        }
    }

    /// A text in quotes, if there is a quote. A backslash takes the next character as it is.
    pub(super) fn quoted(&mut self) -> Parsed<Option<String>> {
        let Some(quote @ ('"' | '\'')) = self.rest().chars().next() else {
            return Ok(None);
        };
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                _ if c == quote => {
                    self.at += at + 1;
                    return Ok(Some(text));
                }
                '\\' => text.extend(chars.next().map(|(_, c)| c)),
                _ => text.push(c),
            }
            if text.ends_with(char::is_control) {
                self.at += at;
                return self.fail("no name has control characters");
            }
        }
        self.fail(format!("the quote {quote} is never closed"))
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn skip_space(&mut self) {
        self.take_while(char::is_whitespace);
    }

    pub(super) fn take_while(&mut self, mut wanted: impl FnMut(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// Takes this sign if it is next, behind whatever space.
    pub(super) fn take(&mut self, sign: &str) -> bool {
        let rest = self.rest().trim_start();
        let found = rest.starts_with(sign);
        if found {
            self.at = self.text.len() - rest.len() + sign.len();
        }
        found
    }

    pub(super) fn wrong(&self, problem: impl Into<String>) -> InvalidThreshold {
        let behind_space = self.text.len() - self.rest().trim_start().len();
        InvalidThreshold::new(self.text, behind_space, problem.into())
    }

    pub(super) fn fail<T>(&self, problem: impl Into<String>) -> Parsed<T> {
        Err(self.wrong(problem))
    }
}
