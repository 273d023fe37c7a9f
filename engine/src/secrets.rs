//! Values that nobody shall read in a log or a result: where they come from, and the
//! masking of them in texts. Does not know which texts there are, nor the environment.

mod mask;
mod source;
mod spelling;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use thiserror::Error;

pub use self::source::{InvalidSource, SecretSource, UnreadableSecret};

use self::mask::Mask;

/// What stands where a secret was.
const MASK: &str = "***";
/// The shortest secret, and the shortest beginning of one at the end of a text, in bytes.
const MIN_LENGTH: usize = 4;
/// The largest secret in bytes.
const MAX_LENGTH: usize = 64 << 10;

/// Why a value cannot be a secret. The value itself is never part of it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum InvalidSecret {
    /// Masking it would garble everything.
    #[error(
        "secret '{name}' has less than {MIN_LENGTH} bytes: masking it would make every text \
         unreadable; use a longer value, or pass it with -e if it is none to hide"
    )]
    TooShort {
        /// The secret's name.
        name: String,
    },
    /// It is no password or key, but a whole file.
    #[error("secret '{name}' has more than {MAX_LENGTH} bytes; use a shorter value")]
    TooLong {
        /// The secret's name.
        name: String,
    },
    /// All of them together are beyond what can be searched for.
    #[error("the secrets are too many to be masked ({0}); use fewer or shorter ones")]
    TooMany(String),
}

/// The secrets of a run. Clones share them.
#[derive(Clone, Default)]
pub struct Secrets {
    values: Arc<BTreeMap<String, String>>,
    mask: Option<Arc<Mask>>,
}

impl Secrets {
    /// Secrets by name.
    ///
    /// # Errors
    ///
    /// When a value is too short or too long to be masked.
    pub fn new(values: BTreeMap<String, String>) -> Result<Self, InvalidSecret> {
        for (name, value) in &values {
            if value.trim().len() < MIN_LENGTH {
                return Err(InvalidSecret::TooShort { name: name.clone() });
            }
            if value.len() > MAX_LENGTH {
                return Err(InvalidSecret::TooLong { name: name.clone() });
            }
        }
        if values.is_empty() {
            return Ok(Secrets::default());
        }
        let mask = Mask::new(values.values())?;
        Ok(Secrets {
            mask: Some(Arc::new(mask)),
            values: Arc::new(values),
        })
    }

    /// The value of this secret.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Whether there are none, so that no text needs to be masked.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The text with `***` in place of every secret, whether it is spelt as it is or
    /// encoded for a URL, a form, JSON or as base64. Since texts may have been cut before,
    /// the beginning of a secret at the end of the text is masked too.
    pub fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let Some(mask) = &self.mask else {
            return Cow::Borrowed(text);
        };
        let ranges = mask.find(text);
        if ranges.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut masked = String::with_capacity(text.len());
        let mut shown = 0;
        for range in ranges {
            masked.push_str(&text[shown..range.start]);
            masked.push_str(MASK);
            shown = range.end;
        }
        masked.push_str(&text[shown..]);
        Cow::Owned(masked)
    }
}

impl PartialEq for Secrets {
    fn eq(&self, other: &Self) -> bool {
        self.values == other.values
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}
