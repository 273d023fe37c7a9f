//! What scripts read, what they do not, and what is packed of them.

use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;

/// A folder with these files; a content that begins with `->` makes a link.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match content.strip_prefix("->") {
            Some(target) => symlink(target, path).unwrap(),
            None => fs::write(path, content).unwrap(),
        }
    }
    folder
}

fn open(folder: &TempDir, others: &[&TempDir]) -> Script {
    let others: Vec<_> = others.iter().map(|other| other.path().to_owned()).collect();
    Script::open(&folder.path().join("shop.py"), &others).unwrap()
}

fn text(script: &Script, path: &str) -> Option<String> {
    let file = script.read(path).unwrap()?;
    Some(String::from_utf8(file.content.to_vec()).unwrap())
}

#[test]
fn the_folder_of_the_script_comes_first() {
    let own = folder(&[
        ("shop.py", "main"),
        ("cart.py", "own"),
        ("pages/home.py", "home"),
    ]);
    let other = folder(&[("cart.py", "other"), ("users.py", "users")]);
    let script = open(&own, &[&other]);
    assert_eq!(&script.main().content[..], b"main");
    assert_eq!(text(&script, "cart.py").as_deref(), Some("own"));
    assert_eq!(text(&script, "pages/home.py").as_deref(), Some("home"));
    assert_eq!(text(&script, "users.py").as_deref(), Some("users"));
    assert_eq!(text(&script, "missing.py"), None);
    assert_eq!(text(&script, "cart.py/missing.py"), None);
    let origin = |folder: &TempDir, name| folder.path().join(name).display().to_string();
    assert_eq!(script.main().origin, origin(&own, "shop.py"));
    assert_eq!(
        script.read("cart.py").unwrap().unwrap().origin,
        origin(&own, "cart.py")
    );
    assert_eq!(
        script.read("users.py").unwrap().unwrap().origin,
        origin(&other, "users.py")
    );
}

#[test]
fn only_granted_folders_have_data() {
    let own = folder(&[
        ("shop.py", ""),
        ("token.txt", "secret"),
        ("key.py", "->token.txt"),
    ]);
    let other = folder(&[("lib/table.csv", "rows")]);
    let script = open(&own, &[&other]);
    assert_eq!(text(&script, "token.txt"), None);
    assert_eq!(text(&script, "key.py"), None);
    assert_eq!(text(&script, "lib/table.csv").as_deref(), Some("rows"));
    let granted = Script::open(&own.path().join("shop.py"), &[own.path().to_owned()]).unwrap();
    assert_eq!(text(&granted, "token.txt").as_deref(), Some("secret"));
}

#[test]
fn no_path_leads_out_of_the_folders() {
    let outside = folder(&[("secret.py", "secret"), ("lib/secret.py", "secret")]);
    let own = folder(&[
        ("scripts/shop.py", ""),
        ("scripts/a/b.py", ""),
        ("secret.py", "secret"),
    ]);
    let link = |name: &str, to: &Path| symlink(to, own.path().join("scripts").join(name)).unwrap();
    link("link.py", &outside.path().join("secret.py"));
    link("up.py", Path::new("../secret.py"));
    link("lib", &outside.path().join("lib"));
    link("inside.py", Path::new("a/b.py"));
    let script = own.path().join("scripts/shop.py");
    let script = Script::open(&script, &[own.path().join("scripts")]).unwrap();
    let absolute = own.path().join("secret.py").display().to_string();
    for path in [
        "../secret.py",
        "a/../../secret.py",
        "./a/b.py",
        "a/./b.py",
        "a//b.py",
        "/etc/passwd",
        &absolute,
        "a/b.py\0",
        "..",
        ".",
        "/",
        "",
        "a",
        "a/",
        &"a/".repeat(600),
    ] {
        assert_eq!(script.read(path).unwrap(), None, "{path}");
    }
    for path in ["link.py", "up.py", "lib/secret.py"] {
        let refused = script.read(path);
        assert!(
            matches!(refused, Err(ReadError::Outside { .. })),
            "{path}: {refused:?}"
        );
    }
    assert_eq!(text(&script, "inside.py").as_deref(), Some(""));
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let own = folder(&[("shop.py", ""), ("package.py/x.py", "")]);
    let pipe = own.path().join("pipe.py");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    symlink("/dev/zero", own.path().join("zero.py")).unwrap();
    symlink("loop.py", own.path().join("loop.py")).unwrap();
    let script = open(&own, &[]);
    assert_eq!(script.read("pipe.py").unwrap(), None);
    assert_eq!(script.read("package.py").unwrap(), None);
    assert!(matches!(
        script.read("zero.py"),
        Err(ReadError::Outside { .. })
    ));
    assert!(matches!(
        script.read("loop.py"),
        Err(ReadError::Unreadable { .. })
    ));
    assert!(Script::open(&pipe, &[]).is_err());
    assert!(Script::open(own.path(), &[]).is_err());
}

#[test]
fn files_are_bounded() {
    let own = folder(&[("shop.py", "import large"), ("large.py", "")]);
    let large = fs::File::create(own.path().join("large.py")).unwrap();
    large.set_len(MAX_FILE).unwrap();
    let script = open(&own, &[]);
    assert_eq!(
        script.read("large.py").unwrap().unwrap().content.len() as u64,
        MAX_FILE
    );
    large.set_len(MAX_FILE + 1).unwrap();
    assert!(matches!(
        open(&own, &[]).read("large.py"),
        Err(ReadError::TooLarge { .. })
    ));
    assert_eq!(open(&own, &[]).pack().unwrap().files.len(), 1);
    let refused = Script::open(&own.path().join("large.py"), &[]);
    assert!(matches!(refused, Err(ScriptError::TooLarge(_))));
}

#[test]
fn all_sandboxes_see_the_same_files() {
    let own = folder(&[("shop.py", "main"), ("cart.py", "before")]);
    let script = open(&own, &[]);
    assert_eq!(text(&script, "cart.py").as_deref(), Some("before"));
    fs::write(own.path().join("cart.py"), "after").unwrap();
    assert_eq!(text(&script, "cart.py").as_deref(), Some("before"));
    assert_eq!(text(&open(&own, &[]), "cart.py").as_deref(), Some("after"));
}

#[test]
fn a_linked_script_imports_from_where_it_lies() {
    let real = folder(&[("shop.py", "main"), ("cart.py", "cart")]);
    let bin = tempfile::tempdir().unwrap();
    let link = bin.path().join("link.py");
    symlink(real.path().join("shop.py"), &link).unwrap();
    let script = Script::open(&link, &[]).unwrap();
    assert_eq!(script.main().origin, link.display().to_string());
    assert_eq!(text(&script, "cart.py").as_deref(), Some("cart"));
}

#[test]
fn errors_name_the_path_and_the_cause() {
    let own = folder(&[("shop.py", "")]);
    let missing = own.path().join("missing.py");
    let error = Script::open(&missing, &[]).unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("cannot read {}: ", missing.display())),
        "{error}"
    );
    let script = own.path().join("shop.py");
    for folder in [own.path().join("nowhere"), script.clone()] {
        let error = Script::open(&script, std::slice::from_ref(&folder))
            .unwrap_err()
            .to_string();
        let prefix = format!("--python-path {}: ", folder.display());
        assert!(error.starts_with(&prefix), "{error}");
    }
}

fn names(bundle: &Bundle) -> Vec<&str> {
    bundle.files.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn what_is_imported_is_packed() {
    let own = folder(&[
        (
            "shop.py",
            "import cart\nimport pages.home, json\nimport shop\n",
        ),
        ("cart.py", "def late():\n    from lib import table\n"),
        ("unused.py", ""),
        ("token.txt", "secret"),
        ("pages/__init__.py", ""),
        ("pages/home.py", "from . import other\nimport deep"),
        ("pages/other.py", ""),
        ("pages/notes.txt", "secret"),
        ("deep.py", ""),
    ]);
    let other = folder(&[
        ("lib/__init__.py", ""),
        ("lib/table.csv", "rows"),
        ("lib/__pycache__/x.pyc", ""),
        ("lib/.git/config", ""),
        ("cart.py", "other"),
        ("idle/__init__.py", ""),
    ]);
    symlink("../lib", other.path().join("lib/circle")).unwrap();
    let script = open(&own, &[&other]);
    let bundle = script.pack().unwrap();
    let expected = [
        "shop.py",
        "cart.py",
        "deep.py",
        "lib/__init__.py",
        "lib/table.csv",
        "pages/__init__.py",
        "pages/home.py",
        "pages/other.py",
    ];
    assert_eq!(names(&bundle), expected);
    assert_eq!(
        open(&own, &[&other]).pack().unwrap().archive,
        bundle.archive
    );

    let library = Library::packed(Vec::new());
    let packed = Script::of_bundle(bundle.archive.to_vec(), library).unwrap();
    assert_eq!(packed.main().origin, "shop.py");
    assert_eq!(packed.main().content, script.main().content);
    assert_eq!(text(&packed, "lib/table.csv").as_deref(), Some("rows"));
    assert_eq!(text(&packed, "cart.py"), text(&script, "cart.py"));
    let again = packed.pack().unwrap();
    assert_eq!(names(&again), expected);
    assert_eq!(again.archive, bundle.archive);
}

#[test]
fn a_bundle_brings_its_library() {
    let own = folder(&[("shop.py", "")]);
    let bundle = open(&own, &[]).pack().unwrap().archive.to_vec();
    let modules = [
        ("sdk/one.py", &b"sdk"[..]),
        ("python/one.py", b"std"),
        ("python/two.py", b"2"),
    ];
    let library = archive::write(modules.into_iter()).unwrap();
    let packed = zstd::encode_all(&library[..], 1).unwrap();
    let script = Script::of_bundle(bundle.clone(), Library::packed(packed.clone())).unwrap();
    assert_eq!(text(&script, "one.py").as_deref(), Some("sdk"));
    assert_eq!(text(&script, "two.py").as_deref(), Some("2"));
    assert_eq!(text(&script, "three.py"), None);

    let cut = Library::packed(packed[..packed.len() / 2].to_vec());
    let script = Script::of_bundle(bundle.clone(), cut).unwrap();
    assert!(matches!(script.read("one.py"), Err(ReadError::Library(_))));
    assert!(matches!(script.read("one.py"), Err(ReadError::Library(_))));
}

#[test]
fn damaged_bundles_are_refused() {
    let own = folder(&[("shop.py", "print('a long script')")]);
    let bundle = open(&own, &[]).pack().unwrap().archive.to_vec();
    let mut garbled = bundle.clone();
    garbled[..100].fill(0xff);
    for bad in [
        Vec::new(),
        bundle[..300].to_vec(),
        bundle[..520].to_vec(),
        garbled,
    ] {
        let script = Script::of_bundle(bad, Library::packed(Vec::new()));
        assert!(matches!(script, Err(ScriptError::Damaged(_))));
    }
}

#[test]
fn what_sandboxes_make_of_files_is_kept_within_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.py");
    fs::write(&file, "").unwrap();
    let script = Script::open(&file, &[]).unwrap();
    assert_eq!(script.made("shop.py"), None);
    script.keep("shop.py".into(), b"first".to_vec());
    script.keep("shop.py".into(), b"second".to_vec());
    assert_eq!(script.made("shop.py").unwrap(), &b"first"[..]);
    script.keep("../shop.py".into(), b"elsewhere".to_vec());
    assert_eq!(script.made("../shop.py"), None);
    script.keep("large.py".into(), vec![0; MAX_MADE]);
    assert_eq!(script.made("large.py"), None);
}
