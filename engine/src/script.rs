//! The files of a scenario that comes as a script: from folders, or from a bundle that
//! they were packed into; behind them the language's library. Decides what may be read,
//! and knows no interpreter.

mod archive;
mod folder;
mod imports;
mod library;
mod pack;

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use parking_lot::Mutex;
use thiserror::Error;

pub use library::Library;
pub use pack::{Bundle, PackError};

use archive::Archive;
use folder::Folder;

/// What the name of a script ends in.
pub const EXTENSION: &str = "py";
/// The largest file that a script can read.
const MAX_FILE: u64 = 16 << 20;
/// The most that is kept of what sandboxes make of files.
const MAX_MADE: usize = 64 << 20;
/// The longest path that it can name.
const MAX_PATH: usize = 1024;

/// A file as the interpreter gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// What messages shall call it.
    pub origin: String,
    /// Its bytes.
    pub content: Bytes,
}

/// Why there is no script to run.
#[derive(Debug, Error)]
pub enum ScriptError {
    /// The script cannot be read.
    #[error("cannot read {path}: {cause}", path = path.display())]
    Unreadable {
        /// The script.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// It is larger than any script.
    #[error("{path} is larger than {} MiB, and no script", MAX_FILE >> 20, path = .0.display())]
    TooLarge(PathBuf),
    /// A folder to import from cannot be used.
    #[error("--python-path {path}: {cause}", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// What a component brings as its script is none.
    #[error("the script in it is damaged ({0}); build it again")]
    Damaged(io::Error),
}

/// Why a file that is there is not given to the script.
#[derive(Debug, Error)]
pub enum ReadError {
    /// A link to somewhere else.
    #[error("{path} leads out of its folder, and a script reads below its folders only")]
    Outside {
        /// As the user would write it.
        path: String,
    },
    /// It is too large.
    #[error("{path} is larger than {} MiB, and a script reads no such files", MAX_FILE >> 20)]
    TooLarge {
        /// As the user would write it.
        path: String,
    },
    /// The system says no.
    #[error("cannot read {path}: {cause}")]
    Unreadable {
        /// As the user would write it.
        path: String,
        /// Why.
        cause: io::Error,
    },
    /// The library that a component brings is none.
    #[error("the library of the language is damaged: {0}")]
    Library(String),
}

/// A script with all that it may import.
#[derive(Debug)]
pub struct Script {
    main: File,
    place: Place,
    /// What was read of folders: all sandboxes of a run see the same, whatever is edited
    /// meanwhile.
    read: Mutex<HashMap<String, File>>,
    /// What sandboxes made of files, by their paths.
    made: Mutex<Made>,
}

#[derive(Debug, Default)]
struct Made {
    files: HashMap<String, Bytes>,
    size: usize,
}

/// Where its files are.
#[derive(Debug)]
enum Place {
    /// In these, the first wins.
    Folders(Vec<Folder>),
    /// In a bundle, with the library it was built with.
    Bundle(Archive, Library),
}

impl Script {
    /// Reads a script. It imports from its own folder, then from the others.
    ///
    /// # Errors
    ///
    /// When the file or one of the folders cannot be read.
    pub fn open(file: &Path, folders: &[PathBuf]) -> Result<Self, ScriptError> {
        let unreadable = |cause| ScriptError::Unreadable {
            path: file.to_owned(),
            cause,
        };
        let target = fs::canonicalize(file).map_err(unreadable)?;
        let metadata = fs::metadata(&target).map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(unreadable(io::Error::other("it is no file")));
        }
        if metadata.len() > MAX_FILE {
            return Err(ScriptError::TooLarge(file.to_owned()));
        }
        let content = fs::read(&target).map_err(unreadable)?;
        // Behind a link is the folder with the other modules, as it is for CPython.
        let beside = match fs::symlink_metadata(file).map_err(unreadable)?.is_symlink() {
            true => &target,
            false => file,
        };
        let parent = |path: &Path| path.parent().unwrap_or(Path::new("")).to_owned();
        let own = Folder::of_code(parent(&target), parent(beside));
        let others = folders.iter().map(|folder| {
            Folder::open(folder).map_err(|cause| ScriptError::Folder {
                path: folder.clone(),
                cause,
            })
        });
        let folders = std::iter::once(Ok(own)).chain(others);
        Ok(Script {
            main: File {
                origin: file.display().to_string(),
                content: content.into(),
            },
            place: Place::Folders(folders.collect::<Result<_, _>>()?),
            read: Mutex::default(),
            made: Mutex::default(),
        })
    }

    /// The script of a built component: its bundle, and the library that the interpreter
    /// was made with.
    ///
    /// # Errors
    ///
    /// When the bundle is none.
    pub fn of_bundle(bundle: Vec<u8>, library: Library) -> Result<Self, ScriptError> {
        let files = Archive::parse(bundle).map_err(ScriptError::Damaged)?;
        let main = files.first().ok_or_else(|| {
            ScriptError::Damaged(io::Error::new(io::ErrorKind::InvalidData, "it is empty"))
        })?;
        Ok(Script {
            main: main.clone(),
            place: Place::Bundle(files, library),
            read: Mutex::default(),
            made: Mutex::default(),
        })
    }

    /// The file that the run was started with.
    pub fn main(&self) -> &File {
        &self.main
    }

    /// A file of the script's folders or of the library, by its path in there. Nothing for
    /// what is not there, or not for scripts to read.
    ///
    /// # Errors
    ///
    /// When the file is there but cannot be given.
    pub fn read(&self, path: &str) -> Result<Option<File>, ReadError> {
        if !is_plain(path) {
            return Ok(None);
        }
        match &self.place {
            Place::Bundle(files, library) => match files.get(path) {
                Some(file) => Ok(Some(file)),
                None => library.read(path),
            },
            Place::Folders(folders) => match self.read_folders(folders, path)? {
                Some(file) => Ok(Some(file)),
                None => Library::of_engine().read(path),
            },
        }
    }

    fn read_folders(&self, folders: &[Folder], path: &str) -> Result<Option<File>, ReadError> {
        if let Some(file) = self.read.lock().get(path) {
            return Ok(Some(file.clone()));
        }
        for folder in folders {
            if let Some(file) = folder.read(path)? {
                let mut read = self.read.lock();
                // Another sandbox may have been first.
                return Ok(Some(read.entry(path.to_owned()).or_insert(file).clone()));
            }
        }
        Ok(None)
    }

    /// What a sandbox made of a file.
    pub fn made(&self, path: &str) -> Option<Bytes> {
        self.made.lock().files.get(path).cloned()
    }

    /// Keeps what a sandbox made of a file, unless there is something, or too much of it.
    pub fn keep(&self, path: String, content: Vec<u8>) {
        let mut made = self.made.lock();
        let size = made.size + content.len();
        if size > MAX_MADE || !is_plain(&path) || made.files.contains_key(&path) {
            return;
        }
        made.size = size;
        made.files.insert(path, content.into());
    }

    /// What a component that needs neither the script nor its folders has to bring.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, or there is too much of it.
    pub fn pack(&self) -> Result<Bundle, PackError> {
        match &self.place {
            Place::Folders(folders) => pack::pack(&self.main, folders),
            Place::Bundle(files, _) => Ok(Bundle::of(files)),
        }
    }
}

/// Whether a path that a guest gave names something below a folder, and nothing else.
fn is_plain(path: &str) -> bool {
    let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    path.len() <= MAX_PATH && !path.contains('\0') && path.split('/').all(plain)
}

fn is_code(path: &Path) -> bool {
    path.extension() == Some(OsStr::new(EXTENSION))
}

#[cfg(test)]
mod tests;
