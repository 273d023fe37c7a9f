//! Components put together by hand, for what no SDK lets a scenario say or do. Knows the
//! interface's layout in memory, and nothing of the engine.

use std::{fmt::Write, fs};

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::cargo;

/// The interface's version in this workspace.
const VERSION: &str = "0.1.0";
/// Where the manifest lies in the memory; below it everything is zero.
const MANIFEST: u32 = 1024;
/// Bytes of a class and of a task in the manifest.
const CLASS: usize = 88;
const TASK: usize = 44;

/// A scenario in the blocking convention. Its users do nothing, 10 ms apart.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Version of the interface.
    pub version: String,
    /// Name and version of the SDK.
    pub sdk: String,
    /// The classes of the manifest.
    pub classes: Vec<Class>,
    /// Instructions, as text, before `describe` returns.
    pub describe: String,
    /// Instructions, as text, before a task returns. `$table` is a table of functions.
    pub task: String,
    /// Pages of 64 KiB that the memory has from the start.
    pub pages: u32,
    /// Elements that the table has from the start.
    pub elements: u32,
}

/// A class of a manifest.
#[derive(Clone, Debug)]
pub struct Class {
    /// Its name.
    pub name: String,
    /// Its share of the users.
    pub weight: u32,
    /// Its base URL.
    pub host: Option<String>,
    /// Names and weights of its tasks.
    pub tasks: Vec<(String, u32)>,
}

impl Class {
    /// A class with one task, and weight 1 for both.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            weight: 1,
            host: None,
            tasks: vec![("test".to_owned(), 1)],
        }
    }
}

impl Default for Scenario {
    /// One that is in order.
    fn default() -> Self {
        Self {
            version: VERSION.to_owned(),
            sdk: "by hand".to_owned(),
            classes: vec![Class::new("Handmade")],
            describe: String::new(),
            task: String::new(),
            pages: 2,
            elements: 1,
        }
    }
}

impl Scenario {
    /// The component.
    ///
    /// # Panics
    /// When the instructions are not valid.
    pub fn build(&self) -> Vec<u8> {
        let package = interface().replace(VERSION, &self.version);
        component(&package, "blocking-load-test", &self.module())
    }

    fn module(&self) -> String {
        let mut memory = Memory::default();
        let manifest = memory.manifest(self);
        let data: String = memory.0.iter().fold(String::new(), |mut text, byte| {
            write!(text, "\\{byte:02x}").expect("a text can be written to");
            text
        });
        let Self {
            version,
            describe,
            task,
            pages,
            elements,
            ..
        } = self;
        let scenario = format!("aiotest:engine/blocking-scenario@{version}");
        let step = |name: &str, index: &str, body: &str| {
            // The memory's first bytes are zero: a result that is ok.
            format!(
                "(func (export \"{scenario}#[method]user.{name}\") (param i32 {index}) \
                 (result i32) {body} (i32.const 0))"
            )
        };
        let steps = [
            step("on-start", "", ""),
            step("run-task", "i32", task),
            step("run", "", ""),
            step("wait-time", "", ""),
            step("on-stop", "", ""),
        ]
        .concat();
        format!(
            "(module
                (import \"[export]{scenario}\" \"[resource-new]user\"
                    (func $new (param i32) (result i32)))
                (memory (export \"memory\") {pages})
                (table $table {elements} funcref)
                (data (i32.const {MANIFEST}) \"{data}\")
                (func (export \"{scenario}#describe\") (result i32)
                    {describe} (i32.const {manifest}))
                (func (export \"{scenario}#[constructor]user\") (param i32 i64) (result i32)
                    (call $new (i32.const 1)))
                {steps})"
        )
    }
}

/// A component of a core module, as text, and of the world that it exports.
///
/// # Panics
/// When the two do not fit together.
pub fn component(package: &str, world: &str, module: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve
        .push_source("package.wit", package)
        .expect("the package is valid");
    let world = resolve
        .select_world(&[package], Some(world))
        .expect("the world is there");
    let mut module = wat::parse_str(module).expect("the module is valid");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false)
        .expect("the world can be embedded");
    ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .and_then(|encoder| encoder.encode())
        .expect("the module fits its world")
}

/// The interface package as one text.
fn interface() -> String {
    let entries = fs::read_dir(cargo::workspace().join("wit")).expect("the interface is there");
    let files = entries.map(|entry| {
        let path = entry.expect("the folder can be read").path();
        fs::read_to_string(path).expect("the file can be read")
    });
    let mut files: Vec<String> = files.collect();
    // The one that names the package goes first.
    files.sort_by_key(|text| !text.starts_with("package "));
    files.concat()
}

/// The memory from [`MANIFEST`] on, in the layout of the canonical ABI.
#[derive(Default)]
struct Memory(Vec<u8>);

impl Memory {
    /// Puts bytes where nothing lies yet, and returns where that is.
    fn put(&mut self, bytes: &[u8]) -> u32 {
        let aligned = self.0.len().next_multiple_of(8);
        self.0.resize(aligned, 0);
        self.0.extend_from_slice(bytes);
        MANIFEST + u32::try_from(aligned).expect("a manifest is small")
    }

    /// Address and length of what takes `size` bytes each.
    fn list(&mut self, bytes: &[u8], size: usize) -> [u8; 8] {
        let count = u32::try_from(bytes.len() / size).expect("a manifest is small");
        join(self.put(bytes), count)
    }

    fn manifest(&mut self, scenario: &Scenario) -> u32 {
        let sdk = self.list(scenario.sdk.as_bytes(), 1);
        let classes = scenario.classes.iter().map(|class| self.class(class));
        let classes: Vec<[u8; CLASS]> = classes.collect();
        let classes = self.list(&classes.concat(), CLASS);
        let thresholds = self.list(&[], 8);
        self.put(&[sdk, classes, thresholds].concat())
    }

    fn class(&mut self, class: &Class) -> [u8; CLASS] {
        let tasks = class.tasks.iter().map(|(name, weight)| {
            // No tags, no parent, and no set.
            let mut record = [0; TASK];
            record[..8].copy_from_slice(&self.list(name.as_bytes(), 1));
            record[8..12].copy_from_slice(&weight.to_le_bytes());
            record[12..20].copy_from_slice(&self.list(&[], 8));
            record
        });
        let tasks = tasks.collect::<Vec<_>>().concat();
        let mut record = [0; CLASS];
        record[..8].copy_from_slice(&self.list(class.name.as_bytes(), 1));
        record[8..12].copy_from_slice(&class.weight.to_le_bytes());
        if let Some(host) = &class.host {
            record[12] = 1;
            record[16..24].copy_from_slice(&self.list(host.as_bytes(), 1));
        }
        // A fixed wait time.
        record[24] = 1;
        record[32..40].copy_from_slice(&10_000_000_u64.to_le_bytes());
        // Sequential, and no limit of concurrent tasks or of throughput.
        record[80..88].copy_from_slice(&self.list(&tasks, TASK));
        record
    }
}

fn join(one: u32, other: u32) -> [u8; 8] {
    (u64::from(one) | u64::from(other) << 32).to_le_bytes()
}
