//! A message on its way.

use super::behaviour::{Behaviour, Handled, Turn};
use super::payload::Payload;
use super::reply::ReplyTo;
use airssys_core::mailbox::{self, NEVER, Priority};
use airssys_core::trace::Trace;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// What a message costs beside its payload.
const ENVELOPE_BYTES: usize = size_of::<Message>();

/// The handle of the embedder, who is no actor.
pub const EMBEDDER: u64 = 0;

/// A message, and how it came.
#[derive(Debug)]
pub struct Message {
    /// Handle of the sender; the host sets it.
    pub sender: u64,
    /// Number of the codec of the payload.
    pub codec: u32,
    /// Which messages of a full queue go first.
    pub priority: Priority,
    /// The body, without a codec prefix.
    pub payload: Payload,
    /// How it came.
    pub kind: Kind,
    /// Nanoseconds of [`monotonic_nanoseconds`] after which nobody handles it.
    pub expires_after: u64,
    /// How long its asker waits, in milliseconds from when it was sent; 0 if nobody does.
    pub answer_within_ms: u32,
    /// When it was put into the mailbox, to a few milliseconds; 0 if it never was.
    pub accepted_unix_ns: i64,
    /// The trace that it belongs to; most belong to none.
    pub trace: Option<Arc<Trace>>,
}

/// Work that is done in an actor's turn, on what handles its messages.
pub type Job = Box<dyn FnOnce(Turn<'_>, &mut dyn Behaviour) -> Handled + Send>;

/// How a message came.
pub enum Kind {
    /// Nobody waits for a reply.
    Tell,
    /// Somebody does.
    Ask(ReplyTo),
    /// Published on this topic.
    Published(Arc<str>),
    /// Not a message, but work that waits for its turn like one.
    Job(Job),
}

impl fmt::Debug for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Kind::Tell => "tell",
            Kind::Ask(_) => "ask",
            Kind::Published(_) => "published",
            Kind::Job(_) => "job",
        })
    }
}

impl Message {
    /// A message of usual priority that keeps for ever.
    #[inline]
    pub fn new(sender: u64, codec: u32, payload: Payload, kind: Kind) -> Message {
        Message {
            sender,
            codec,
            priority: Priority::Normal,
            payload,
            kind,
            expires_after: NEVER,
            answer_within_ms: 0,
            accepted_unix_ns: 0,
            trace: None,
        }
    }

    /// The same for another receiver.
    #[inline]
    #[must_use]
    pub fn copy(&self, kind: Kind) -> Message {
        let payload = self.payload.clone();
        Message {
            trace: self.trace.clone(),
            ..Message::new(self.sender, self.codec, payload, kind)
        }
    }

    /// Whether its asker waits no more.
    #[inline]
    pub fn is_given_up(&self) -> bool {
        matches!(&self.kind, Kind::Ask(reply_to) if !reply_to.is_wanted())
    }

    /// Whether it may be too late for it some day.
    #[inline]
    pub fn expires(&self) -> bool {
        self.expires_after != NEVER
    }
}

impl mailbox::Message for Message {
    #[inline]
    fn bytes(&self) -> usize {
        ENVELOPE_BYTES + self.payload.weight()
    }

    #[inline]
    fn priority(&self) -> Priority {
        self.priority
    }

    #[inline]
    fn expires_after(&self) -> u64 {
        self.expires_after
    }
}

/// Nanoseconds since 1970, to a few milliseconds: cheaper than the exact time.
pub fn coarse_unix_nanoseconds() -> i64 {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use rustix::time::{ClockId, clock_gettime};
        let now = clock_gettime(ClockId::RealtimeCoarse);
        now.tv_sec
            .saturating_mul(1_000_000_000)
            .saturating_add(now.tv_nsec)
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    {
        use std::time::{SystemTime, UNIX_EPOCH};
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| {
            i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
        })
    }
}

/// Nanoseconds of the monotonic clock since the process first asked.
pub fn monotonic_nanoseconds() -> u64 {
    use std::sync::OnceLock;
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    let origin = *ORIGIN.get_or_init(Instant::now);
    u64::try_from(origin.elapsed().as_nanos()).unwrap_or(NEVER - 1)
}
