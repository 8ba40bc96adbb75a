//! `airssys:core/messaging`: what a guest says of it, and to whom.
//!
//! The functions are linked here; who serves them is behind [`Post`], one for each
//! instance, so that a guest cannot speak for another.

mod link;
mod types;

pub use types::{
    Address, BroadcastFailure, Encoded, Envelope, MessageError, MessageKind, MessagingError,
    Priority, SendOptions, TraceContext,
};

pub(crate) use link::link;

use std::pin::Pin;
use std::time::Duration;

/// The interface that is linked here.
pub const INTERFACE: &str = "airssys:core/messaging@1.0.0";

/// What a guest is told.
pub type Told<T> = Result<T, MessagingError>;

/// An answer that may take a while.
pub enum Wait<T> {
    /// It is here.
    Now(T),
    /// It comes; dropped, it is given up.
    Later(Pin<Box<dyn Future<Output = T> + Send>>),
}

/// Serves the messaging of one instance. Each function fails as the interface says of
/// the one of its name.
#[allow(
    clippy::missing_errors_doc,
    reason = "the interface has them, for guests"
)]
pub trait Post: Send + Sync {
    /// The address of the instance.
    fn own_id(&self) -> Told<Address>;

    /// The handle of an address.
    fn lookup(&self, id: &Address) -> Told<u64>;

    /// The address of a handle.
    fn id_of(&self, handle: u64) -> Told<Address>;

    /// Puts a message into a mailbox.
    fn send(&self, target: u64, codec: u32, payload: &[u8], how: SendOptions) -> Wait<Told<()>>;

    /// One message to many, whose handles are in the order of bytes of the guest.
    fn broadcast(&self, targets: &[u64], codec: u32, payload: &[u8])
    -> Told<Vec<BroadcastFailure>>;

    /// Asks and waits.
    fn ask(
        &self,
        target: u64,
        codec: u32,
        payload: &[u8],
        timeout: Duration,
    ) -> Wait<Told<Encoded>>;

    /// Asks; the end comes through `handle-callback`.
    fn request(&self, target: u64, codec: u32, payload: &[u8], timeout: Duration) -> Told<u64>;

    /// Gives a request up.
    fn cancel_request(&self, request: u64) -> Told<()>;

    /// Publishes on a topic.
    fn publish(&self, topic: &str, codec: u32, payload: &[u8]) -> Told<()>;

    /// Takes messages of topics.
    fn subscribe(&self, pattern: &str) -> Told<()>;

    /// Takes them no more.
    fn unsubscribe(&self, pattern: &str) -> Told<()>;

    /// The envelope of the message that is handled.
    fn envelope(&self) -> Told<Envelope>;

    /// Chooses the codec of the reply.
    fn set_reply_codec(&self, codec: u32) -> Told<()>;

    /// Keeps the request open, under a number.
    fn defer_reply(&self) -> Told<u32>;

    /// Ends a request that was kept open.
    fn reply(&self, deferred: u32, answer: Result<(u32, &[u8]), MessageError>) -> Told<()>;

    /// Gives up a request that was kept open.
    fn drop_deferred(&self, deferred: u32);
}
