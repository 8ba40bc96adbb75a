//! `airssys_wasm._native.broker`: actors and their messages.

mod actor;
mod asking;
mod batch;
mod board;
mod body;
mod courier;
mod errand;
mod feed;
mod handler;
mod home;
mod lease;
mod letter;
mod message;
mod messages;
mod named;
mod pattern;
mod queue;
mod reply;
mod traffic;

pub use errand::raised;

use pyo3::prelude::*;

#[pymodule(submodule, name = "broker", gil_used = false)]
pub mod native {
    #[pymodule_export]
    use super::actor::Actor;
    #[pymodule_export]
    use super::board::Broker;
    #[pymodule_export]
    use super::courier::Courier;
    #[pymodule_export]
    use super::errand::Duty;
    #[pymodule_export]
    use super::lease::Lease;
    #[pymodule_export]
    use super::letter::DeadLetter;
    #[pymodule_export]
    use super::message::Message;
    #[pymodule_export]
    use super::messages::Messages;
    #[pymodule_export]
    use super::pattern::{address_matches, topic_contains, topic_matches};
    #[pymodule_export]
    use super::queue::Queue;
    #[pymodule_export]
    use super::reply::Reply;
}
