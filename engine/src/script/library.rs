//! The library of the language: packed in the engine, or in a component that was built
//! with it. Unpacked in memory when a script first asks for a module that the interpreter
//! was not made with.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read};
use std::path::Path;
use std::sync::OnceLock;

use super::archive::Archive;
use super::{File, ReadError};

/// The parts of it, in the order in which they are searched.
const PARTS: [&str; 2] = ["sdk", "python"];
/// No library is larger, so that a component cannot fill the memory with one.
const MAX_SIZE: u64 = 256 << 20;

static OF_ENGINE: Library = Library {
    packed: Cow::Borrowed(aiotest_python::LIBRARY),
    files: OnceLock::new(),
};

/// A library in one piece.
pub struct Library {
    /// A tar archive, compressed.
    packed: Cow<'static, [u8]>,
    files: OnceLock<Result<Archive, String>>,
}

impl Library {
    /// The one that the engine brings.
    pub fn of_engine() -> &'static Self {
        &OF_ENGINE
    }

    /// One that a component brings.
    pub fn packed(bytes: Vec<u8>) -> Self {
        Library {
            packed: Cow::Owned(bytes),
            files: OnceLock::new(),
        }
    }

    /// A module or another file of it.
    pub(super) fn read(&self, path: &str) -> Result<Option<File>, ReadError> {
        let unpack = || self.archive().map_err(|error| error.to_string());
        let files = self.files.get_or_init(unpack).as_ref();
        let files = files.map_err(|error| ReadError::Library(error.clone()))?;
        let mut found = PARTS.iter().map(|part| format!("{part}/{path}"));
        Ok(found.find_map(|path| files.get(&path)))
    }

    fn archive(&self) -> io::Result<Archive> {
        let mut bytes = Vec::new();
        self.decoder()?.read_to_end(&mut bytes)?;
        Archive::parse(bytes)
    }

    /// Writes all of it below a folder.
    pub fn unpack(&self, folder: &Path) -> io::Result<()> {
        tar::Archive::new(self.decoder()?).unpack(folder)
    }

    fn decoder(&self) -> io::Result<impl Read> {
        Ok(zstd::Decoder::new(&*self.packed)?.take(MAX_SIZE))
    }
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Library").finish_non_exhaustive()
    }
}
