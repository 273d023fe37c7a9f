//! Starts the interpreter once, and writes down its memory and globals as those that it
//! begins with from then on.

use std::path::Path;
use std::sync::Arc;

use component_init_transform::Invoker;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tempfile::TempDir;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{
    Component, ComponentNamedList, Instance, Lift, Linker, ResourceTable, ResourceType,
};
use wasmtime::{Config, Engine, OptLevel, Store};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use super::{PrepareError, Step, Watch, memory};
use crate::script::Library;
use crate::wasm::bindings::scripted::Scripted;

/// Parts of the library: where they are in it, and where the interpreter expects them.
const PARTS: [(&str, &str); 2] = [("python", "/python"), ("sdk", "/sdk")];
/// Imports nest deeply.
const WASM_STACK: usize = 8 << 20;
const STACK: usize = WASM_STACK + (1 << 20);
/// The last words of an interpreter that does not start.
const MAX_WORDS: usize = 16 << 10;

/// The interpreter in the state in which sandboxes shall begin.
pub(super) fn take(watch: &Watch) -> Result<Vec<u8>, PrepareError> {
    watch(Step::Loading);
    let failed = |error: std::io::Error| PrepareError::Start(error.to_string());
    let component = zstd::decode_all(aiotest_python::COMPONENT).map_err(failed)?;
    let library = unpacked()?;
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let watch = watch.clone();
    let memory = Arc::new(Mutex::default());
    let read = memory.clone();
    let start = |instrumented: Vec<u8>| -> BoxFuture<'static, anyhow::Result<Box<dyn Invoker>>> {
        Box::pin(async move {
            let started = Started::new(&instrumented, library.path(), read, &watch).await?;
            Ok(Box::new(started) as Box<dyn Invoker>)
        })
    };
    let empty = runtime
        .map_err(failed)?
        .block_on(component_init_transform::initialize(&component, start))
        .map_err(|error| PrepareError::Start(format!("{error:#}")))?;
    memory::fill(&empty, &memory.lock()).map_err(|error| PrepareError::Start(error.to_string()))
}

/// The library in a folder that goes when it is dropped. Memory takes the place of a disk
/// that is full.
fn unpacked() -> Result<TempDir, PrepareError> {
    let disk = std::env::temp_dir();
    let unpack = |place: &Path| {
        let folder = tempfile::Builder::new()
            .prefix("aiotest-engine-")
            .tempdir_in(place)?;
        Library::of_engine().unpack(folder.path())?;
        Ok(folder)
    };
    unpack(&disk)
        .or_else(|cause| unpack(Path::new("/dev/shm")).map_err(|_| cause))
        .map_err(|cause| PrepareError::Unpack {
            place: disk.display().to_string(),
            cause,
        })
}

struct Host {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

/// The interpreter, started, which can be asked for its state.
struct Started {
    store: Store<Host>,
    instance: Instance,
    /// Where its memory is left.
    memory: Arc<Mutex<Vec<u8>>>,
}

impl Started {
    async fn new(
        component: &[u8],
        library: &Path,
        memory: Arc<Mutex<Vec<u8>>>,
        watch: &Watch,
    ) -> anyhow::Result<Self> {
        let mut config = Config::new();
        config
            .concurrency_support(false)
            // It runs once, and compiling takes longer than that.
            .cranelift_opt_level(OptLevel::None)
            .max_wasm_stack(WASM_STACK)
            .async_stack_size(STACK);
        let engine = Engine::new(&config)?;
        let component = Component::from_binary(&engine, component)?;
        watch(Step::Starting);
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        refuse_engine(&mut linker, &component)?;
        let words = MemoryOutputPipe::new(MAX_WORDS);
        let mut wasi = WasiCtxBuilder::new();
        wasi.stderr(words.clone())
            .allow_blocking_current_thread(true);
        for (part, place) in PARTS {
            wasi.preopened_dir(library.join(part), place, FsPerms::ReadOnly)?;
        }
        let host = Host {
            wasi: wasi.build(),
            table: ResourceTable::new(),
        };
        let mut store = Store::new(&engine, host);
        // All of its memory is read in one go.
        store.set_hostcall_fuel(usize::MAX);
        let instance = linker.instantiate_async(&mut store, &component).await?;
        let interpreter = Scripted::new(&mut store, &instance)?;
        let prepared = interpreter
            .aiotest_engine_interpreter()
            .call_prepare(&mut store)
            .await;
        match prepared {
            Ok(Ok(())) => Ok(Started {
                store,
                instance,
                memory,
            }),
            Ok(Err(message)) => Err(anyhow::Error::msg(message)),
            Err(trap) => {
                let words = String::from_utf8_lossy(&words.contents()).into_owned();
                Err(anyhow::Error::from(trap).context(words))
            }
        }
    }

    async fn call<T>(&mut self, function: &str) -> anyhow::Result<T>
    where
        (T,): ComponentNamedList + Lift + Send + Sync + 'static,
    {
        let function = self
            .instance
            .get_typed_func::<(), (T,)>(&mut self.store, function)?;
        let (value,) = function.call_async(&mut self.store, ()).await?;
        Ok(value)
    }
}

/// There is no run yet that the interpreter could be part of: what it imports of the engine
/// traps.
fn refuse_engine(linker: &mut Linker<Host>, component: &Component) -> wasmtime::Result<()> {
    let engine = linker.engine().clone();
    for (import, item) in component.component_type().imports(&engine) {
        let ComponentItem::ComponentInstance(interface) = item.ty else {
            continue;
        };
        if !import.starts_with("aiotest:engine/") {
            continue;
        }
        let mut instance = linker.instance(import)?;
        for (name, item) in interface.exports(&engine) {
            match item.ty {
                ComponentItem::ComponentFunc(_) => {
                    let call = format!("{name} of {import} was called while preparing");
                    instance.func_new(name, move |_, _, _, _| wasmtime::bail!("{call}"))?;
                }
                ComponentItem::Resource(_) => {
                    instance.resource(name, ResourceType::host::<()>(), |_, _| Ok(()))?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

#[wasmtime_wasi::async_trait]
impl Invoker for Started {
    async fn call_s32(&mut self, function: &str) -> anyhow::Result<i32> {
        self.call(function).await
    }

    async fn call_s64(&mut self, function: &str) -> anyhow::Result<i64> {
        self.call(function).await
    }

    async fn call_f32(&mut self, function: &str) -> anyhow::Result<f32> {
        self.call(function).await
    }

    async fn call_f64(&mut self, function: &str) -> anyhow::Result<f64> {
        self.call(function).await
    }

    /// The memory. What asks for it would write it down in more pieces than a module may
    /// have, so it gets zeros; see [`memory`].
    async fn call_list_u8(&mut self, function: &str) -> anyhow::Result<Vec<u8>> {
        let memory: Vec<u8> = self.call(function).await?;
        let zeros = vec![0; memory.len()];
        *self.memory.lock() = memory;
        Ok(zeros)
    }
}
