//! The message that an instance handles, and the answers it owes.

use super::Desk;
use crate::actor::{
    self, Deferral, EMBEDDER, HandlerRefusal, Kind, Message, Payload, Refusal, Reply,
    coarse_unix_nanoseconds,
};
use crate::messaging::{
    Address, Envelope, MessageError, MessageKind, MessagingError, Priority, Told, TraceContext,
};
use airssys_core::mailbox;
use airssys_core::trace::Trace;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Requests that one instance keeps open at once; fewer than the handles it may have,
/// past which there is no answer but a trap.
const DEFERRED_MAX: usize = 1000;

/// Senders that one instance may ask about by their handles.
const MET_MAX: usize = 4096;

/// Numbers of messages, for those whose handlers ask.
static LAST_MESSAGE: AtomicU64 = AtomicU64::new(0);

#[derive(Default)]
pub(super) struct Handling(Mutex<State>);

#[derive(Default)]
struct State {
    current: Option<Current>,
    /// The trace of what is handled, a message or the end of a request.
    trace: Option<Arc<Trace>>,
    deferred: HashMap<u32, Arc<Deferral>>,
    last_deferred: u32,
    met: Met,
}

/// Senders whom an instance may ask about, the last of them.
#[derive(Default)]
struct Met {
    last: u64,
    handles: HashSet<u64>,
    in_order: VecDeque<u64>,
}

impl Met {
    #[inline]
    fn meet(&mut self, handle: u64) {
        if handle != self.last && handle != EMBEDDER {
            self.last = handle;
            self.remember(handle);
        }
    }

    fn remember(&mut self, handle: u64) {
        if !self.handles.insert(handle) {
            return;
        }
        self.in_order.push_back(handle);
        if self.in_order.len() > MET_MAX
            && let Some(oldest) = self.in_order.pop_front()
        {
            self.handles.remove(&oldest);
        }
    }
}

/// What of a message outlives being handled: nothing.
struct Current {
    kind: Came,
    asked: bool,
    sender: u64,
    codec: u32,
    priority: mailbox::Priority,
    accepted_unix_ns: i64,
    answer_within_ms: u32,
    /// Given when it is first asked for.
    number: u64,
    reply_codec: u32,
    deferral: Option<Arc<Deferral>>,
}

enum Came {
    Sent,
    Published(Arc<str>),
}

impl Handling {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn envelope(&self, address: impl FnOnce(u64) -> Option<Address>) -> Told<Envelope> {
        let mut state = self.state();
        let current = state.current.as_mut().ok_or(MessagingError::NoMessage)?;
        if current.number == 0 {
            current.number = LAST_MESSAGE.fetch_add(1, Ordering::Relaxed) + 1;
        }
        let now = coarse_unix_nanoseconds();
        if current.accepted_unix_ns == 0 {
            // It was never in the mailbox: handled as it was sent.
            current.accepted_unix_ns = now;
        }
        let kind = match &current.kind {
            Came::Published(topic) => MessageKind::Published(topic.to_string()),
            Came::Sent if current.asked => MessageKind::Ask,
            Came::Sent => MessageKind::Tell,
        };
        let sender = current.sender;
        let envelope = Envelope {
            id: current.number,
            kind,
            sender: None,
            codec: current.codec,
            correlation: current.asked.then_some(current.number),
            priority: match current.priority {
                mailbox::Priority::Low => Priority::Low,
                mailbox::Priority::Normal => Priority::Normal,
                mailbox::Priority::High => Priority::High,
            },
            sent_unix_nanoseconds: current.accepted_unix_ns,
            remaining_milliseconds: current.remaining_ms(now),
            delivery: 1,
            trace: state.trace.as_deref().map(context),
        };
        drop(state);
        Ok(Envelope {
            sender: address(sender),
            ..envelope
        })
    }

    /// Whether a message came from it.
    pub(super) fn has_met(&self, handle: u64) -> bool {
        self.state().met.handles.contains(&handle)
    }

    /// The trace of what is handled.
    pub(super) fn trace(&self) -> Option<Arc<Trace>> {
        self.state().trace.clone()
    }

    /// The end of a request is handled, which belongs to this trace.
    pub(super) fn go_on_in(&self, trace: Option<Arc<Trace>>) {
        self.state().trace = trace;
    }

    pub(super) fn set_reply_codec(&self, codec: u32) -> Told<()> {
        let mut state = self.state();
        let current = state.current.as_mut().ok_or(MessagingError::NoMessage)?;
        if codec == 0 {
            return Err(MessagingError::InvalidArgument(
                "codec: 0 is none".to_owned(),
            ));
        }
        current.reply_codec = codec;
        Ok(())
    }

    /// Keeps the request open that is handled, once.
    pub(super) fn defer(&self) -> Told<u32> {
        let mut state = self.state();
        if state.deferred.len() >= DEFERRED_MAX {
            return Err(MessagingError::QuotaExceeded(format!(
                "{DEFERRED_MAX} requests are kept open"
            )));
        }
        let number = loop {
            state.last_deferred = state.last_deferred.wrapping_add(1);
            if !state.deferred.contains_key(&state.last_deferred) {
                break state.last_deferred;
            }
        };
        match &mut state.current {
            Some(current) if current.asked && current.deferral.is_none() => {
                let deferral = Arc::new(Deferral::default());
                current.deferral = Some(Arc::clone(&deferral));
                state.deferred.insert(number, deferral);
                Ok(number)
            }
            _ => Err(MessagingError::NoMessage),
        }
    }

    pub(super) fn answer(
        &self,
        name: &Arc<str>,
        number: u32,
        answer: Result<(u32, &[u8]), MessageError>,
    ) -> Told<()> {
        let deferral = self.state().deferred.get(&number).map(Arc::clone);
        let outcome = match answer {
            Ok((codec, payload)) => Ok(Reply {
                codec,
                payload: Payload::copy(payload),
                receipt: None,
            }),
            Err(error) => Err(Refusal::Refused {
                actor: Arc::clone(name),
                why: HandlerRefusal::from(error),
            }),
        };
        match deferral {
            Some(deferral) if deferral.answer(outcome) => Ok(()),
            _ => Err(MessagingError::NoMessage),
        }
    }

    pub(super) fn let_go(&self, number: u32) {
        let deferral = self.state().deferred.remove(&number);
        if let Some(deferral) = deferral {
            deferral.give_up();
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "the lower half")]
fn context(trace: &Trace) -> TraceContext {
    TraceContext {
        trace_id_high: (trace.id >> 64) as u64,
        trace_id_low: trace.id as u64,
        span_id: trace.span,
        sampled: trace.sampled,
    }
}

impl Current {
    fn remaining_ms(&self, now_unix_ns: i64) -> Option<u32> {
        if self.answer_within_ms == 0 {
            return None;
        }
        let waited_ms = now_unix_ns.saturating_sub(self.accepted_unix_ns).max(0) / 1_000_000;
        let waited_ms = u32::try_from(waited_ms).unwrap_or(u32::MAX);
        Some(self.answer_within_ms.saturating_sub(waited_ms))
    }
}

impl actor::Desk for Desk {
    fn begin(&self, message: &Message, asked: bool) {
        let current = Current {
            kind: match &message.kind {
                Kind::Published(topic) => Came::Published(Arc::clone(topic)),
                Kind::Tell | Kind::Ask(_) | Kind::Job(_) => Came::Sent,
            },
            asked,
            sender: message.sender,
            codec: message.codec,
            priority: message.priority,
            accepted_unix_ns: message.accepted_unix_ns,
            answer_within_ms: message.answer_within_ms,
            number: 0,
            reply_codec: 0,
            deferral: None,
        };
        let mut state = self.handling.state();
        state.current = Some(current);
        state.trace.clone_from(&message.trace);
        state.met.meet(message.sender);
    }

    fn end(&self) -> (u32, Option<Arc<Deferral>>) {
        let mut state = self.handling.state();
        let ended = state.current.take();
        // What is said outside of a message belongs to no trace.
        state.trace = None;
        drop(state);
        ended.map_or((0, None), |current| (current.reply_codec, current.deferral))
    }

    fn close(&self) {
        self.requests.close();
        let mut state = self.handling.state();
        state.current = None;
        state.trace = None;
        let deferred = std::mem::take(&mut state.deferred);
        drop(state);
        for deferral in deferred.into_values() {
            deferral.give_up();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_senders_are_known_and_no_more() {
        let most = MET_MAX as u64;
        let mut met = Met::default();
        met.meet(EMBEDDER);
        for handle in 1..=most + 10 {
            met.meet(handle);
            // Again is no other one.
            met.meet(handle);
        }

        assert_eq!(met.handles.len(), MET_MAX);
        assert_eq!(met.in_order.len(), MET_MAX);
        assert!((1..=10).all(|handle| !met.handles.contains(&handle)));
        assert!((11..=most + 10).all(|handle| met.handles.contains(&handle)));
        assert!(!met.handles.contains(&EMBEDDER));
    }
}
