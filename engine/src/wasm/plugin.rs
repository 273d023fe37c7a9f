//! File → component → linked and ready to instantiate, in an engine whose pool fits the
//! run. Knows the manifest's classes, not who runs them.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use thiserror::Error;
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Engine, Store};

use super::bindings::blocking::BlockingLoadTestPre;
use super::bindings::blocking_hooked::BlockingHookedIndices;
use super::bindings::blocking_observed::BlockingObservedIndices;
use super::bindings::concurrent::LoadTestPre;
use super::bindings::event_loop::EventLoopLoadTestPre;
use super::bindings::hooked::HookedIndices;
use super::bindings::observed::ObservedIndices;
use super::bindings::shaped::ShapedIndices;
use super::bindings::{blocking, concurrent, event_loop, manifest, scripted};
use super::component::{Convention, NotAScenario, Outline};
use super::engine::{PoolSize, engine};
use super::host::{Host, HostData, on_epoch};
use super::interpreter::{PrepareError, Step};
use super::run::Run;
use super::source::Source;
use super::ticker::Ticker;
use crate::script::{Script, ScriptError};
use crate::threshold::{InvalidThreshold, Threshold};
use crate::user_class::{self, Execution, InvalidClass, Task, TaskSet, UserClass, WaitTime};

/// Why a component cannot run.
#[derive(Debug, Error)]
pub enum PluginError {
    /// The file cannot be read.
    #[error("cannot read {path}: {cause}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The file is something else.
    #[error("{path}: {cause}", path = path.display())]
    NotAScenario {
        /// The file.
        path: PathBuf,
        /// What it is.
        cause: NotAScenario,
    },
    /// The interpreter cannot be made ready.
    #[error(transparent)]
    Interpreter(#[from] PrepareError),
    /// The script in a component is none.
    #[error("{path}: {cause}", path = path.display())]
    Script {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: ScriptError,
    },
    /// It does not compile or link.
    #[error("{path}: {message}", path = path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why, in one line.
        message: String,
    },
    /// `describe` trapped or took too long.
    #[error("{path}: describing itself failed: {message}", path = path.display())]
    Describe {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// The scenario says itself why it cannot run.
    #[error("{0}")]
    Scenario(String),
    /// The manifest is malformed.
    #[error("{path}: {cause}", path = path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: InvalidClass,
    },
    /// A threshold of the manifest cannot be read.
    #[error("{path}: a threshold of the scenario: {cause}", path = path.display())]
    Threshold {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: InvalidThreshold,
    },
    /// The machine refuses the engine's pool.
    #[error("cannot set up {sandboxes} sandboxes: {message}; try fewer, or --users-per-sandbox")]
    Pool {
        /// Sandboxes asked for.
        sandboxes: u32,
        /// Why.
        message: String,
    },
}

/// A linked component, by convention.
pub(super) enum Pre {
    Blocking(BlockingLoadTestPre<Host>),
    Async(LoadTestPre<Host>),
    EventLoop(EventLoopLoadTestPre<Host>),
}

/// Where the hooks are, by convention.
pub(super) enum HooksIndices {
    Blocking(BlockingHookedIndices),
    Async(HookedIndices),
}

/// Where the observer is, by convention.
pub(super) enum ObserverIndices {
    Blocking(BlockingObservedIndices),
    Async(ObservedIndices),
}

/// A component that is ready to instantiate.
pub struct Plugin {
    path: PathBuf,
    engine: Engine,
    convention: Convention,
    script: Option<Arc<Script>>,
    pub(super) pre: Pre,
    pub(super) shape: Option<ShapedIndices>,
    pub(super) hooks: Option<HooksIndices>,
    pub(super) observer: Option<ObserverIndices>,
    ticker: Ticker,
}

impl Plugin {
    /// Compiles (or takes from the cache) and links a component.
    pub fn load(source: &Source, size: PoolSize) -> Result<Plugin, PluginError> {
        let path = source.path.clone();
        if let Some(message) = too_large(&source.outline, size) {
            return Err(PluginError::Unusable { path, message });
        }
        let pool = |message: String| PluginError::Pool {
            sandboxes: size.sandboxes,
            message,
        };
        let engine = engine(source.outline.convention, size).map_err(|e| pool(one_line(&e)))?;
        let ticker = Ticker::start(&engine).map_err(|e| pool(e.to_string()))?;
        let linked = compile_and_link(&engine, source);
        match linked {
            Ok(linked) => Ok(Plugin {
                path,
                engine,
                convention: source.outline.convention,
                script: source.script.clone(),
                pre: linked.pre,
                shape: linked.shape,
                hooks: linked.hooks,
                observer: linked.observer,
                ticker,
            }),
            Err(error) => Err(PluginError::Unusable {
                path,
                message: one_line(&error),
            }),
        }
    }

    /// The script that it runs, for [`Run`].
    pub fn script(&self) -> Option<Arc<Script>> {
        self.script.clone()
    }

    /// Epochs so far, for [`Run`].
    pub fn ticks(&self) -> Arc<AtomicU64> {
        self.ticker.ticks()
    }

    /// Asks the component for its classes, in a sandbox of its own, and checks them.
    pub async fn describe(&self, run: &Arc<Run>) -> Result<Manifest, PluginError> {
        const LIMIT: Duration = Duration::from_secs(30);
        let failed = |message: String| PluginError::Describe {
            path: self.path.clone(),
            message,
        };
        let (manifest, shaped) = tokio::time::timeout(LIMIT, self.call_describe(run))
            .await
            .map_err(|_| failed(format!("no answer within {LIMIT:?}")))?
            .map_err(failed)?
            .map_err(PluginError::Scenario)?;
        let classes = classes(manifest.classes);
        let malformed = |cause| PluginError::Manifest {
            path: self.path.clone(),
            cause,
        };
        user_class::validate(&manifest.sdk, &classes).map_err(malformed)?;
        let concurrent = classes
            .iter()
            .find(|c| matches!(c.execution, Execution::Concurrent(_)));
        match (concurrent, self.convention) {
            (Some(class), Convention::Blocking) => {
                Err(malformed(InvalidClass::NeedsAsync(class.name.clone())))
            }
            _ => Ok(Manifest {
                sdk: manifest.sdk,
                classes,
                shaped,
                thresholds: self.thresholds(&manifest.thresholds)?,
            }),
        }
    }

    fn thresholds(&self, texts: &[String]) -> Result<Vec<Threshold>, PluginError> {
        let parsed = texts.iter().map(|text| text.parse());
        parsed
            .collect::<Result<_, _>>()
            .map_err(|cause| PluginError::Threshold {
                path: self.path.clone(),
                cause,
            })
    }

    /// What the component says of itself, and whether it has a load shape; or why it
    /// cannot run. The outer error is that of a sandbox that died.
    async fn call_describe(&self, run: &Arc<Run>) -> Result<Described, String> {
        let mut store = self.store(run, &Arc::from("describe"));
        let errand = store.data().errand();
        let described = errand.attend(async {
            match &self.pre {
                Pre::Blocking(pre) => {
                    let plugin = pre.instantiate_async(&mut store).await?;
                    let scenario = plugin.aiotest_engine_blocking_scenario();
                    let manifest = scenario.call_describe(&mut store).await?;
                    Ok(Ok((manifest, self.shape.is_some())))
                }
                Pre::Async(pre) => {
                    let plugin = pre.instantiate_async(&mut store).await?;
                    let scenario = plugin.aiotest_engine_scenario();
                    let manifest = scenario.call_describe(&mut store).await?;
                    Ok(Ok((manifest, self.shape.is_some())))
                }
                Pre::EventLoop(pre) => {
                    let plugin = pre.instantiate_async(&mut store).await?;
                    let scenario = plugin.aiotest_engine_event_loop_scenario();
                    let manifest = match scenario.call_describe(&mut store).await? {
                        Ok(manifest) => manifest,
                        Err(why) => return Ok(Err(why)),
                    };
                    let shaped = scenario.call_has_load_shape(&mut store).await?;
                    Ok(Ok((manifest, shaped && self.shape.is_some())))
                }
            }
        });
        described
            .await
            .map_err(|error| super::trap::Trap::of(&error, store.data()).message)
    }

    /// A new sandbox for users of this class, empty as yet.
    pub(super) fn store(&self, run: &Arc<Run>, class: &Arc<str>) -> Store<Host> {
        let mut store = Store::new(&self.engine, Host::new(run, class));
        store.limiter(|host| host);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(on_epoch);
        store
    }
}

/// What a component says of itself, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// Name and version of the SDK.
    pub sdk: String,
    /// At least one.
    pub classes: Vec<UserClass>,
    /// There is a load shape.
    pub shaped: bool,
    /// Conditions on the results.
    pub thresholds: Vec<Threshold>,
}

type Described = Result<(manifest::Manifest, bool), String>;

struct Linked {
    pre: Pre,
    shape: Option<ShapedIndices>,
    hooks: Option<HooksIndices>,
    observer: Option<ObserverIndices>,
}

fn compile_and_link(engine: &Engine, source: &Source) -> wasmtime::Result<Linked> {
    let outline = &source.outline;
    let begin = || (source.watch)(Step::Compiling);
    let component = source.code.compile(engine, begin)?;
    (source.watch)(Step::Done);
    let pre = linker(engine, outline.convention)?.instantiate_pre(&component)?;
    let shape = outline
        .shape
        .then(|| ShapedIndices::new(&pre))
        .transpose()?;
    let hooks = match outline.convention {
        _ if !outline.hooks => None,
        Convention::Blocking | Convention::EventLoop => {
            Some(HooksIndices::Blocking(BlockingHookedIndices::new(&pre)?))
        }
        Convention::Async => Some(HooksIndices::Async(HookedIndices::new(&pre)?)),
    };
    let observer = match outline.convention {
        _ if !outline.observer => None,
        Convention::Blocking | Convention::EventLoop => Some(ObserverIndices::Blocking(
            BlockingObservedIndices::new(&pre)?,
        )),
        Convention::Async => Some(ObserverIndices::Async(ObservedIndices::new(&pre)?)),
    };
    let pre = match outline.convention {
        Convention::Blocking => Pre::Blocking(BlockingLoadTestPre::new(pre)?),
        Convention::Async => Pre::Async(LoadTestPre::new(pre)?),
        Convention::EventLoop => Pre::EventLoop(EventLoopLoadTestPre::new(pre)?),
    };
    Ok(Linked {
        pre,
        shape,
        hooks,
        observer,
    })
}

/// What a sandbox would have to grant from the start, and does not.
fn too_large(outline: &Outline, size: PoolSize) -> Option<String> {
    let (memory, table) = (size.memory as u64, size.table_elements as u64);
    if outline.memory > memory {
        return Some(format!(
            "begins with {} bytes of memory, above the limit of {memory}; raise --memory-limit",
            outline.memory
        ));
    }
    (outline.table > table).then(|| {
        format!(
            "begins with a table of {} elements; {table} is the limit",
            outline.table
        )
    })
}

fn linker(engine: &Engine, convention: Convention) -> wasmtime::Result<Linker<Host>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    match convention {
        Convention::Blocking => {
            blocking::BlockingLoadTest::add_to_linker::<_, HasSelf<Host>>(&mut linker, |h| h)?;
        }
        Convention::Async => {
            concurrent::LoadTest::add_to_linker::<_, HostData>(&mut linker, |h| h)?;
        }
        Convention::EventLoop => {
            event_loop::EventLoopLoadTest::add_to_linker::<_, HasSelf<Host>>(&mut linker, |h| h)?;
            scripted::Scripted::add_to_linker::<_, HasSelf<Host>>(&mut linker, |h| h)?;
        }
    }
    Ok(linker)
}

fn classes(classes: Vec<manifest::UserClass>) -> Vec<UserClass> {
    let class = |(index, class): (usize, manifest::UserClass)| UserClass {
        index: index as u32,
        name: class.name,
        weight: class.weight,
        host: class.host,
        wait_time: wait_time(class.wait_time),
        execution: execution(
            class.execution,
            class
                .max_concurrent_tasks
                .map_or(class.tasks.len(), |max| max as usize),
        ),
        alone: class.alone,
        throughput: class.throughput,
        pacing: None,
        tasks: class.tasks.into_iter().enumerate().map(task).collect(),
    };
    classes.into_iter().enumerate().map(class).collect()
}

fn task((index, task): (usize, manifest::Task)) -> Task {
    Task {
        index: index as u32,
        name: task.name,
        weight: task.weight,
        tags: task.tags,
        parent: task.parent.map(|parent| parent as usize),
        set: task.set.map(|set| TaskSet {
            execution: execution(set.execution, 1),
            rounds: set.rounds,
        }),
    }
}

fn execution(execution: manifest::Execution, at_a_time: usize) -> Execution {
    match execution {
        manifest::Execution::Sequential => Execution::Sequential,
        manifest::Execution::Weighted => Execution::Weighted,
        manifest::Execution::OwnLoop => Execution::OwnLoop,
        manifest::Execution::Concurrent => Execution::Concurrent(at_a_time),
    }
}

fn wait_time(wait: manifest::WaitTime) -> WaitTime {
    let nanos = Duration::from_nanos;
    match wait {
        manifest::WaitTime::None | manifest::WaitTime::Fixed(0) => WaitTime::None,
        manifest::WaitTime::Fixed(time) => WaitTime::Fixed(nanos(time)),
        manifest::WaitTime::Between((low, high)) => WaitTime::Between(nanos(low), nanos(high)),
        manifest::WaitTime::Pacing(time) => WaitTime::Pacing(nanos(time)),
        manifest::WaitTime::Computed => WaitTime::Computed,
    }
}

/// An error and its causes, the outermost first, on one line.
fn one_line(error: &wasmtime::Error) -> String {
    let text = format!("{error:#}");
    text.lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
