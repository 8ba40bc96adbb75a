//! The types of `airssys:core/messaging`, as they cross to a guest and back.

use crate::instance::Weigh;
use wasmtime::component::{ComponentType, Lift, Lower};

/// `message-error` of `airssys:core/errors`: a handler's refusal.
#[derive(Clone, Debug, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(variant)]
pub enum MessageError {
    /// The payload is not valid, or lacks what the handler needs.
    #[component(name = "malformed")]
    Malformed(String),
    /// The handler does not read this codec, but these.
    #[component(name = "codec-unsupported")]
    CodecUnsupported(Vec<u32>),
    /// It does not serve this kind of message.
    #[component(name = "unsupported")]
    Unsupported(String),
    /// Its own rules refuse it.
    #[component(name = "refused")]
    Refused(String),
    /// Not now; milliseconds after which to try again.
    #[component(name = "busy")]
    Busy(u32),
    /// Serving it failed; sending it again may help.
    #[component(name = "failed")]
    Failed(String),
}

impl Weigh for MessageError {
    fn bytes(&self) -> u64 {
        match self {
            MessageError::Malformed(text)
            | MessageError::Unsupported(text)
            | MessageError::Refused(text)
            | MessageError::Failed(text) => text.bytes(),
            MessageError::CodecUnsupported(codecs) => codecs.bytes(),
            MessageError::Busy(_) => size_of::<u32>() as u64,
        }
    }
}

/// `messaging-error` of `airssys:core/errors`.
#[derive(Clone, Debug, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(variant)]
pub enum MessagingError {
    /// The grant does not cover it.
    #[component(name = "denied")]
    Denied(String),
    /// There is no such component.
    #[component(name = "not-found")]
    NotFound,
    /// It has stopped.
    #[component(name = "stopped")]
    Stopped,
    /// Its mailbox is full.
    #[component(name = "mailbox-full")]
    MailboxFull,
    /// The payload is longer than so many bytes.
    #[component(name = "too-large")]
    TooLarge(u64),
    /// The payload is not well formed.
    #[component(name = "malformed")]
    Malformed(String),
    /// The receiver reads these codecs.
    #[component(name = "codec-unsupported")]
    CodecUnsupported(Vec<u32>),
    /// An argument is not written as it must be.
    #[component(name = "invalid-argument")]
    InvalidArgument(String),
    /// No reply came in time.
    #[component(name = "timed-out")]
    TimedOut,
    /// Waiting would close a circle.
    #[component(name = "cycle")]
    Cycle,
    /// The receiver failed while it had the request.
    #[component(name = "actor-failed")]
    ActorFailed(String),
    /// The receiver's handler refused.
    #[component(name = "refused")]
    Refused(MessageError),
    /// The request was given up.
    #[component(name = "cancelled")]
    Cancelled,
    /// There is no message, or request, that it could be about.
    #[component(name = "no-message")]
    NoMessage,
    /// The route is cut for so many milliseconds.
    #[component(name = "circuit-open")]
    CircuitOpen(u32),
    /// Nothing more is accepted for so many milliseconds.
    #[component(name = "rate-limited")]
    RateLimited(u32),
    /// A quota is used up.
    #[component(name = "quota-exceeded")]
    QuotaExceeded(String),
    /// The host is closing.
    #[component(name = "unavailable")]
    Unavailable(String),
}

impl Weigh for MessagingError {
    fn bytes(&self) -> u64 {
        match self {
            MessagingError::Denied(text)
            | MessagingError::Malformed(text)
            | MessagingError::InvalidArgument(text)
            | MessagingError::ActorFailed(text)
            | MessagingError::QuotaExceeded(text)
            | MessagingError::Unavailable(text) => text.bytes(),
            MessagingError::CodecUnsupported(codecs) => codecs.bytes(),
            MessagingError::Refused(error) => error.bytes(),
            MessagingError::TooLarge(_) => size_of::<u64>() as u64,
            MessagingError::CircuitOpen(_) | MessagingError::RateLimited(_) => {
                size_of::<u32>() as u64
            }
            MessagingError::NotFound
            | MessagingError::Stopped
            | MessagingError::MailboxFull
            | MessagingError::TimedOut
            | MessagingError::Cycle
            | MessagingError::Cancelled
            | MessagingError::NoMessage => 0,
        }
    }
}

/// `component-id` of `airssys:core/types`.
#[derive(Clone, Debug, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Address {
    /// Who it belongs to.
    pub namespace: String,
    /// Which component.
    pub name: String,
    /// Which of its instances.
    pub instance: String,
}

/// `encoded` of `airssys:core/types`.
#[derive(Clone, Debug, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Encoded {
    /// The codec of the payload.
    pub codec: u32,
    /// The body.
    pub payload: Vec<u8>,
}

impl Weigh for Encoded {
    fn bytes(&self) -> u64 {
        self.payload.bytes()
    }
}

/// `message-kind`.
#[derive(Clone, Debug, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(variant)]
pub enum MessageKind {
    /// Nobody waits for a reply.
    #[component(name = "tell")]
    Tell,
    /// Somebody does.
    #[component(name = "ask")]
    Ask,
    /// Published on this topic.
    #[component(name = "published")]
    Published(String),
}

/// `priority`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(enum)]
#[repr(u8)]
pub enum Priority {
    /// After everything else.
    #[component(name = "low")]
    Low,
    /// As usual.
    #[component(name = "normal")]
    Normal,
    /// Before everything else.
    #[component(name = "high")]
    High,
}

/// `trace-context` of `airssys:core/types`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct TraceContext {
    /// Upper 64 bits of the trace id.
    #[component(name = "trace-id-high")]
    pub trace_id_high: u64,
    /// Lower 64 bits of the trace id.
    #[component(name = "trace-id-low")]
    pub trace_id_low: u64,
    /// The span that caused this call.
    #[component(name = "span-id")]
    pub span_id: u64,
    /// Whether the trace is recorded.
    pub sampled: bool,
}

/// `envelope`.
#[derive(Clone, Debug, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Envelope {
    /// A number for the message, unique on this host.
    pub id: u64,
    /// How it came.
    pub kind: MessageKind,
    /// Who sent it.
    pub sender: Option<Address>,
    /// The codec of the payload.
    pub codec: u32,
    /// The number that ties a reply to its request.
    pub correlation: Option<u64>,
    /// How urgent it is.
    pub priority: Priority,
    /// When the host accepted it.
    #[component(name = "sent-unix-nanoseconds")]
    pub sent_unix_nanoseconds: i64,
    /// Milliseconds left until the asker gives up.
    #[component(name = "remaining-milliseconds")]
    pub remaining_milliseconds: Option<u32>,
    /// Which delivery of the message this is.
    pub delivery: u32,
    /// The trace it belongs to.
    pub trace: Option<TraceContext>,
}

/// `send-options`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct SendOptions {
    /// How urgent it is.
    pub priority: Priority,
    /// Milliseconds after which it is dropped undelivered.
    #[component(name = "time-to-live-milliseconds")]
    pub time_to_live_milliseconds: Option<u32>,
}

impl SendOptions {
    /// What a plain `send` uses.
    pub const USUAL: SendOptions = SendOptions {
        priority: Priority::Normal,
        time_to_live_milliseconds: None,
    };
}

/// `broadcast-failure`.
#[derive(Clone, Debug, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct BroadcastFailure {
    /// The receiver's handle.
    pub target: u64,
    /// Why it did not get the message.
    pub error: MessagingError,
}
