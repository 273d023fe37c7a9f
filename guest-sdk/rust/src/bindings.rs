//! The generated bindings to the interface package, and nothing else. One of the two
//! conventions is compiled in; the exports that a scenario may leave out are worlds of
//! their own, so that a component announces only what it has.

#[cfg(not(feature = "concurrent"))]
wit_bindgen::generate!({
    path: "wit",
    world: "blocking-load-test",
    pub_export_macro: true,
    generate_all,
});

#[cfg(feature = "concurrent")]
wit_bindgen::generate!({
    path: "wit",
    world: "load-test",
    pub_export_macro: true,
    generate_all,
});

pub mod shaped {
    wit_bindgen::generate!({
        path: "wit",
        world: "shaped",
        pub_export_macro: true,
        with: { "aiotest:engine/types@0.1.0": crate::bindings::aiotest::engine::types },
    });
}

#[cfg(not(feature = "concurrent"))]
pub mod hooked {
    wit_bindgen::generate!({
        path: "wit",
        world: "blocking-hooked",
        pub_export_macro: true,
        with: { "aiotest:engine/types@0.1.0": crate::bindings::aiotest::engine::types },
    });
}

#[cfg(feature = "concurrent")]
pub mod hooked {
    wit_bindgen::generate!({
        path: "wit",
        world: "hooked",
        pub_export_macro: true,
        with: { "aiotest:engine/types@0.1.0": crate::bindings::aiotest::engine::types },
    });
}

#[cfg(not(feature = "concurrent"))]
pub mod observed {
    wit_bindgen::generate!({
        path: "wit",
        world: "blocking-observed",
        pub_export_macro: true,
        with: {
            "aiotest:engine/types@0.1.0": crate::bindings::aiotest::engine::types,
            "aiotest:engine/http@0.1.0": crate::bindings::aiotest::engine::http,
        },
    });
}

#[cfg(feature = "concurrent")]
pub mod observed {
    wit_bindgen::generate!({
        path: "wit",
        world: "observed",
        pub_export_macro: true,
        with: {
            "aiotest:engine/types@0.1.0": crate::bindings::aiotest::engine::types,
            "aiotest:engine/http@0.1.0": crate::bindings::aiotest::engine::http,
        },
    });
}
