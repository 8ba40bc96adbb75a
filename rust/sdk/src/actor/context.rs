//! The message that is being handled, beyond its payload.

use std::fmt;
use std::time::Duration;

use super::bindings::airssys::core::messaging as wit;
use super::codec::Body;
use super::errors::{Refusal, SendError};
use super::messaging::{Address, Peer, Priority};

/// What a handler may ask about its message; costs nothing that it does not ask.
#[derive(Debug)]
pub struct Context {
    sender: u64,
    codec: u32,
}

/// All about a message but its payload.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// A number for the message, unique on this host.
    pub id: u64,
    /// How it came.
    pub kind: MessageKind,
    /// Who sent it; none if that is the embedder.
    pub sender: Option<Address>,
    /// How urgent it is.
    pub priority: Priority,
    /// When the host accepted it, in nanoseconds since 1970.
    pub sent_unix_nanoseconds: i64,
    /// What is left until the asker gives up; none if it does not, or nobody waits.
    pub remaining: Option<Duration>,
    /// Which delivery of the message this is, from 1.
    pub delivery: u32,
    /// The trace it belongs to; what is sent while it is handled belongs to the same.
    pub trace: Option<Trace>,
}

/// A place in a distributed trace, as W3C Trace Context has it. `Display` gives the
/// `traceparent`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Trace {
    /// The trace.
    pub id: u128,
    /// The span that caused the message.
    pub span: u64,
    /// Whether the trace is recorded.
    pub sampled: bool,
}

impl fmt::Display for Trace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = u8::from(self.sampled);
        write!(
            formatter,
            "00-{:032x}-{:016x}-{flags:02x}",
            self.id, self.span
        )
    }
}

/// How a message came.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum MessageKind {
    /// Nobody waits for a reply.
    Tell,
    /// Somebody does.
    Ask,
    /// Published on this topic.
    Published(String),
}

/// The duty to answer a request later. Dropped, it ends the request as cancelled.
#[derive(Debug)]
pub struct Deferred {
    reply: wit::DeferredReply,
    codec: u32,
}

impl Context {
    pub(super) fn new(sender: u64, codec: u32) -> Self {
        Self { sender, codec }
    }

    /// Who sent it; none if that is the embedder itself.
    pub fn sender(&self) -> Option<Peer> {
        Peer::from_handle(self.sender)
    }

    /// The codec of the message, and of the reply.
    pub fn codec(&self) -> u32 {
        self.codec
    }

    /// Asks the host for the rest.
    ///
    /// # Errors
    ///
    /// [`SendError::Unavailable`] if the host is closing.
    pub fn envelope(&self) -> Result<Envelope, SendError> {
        Ok(wit::current_envelope()?.into())
    }

    /// Keeps the request open: what the handler returns is dropped, and the answer is
    /// given through the result.
    ///
    /// # Errors
    ///
    /// [`SendError::NoMessage`] if nobody waits, or it was deferred already.
    pub fn defer_reply(&self) -> Result<Deferred, SendError> {
        Ok(Deferred {
            reply: wit::defer_reply()?,
            codec: self.codec,
        })
    }
}

impl Deferred {
    /// Answers, in the codec of the message.
    ///
    /// # Errors
    ///
    /// [`SendError::NoMessage`] if nobody waits any more.
    pub fn send<B: Body + ?Sized>(self, reply: &B) -> Result<(), SendError> {
        let (codec, payload) = reply.encode(self.codec)?;
        Ok(self.reply.send(codec, &payload)?)
    }

    /// Refuses.
    ///
    /// # Errors
    ///
    /// [`SendError::NoMessage`] if nobody waits any more.
    pub fn refuse(self, refusal: impl Into<Refusal>) -> Result<(), SendError> {
        Ok(self.reply.refuse(&refusal.into().into())?)
    }
}

impl From<wit::Envelope> for Envelope {
    fn from(envelope: wit::Envelope) -> Self {
        let left = envelope.remaining_milliseconds;
        Self {
            id: envelope.id,
            kind: envelope.kind.into(),
            sender: envelope.sender.map(Address::from),
            priority: envelope.priority.into(),
            sent_unix_nanoseconds: envelope.sent_unix_nanoseconds,
            remaining: left.map(|left| Duration::from_millis(left.into())),
            delivery: envelope.delivery,
            trace: envelope.trace.map(|trace| Trace {
                id: u128::from(trace.trace_id_high) << 64 | u128::from(trace.trace_id_low),
                span: trace.span_id,
                sampled: trace.sampled,
            }),
        }
    }
}

impl From<wit::MessageKind> for MessageKind {
    fn from(kind: wit::MessageKind) -> Self {
        match kind {
            wit::MessageKind::Tell => Self::Tell,
            wit::MessageKind::Ask => Self::Ask,
            wit::MessageKind::Published(topic) => Self::Published(topic),
        }
    }
}
