//! Write a WebAssembly component in a few lines of Rust.
//!
//! A module of plain functions becomes a component; its interface is derived from
//! the functions' types, and no WIT needs to be written:
//!
//! ```
//! use airssys_sdk::component;
//!
//! #[component(package = "acme:words")]
//! mod api {
//!     pub struct Summary {
//!         pub words: u32,
//!         pub longest: String,
//!     }
//!
//!     /// Counts the words of a text.
//!     pub fn count(text: &str) -> Result<Summary, String> {
//!         let longest = text.split_whitespace().max_by_key(|word| word.len());
//!         let longest = longest.ok_or("no words")?.to_owned();
//!         Ok(Summary { words: text.split_whitespace().count() as u32, longest })
//!     }
//! }
//! # assert_eq!(api::count("to be").unwrap().words, 2);
//! ```
//!
//! Where there is a world already, name it, and implement its `Guest` traits:
//!
//! ```text
//! #[component(wit = "wit", world = "greeter")]
//! struct Greeter;
//!
//! impl exports::acme::greet::api::Guest for Greeter { /* … */ }
//! ```
//!
//! With the feature `actor`, an impl block becomes an actor, which takes messages and
//! keeps a state between them: see `actor`.
//!
//! A component imports nothing that it does not use. A panic ends its instance with a
//! trap; with `on_panic = report` its message is first handed to `report`, which may
//! pass it to an import of the component's world.

#[cfg(feature = "actor")]
pub mod actor;
pub mod panic;

pub use airssys_sdk_macros::component;

// What the macros write, and the bindings, name this crate by its name.
#[cfg(feature = "actor")]
extern crate self as airssys_sdk;

/// What the macro's output refers to; not for use by hand.
#[doc(hidden)]
pub use wit_bindgen;
