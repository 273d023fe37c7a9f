//! `aiotest-engine new`: a scenario project in Rust that builds and runs as it is.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;

use super::exit;
use crate::output::terminal::print;

#[derive(Debug, Args)]
pub(super) struct NewArgs {
    /// Name of the project and its directory: letters, digits, - and _
    #[arg(value_name = "NAME")]
    name: String,

    /// Use this copy of the SDK instead of the published crate
    #[arg(long, value_name = "DIR")]
    sdk: Option<PathBuf>,
}

/// The template's files, with `{name}`, `{crate}` and `{sdk}` to be filled in.
const FILES: [(&str, &str); 5] = [
    ("Cargo.toml", include_str!("template/Cargo.toml.tmpl")),
    ("src/lib.rs", include_str!("template/lib.rs.tmpl")),
    (
        "rust-toolchain.toml",
        include_str!("template/rust-toolchain.toml.tmpl"),
    ),
    (".gitignore", include_str!("template/gitignore.tmpl")),
    ("README.md", include_str!("template/README.md.tmpl")),
];

pub(super) fn create(args: &NewArgs) -> Result<u8> {
    let name = &args.name;
    let valid = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(valid) {
        bail!("'{name}' cannot name a project: use letters, digits, - and _, a letter first");
    }
    let root = Path::new(name);
    if root.exists() {
        bail!("{name} exists already; choose another name");
    }
    let sdk = match &args.sdk {
        None => format!("\"{}\"", env!("CARGO_PKG_VERSION")),
        Some(path) => {
            let path = fs::canonicalize(path)
                .with_context(|| format!("cannot find the SDK in {}", path.display()))?;
            format!("{{ path = {:?} }}", path.display().to_string())
        }
    };
    for (file, template) in FILES {
        let text = template
            .replace("{name}", name)
            .replace("{crate}", &name.replace('-', "_"))
            .replace("{sdk}", &sdk);
        write(&root.join(file), &text)?;
    }
    print(&format!(
        "created {name}\n\n  cd {name}\n  cargo build --release --target wasm32-wasip2\n  \
         aiotest-engine run target/wasm32-wasip2/release/{}.wasm -H http://127.0.0.1:8080 -u 10 -t 10s\n",
        name.replace('-', "_")
    ));
    Ok(exit::OK)
}

fn write(path: &Path, text: &str) -> Result<()> {
    let written = path.parent().map_or(Ok(()), fs::create_dir_all);
    written
        .and_then(|()| fs::write(path, text))
        .with_context(|| format!("cannot write {}", path.display()))
}
