//! Which files a script can read, and which it cannot, whatever it tries.

use std::fs;
use std::os::unix::fs::symlink;

use aiotest_tests::{Output, scripts};
use tempfile::TempDir;

/// Exit codes.
const OK: Option<i32> = Some(0);
const USAGE: Option<i32> = Some(2);
const SCRIPT: Option<i32> = Some(3);

/// Tells of each path what came of reading it, and of two that it cannot be written.
const PROBE: &str = "
import os
from aiotest import HttpUser

class Reader(HttpUser):
    host = 'http://127.0.0.1:9'

    async def test_read(self):
        pass

def told(path, mode='r'):
    try:
        with open(path, mode) as file:
            return file.read().strip()
    except OSError as error:
        return type(error).__name__

for path in os.environ['PATHS'].split(','):
    print(f'<{path}: {told(path)}>')
for path in ['data/users.csv', 'data/new.csv']:
    assert told(path, 'w') in ('PermissionError', 'FileNotFoundError')
";

struct Desk {
    folder: TempDir,
}

impl Desk {
    /// A project with data, beside something that is not for it.
    fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let desk = Desk { folder };
        for (name, content) in [
            ("project/probe.py", script),
            ("project/data/users.csv", "users"),
            ("project/top.csv", "top"),
            ("secret.csv", "secret"),
            ("secret.py", "SECRET = 1"),
        ] {
            let path = desk.folder.path().join(name);
            let parent = path.parent().expect("it is in a folder");
            fs::create_dir_all(parent).expect("a folder can be made");
            fs::write(path, content).expect("a file can be written");
        }
        desk.link("../../secret.csv", "data/link.csv");
        desk
    }

    fn link(&self, target: &str, name: &str) {
        let link = self.folder.path().join("project").join(name);
        symlink(target, link).expect("a link can be made");
    }

    fn command(&self, line: &str) -> Output {
        let engine = scripts::engine().directory(self.folder.path().join("project"));
        engine.run(line.split_whitespace())
    }

    /// Reads these paths in a run with these flags, and expects this.
    #[track_caller]
    fn reads(&self, flags: &str, expected: &[(&str, &str)]) {
        let paths: Vec<_> = expected.iter().map(|(path, _)| *path).collect();
        let paths = paths.join(",");
        let output = self.command(&format!("run probe.py -i 1 -e PATHS={paths} {flags}"));
        assert_eq!(output.code, OK, "{output:#?}");
        for (path, what) in expected {
            let line = format!("<{path}: {what}>");
            assert!(output.stderr.contains(&line), "no {line} in {output:#?}");
        }
    }
}

#[test]
fn a_script_reads_no_files_that_were_not_granted() {
    Desk::new(PROBE).reads(
        "",
        &[
            ("top.csv", "FileNotFoundError"),
            ("data/users.csv", "FileNotFoundError"),
            ("probe.py", "FileNotFoundError"),
            ("/etc/passwd", "FileNotFoundError"),
            ("../secret.csv", "FileNotFoundError"),
        ],
    );
}

#[test]
fn a_granted_folder_can_be_read_under_its_name() {
    let desk = Desk::new(PROBE);
    desk.reads(
        "--dir .",
        &[
            ("top.csv", "top"),
            ("data/users.csv", "users"),
            ("data/link.csv", "PermissionError"),
            ("../secret.csv", "PermissionError"),
            ("/etc/passwd", "FileNotFoundError"),
        ],
    );
    desk.reads(
        "--dir data",
        &[
            ("data/users.csv", "users"),
            ("data/link.csv", "PermissionError"),
            ("top.csv", "FileNotFoundError"),
        ],
    );
    let users = desk.folder.path().join("project/data/users.csv");
    assert_eq!(fs::read_to_string(users).expect("it is there"), "users");
    let output = desk.command("run probe.py --dir nowhere");
    assert_eq!(output.code, USAGE, "{output:#?}");
    assert!(output.stderr.contains("--dir nowhere: "), "{output:#?}");
}

#[test]
fn an_import_does_not_follow_a_link_out_of_its_folder() {
    let desk = Desk::new("import secret");
    desk.link("../secret.py", "secret.py");
    let output = desk.command("run probe.py");
    assert_eq!(output.code, SCRIPT, "{output:#?}");
    let words = "No module named 'secret'";
    assert!(output.stderr.contains(words), "{output:#?}");
}

#[test]
fn only_scripts_are_built() {
    let desk = Desk::new("");
    for file in ["top.csv", "missing.wasm"] {
        let output = desk.command(&format!("build {file}"));
        assert_eq!(output.code, USAGE, "{output:#?}");
        assert!(output.stderr.contains("no Python script"), "{output:#?}");
    }
    let output = desk.command("build missing.py");
    assert_eq!(output.code, SCRIPT, "{output:#?}");
    assert!(output.stderr.contains("cannot read missing.py: "));
}
