//! What can go wrong, and how an actor says no.

use std::fmt::{self, Display, Formatter};

use super::bindings::airssys::core::errors as wit;

/// Why a handler does not serve a message; whoever asked is told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// The payload lacks what the handler needs.
    Malformed(String),
    /// The codec is not read; those that are.
    CodecUnsupported(Vec<u32>),
    /// No such message is served here.
    Unsupported(String),
    /// The actor's own rules; sending it again will not help.
    Refused(String),
    /// Not now; milliseconds after which to try again.
    Busy(u32),
    /// It failed; sending it again may help.
    Failed(String),
}

/// Why an incarnation does not start.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum StartError {
    /// The settings cannot be used; starting again will not help.
    ConfigurationInvalid(String),
    /// It failed; starting again may help.
    Failed(String),
    /// Something that it needs is used up.
    ResourceExhausted(String),
    /// It found a fault in itself.
    Internal(String),
}

/// Why a message was not accepted, or a request has no reply.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SendError {
    /// The grant does not cover this peer or topic.
    Denied(String),
    /// Nobody has the address.
    NotFound,
    /// The actor has stopped for good.
    Stopped,
    /// Its mailbox is full, and refuses.
    MailboxFull,
    /// The payload is longer than this, in bytes.
    TooLarge(u64),
    /// A payload is not well formed in its codec, or not what was expected.
    Malformed(String),
    /// The codec is not read; those that are.
    CodecUnsupported(Vec<u32>),
    /// A name, topic, pattern or value that is none.
    InvalidArgument(String),
    /// There was no reply in time; the receiver may still be at it.
    TimedOut,
    /// To wait would close a circle of actors that wait for each other.
    Cycle,
    /// The receiver failed while it had the request.
    ActorFailed(String),
    /// Its handler refused.
    Refused(Refusal),
    /// The request was cancelled, or its deferred reply dropped.
    Cancelled,
    /// No message is being handled, or nobody waits for its reply.
    NoMessage,
    /// The receiver failed too often; milliseconds until it is tried again.
    CircuitOpen(u32),
    /// Too many messages; milliseconds until one is accepted again.
    RateLimited(u32),
    /// A quota is used up.
    QuotaExceeded(String),
    /// The host is closing.
    Unavailable(String),
}

impl Display for Refusal {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(why) => write!(formatter, "malformed: {why}"),
            Self::CodecUnsupported(codecs) => unread(codecs, formatter),
            Self::Unsupported(why) => write!(formatter, "unsupported: {why}"),
            Self::Refused(why) => write!(formatter, "refused: {why}"),
            Self::Busy(milliseconds) => write!(formatter, "busy for {milliseconds} ms"),
            Self::Failed(why) => write!(formatter, "failed: {why}"),
        }
    }
}

impl Display for StartError {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConfigurationInvalid(why) => write!(formatter, "configuration invalid: {why}"),
            Self::Failed(why) => write!(formatter, "failed to start: {why}"),
            Self::ResourceExhausted(why) => write!(formatter, "resource exhausted: {why}"),
            Self::Internal(why) => write!(formatter, "internal: {why}"),
        }
    }
}

impl Display for SendError {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(what) => write!(formatter, "not granted: {what}"),
            Self::NotFound => formatter.write_str("there is no such actor"),
            Self::Stopped => formatter.write_str("the actor has stopped"),
            Self::MailboxFull => formatter.write_str("the mailbox is full"),
            Self::TooLarge(most) => write!(formatter, "longer than {most} bytes"),
            Self::Malformed(why) => write!(formatter, "malformed: {why}"),
            Self::CodecUnsupported(codecs) => unread(codecs, formatter),
            Self::InvalidArgument(why) => write!(formatter, "invalid argument: {why}"),
            Self::TimedOut => formatter.write_str("no reply in time"),
            Self::Cycle => formatter.write_str("the actors would wait for each other"),
            Self::ActorFailed(why) => write!(formatter, "the actor failed: {why}"),
            Self::Refused(why) => why.fmt(formatter),
            Self::Cancelled => formatter.write_str("the request was cancelled"),
            Self::NoMessage => formatter.write_str("there is no such message or request"),
            Self::CircuitOpen(milliseconds) => {
                write!(formatter, "the route is cut for {milliseconds} ms")
            }
            Self::RateLimited(milliseconds) => {
                write!(formatter, "too many messages for {milliseconds} ms")
            }
            Self::QuotaExceeded(what) => write!(formatter, "quota exceeded: {what}"),
            Self::Unavailable(why) => write!(formatter, "unavailable: {why}"),
        }
    }
}

fn unread(codecs: &[u32], formatter: &mut Formatter<'_>) -> fmt::Result {
    write!(formatter, "the codec is not read; {codecs:#x?} are")
}

impl std::error::Error for Refusal {}
impl std::error::Error for StartError {}
impl std::error::Error for SendError {}

/// A text is a failure: `Err("no paper")?`.
impl From<String> for Refusal {
    fn from(why: String) -> Self {
        Self::Failed(why)
    }
}

impl From<&str> for Refusal {
    fn from(why: &str) -> Self {
        Self::Failed(why.to_owned())
    }
}

/// Where a handler needs another actor to serve, it passes on why that did not help.
impl From<SendError> for Refusal {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Refused(Self::Busy(milliseconds))
            | SendError::CircuitOpen(milliseconds)
            | SendError::RateLimited(milliseconds) => Self::Busy(milliseconds),
            other => Self::Failed(other.to_string()),
        }
    }
}

impl From<String> for StartError {
    fn from(why: String) -> Self {
        Self::Failed(why)
    }
}

impl From<&str> for StartError {
    fn from(why: &str) -> Self {
        Self::Failed(why.to_owned())
    }
}

impl From<SendError> for StartError {
    fn from(error: SendError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<Refusal> for wit::MessageError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Malformed(why) => Self::Malformed(why),
            Refusal::CodecUnsupported(codecs) => Self::CodecUnsupported(codecs),
            Refusal::Unsupported(why) => Self::Unsupported(why),
            Refusal::Refused(why) => Self::Refused(why),
            Refusal::Busy(milliseconds) => Self::Busy(milliseconds),
            Refusal::Failed(why) => Self::Failed(why),
        }
    }
}

impl From<wit::MessageError> for Refusal {
    fn from(error: wit::MessageError) -> Self {
        match error {
            wit::MessageError::Malformed(why) => Self::Malformed(why),
            wit::MessageError::CodecUnsupported(codecs) => Self::CodecUnsupported(codecs),
            wit::MessageError::Unsupported(why) => Self::Unsupported(why),
            wit::MessageError::Refused(why) => Self::Refused(why),
            wit::MessageError::Busy(milliseconds) => Self::Busy(milliseconds),
            wit::MessageError::Failed(why) => Self::Failed(why),
        }
    }
}

impl From<StartError> for wit::ComponentError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::ConfigurationInvalid(why) => Self::ConfigurationInvalid(why),
            StartError::Failed(why) => Self::InitializationFailed(why),
            StartError::ResourceExhausted(why) => Self::ResourceExhausted(why),
            StartError::Internal(why) => Self::Internal(why),
        }
    }
}

impl From<wit::MessagingError> for SendError {
    fn from(error: wit::MessagingError) -> Self {
        use wit::MessagingError as Told;
        match error {
            Told::Denied(what) => Self::Denied(what),
            Told::NotFound => Self::NotFound,
            Told::Stopped => Self::Stopped,
            Told::MailboxFull => Self::MailboxFull,
            Told::TooLarge(most) => Self::TooLarge(most),
            Told::Malformed(why) => Self::Malformed(why),
            Told::CodecUnsupported(codecs) => Self::CodecUnsupported(codecs),
            Told::InvalidArgument(why) => Self::InvalidArgument(why),
            Told::TimedOut => Self::TimedOut,
            Told::Cycle => Self::Cycle,
            Told::ActorFailed(why) => Self::ActorFailed(why),
            Told::Refused(refusal) => Self::Refused(refusal.into()),
            Told::Cancelled => Self::Cancelled,
            Told::NoMessage => Self::NoMessage,
            Told::CircuitOpen(milliseconds) => Self::CircuitOpen(milliseconds),
            Told::RateLimited(milliseconds) => Self::RateLimited(milliseconds),
            Told::QuotaExceeded(what) => Self::QuotaExceeded(what),
            Told::Unavailable(why) => Self::Unavailable(why),
        }
    }
}
