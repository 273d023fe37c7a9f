//! Files in one piece: a tar archive, read where it lies, and written so that equal files
//! make equal archives.

use std::collections::BTreeMap;
use std::io::{self, Cursor};
use std::ops::Range;

use bytes::Bytes;

use super::File;

/// An archive and where its files are.
#[derive(Debug)]
pub(super) struct Archive {
    bytes: Bytes,
    files: BTreeMap<String, Range<usize>>,
    first: Option<String>,
}

impl Archive {
    /// Reads the names; what is no file is left out.
    pub(super) fn parse(bytes: Vec<u8>) -> io::Result<Self> {
        let bytes = Bytes::from(bytes);
        let mut files = BTreeMap::new();
        let mut first = None;
        for entry in tar::Archive::new(Cursor::new(&bytes)).entries_with_seek()? {
            let entry = entry?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let place = || {
                let start = usize::try_from(entry.raw_file_position()).ok()?;
                let end = start.checked_add(usize::try_from(entry.size()).ok()?)?;
                (end <= bytes.len()).then_some(start..end)
            };
            let place = place().ok_or_else(|| {
                io::Error::new(io::ErrorKind::UnexpectedEof, "a file in it is cut off")
            })?;
            first.get_or_insert_with(|| name.clone());
            files.insert(name, place);
        }
        Ok(Archive {
            bytes,
            files,
            first,
        })
    }

    pub(super) fn get(&self, name: &str) -> Option<File> {
        let place = self.files.get(name)?.clone();
        Some(File {
            origin: name.to_owned(),
            content: self.bytes.slice(place),
        })
    }

    /// The file that was put in first.
    pub(super) fn first(&self) -> Option<File> {
        self.get(self.first.as_deref()?)
    }

    /// All of it, as it was read.
    pub(super) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Names and sizes, by name.
    pub(super) fn list(&self) -> impl Iterator<Item = (&str, usize)> {
        self.files
            .iter()
            .map(|(name, place)| (name.as_str(), place.len()))
    }
}

/// Puts files into an archive, in this order, and nothing of where they came from.
pub(super) fn write<'a>(files: impl Iterator<Item = (&'a str, &'a [u8])>) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, content)?;
    }
    archive.into_inner()
}
