//! A folder that a script reads from: paths of the guest → files below it, and nothing
//! that a link leads to elsewhere.

use std::fs;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::{File, MAX_FILE, ReadError, is_code};

/// A folder of modules.
#[derive(Debug)]
pub(super) struct Folder {
    /// Without links.
    path: PathBuf,
    /// As the user would write it.
    shown: PathBuf,
    /// Only code is read: the folder was not granted, a script merely lies in it.
    code_only: bool,
}

impl Folder {
    /// The folder that the script lies in, without links and as the user would write it.
    pub(super) fn of_code(path: PathBuf, shown: PathBuf) -> Self {
        Folder {
            path,
            shown,
            code_only: true,
        }
    }

    /// A folder that was granted with all that is in it.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let path = fs::canonicalize(folder)?;
        fs::read_dir(&path)?;
        Ok(Folder {
            path,
            shown: folder.to_owned(),
            code_only: false,
        })
    }

    /// A file below it, if there is one that may be read.
    pub(super) fn read(&self, path: &str) -> Result<Option<File>, ReadError> {
        if self.code_only && !is_code(Path::new(path)) {
            return Ok(None);
        }
        let shown = || self.shown.join(path).display().to_string();
        let unreadable = |cause: io::Error| match cause.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => Ok(None),
            _ => Err(ReadError::Unreadable {
                path: shown(),
                cause,
            }),
        };
        let target = match fs::canonicalize(self.path.join(path)) {
            Ok(target) => target,
            Err(cause) => return unreadable(cause),
        };
        if !target.starts_with(&self.path) {
            return Err(ReadError::Outside { path: shown() });
        }
        if self.code_only && !is_code(&target) {
            return Ok(None);
        }
        // A pipe would keep the run waiting, and a device has no end.
        if !target.is_file() {
            return Ok(None);
        }
        let mut content = Vec::new();
        let read = fs::File::open(&target)
            .and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut content));
        if let Err(cause) = read {
            return unreadable(cause);
        }
        if content.len() as u64 > MAX_FILE {
            return Err(ReadError::TooLarge { path: shown() });
        }
        Ok(Some(File {
            origin: shown(),
            content: content.into(),
        }))
    }

    /// Paths of the files of a module or package with this name that a script could read.
    pub(super) fn files_of(&self, module: &str) -> io::Result<Vec<String>> {
        let mut found = vec![format!("{module}.{}", super::EXTENSION)];
        found.retain(|path| self.path.join(path).is_file());
        let mut visited = Vec::new();
        let mut pending = vec![module.to_owned()];
        while let Some(folder) = pending.pop() {
            // Links can make a circle.
            let Ok(target) = fs::canonicalize(self.path.join(&folder)) else {
                continue;
            };
            if !target.is_dir() || !target.starts_with(&self.path) || visited.contains(&target) {
                continue;
            }
            for entry in fs::read_dir(&target)? {
                let entry = entry?;
                let name = entry.file_name();
                // What has no UTF-8 name cannot be asked for.
                let Some(name) = name.to_str() else { continue };
                if name.starts_with('.') || name == "__pycache__" {
                    continue;
                }
                let path = format!("{folder}/{name}");
                if entry.path().is_dir() {
                    pending.push(path);
                } else if !self.code_only || is_code(Path::new(name)) {
                    found.push(path);
                }
            }
            visited.push(target);
        }
        Ok(found)
    }
}
