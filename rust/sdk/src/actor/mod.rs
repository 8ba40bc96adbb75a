//! Actors: components that take messages one by one and keep a state between them.
//!
//! ```
//! # #[cfg(target_arch = "wasm32")] mod counter {
//! use airssys_sdk::actor::*;
//!
//! #[derive(serde::Deserialize)]
//! enum Command {
//!     Add(u64),
//!     Read,
//! }
//!
//! #[derive(Default)]
//! struct Counter {
//!     count: u64,
//! }
//!
//! #[component]
//! impl Counter {
//!     #[handler]
//!     fn handle(&mut self, command: Command) -> Result<u64, Refusal> {
//!         if let Command::Add(number) = command {
//!             let sum = self.count.checked_add(number);
//!             self.count = sum.ok_or(Refusal::Refused("too many".to_owned()))?;
//!         }
//!         Ok(self.count)
//!     }
//! }
//! # }
//! ```
//!
//! Functions of the impl block with these attributes are the actor's; others are its own.
//!
//! - `#[handler] fn(&mut self, message: M)` or `(&mut self, message: M, context: &Context)`:
//!   serves one message. `M` is anything that serde deserializes, in CBOR or JSON, or
//!   `&[u8]` or `Vec<u8>` for raw bytes. What it returns is the reply, in the codec of the
//!   message: nothing, anything that serde serializes (bytes, for a raw handler), or a
//!   `Result` of it whose error becomes a [`Refusal`].
//! - `#[start] fn(start: &Start) -> Result<Self, StartError>`: makes the state of a new
//!   incarnation; without it that is `Default`.
//! - `#[callback] fn(&mut self, request: RequestId, outcome: Result<Reply, SendError>)`:
//!   takes the end of a request made with [`Peer::request`].
//! - `#[stop] fn(&mut self, reason: StopReason)`, `#[health] fn(&self) -> Health`.
//!
//! A message in another codec is refused with those that are read, one that does not
//! decode with what serde says about it; the handler sees neither. A panic ends the
//! incarnation, and the supervisor starts the next one, whose `#[start]` is told.
//!
//! A component imports what its actor calls: one that only answers imports nothing.

pub mod bindings;
mod cbor;
mod codec;
mod context;
mod errors;
mod life;
mod messaging;
#[doc(hidden)]
pub mod rt;

pub use crate::component;
pub use codec::{Body, CBOR, FromBody, JSON, Json, RAW, Raw};
pub use context::{Context, Deferred, Envelope, MessageKind, Trace};
pub use errors::{Refusal, SendError, StartError};
pub use life::{Failure, Health, Limits, Reason, Restart, Start, StopReason};
pub use messaging::{
    Address, Peer, Priority, Reply, RequestId, SendOptions, broadcast, own_address, publish,
    subscribe, unsubscribe,
};
