//! Many messages to one actor at once.
//!
//! All are queued before the first is handled, as far as they fit; the others follow
//! as room is made, without anybody waiting on a thread.

use super::{Asked, Broker, Waiting};
use crate::actor::{Cell, Kind, Message, Outcome, Payload, Pending, Refusal, Reply, ReplyTo, Sent};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Requests that were asked together, and end together. Dropped, those that have not
/// ended are given up.
pub struct Batch {
    replies: Arc<Replies>,
    requests: Vec<Arc<Pending>>,
    /// Those that go by a route.
    routed: Vec<Waiting>,
    actor: Arc<str>,
    timeout: Duration,
    /// Ends with the last request, or when the time is over.
    waiting: Waiting,
}

impl Batch {
    /// Ends when all have ended, or the time is over.
    pub fn ended(&self) -> &Arc<Pending> {
        self.waiting.pending()
    }

    /// How each ended, in their order. What has not ended by now has timed out.
    pub fn take(&self) -> Vec<Outcome> {
        let outcomes = std::mem::take(&mut *self.replies.outcomes());
        outcomes
            .into_iter()
            .map(|outcome| {
                outcome.unwrap_or_else(|| {
                    Err(Refusal::TimedOut {
                        actor: Arc::clone(&self.actor),
                        after: self.timeout,
                    })
                })
            })
            .collect()
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        for request in &self.requests {
            request.close();
        }
        self.routed.clear();
    }
}

struct Replies {
    outcomes: Mutex<Vec<Option<Outcome>>>,
    left: AtomicUsize,
    ended: Arc<Pending>,
}

impl Replies {
    fn outcomes(&self) -> MutexGuard<'_, Vec<Option<Outcome>>> {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, place: usize, outcome: Outcome) {
        if let Some(slot) = self.outcomes().get_mut(place) {
            *slot = Some(outcome);
        }
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.ended.end(Ok(nothing()));
        }
    }
}

fn nothing() -> Reply {
    Reply {
        codec: 0,
        payload: Payload::EMPTY,
        receipt: None,
    }
}

/// Messages on their way into mailboxes.
pub struct Sending {
    ended: Arc<Pending>,
    left: AtomicUsize,
    accepted: AtomicUsize,
    /// Where a message of it waits for room, at most one before each mailbox.
    lines: Mutex<Vec<(Arc<Cell>, u64)>>,
}

impl Sending {
    /// Ends when all are accepted, or the first is not.
    pub fn ended(&self) -> &Arc<Pending> {
        &self.ended
    }

    /// How many were accepted so far.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Sends nothing more; what was accepted before is on its way.
    pub fn give_up(&self) {
        self.ended.close();
        self.leave_lines();
    }

    /// Ends with the first message that was not accepted.
    fn fail(&self, why: Refusal) {
        self.ended.end(Err(why));
        self.leave_lines();
    }

    fn leave_lines(&self) {
        let lines = std::mem::take(&mut *self.lines());
        for (cell, place) in lines {
            cell.withdraw(place);
        }
    }

    fn lines(&self) -> MutexGuard<'_, Vec<(Arc<Cell>, u64)>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lines_up(&self, cell: &Arc<Cell>, place: u64) {
        let mut lines = self.lines();
        match lines.iter_mut().find(|(one, _)| Arc::ptr_eq(one, cell)) {
            Some((_, last)) => *last = place,
            None => lines.push((Arc::clone(cell), place)),
        }
        drop(lines);
        // Given up meanwhile, nobody else would take it back.
        if !self.ended.is_open() {
            cell.withdraw(place);
        }
    }
}

/// The duty to give a sending up. Whatever becomes of whoever waits for it, that drops this;
/// once all is accepted it does nothing.
pub struct SendingGuard(pub Arc<Sending>);

impl Drop for SendingGuard {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

/// Feeds one mailbox.
struct Feeder {
    cell: Arc<Cell>,
    rest: Mutex<std::vec::IntoIter<Message>>,
    /// None for requests, which end on their own.
    sending: Option<Arc<Sending>>,
}

impl Feeder {
    fn feed(self: &Arc<Self>) {
        let mut rest = std::mem::take(&mut *self.rest());
        // What was refused in another mailbox has ended it all.
        while self.is_wanted() {
            let (accepted, other) = self.cell.send_run(&mut rest);
            self.count(accepted);
            let outcome = match other {
                None if rest.len() == 0 => return self.end(),
                None => continue,
                Some(Sent::Accepted) => Ok(()),
                Some(Sent::Refused(message, why)) => refuse(message, why),
                Some(Sent::Full(message)) => {
                    let room = Pending::new(Arc::default());
                    let place = self.cell.wait_for_room(message, &room);
                    let Some(outcome) = room.take() else {
                        *self.rest() = rest;
                        if let Some(sending) = &self.sending {
                            sending.lines_up(&self.cell, place);
                        }
                        let feeder = Arc::clone(self);
                        return room.then(move |outcome| {
                            if feeder.goes_on(outcome.map(drop)) {
                                feeder.feed();
                            }
                        });
                    };
                    outcome.map(drop)
                }
            };
            if !self.goes_on(outcome) {
                return;
            }
        }
    }

    /// All of its part is accepted.
    fn end(&self) {
        if let Some(sending) = &self.sending
            && sending.left.fetch_sub(1, Ordering::AcqRel) == 1
        {
            sending.ended.end(Ok(nothing()));
        }
    }

    fn rest(&self) -> MutexGuard<'_, std::vec::IntoIter<Message>> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One that was not accepted ends a sending; a request has ended by itself.
    fn goes_on(&self, outcome: Result<(), Refusal>) -> bool {
        match (outcome, &self.sending) {
            (Ok(()), _) => self.count(1),
            (Err(_), None) => {}
            (Err(why), Some(sending)) => sending.fail(why),
        }
        self.is_wanted()
    }

    fn count(&self, accepted: usize) {
        if let Some(sending) = &self.sending {
            sending.accepted.fetch_add(accepted, Ordering::Relaxed);
        }
    }

    /// Whether nobody has given it up, and nothing was refused.
    fn is_wanted(&self) -> bool {
        let sending = self.sending.as_ref();
        sending.is_none_or(|sending| sending.ended.is_open())
    }
}

fn refuse(message: Message, why: Refusal) -> Result<(), Refusal> {
    if let Kind::Ask(reply_to) = message.kind {
        reply_to.end(Err(why.clone()));
    }
    Err(why)
}

/// The messages for each receiver, in their order.
fn by_receiver(cell: &Arc<Cell>, messages: Vec<Message>) -> Vec<(Arc<Cell>, Vec<Message>)> {
    if !cell.is_pool() {
        return vec![(Arc::clone(cell), messages)];
    }
    let mut parts: Vec<(Arc<Cell>, Vec<Message>)> = Vec::new();
    for message in messages {
        let receiver = cell.route(message.sender, None);
        match parts.iter_mut().find(|(one, _)| Arc::ptr_eq(one, receiver)) {
            Some((_, part)) => part.push(message),
            None => parts.push((Arc::clone(receiver), vec![message])),
        }
    }
    parts
}

impl Broker {
    /// Asks for each of `messages`, with one deadline for all.
    ///
    /// # Errors
    ///
    /// The first message that cannot be sent at all; then none was.
    pub fn ask_many(
        self: &Arc<Self>,
        cell: &Arc<Cell>,
        mut messages: Vec<Message>,
        timeout: Duration,
        may_block: bool,
    ) -> Result<Batch, Refusal> {
        for message in &messages {
            self.check(cell, message)?;
        }
        let ended = Pending::new(Arc::default());
        let replies = Arc::new(Replies {
            outcomes: Mutex::new(messages.iter().map(|_| None).collect()),
            left: AtomicUsize::new(messages.len()),
            ended: Arc::clone(&ended),
        });
        let mut requests = Vec::with_capacity(messages.len());
        let mut routed = Vec::new();
        if cell.traffic().is_some() {
            for (place, message) in std::mem::take(&mut messages).into_iter().enumerate() {
                match self.ask(cell, message, timeout, false) {
                    Asked::Ended(outcome) => replies.note(place, outcome),
                    Asked::Waiting(waiting) => {
                        let replies = Arc::clone(&replies);
                        let request = Arc::clone(waiting.pending());
                        request.then(move |outcome| replies.note(place, outcome));
                        routed.push(waiting);
                    }
                }
            }
        } else if messages.is_empty() {
            ended.end(Ok(nothing()));
        }
        for (place, message) in messages.iter_mut().enumerate() {
            let request = Pending::new(Arc::clone(&self.orphans));
            let replies = Arc::clone(&replies);
            request.then(move |outcome| replies.note(place, outcome));
            message.answer_within_ms = super::whole_ms(timeout);
            message.kind = Kind::Ask(ReplyTo::new(Arc::clone(&request)));
            requests.push(request);
        }
        let timer = self.deadlines.set(&ended, cell.name(), timeout);
        let batch = Batch {
            replies,
            requests,
            routed,
            actor: Arc::clone(cell.name()),
            timeout,
            waiting: Waiting {
                pending: ended,
                timer,
                broker: Arc::clone(self),
                attempts: None,
            },
        };
        self.feed(cell, messages, None, may_block);
        Ok(batch)
    }

    /// Sends all of `messages`; where a mailbox is full and lets senders wait, the rest
    /// follows as room is made.
    ///
    /// # Errors
    ///
    /// The first message that cannot be sent at all; then none was.
    pub fn send_many(
        &self,
        cell: &Arc<Cell>,
        messages: Vec<Message>,
        may_block: bool,
    ) -> Result<Arc<Sending>, Refusal> {
        for message in &messages {
            self.check(cell, message)?;
        }
        let sending = Arc::new(Sending {
            ended: Pending::new(Arc::default()),
            left: AtomicUsize::new(1),
            accepted: AtomicUsize::new(0),
            lines: Mutex::default(),
        });
        self.feed(cell, messages, Some(&sending), may_block);
        if sending.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            sending.ended.end(Ok(nothing()));
        }
        Ok(sending)
    }

    /// Sends `messages` until one is not accepted; says how many were, and why not all.
    ///
    /// # Errors
    ///
    /// The first message that cannot be sent at all; then none was.
    pub fn try_send_many(
        &self,
        cell: &Arc<Cell>,
        messages: Vec<Message>,
        may_block: bool,
    ) -> Result<(usize, Option<Refusal>), Refusal> {
        for message in &messages {
            self.check(cell, message)?;
        }
        // All are queued before the first is handled, and share one turn of this thread.
        Ok(self.shared.scheduler.inline(may_block, || {
            let mut accepted = 0;
            for message in messages {
                let receiver = cell.route(message.sender, None);
                match receiver.send(message) {
                    Sent::Accepted => accepted += 1,
                    Sent::Full(_) => return (accepted, Some(receiver.full())),
                    Sent::Refused(_, why) => return (accepted, Some(why)),
                }
            }
            (accepted, None)
        }))
    }

    fn feed(
        &self,
        cell: &Arc<Cell>,
        messages: Vec<Message>,
        sending: Option<&Arc<Sending>>,
        may_block: bool,
    ) {
        let parts = by_receiver(cell, messages);
        if let Some(sending) = sending {
            sending.left.fetch_add(parts.len(), Ordering::AcqRel);
        }
        // All are queued before the first is handled, and share one turn of this thread.
        self.shared.scheduler.inline(may_block, || {
            for (cell, messages) in parts {
                let feeder = Arc::new(Feeder {
                    cell,
                    rest: Mutex::new(messages.into_iter()),
                    sending: sending.map(Arc::clone),
                });
                feeder.feed();
            }
        });
    }
}
