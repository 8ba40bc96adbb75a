//! What became of a message, in the words of the interface.

use crate::actor::{HandlerRefusal, Outcome, Refusal};
use crate::messaging::{Encoded, MessageError, MessagingError, Told};
use std::time::Duration;

/// Bytes of a text for people, at most (`airssys:core/errors`).
const TEXT_BYTES_MAX: usize = 1024;

/// The reply, or why there is none.
pub(super) fn reply(outcome: Outcome) -> Told<Encoded> {
    let reply = outcome.map_err(|why| error(&why))?;
    Ok(Encoded {
        codec: reply.codec,
        payload: reply.payload.to_vec(),
    })
}

/// Why a message was not accepted, or has no reply.
pub(super) fn error(why: &Refusal) -> MessagingError {
    match why {
        Refusal::NotFound(_) => MessagingError::NotFound,
        Refusal::Stopped(_) => MessagingError::Stopped,
        // It made way for others: there was no room for all.
        Refusal::MailboxFull { .. } | Refusal::Dropped(_) => MessagingError::MailboxFull,
        Refusal::Malformed(why) => MessagingError::Malformed(text(why)),
        Refusal::CodecUnsupported { codecs, .. } => MessagingError::CodecUnsupported(
            codecs
                .iter()
                .filter_map(|code| u32::try_from(code.0).ok())
                .collect(),
        ),
        Refusal::CircuitOpen { retry_after, .. } => {
            MessagingError::CircuitOpen(milliseconds(*retry_after))
        }
        Refusal::RateLimited(retry_after) => {
            MessagingError::RateLimited(milliseconds(*retry_after))
        }
        Refusal::TooLarge { most, .. } | Refusal::NeverFits { most, .. } => {
            MessagingError::TooLarge(*most as u64)
        }
        Refusal::TimedOut { .. } | Refusal::Expired(_) => MessagingError::TimedOut,
        Refusal::Failed { exit, .. } => MessagingError::ActorFailed(text(&exit.to_string())),
        Refusal::Refused { why, .. } => MessagingError::Refused(refused(why)),
        Refusal::Cancelled => MessagingError::Cancelled,
        Refusal::Topic(error) => MessagingError::InvalidArgument(text(&error.to_string())),
        Refusal::Subscriptions(error) => MessagingError::QuotaExceeded(text(&error.to_string())),
        Refusal::Closing | Refusal::Forked => MessagingError::Unavailable(why.to_string()),
    }
}

fn refused(why: &HandlerRefusal) -> MessageError {
    match why {
        HandlerRefusal::Malformed(why) => MessageError::Malformed(text(why)),
        HandlerRefusal::CodecUnsupported(codecs) => MessageError::CodecUnsupported(codecs.clone()),
        HandlerRefusal::Unsupported(why) => MessageError::Unsupported(text(why)),
        HandlerRefusal::Refused(why) => MessageError::Refused(text(why)),
        HandlerRefusal::Busy(milliseconds) => MessageError::Busy(*milliseconds),
        HandlerRefusal::Failed(why) => MessageError::Failed(text(why)),
    }
}

fn milliseconds(time: Duration) -> u32 {
    u32::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u32::MAX)
}

fn text(text: &str) -> String {
    let end = text.floor_char_boundary(TEXT_BYTES_MAX);
    text[..end].to_owned()
}
