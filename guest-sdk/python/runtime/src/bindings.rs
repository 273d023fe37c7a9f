//! The guest's side of the world `script-interpreter`, generated, and nothing else.

wit_bindgen::generate!({
    path: "wit",
    world: "script-interpreter",
    generate_all,
});

use super::Interpreter;

export!(Interpreter);
