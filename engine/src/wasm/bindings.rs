//! The Rust side of `wit/`, generated, for all calling conventions. Nothing else.

#![expect(unreachable_pub, reason = "generated")]

/// The async convention, and the interfaces that both share.
pub mod concurrent {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "load-test",
        imports: { default: trappable },
        exports: {
            "aiotest:engine/scenario.describe": async,
            default: async | store,
        },
        with: {
            "aiotest:engine/http.session": crate::wasm::host::Session,
            "aiotest:engine/http.response": crate::wasm::host::Response,
            "aiotest:engine/metrics.group": crate::wasm::host::Group,
            "aiotest:engine/data.feed": crate::wasm::host::Feed,
        },
    });
}

/// The blocking convention.
pub mod blocking {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "blocking-load-test",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "aiotest:engine/types": super::concurrent::aiotest::engine::types,
            "aiotest:engine/http": super::concurrent::aiotest::engine::http,
            "aiotest:engine/metrics": super::concurrent::aiotest::engine::metrics,
            "aiotest:engine/run": super::concurrent::aiotest::engine::run,
            "aiotest:engine/data": super::concurrent::aiotest::engine::data,
            "aiotest:engine/events": super::concurrent::aiotest::engine::events,
            "aiotest:engine/log": super::concurrent::aiotest::engine::log,
            "aiotest:engine/manifest": super::concurrent::aiotest::engine::manifest,
        },
    });
}

/// The event-loop convention.
pub mod event_loop {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "event-loop-load-test",
        imports: {
            "aiotest:engine/event-loop.next": async | trappable,
            default: trappable,
        },
        exports: { default: async },
        with: {
            "aiotest:engine/types": super::concurrent::aiotest::engine::types,
            "aiotest:engine/http": super::concurrent::aiotest::engine::http,
            "aiotest:engine/metrics": super::concurrent::aiotest::engine::metrics,
            "aiotest:engine/run": super::concurrent::aiotest::engine::run,
            "aiotest:engine/data": super::concurrent::aiotest::engine::data,
            "aiotest:engine/events": super::concurrent::aiotest::engine::events,
            "aiotest:engine/log": super::concurrent::aiotest::engine::log,
            "aiotest:engine/manifest": super::concurrent::aiotest::engine::manifest,
            "aiotest:engine/blocking-io": super::blocking::aiotest::engine::blocking_io,
        },
    });
}

/// What interpreters have beside.
pub mod scripted {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "scripted",
        imports: { default: trappable },
        exports: { default: async },
    });
}

/// The optional load shape.
pub mod shaped {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "shaped",
        exports: { default: async },
        with: { "aiotest:engine/types": super::concurrent::aiotest::engine::types },
    });
}

/// The optional hooks in the async convention.
pub mod hooked {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "hooked",
        exports: { default: async | store },
        with: { "aiotest:engine/types": super::concurrent::aiotest::engine::types },
    });
}

/// The optional hooks in the blocking convention.
pub mod blocking_hooked {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "blocking-hooked",
        exports: { default: async },
        with: { "aiotest:engine/types": super::concurrent::aiotest::engine::types },
    });
}

/// The optional observer in the async convention.
pub mod observed {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "observed",
        exports: {
            "aiotest:engine/observer.wanted": async,
            default: async | store,
        },
        with: {
            "aiotest:engine/types": super::concurrent::aiotest::engine::types,
            "aiotest:engine/http": super::concurrent::aiotest::engine::http,
            "aiotest:engine/events": super::concurrent::aiotest::engine::events,
        },
    });
}

/// The optional observer in the blocking convention.
pub mod blocking_observed {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "blocking-observed",
        exports: { default: async },
        with: {
            "aiotest:engine/types": super::concurrent::aiotest::engine::types,
            "aiotest:engine/http": super::concurrent::aiotest::engine::http,
            "aiotest:engine/events": super::concurrent::aiotest::engine::events,
        },
    });
}

pub use concurrent::aiotest::engine::{data, events, http, log, manifest, metrics, run, types};
