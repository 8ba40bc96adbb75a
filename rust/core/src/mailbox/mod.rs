//! The queue in front of an actor: bounded, with lanes, and a policy for when it is full.
//!
//! A [`Mailbox`] is a value without a lock, a clock or a wake-up: its owner has those. It is
//! bounded twice, by messages and by bytes, and counts what it does.
//!
//! | lane | order | in the bound | may be shed |
//! |---|---|---|---|
//! | system | before all others | no | never |
//! | high, normal, low | high first, low last | yes | by the policy |
//!
//! Within a lane the order is that of arrival, so the messages of one sender and one priority
//! are handled in the order they were sent. The lanes are strict: low waits as long as there is
//! anything above it.
//!
//! Costs: [`Mailbox::push`] and [`Mailbox::pop`] are O(1), but for what a full mailbox sheds. A
//! mailbox that was never used holds no memory beside itself.

mod lanes;
mod limits;
mod queue;

pub use limits::{
    BYTES_MAX_DEFAULT, MESSAGES_MAX_DEFAULT, MailboxLimits, MailboxLimitsError, WhenFull,
};
pub use queue::Mailbox;

/// The `expires_after` of a message that keeps for ever.
pub const NEVER: u64 = u64::MAX;

/// Which messages of a queue go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Priority {
    /// After everything else.
    Low,
    /// What a plain send uses.
    #[default]
    Normal,
    /// Before everything else but system messages.
    High,
}

/// What a mailbox must know of a message. The answers must not change while it is queued.
pub trait Message {
    /// What it costs to keep, in bytes: its payload, or more.
    fn bytes(&self) -> usize;

    /// The lane it waits in.
    fn priority(&self) -> Priority {
        Priority::Normal
    }

    /// The last nanosecond of the owner's monotonic clock at which it may still be handled.
    fn expires_after(&self) -> u64 {
        NEVER
    }
}

/// What became of a pushed message. Whoever is not in the queue is in here.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a message that was not taken, or made way for another, is in here"]
pub enum Push<M> {
    /// It waits in its lane.
    Accepted,
    /// It waits in its lane; these made way for it, or had expired.
    AcceptedShedding(Vec<Shed<M>>),
    /// It was not taken.
    Refused {
        /// Why not.
        why: Refusal,
        /// The newcomer.
        message: M,
        /// Expired messages that were found on the way, and still gave too little room.
        shed: Vec<Shed<M>>,
    },
}

/// Why a message was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// There is no room, and the policy is to wait: see [`Mailbox::wait`].
    Full,
    /// There is no room, and the policy is to refuse.
    Rejected,
    /// There is no room, and the policy is to drop it. Its sender is not told.
    Dropped,
    /// It alone is larger than the mailbox may ever hold.
    TooLarge,
    /// The mailbox is closed.
    Closed,
}

/// A message that was taken out of the queue without being handled.
#[derive(Debug, PartialEq, Eq)]
pub enum Shed<M> {
    /// Its time was over.
    Expired(M),
    /// It was the oldest, and a newer one needed the room.
    Displaced(M),
}

/// What came out of a mailbox.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the message is in here"]
pub enum Pop<M> {
    /// Nothing waits.
    Empty,
    /// The next message.
    Message(M),
    /// The next message, whose time is over: a dead letter. Ask again.
    Expired(M),
}

/// A message whose sender waits for room, under a number that the owner chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting<M> {
    /// Whom to tell when it is accepted.
    pub waiter: u64,
    /// What it wants to send.
    pub message: M,
}

/// Why a message may not wait for room.
#[derive(Debug, PartialEq, Eq)]
pub enum WaitRefused<M> {
    /// As many wait already as may.
    Crowded(M),
    /// It alone is larger than the mailbox may ever hold.
    TooLarge(M),
    /// The mailbox is closed.
    Closed(M),
}

/// Everything that a mailbox held when it closed, first to last.
#[derive(Debug, PartialEq, Eq)]
pub struct Left<M> {
    /// System messages.
    pub system: Vec<M>,
    /// Accepted messages, in the order they would have been handled.
    pub messages: Vec<M>,
    /// Messages whose senders still wait for room.
    pub waiting: Vec<Waiting<M>>,
}

/// What a mailbox did since it was made, and what it holds now.
///
/// `accepted` = `delivered` + `expired` + `displaced` + `left` + `messages`; system messages are
/// in none of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MailboxCounters {
    /// Messages that wait now.
    pub messages: u32,
    /// Their bytes.
    pub bytes: usize,
    /// Most messages that ever waited at once.
    pub messages_peak: u32,
    /// Most bytes that ever waited at once.
    pub bytes_peak: usize,
    /// Messages taken in.
    pub accepted: u64,
    /// Messages handed out to be handled.
    pub delivered: u64,
    /// Messages whose time was over before their turn.
    pub expired: u64,
    /// Accepted messages that made way for newer ones.
    pub displaced: u64,
    /// Newcomers dropped for want of room.
    pub dropped: u64,
    /// Newcomers refused: no room, too large, or closed.
    pub rejected: u64,
    /// Newcomers that had to wait for room, each time they came.
    pub full: u64,
    /// Messages handed back by closing.
    pub left: u64,
}
