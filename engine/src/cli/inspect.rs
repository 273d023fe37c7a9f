//! `aiotest-engine inspect`: what a component declares and imports, without running it.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::exit;
use super::scenario::ScenarioArgs;
use crate::output::format::bytes;
use crate::output::terminal::print;
use crate::script::Bundle;
use crate::threshold::Threshold;
use crate::user_class::{Execution, Task, TaskSet, UserClass, WaitTime, distribute};
use crate::wasm::component::INTERFACE_VERSION;

#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    #[command(flatten)]
    scenario: ScenarioArgs,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Inspection {
    file: PathBuf,
    /// What of a script is packed, or would be.
    files: Vec<InspectedFile>,
    interface: &'static str,
    sdk: String,
    convention: &'static str,
    load_shape: bool,
    hooks: bool,
    observer: bool,
    load_ms: f64,
    limits: InspectedLimits,
    classes: Vec<InspectedClass>,
    thresholds: Vec<String>,
    imports: Vec<String>,
}

#[derive(Serialize)]
struct InspectedFile {
    name: String,
    bytes: usize,
}

#[derive(Serialize)]
struct InspectedLimits {
    memory_bytes: usize,
    cpu_seconds: f64,
    table_elements: usize,
}

#[derive(Serialize)]
struct InspectedClass {
    name: String,
    weight: u32,
    share_of_100_users: u32,
    host: Option<String>,
    wait_time: String,
    execution: String,
    throughput: Option<f64>,
    tasks: Vec<InspectedTask>,
}

#[derive(Serialize)]
struct InspectedTask {
    name: String,
    weight: u32,
    tags: Vec<String>,
    /// Name of the set it belongs to.
    parent: Option<String>,
    /// How its tasks run, for a set.
    set: Option<String>,
}

pub(super) fn inspect(args: &InspectArgs) -> Result<u8> {
    let scenario = &args.scenario;
    let limits = scenario.limits()?;
    let began = Instant::now();
    let source = scenario.open()?;
    let outline = source.outline().clone();
    let script = source.script().map(|script| script.pack()).transpose()?;
    let plugin = scenario.load(&source)?;
    let load_ms = began.elapsed().as_secs_f64() * 1e3;
    let manifest = scenario.describe(&plugin)?;
    let inspection = Inspection {
        file: scenario.file.clone(),
        files: script.map_or_else(Vec::new, files),
        interface: INTERFACE_VERSION,
        sdk: manifest.sdk,
        convention: outline.convention.as_str(),
        load_shape: manifest.shaped,
        hooks: outline.hooks,
        observer: outline.observer,
        load_ms,
        limits: InspectedLimits {
            memory_bytes: limits.memory,
            cpu_seconds: limits.cpu.as_secs_f64(),
            table_elements: limits.table_elements,
        },
        classes: classes(manifest.classes),
        thresholds: manifest
            .thresholds
            .iter()
            .map(Threshold::to_string)
            .collect(),
        imports: outline.imports,
    };
    print(&if args.json {
        serde_json::to_string_pretty(&inspection)? + "\n"
    } else {
        text(&inspection)
    });
    Ok(exit::OK)
}

fn files(bundle: Bundle) -> Vec<InspectedFile> {
    let file = |(name, bytes)| InspectedFile { name, bytes };
    bundle.files.into_iter().map(file).collect()
}

fn classes(classes: Vec<UserClass>) -> Vec<InspectedClass> {
    let weights: Vec<u32> = classes.iter().map(|class| class.weight).collect();
    let shares = distribute(100, &weights);
    let class = |(class, share): (UserClass, u32)| InspectedClass {
        wait_time: wait_time(class.wait_time),
        execution: execution(class.execution),
        throughput: class.throughput,
        tasks: tasks(&class.tasks),
        name: class.name,
        weight: class.weight,
        share_of_100_users: share,
        host: class.host.filter(|host| !host.is_empty()),
    };
    classes.into_iter().zip(shares).map(class).collect()
}

fn tasks(all: &[Task]) -> Vec<InspectedTask> {
    let task = |task: &Task| InspectedTask {
        name: task.name.clone(),
        weight: task.weight,
        tags: task.tags.clone(),
        parent: task.parent.map(|parent| all[parent].name.clone()),
        set: task.set.map(set),
    };
    all.iter().map(task).collect()
}

fn set(set: TaskSet) -> String {
    let order = execution(set.execution);
    match set.rounds {
        Some(1) => format!("{order}, 1 round"),
        Some(rounds) => format!("{order}, {rounds} rounds"),
        None => format!("{order}, until it is left"),
    }
}

fn wait_time(wait: WaitTime) -> String {
    let span = |time: Duration| humantime::format_duration(time).to_string();
    match wait {
        WaitTime::None => "none".into(),
        WaitTime::Fixed(time) => span(time),
        WaitTime::Between(low, high) => format!("{} to {}", span(low), span(high)),
        WaitTime::Pacing(time) => format!("pacing {}", span(time)),
        WaitTime::Computed => "computed".into(),
    }
}

fn execution(execution: Execution) -> String {
    match execution {
        Execution::Sequential => "sequential".into(),
        Execution::Weighted => "weighted".into(),
        Execution::Concurrent(most) => format!("concurrent, {most} at a time"),
        Execution::OwnLoop => "own loop".into(),
    }
}

fn text(inspection: &Inspection) -> String {
    let mut out = String::new();
    write_text(&mut out, inspection).unwrap_or_default();
    out
}

fn write_text(out: &mut String, i: &Inspection) -> std::fmt::Result {
    let yes = |flag| if flag { "yes" } else { "no" };
    writeln!(out, "{}", i.file.display())?;
    writeln!(out, "  built with  {}, interface {}", i.sdk, i.interface)?;
    writeln!(out, "  convention  {}", i.convention)?;
    writeln!(
        out,
        "  load shape  {}, hooks {}, events {}",
        yes(i.load_shape),
        yes(i.hooks),
        yes(i.observer)
    )?;
    writeln!(
        out,
        "  limits      {} MiB memory, {} s computing, {} table elements",
        i.limits.memory_bytes >> 20,
        i.limits.cpu_seconds,
        i.limits.table_elements
    )?;
    if !i.files.is_empty() {
        writeln!(out, "\nscript")?;
    }
    for file in &i.files {
        writeln!(out, "  {}  {}", file.name, bytes(file.bytes as u64))?;
    }
    for class in &i.classes {
        writeln!(
            out,
            "\nclass {} (weight {}, {} of 100 users)",
            class.name, class.weight, class.share_of_100_users
        )?;
        writeln!(
            out,
            "  host       {}",
            class.host.as_deref().unwrap_or("none; give --host")
        )?;
        writeln!(out, "  wait time  {}", class.wait_time)?;
        writeln!(out, "  execution  {}", class.execution)?;
        if let Some(rate) = class.throughput {
            writeln!(out, "  throughput {rate} iterations a second, at most")?;
        }
        for task in &class.tasks {
            write_task(out, task)?;
        }
    }
    if !i.thresholds.is_empty() {
        writeln!(out, "\nthresholds")?;
    }
    for threshold in &i.thresholds {
        writeln!(out, "  {threshold}")?;
    }
    writeln!(out, "\nimports")?;
    for import in &i.imports {
        writeln!(out, "  {import}")?;
    }
    Ok(())
}

fn write_task(out: &mut String, task: &InspectedTask) -> std::fmt::Result {
    let what = if task.set.is_some() { "set" } else { "task" };
    write!(out, "  {what:<10} {} (weight {})", task.name, task.weight)?;
    if let Some(set) = &task.set {
        write!(out, ", {set}")?;
    }
    if let Some(parent) = &task.parent {
        write!(out, ", in {parent}")?;
    }
    if !task.tags.is_empty() {
        write!(out, ", tags {}", task.tags.join(" "))?;
    }
    writeln!(out)
}
