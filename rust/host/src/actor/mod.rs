//! Actors: cells with a mailbox each, run one message at a time by whoever is at hand.

mod behaviour;
mod cell;
mod deferral;
mod exit;
mod guest;
mod message;
mod payload;
mod refusal;
mod reply;
mod schedule;

pub use behaviour::{Answer, Behaviour, Departure, Handled, Interrupt, Turn};
pub use cell::{AskedHere, Cell, Observer, Routing, Sent, Shared};
pub use deferral::Deferral;
pub use exit::{Exit, Raised};
pub use guest::{Desk, Guest};
pub(crate) use guest::{HANDLE_CALLBACK, HANDLE_MESSAGE};
pub use message::{EMBEDDER, Job, Kind, Message, coarse_unix_nanoseconds, monotonic_nanoseconds};
pub use payload::Payload;
pub use refusal::{HandlerRefusal, Refusal};
pub use reply::{Outcome, Pending, Reply, ReplyTo};
pub use schedule::Scheduler;
