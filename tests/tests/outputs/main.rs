//! What the outputs of one run say: all the same, and what the server says; and what it
//! costs when one of them cannot be written.

mod agreement;
mod counts;
mod names;
mod unwritable;

use std::path::{Path, PathBuf};

use tempfile::TempDir;

const GUEST: &str = "guest-probe";

/// A folder for the files of a run.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        Desk { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same as an argument. Paths of temporary files have no spaces.
    fn arg(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// The flags for every file there is.
    fn flags(&self) -> String {
        let [html, csv, junit, samples] =
            ["run.html", "run", "run.xml", "run.jsonl"].map(|name| self.arg(name));
        format!("--html {html} --csv {csv} --junit {junit} --samples {samples}")
    }

    fn text(&self, name: &str) -> String {
        read(&self.path(name))
    }

    /// What is in the folder.
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).expect("the folder can be read");
        let names = entries.map(|entry| entry.expect("it can be read").file_name());
        let mut names: Vec<_> = names
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

fn read(path: &Path) -> String {
    let text = std::fs::read_to_string(path);
    text.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
