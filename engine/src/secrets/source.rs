//! Where the value of a secret comes from: a variable or a file. Knows neither the
//! environment nor what is done with the value.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use thiserror::Error;

use super::MAX_LENGTH;

/// Where the value of a secret comes from. Never from the command line itself, which
/// every user of the machine can read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// An environment variable.
    Env(String),
    /// A file, without the line break at its end.
    File(PathBuf),
}

/// A text that is no source of a secret. It is not repeated: it could be the secret.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum InvalidSource {
    /// Neither of the two kinds.
    #[error(
        "name where the secret is, as env:VARIABLE or file:PATH; its value would be seen in \
         the list of processes"
    )]
    Kind,
    /// `env:` and nothing else.
    #[error("'env:' is not followed by the name of a variable")]
    NoVariable,
    /// `file:` and nothing else.
    #[error("'file:' is not followed by a path")]
    NoPath,
}

impl FromStr for SecretSource {
    type Err = InvalidSource;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some(("env", "")) => Err(InvalidSource::NoVariable),
            Some(("file", "")) => Err(InvalidSource::NoPath),
            Some(("env", variable)) => Ok(SecretSource::Env(variable.to_owned())),
            Some(("file", path)) => Ok(SecretSource::File(path.into())),
            _ => Err(InvalidSource::Kind),
        }
    }
}

/// Why the value of a secret is not known.
#[derive(Debug, Error)]
pub enum UnreadableSecret {
    /// There is no such environment variable.
    #[error("the environment variable {0} is not set, or not valid UTF-8")]
    Unset(String),
    /// The file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The file is no text.
    #[error("{} is not valid UTF-8; encode the secret as text, such as base64", .0.display())]
    NotText(PathBuf),
    /// The file is no secret.
    #[error("{} has more than {MAX_LENGTH} bytes, too many for a secret", .0.display())]
    TooLarge(PathBuf),
}

impl SecretSource {
    /// The value. `env` looks up an environment variable.
    ///
    /// # Errors
    ///
    /// When there is no such variable or file, or the file holds no text of 64 KiB at most.
    pub fn read(&self, env: impl Fn(&str) -> Option<String>) -> Result<String, UnreadableSecret> {
        match self {
            SecretSource::Env(name) => {
                env(name).ok_or_else(|| UnreadableSecret::Unset(name.clone()))
            }
            SecretSource::File(path) => read_file(path),
        }
    }
}

/// The text of a file, without the line break at its end.
fn read_file(path: &Path) -> Result<String, UnreadableSecret> {
    let mut bytes = Vec::new();
    // Not the whole file, which may have no end.
    File::open(path)
        .and_then(|file| file.take(MAX_LENGTH as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| UnreadableSecret::File {
            path: path.to_owned(),
            error,
        })?;
    if bytes.len() > MAX_LENGTH {
        return Err(UnreadableSecret::TooLarge(path.to_owned()));
    }
    let mut text =
        String::from_utf8(bytes).map_err(|_| UnreadableSecret::NotText(path.to_owned()))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_variables_and_files() {
        let source = |text: &str| text.parse::<SecretSource>();
        assert_eq!(source("env:A:B"), Ok(SecretSource::Env("A:B".into())));
        assert_eq!(source("file:/a:b"), Ok(SecretSource::File("/a:b".into())));
        assert_eq!(source("env:"), Err(InvalidSource::NoVariable));
        assert_eq!(source("file:"), Err(InvalidSource::NoPath));
        for text in ["", "hunter2!", "Env:A", "http://x"] {
            let error = source(text).unwrap_err();
            assert_eq!(error, InvalidSource::Kind);
            assert!(text.is_empty() || !error.to_string().contains(text));
        }
    }

    #[test]
    fn a_variable_is_read_as_it_is() {
        let env = |name: &str| (name == "TOKEN").then(|| " hunter2\n".to_owned());
        let read = |name: &str| SecretSource::Env(name.into()).read(env);
        assert_eq!(read("TOKEN").unwrap(), " hunter2\n");
        let error = read("OTHER").unwrap_err().to_string();
        assert!(error.contains("OTHER is not set"), "{error}");
    }

    #[test]
    fn a_file_is_read_without_its_last_line_break() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            SecretSource::File(path.clone()).read(|_| None)
        };
        assert_eq!(read(b"hunter2").unwrap(), "hunter2");
        assert_eq!(read(b"hunter2\n").unwrap(), "hunter2");
        assert_eq!(read(b"a\r\nb\r\n").unwrap(), "a\r\nb");
        assert_eq!(read(b"a\n\n").unwrap(), "a\n");
        assert_eq!(read(b"a\r").unwrap(), "a\r");
        assert_eq!(read(&[b'x'; MAX_LENGTH]).unwrap().len(), MAX_LENGTH);
        assert!(matches!(
            read(&[b'x'; MAX_LENGTH + 1]),
            Err(UnreadableSecret::TooLarge(_))
        ));
        assert!(matches!(read(b"\xff"), Err(UnreadableSecret::NotText(_))));
        let none = SecretSource::File(directory.path().join("none")).read(|_| None);
        assert!(none.unwrap_err().to_string().contains("none: "));
    }
}
