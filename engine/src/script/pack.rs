//! A script and what it imports → one archive, the script first. Follows import
//! statements (see `imports`), and takes packages as a whole.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::path::Path;

use bytes::Bytes;
use thiserror::Error;

use super::archive::{self, Archive};
use super::folder::Folder;
use super::imports::imports;
use super::{File, ReadError, is_code};

/// The most that is packed.
const MAX_BUNDLE: usize = 256 << 20;

/// Why a script cannot be packed.
#[derive(Debug, Error)]
pub enum PackError {
    /// A file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A folder cannot be listed, or a name is not for archives.
    #[error("cannot pack module {module}: {cause}")]
    Module {
        /// Its name.
        module: String,
        /// Why.
        cause: io::Error,
    },
    /// There is too much of it.
    #[error("the modules have more than {} MiB together; import fewer", MAX_BUNDLE >> 20)]
    TooLarge,
}

/// A script in one piece.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// Names and sizes of the files, the script first.
    pub files: Vec<(String, usize)>,
    /// All of them, for [`super::Script::of_bundle`].
    pub archive: Bytes,
}

impl Bundle {
    /// One that has been packed before.
    pub(super) fn of(archive: &Archive) -> Self {
        let main = archive.first().map(|file| file.origin);
        let mut files: Vec<_> = archive
            .list()
            .map(|(name, size)| (name.to_owned(), size))
            .collect();
        files.sort_by_key(|(name, _)| Some(name) != main.as_ref());
        Bundle {
            files,
            archive: archive.bytes().clone(),
        }
    }
}

pub(super) fn pack(main: &File, folders: &[Folder]) -> Result<Bundle, PackError> {
    let name = Path::new(&main.origin).file_name().and_then(OsStr::to_str);
    let name = name.unwrap_or("main.py");
    let mut found: BTreeMap<String, Bytes> = BTreeMap::new();
    let mut size = main.content.len();
    let mut known: BTreeSet<String> = modules(&main.content);
    let mut pending: Vec<String> = known.iter().cloned().collect();
    while let Some(module) = pending.pop() {
        for folder in folders {
            let listed = folder.files_of(&module);
            let paths = listed.map_err(|cause| PackError::Module {
                module: module.clone(),
                cause,
            })?;
            for path in paths {
                // The first folder wins, as it does when the script runs.
                if path == name || found.contains_key(&path) {
                    continue;
                }
                let file = match folder.read(&path) {
                    Ok(Some(file)) => file,
                    Err(error @ ReadError::Unreadable { .. }) => return Err(error.into()),
                    // No script could read it either.
                    Ok(None) | Err(_) => continue,
                };
                size += file.content.len();
                if size > MAX_BUNDLE {
                    return Err(PackError::TooLarge);
                }
                if is_code(Path::new(&path)) {
                    let new = modules(&file.content).into_iter();
                    pending.extend(new.filter(|module| known.insert(module.clone())));
                }
                found.insert(path, file.content);
            }
        }
    }
    let first = std::iter::once((name, &main.content));
    let files = first.chain(found.iter().map(|(path, content)| (path.as_str(), content)));
    let archive = archive::write(files.clone().map(|(path, content)| (path, &**content)));
    Ok(Bundle {
        files: files
            .map(|(path, content)| (path.to_owned(), content.len()))
            .collect(),
        archive: archive
            .map_err(|cause| PackError::Module {
                module: name.to_owned(),
                cause,
            })?
            .into(),
    })
}

fn modules(source: &[u8]) -> BTreeSet<String> {
    imports(&String::from_utf8_lossy(source))
}
