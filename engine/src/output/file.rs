//! Writes a file: all of it or nothing. Knows nothing of its content.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// A file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}: {cause}{cure}", path = path.display(), cure = cure(cause.kind()))]
pub struct WriteError {
    path: PathBuf,
    cause: io::Error,
}

impl WriteError {
    /// Of a file that was to be written at `path`.
    #[must_use]
    pub fn new(path: &Path, cause: io::Error) -> Self {
        let path = path.to_owned();
        Self { path, cause }
    }
}

/// What to do about it, where that is known.
fn cure(kind: io::ErrorKind) -> &'static str {
    use io::ErrorKind as Kind;
    match kind {
        Kind::StorageFull | Kind::QuotaExceeded => "; make room, or choose another place",
        Kind::FileTooLarge => "; raise the limit of file sizes (ulimit -f)",
        Kind::NotFound => "; create its folder first",
        Kind::NotADirectory => "; choose a place below folders only",
        Kind::PermissionDenied | Kind::ReadOnlyFilesystem => "; choose a place you may write to",
        Kind::IsADirectory => "; add the name of a file",
        Kind::InvalidFilename => "; choose a shorter name",
        _ => "",
    }
}

/// Creates or replaces the file. What is there and not a file, such as a pipe, is written
/// to directly.
///
/// # Errors
///
/// The file is then as it was before, or still missing; unless its folder takes no other
/// file, so that it had to be overwritten.
pub fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<(), WriteError> {
    let content = content.as_ref();
    let target = resolve(path);
    let written = match is_special(&target) {
        true => overwrite(&target, content),
        false => replace(&target, content),
    };
    written.map_err(|cause| WriteError::new(path, cause))
}

/// Whether a file could be written now, as far as that shows without writing it.
///
/// # Errors
///
/// There is no folder for it, or one that takes no files.
pub fn check(path: &Path) -> Result<(), WriteError> {
    let target = resolve(path);
    let checked = match fs::metadata(&target) {
        Ok(metadata) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        // Opening a pipe would wait for its reader.
        Ok(metadata) if !metadata.is_file() => Ok(()),
        Ok(_) if OpenOptions::new().write(true).open(&target).is_ok() => Ok(()),
        _ => temporary(&target).map(|(_, path)| discard(&path)),
    };
    checked.map_err(|cause| WriteError::new(path, cause))
}

/// Where links lead.
fn resolve(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| !metadata.is_file())
}

/// Replaces the file through another one in the same directory.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    use io::ErrorKind as Kind;
    let replaced = temporary(path).and_then(|(file, temporary)| {
        let written = fill(file, content).and_then(|()| fs::rename(&temporary, path));
        if written.is_err() {
            discard(&temporary);
        }
        written
    });
    match replaced.as_ref().map_err(io::Error::kind) {
        // The file may be writable where its directory is not, or be a mount of its own.
        Err(Kind::PermissionDenied | Kind::ReadOnlyFilesystem | Kind::ResourceBusy) => {
            overwrite(path, content).or(replaced)
        }
        _ => replaced,
    }
}

/// A new file beside the one that it will become.
fn temporary(path: &Path) -> io::Result<(File, PathBuf)> {
    let Some(name) = path.file_name() else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not the name of a file",
        ));
    };
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(hidden);

    // One that a killed process with the same id left behind.
    discard(&temporary);
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&temporary)?;
    Ok((file, temporary))
}

/// Removes a file that nobody will miss.
fn discard(path: &Path) {
    let _ = fs::remove_file(path);
}

/// Writes to what is there. A pipe that nobody reads is an error, not a reason to wait.
fn overwrite(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).truncate(true);
    let mut file = options.custom_flags(libc::O_NONBLOCK).open(path)?;
    rustix::io::ioctl_fionbio(&file, false)?;
    file.write_all(content)
}

/// The content is on the disk before the name is, or a crash could leave an empty report.
fn fill(mut file: File, content: &[u8]) -> io::Result<()> {
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report.json");
        for content in ["a long report", "new"] {
            write(&path, content).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_a_device_a_device() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write(&link, "new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");

        let null = dir.path().join("null");
        std::os::unix::fs::symlink("/dev/null", &null).unwrap();
        write(&null, "new").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn errors_name_the_path_the_cause_and_the_cure() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "old").unwrap();
        let below = dir.path().join("nowhere").join("report.json");
        let cases = [
            (below, "create its folder first"),
            (file.join("report.json"), "below folders only"),
            (dir.path().to_owned(), "add the name of a file"),
            (dir.path().join("x".repeat(300)), "choose a shorter name"),
        ];
        for (path, cure) in cases {
            let write = write(&path, "new").unwrap_err();
            let check = check(&path).unwrap_err();
            for error in [write, check] {
                let text = error.to_string();
                let prefix = format!("cannot write {}: ", path.display());
                assert!(text.starts_with(&prefix), "{text}");
                assert!(text.ends_with(cure), "{text}");
            }
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), "old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_device_is_an_error() {
        let error = write(Path::new("/dev/full"), "new").unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("make room, or choose another place")
        );
    }

    #[test]
    fn a_pipe_that_nobody_reads_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        assert!(write(&pipe, "new").is_err());
        // Open for both ways, so that opening waits for nobody.
        let mut reader = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&pipe)
            .unwrap();
        write(&pipe, "new").unwrap();
        let mut read = [0; 3];
        io::Read::read_exact(&mut reader, &mut read).unwrap();
        assert_eq!(&read, b"new");
    }

    #[test]
    fn looking_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report.json");
        check(&path).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        fs::write(&path, "old").unwrap();
        check(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
