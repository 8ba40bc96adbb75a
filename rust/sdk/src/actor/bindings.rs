//! What wit-bindgen makes of `airssys:core`; not for use by hand.
//!
//! The world imports more than an actor needs. What is not called is not linked, and
//! what is not linked is no import of the component.

// Generated code is not ours to clean.
#![allow(warnings, clippy::all, clippy::pedantic, missing_docs)]

wit_bindgen::generate!({
    path: "../../wit/core",
    world: "component",
    runtime_path: "::airssys_sdk::wit_bindgen::rt",
    pub_export_macro: true,
    export_macro_name: "export_actor",
    default_bindings_module: "::airssys_sdk::actor::bindings",
});
