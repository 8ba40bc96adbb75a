//! Who waits for an answer from whom.
//!
//! [`Requests`] holds every request that is still open. It has no clock: its owner ends a request
//! when its time is over. Whatever arrives for a request that has ended, or from somebody who was
//! not asked, is refused with the reason, counted, and changes nothing.
//!
//! A request is asked of a *handle*, since a mailbox outlives a restart. Only when a message is
//! taken out to be handled is it bound to an incarnation ([`Requests::serve`]); from then on
//! that incarnation alone may answer, and its end ends the request.
//!
//! Costs: open, serve, answer and end are O(1); failing all requests of an actor is O(those).
//! Guests see a [`RequestId`], the [`Key`] enciphered: it tells nothing about other requests and
//! cannot be guessed.

mod cycles;
mod links;
mod open;
mod seal;

pub use cycles::{Cycle, WAITS_MAX_DEFAULT};
pub use open::Requests;
pub use seal::{RequestId, Seal};

pub use crate::slab::Key;

use crate::address::{Handle, Incarnation};

/// One life of an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Party {
    /// Which actor.
    pub handle: Handle,
    /// Which of its lives.
    pub incarnation: Incarnation,
}

/// An open request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<T> {
    /// Who waits.
    pub requester: Party,
    /// Who was asked.
    pub responder: Handle,
    /// Which life of the responder has it in hand; none while it waits in the mailbox.
    pub served_by: Option<Incarnation>,
    /// Whether the requester does nothing else until it ends.
    pub blocking: bool,
    /// What the owner needs to tell the requester.
    pub value: T,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// With an answer, or a refusal by the handler.
    Answered,
    /// Its time was over.
    TimedOut,
    /// Its requester gave it up, or stopped.
    Cancelled,
    /// Its responder stopped or failed.
    Failed,
}

/// Why an answer or a cancellation was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Unanswerable {
    /// It comes from somebody the request does not concern.
    #[error("the request was asked of, or by, another actor")]
    WrongParty,
    /// It comes from a life of the actor that does not have, or did not make, the request.
    #[error("the request belongs to another incarnation of the actor")]
    WrongIncarnation,
    /// The request has ended already, so.
    #[error("the request has ended already: {}", told(*.0))]
    Ended(End),
    /// The request ended so long ago that it is no longer known how.
    #[error("the request ended long ago")]
    Forgotten,
    /// There never was such a request.
    #[error("there is no such request")]
    Unknown,
}

fn told(end: End) -> &'static str {
    match end {
        End::Answered => "it was answered",
        End::TimedOut => "its time was over",
        End::Cancelled => "it was cancelled",
        End::Failed => "the actor that was asked had stopped or failed",
    }
}

/// What happened to requests since the start.
///
/// `opened` = `answered` + `timed_out` + `cancelled` + `failed` + `open`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RequestCounters {
    /// Requests that are open now.
    pub open: usize,
    /// Most that ever were at once.
    pub open_peak: usize,
    /// Requests made.
    pub opened: u64,
    /// Ends by an answer.
    pub answered: u64,
    /// Ends by time.
    pub timed_out: u64,
    /// Ends by the requester.
    pub cancelled: u64,
    /// Ends by the end of the responder.
    pub failed: u64,
    /// Answers from somebody who was not asked.
    pub wrong_party: u64,
    /// Answers from an incarnation that does not have the request.
    pub wrong_incarnation: u64,
    /// Answers after the answer.
    pub twice: u64,
    /// Answers after another end: orphans.
    pub late: u64,
    /// Answers to what was never asked.
    pub unknown: u64,
}
