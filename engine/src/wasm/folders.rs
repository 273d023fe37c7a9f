//! Folders of the machine that a scenario may read: each is opened once, and all sandboxes
//! of a run see them.

use thiserror::Error;
use wasmtime_wasi::filesystem::WasiFilesystemCtx;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder};

use crate::config::Grant;

/// Why a folder cannot be granted.
#[derive(Debug, Error)]
#[error("--dir {name}: {cause}")]
pub struct FolderError {
    name: String,
    cause: std::io::Error,
}

/// Folders that were opened. Clones share them.
#[derive(Clone, Default)]
pub struct Folders(WasiFilesystemCtx);

impl Folders {
    /// Opens them.
    ///
    /// # Errors
    ///
    /// When one of them is not there, is no folder, or may not be read.
    pub fn open(grants: &[Grant]) -> Result<Self, FolderError> {
        let mut wasi = WasiCtxBuilder::new();
        for Grant { name, path } in grants {
            let failed = |cause| FolderError {
                name: name.clone(),
                cause,
            };
            std::fs::read_dir(path).map_err(failed)?;
            wasi.preopened_dir(path, name, FsPerms::ReadOnly)
                .map_err(|error| failed(std::io::Error::other(error.to_string())))?;
        }
        Ok(Folders(wasi.build().filesystem().clone()))
    }

    /// Lets a sandbox read them.
    pub(super) fn grant(&self, wasi: &mut WasiCtx) {
        *wasi.filesystem() = self.0.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_that_cannot_be_read_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let open = |name: &str, path| {
            let name = name.to_owned();
            Folders::open(&[Grant { name, path }])
        };
        assert!(open(".", folder.path().to_owned()).is_ok());
        let file = folder.path().join("users.csv");
        std::fs::write(&file, "").unwrap();
        for path in [file, folder.path().join("nowhere")] {
            let error = open("data", path).err().unwrap().to_string();
            assert!(error.starts_with("--dir data: "), "{error}");
        }
    }
}
