//! Why a message was not accepted, or a request ended without a reply.

use super::exit::Exit;
use airssys_core::letters::Reason;
use airssys_core::multicodec::Code;
use airssys_core::topics::{SubscriptionsFull, TopicError};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The handler's own refusal of a request; `message-error` of the interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandlerRefusal {
    /// The payload is not valid, or lacks what the handler needs.
    Malformed(String),
    /// The handler does not read this codec, but these.
    CodecUnsupported(Vec<u32>),
    /// It does not serve this kind of message.
    Unsupported(String),
    /// Its own rules refuse it.
    Refused(String),
    /// Not now; milliseconds after which to try again.
    Busy(u32),
    /// Serving it failed; sending it again may help.
    Failed(String),
}

impl fmt::Display for HandlerRefusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HandlerRefusal::Malformed(why) => write!(formatter, "malformed: {why}"),
            HandlerRefusal::CodecUnsupported(codecs) => {
                formatter.write_str("it does not read this codec; it reads")?;
                for (place, codec) in codecs.iter().enumerate() {
                    let comma = if place > 0 { "," } else { "" };
                    write!(formatter, "{comma} {}", Code((*codec).into()))?;
                }
                Ok(())
            }
            HandlerRefusal::Unsupported(why) => write!(formatter, "unsupported: {why}"),
            HandlerRefusal::Refused(why) => formatter.write_str(why),
            HandlerRefusal::Busy(milliseconds) => {
                write!(formatter, "busy; hint: try again in {milliseconds} ms")
            }
            HandlerRefusal::Failed(why) => write!(formatter, "failed: {why}"),
        }
    }
}

/// Why there is no reply, or the message was not accepted.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refusal {
    /// Nobody has this name.
    #[error("there is no actor {0:?}")]
    NotFound(Arc<str>),
    /// The actor has stopped for good.
    #[error("actor {0:?} has stopped")]
    Stopped(Arc<str>),
    /// Its mailbox is full, and the policy is to refuse or nobody may wait.
    #[error("the mailbox of {actor:?} is full: {messages} messages, {bytes} bytes")]
    MailboxFull {
        /// Whose mailbox.
        actor: Arc<str>,
        /// Messages in it.
        messages: u32,
        /// Their bytes.
        bytes: usize,
    },
    /// The payload is larger than a message may be.
    #[error("a message of {bytes} bytes is larger than {most}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// It is larger than all that the mailbox may hold.
    #[error(
        "a message of {bytes} bytes, its envelope counted, never fits into the mailbox of \
         {actor:?}, which holds {most}"
    )]
    NeverFits {
        /// Whose mailbox.
        actor: Arc<str>,
        /// What it weighs.
        bytes: usize,
        /// The bound of the mailbox.
        most: usize,
    },
    /// The payload is not what its codec says.
    #[error("the payload is malformed: {0}")]
    Malformed(String),
    /// The receiver does not read the codec of the message.
    #[error("actor {actor:?}: {why}")]
    CodecUnsupported {
        /// Who does not.
        actor: Arc<str>,
        /// What would work.
        codecs: Vec<Code>,
        /// For people; names them.
        why: String,
    },
    /// The route to the receiver is cut after repeated failures.
    #[error("actor {actor:?} keeps failing; try again in {} ms", retry_after.as_millis() + 1)]
    CircuitOpen {
        /// Whose route.
        actor: Arc<str>,
        /// When it is tried again.
        retry_after: Duration,
    },
    /// The sender sent too much; one more is accepted after this time.
    #[error("too many messages in too short a time; try again in {} ms", .0.as_millis() + 1)]
    RateLimited(Duration),
    /// No reply came in time.
    #[error("no reply came from {actor:?} within {} s", after.as_secs_f64())]
    TimedOut {
        /// Who was asked.
        actor: Arc<str>,
        /// How long was waited.
        after: Duration,
    },
    /// The actor failed while it had the request.
    #[error("actor {actor:?} failed: {exit}")]
    Failed {
        /// Who failed.
        actor: Arc<str>,
        /// How.
        exit: Arc<Exit>,
    },
    /// The handler refused.
    #[error("actor {actor:?} refused: {why}")]
    Refused {
        /// Who refused.
        actor: Arc<str>,
        /// Why.
        why: HandlerRefusal,
    },
    /// The request was given up, or left unanswered.
    #[error("the request was cancelled")]
    Cancelled,
    /// It expired before its turn.
    #[error("the message expired before {0:?} took it")]
    Expired(Arc<str>),
    /// It made way for newer ones.
    #[error("the mailbox of {0:?} dropped the message")]
    Dropped(Arc<str>),
    /// A topic, or a pattern, is not written as it must be.
    #[error(transparent)]
    Topic(Box<TopicError>),
    /// There are as many subscriptions as there may be.
    #[error(transparent)]
    Subscriptions(SubscriptionsFull),
    /// Everything is being closed.
    #[error("the host is closing")]
    Closing,
    /// This is another process than that of the host.
    #[error(
        "the host was made before this process was forked and has no threads here; \
         hint: make a new one in the child, or start the child with the spawn method"
    )]
    Forked,
}

impl Refusal {
    /// The same, as it stands on a dead letter.
    pub fn reason(&self) -> Reason {
        match self {
            Refusal::NotFound(_) => Reason::UnknownReceiver,
            Refusal::Stopped(_) | Refusal::Closing | Refusal::Forked => Reason::Stopped,
            Refusal::MailboxFull { .. } => Reason::MailboxFull,
            Refusal::TooLarge { .. } | Refusal::NeverFits { .. } => Reason::TooLarge,
            Refusal::CircuitOpen { .. } => Reason::CircuitOpen,
            Refusal::CodecUnsupported { .. } => Reason::CodecUnsupported,
            Refusal::Failed { .. } => Reason::ActorFailed,
            Refusal::Refused { .. } => Reason::HandlerFailed,
            Refusal::Expired(_) => Reason::Expired,
            Refusal::Dropped(_) => Reason::Dropped,
            Refusal::TimedOut { .. } | Refusal::Cancelled => Reason::Cancelled,
            Refusal::Malformed(_) | Refusal::Topic(_) => Reason::Malformed,
            Refusal::RateLimited(_) | Refusal::Subscriptions(_) => Reason::RateLimited,
        }
    }
}
