//! How wasmtime is set up for a run: its pool of sandboxes and the limits of each.

use wasmtime::{Config, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

use super::component::Convention;

/// Native stack of a suspended guest, and the part of it that WebAssembly may use.
const STACK: usize = 256 << 10;
const WASM_STACK: usize = 128 << 10;
/// The same for guests of the event-loop convention, which may be interpreters. Memory is
/// taken as far as they go only.
const DEEP_STACK: usize = 1536 << 10;
const DEEP_WASM_STACK: usize = 1 << 20;
/// Address space kept for each linear memory.
const MIN_RESERVATION: usize = 64 << 20;
/// Beside those of the users: the manifest's, the load shape's, and those that a
/// restarted user leaves behind for a moment.
const SPARE_SANDBOXES: u32 = 32;
/// Modules that a component may put together; the pool only counts them.
const MAX_CORE_INSTANCES: u32 = 64;

/// How the engine is set up. What shapes compiled code depends on nothing but the
/// component and the memory limit, so that the cache serves every size of run.
#[derive(Clone, Copy, Debug)]
pub struct PoolSize {
    /// Sandboxes alive at a time.
    pub sandboxes: u32,
    /// Linear memory of each, in bytes.
    pub memory: usize,
    /// Elements of each table.
    pub table_elements: usize,
}

/// The engine of a run.
pub(super) fn engine(convention: Convention, size: PoolSize) -> wasmtime::Result<Engine> {
    let sandboxes = size.sandboxes.saturating_add(SPARE_SANDBOXES);
    // A call that waits keeps its stack, except in the async convention, where it gives it
    // back and each sandbox keeps one for itself.
    let stacks = match convention {
        Convention::Blocking | Convention::EventLoop => sandboxes,
        Convention::Async => sandboxes.saturating_mul(2),
    };
    let (stack, wasm_stack) = match convention {
        Convention::Blocking | Convention::Async => (STACK, WASM_STACK),
        Convention::EventLoop => (DEEP_STACK, DEEP_WASM_STACK),
    };
    let reservation = size.memory.max(MIN_RESERVATION);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(sandboxes)
        .total_core_instances(sandboxes.saturating_mul(MAX_CORE_INSTANCES))
        .total_memories(sandboxes.saturating_mul(2))
        .total_tables(sandboxes.saturating_mul(4))
        .total_stacks(stacks)
        .max_core_instances_per_component(MAX_CORE_INSTANCES)
        .max_memories_per_component(8)
        .max_tables_per_component(32)
        .table_elements(size.table_elements)
        .max_memory_size(size.memory);
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .concurrency_support(convention == Convention::Async)
        .cranelift_opt_level(OptLevel::Speed)
        .epoch_interruption(true)
        .async_stack_size(stack)
        .max_wasm_stack(wasm_stack)
        .memory_init_cow(true)
        .memory_reservation(reservation as u64)
        .memory_guard_size(64 << 10)
        .memory_may_move(false);
    Engine::new(&config)
}
