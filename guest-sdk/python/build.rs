//! Builds the interpreter: the native part (`runtime/`) as a WebAssembly library, linked with
//! libpython and the C library into one component; and the library as an archive.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

/// Libraries of CPython's package, in no particular order.
const LIBRARIES: [&str; 8] = [
    "libpython3.14.so",
    "libc.so",
    "libc++.so",
    "libc++abi.so",
    "libwasi-emulated-getpid.so",
    "libwasi-emulated-mman.so",
    "libwasi-emulated-process-clocks.so",
    "libwasi-emulated-signal.so",
];

/// Parts of the standard library that need a screen, a console or a compiler.
const LEFT_OUT: [&str; 7] = [
    "_pyrepl",
    "curses",
    "ensurepip",
    "idlelib",
    "tkinter",
    "turtledemo",
    "venv",
];

/// What PyO3 cannot ask an interpreter that runs in WebAssembly only.
const PYO3: &str = "implementation=CPython
version=3.14
shared=true
abi3=false
lib_name=python3.14
pointer_width=32
suppress_build_script_link_lines=true
";

/// Small in what is shipped, and soon done otherwise.
fn level() -> i32 {
    match env::var("PROFILE").as_deref() {
        Ok("release") => 19,
        _ => 3,
    }
}

fn main() -> Result<()> {
    for input in [
        "build.rs",
        "runtime",
        "cpython",
        "aiotest",
        "locust",
        "../../wit",
    ] {
        println!("cargo:rerun-if-changed={input}");
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let cpython = cpython()?;
    let native = native_part(&out, &cpython)?;
    let component = zstd::encode_all(&*link(&cpython, &native)?, level())?;
    let library = zstd::encode_all(&*library(&cpython)?, level())?;
    let version = Sha256::new()
        .chain_update(&component)
        .chain_update(&library)
        .finalize();
    fs::write(out.join("interpreter.wasm.zst"), component)?;
    fs::write(out.join("library.tar.zst"), library)?;
    fs::write(out.join("version"), format!("{version:x}"))?;
    Ok(())
}

/// A cargo of its own: what the one that runs this script has set is not meant for it.
fn cargo(command: &str, manifest: &str) -> Result<Command> {
    let mut cargo = Command::new(env::var_os("CARGO").context("cargo runs build scripts")?);
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let kept = [
            "CARGO_HOME",
            "CARGO_HTTP_",
            "CARGO_NET_",
            "CARGO_REGISTRIES_",
        ];
        if text.starts_with("CARGO_") && !kept.iter().any(|kept| text.starts_with(kept))
            || text.starts_with("RUSTC_") && text.ends_with("WRAPPER")
            || text == "RUSTFLAGS"
        {
            cargo.env_remove(&name);
        }
    }
    cargo
        .arg(command)
        .args(["--locked", "--manifest-path", manifest]);
    Ok(cargo)
}

fn run(command: &mut Command) -> Result<Vec<u8>> {
    let output = command
        .output()
        .with_context(|| format!("cannot run {command:?}"))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("{command:?} failed: {}\n{errors}", output.status);
    }
    Ok(output.stdout)
}

/// Where the package with CPython is.
fn cpython() -> Result<PathBuf> {
    let mut metadata = cargo("metadata", "cpython/Cargo.toml")?;
    let metadata = run(metadata.args(["--format-version", "1"]))?;
    let metadata: serde_json::Value = serde_json::from_slice(&metadata)?;
    let packages = metadata["packages"].as_array();
    packages
        .into_iter()
        .flatten()
        .find(|package| package["name"] == "componentize-py")
        .and_then(|package| Path::new(package["manifest_path"].as_str()?).parent())
        .map(Path::to_owned)
        .context("cargo does not say where componentize-py is")
}

fn unpacked(file: &Path) -> Result<Vec<u8>> {
    let compressed = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(zstd::decode_all(compressed)?)
}

/// The native part of the SDK as a library that can be linked with libpython.
fn native_part(out: &Path, cpython: &Path) -> Result<Vec<u8>> {
    let configuration = out.join("pyo3.txt");
    fs::write(&configuration, PYO3)?;
    // $TARGET/PROFILE/build/PACKAGE/out: all profiles share one build.
    let target = out
        .ancestors()
        .nth(4)
        .context("an unusual target directory")?;
    let target = target.join("python");
    let mut build = cargo("build", "runtime/Cargo.toml")?;
    build
        .args(["--release", "--target", "wasm32-wasip2", "--target-dir"])
        .arg(&target)
        .env("PYO3_CONFIG_FILE", configuration)
        .env(
            "CARGO_ENCODED_RUSTFLAGS",
            "-Crelocation-model=pic\u{1f}-Ctarget-feature=-crt-static",
        );
    run(&mut build)?;
    let mut libraries = Vec::new();
    for name in ["libpython3.14.so", "libc.so"] {
        let library = out.join(name);
        fs::write(&library, unpacked(&cpython.join(format!("{name}.zst")))?)?;
        libraries.push(library);
    }
    let library = out.join("libaiotest_python.so");
    let mut linker = Command::new(linker()?);
    linker
        .args([
            "-flavor",
            "wasm",
            "-shared",
            "--experimental-pic",
            "--gc-sections",
            "-o",
        ])
        .arg(&library)
        .arg("--whole-archive")
        .arg(target.join("wasm32-wasip2/release/libaiotest_python.a"))
        .arg("--no-whole-archive")
        .args(libraries);
    run(&mut linker)?;
    Ok(fs::read(library)?)
}

/// The linker that comes with Rust.
fn linker() -> Result<PathBuf> {
    let rustc = env::var_os("RUSTC").context("cargo names the compiler")?;
    let sysroot = run(Command::new(rustc).args(["--print", "sysroot"]))?;
    let sysroot = Path::new(std::str::from_utf8(&sysroot)?.trim_end()).to_owned();
    let linker = sysroot
        .join("lib/rustlib")
        .join(env::var("HOST")?)
        .join("bin/rust-lld");
    let name = linker.with_extension(env::consts::EXE_EXTENSION);
    ensure!(
        name.exists(),
        "{} is missing: it comes with rustup's Rust",
        name.display()
    );
    Ok(name)
}

fn link(cpython: &Path, native: &[u8]) -> Result<Vec<u8>> {
    let mut linker = wit_component::Linker::default();
    linker.use_built_in_libdl(true);
    for name in LIBRARIES {
        let library = unpacked(&cpython.join(format!("{name}.zst")))?;
        linker.library(name, &library, false)?;
    }
    linker.library("libaiotest_python.so", native, false)?;
    linker.encoder().validate(true);
    linker.encode()
}

/// The standard library below `python`, and the SDK's packages below `sdk`.
fn library(cpython: &Path) -> Result<Vec<u8>> {
    let mut library = tar::Builder::new(Vec::new());
    library.mode(tar::HeaderMode::Deterministic);
    let standard = unpacked(&cpython.join("python-lib.tar.zst"))?;
    for entry in tar::Archive::new(&*standard).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let part = path
            .components()
            .next()
            .map(|part| part.as_os_str().to_owned());
        if LEFT_OUT
            .iter()
            .any(|left_out| part.as_deref() == Some(OsStr::new(left_out)))
        {
            continue;
        }
        let mut content = Vec::new();
        if entry.header().entry_type().is_file() {
            std::io::copy(&mut entry, &mut content)?;
            append(&mut library, &Path::new("python").join(path), &content)?;
        }
    }
    for package in ["aiotest", "locust"] {
        sources(&mut library, Path::new(package))?;
    }
    Ok(library.into_inner()?)
}

fn sources(library: &mut tar::Builder<Vec<u8>>, folder: &Path) -> Result<()> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            sources(library, &path)?;
        } else if path.extension() == Some(OsStr::new("py")) {
            append(library, &Path::new("sdk").join(&path), &fs::read(&path)?)?;
        }
    }
    Ok(())
}

fn append<W: Write>(archive: &mut tar::Builder<W>, path: &Path, content: &[u8]) -> Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    archive.append_data(&mut header, path, content)?;
    Ok(())
}
