//! Gives back what it is given: the component that tests and benches call.
//!
//! Imports nothing. `api` has the shapes that the host has fast lanes for,
//! `types` one function for every type of the component model.

mod api;
mod failures;
mod resources;
mod types;

wit_bindgen::generate!({ world: "echo", path: "wit" });

struct Component;

impl Guest for Component {
    fn add(left: i32, right: i32) -> i32 {
        left.wrapping_add(right)
    }

    fn greet(name: String) -> String {
        format!("Hello, {name}!")
    }
}

export!(Component);
