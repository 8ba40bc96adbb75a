//! Requests of an instance whose ends come through `handle-callback`.

use super::{Desk, told};
use crate::actor::{Guest, Handled, Job, Kind, Message, Outcome, Payload, Turn};
use crate::broker::{Asked, Waiting};
use crate::messaging::{Encoded, MessagingError, Told};
use airssys_core::trace::Trace;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Requests that one instance has open at once.
const REQUESTS_MAX: usize = 1000;
/// Bytes of replies that wait for `handle-callback`.
const REPLY_BYTES_MAX: usize = 16 << 20;

#[derive(Default)]
pub(super) struct Requests(Mutex<Open>);

#[derive(Default)]
struct Open {
    last: u64,
    by_number: HashMap<u64, Option<Waiting>>,
    /// Replies that wait for their callback.
    replies: usize,
    reply_bytes: usize,
    closed: bool,
}

impl Requests {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a number for a request that is about to be made.
    pub(super) fn begin(&self) -> Told<u64> {
        let mut open = self.open();
        if open.by_number.len() + open.replies >= REQUESTS_MAX {
            return Err(MessagingError::QuotaExceeded(format!(
                "{REQUESTS_MAX} requests are open, or their callbacks still to come"
            )));
        }
        open.last += 1;
        let number = open.last;
        open.by_number.insert(number, None);
        Ok(number)
    }

    /// Gives one up. Its end is not told.
    pub(super) fn cancel(&self, number: u64) -> Told<()> {
        let removed = self.open().by_number.remove(&number);
        // Dropped outside of the lock: that may end something.
        removed.map(drop).ok_or(MessagingError::NoMessage)
    }

    /// Gives all up.
    pub(super) fn close(&self) {
        let mut open = self.open();
        open.closed = true;
        let all = std::mem::take(&mut open.by_number);
        drop(open);
        drop(all);
    }

    /// Follows a request to its end, which `desk` hears of.
    pub(super) fn follow(
        &self,
        desk: &Arc<Desk>,
        number: u64,
        asked: Asked,
        trace: Option<Arc<Trace>>,
    ) {
        let waiting = match asked {
            Asked::Ended(outcome) => return desk.request_ended(number, outcome, trace),
            Asked::Waiting(waiting) => waiting,
        };
        let pending = Arc::clone(waiting.pending());
        let mut open = self.open();
        // Cancelled meanwhile it can only be by its own instance, which is here.
        if let Some(place) = open.by_number.get_mut(&number) {
            *place = Some(waiting);
        }
        drop(open);
        let desk = Arc::downgrade(desk);
        pending.then(move |outcome| {
            if let Some(desk) = desk.upgrade() {
                desk.request_ended(number, outcome, trace);
            }
        });
    }

    /// Takes the end of a request, if anybody still wants it.
    fn end(&self, number: u64, outcome: Outcome) -> Option<Told<Encoded>> {
        let mut open = self.open();
        let waiting = open.by_number.remove(&number)?;
        let bytes = outcome.as_ref().map_or(0, |reply| reply.payload.len());
        let fits = open.reply_bytes + bytes <= REPLY_BYTES_MAX;
        open.replies += 1;
        if fits {
            open.reply_bytes += bytes;
        }
        drop(open);
        drop(waiting);
        if fits {
            return Some(told::reply(outcome));
        }
        Some(Err(MessagingError::QuotaExceeded(format!(
            "replies that wait for handle-callback hold more than {REPLY_BYTES_MAX} bytes"
        ))))
    }

    /// The instance takes an end.
    fn taken(&self, told: &Told<Encoded>) {
        let mut open = self.open();
        open.replies -= 1;
        open.reply_bytes -= told.as_ref().map_or(0, |reply| reply.payload.len());
    }

    fn is_closed(&self) -> bool {
        self.open().closed
    }
}

impl Desk {
    /// A request has ended: the instance takes that in a turn of its own.
    fn request_ended(self: &Arc<Self>, number: u64, outcome: Outcome, trace: Option<Arc<Trace>>) {
        let Some(told) = self.requests.end(number, outcome) else {
            return;
        };
        let desk = Arc::clone(self);
        let job: Job = Box::new(move |turn, behaviour| {
            desk.handling.go_on_in(trace);
            desk.call_back(&turn, behaviour, number, told)
        });
        let message = Message::new(0, 0, Payload::EMPTY, Kind::Job(job));
        // Refused only by an actor that has stopped, to whom nothing is told any more.
        drop(self.cell.send_system(message));
    }

    fn call_back(
        self: &Arc<Self>,
        turn: &Turn<'_>,
        behaviour: &mut dyn crate::actor::Behaviour,
        number: u64,
        told: Told<Encoded>,
    ) -> Handled {
        self.requests.taken(&told);
        let guest = behaviour.as_any().downcast_mut::<Guest>();
        match guest {
            // Never told to a later instance.
            Some(guest) if !self.requests.is_closed() && guest.is_at(Arc::as_ptr(self).cast()) => {
                guest.call_back(turn, number, told)
            }
            _ => Handled::Served(crate::actor::Answer::NONE),
        }
    }
}
