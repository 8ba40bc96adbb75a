//! Dead letters: looked at, sent again, thrown away.

use super::Broker;
use super::events::Event;
use crate::actor::{EMBEDDER, Kind, Message, Payload, Refusal, Sent, monotonic_nanoseconds};
use airssys_core::letters::{Letter, LetterCounters, Letters, Reason};
use airssys_core::mailbox::{self, NEVER, Priority};
use airssys_core::trace::Trace;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

/// A message that nobody handled, and between whom it was.
#[derive(Debug)]
pub(super) struct Dead {
    receiver: Arc<str>,
    sender: Option<Arc<str>>,
    message: Message,
}

impl mailbox::Message for Dead {
    fn bytes(&self) -> usize {
        // The addresses may be all that is left of their actors.
        let topic = match &self.message.kind {
            Kind::Published(topic) => topic.len(),
            Kind::Tell | Kind::Ask(_) | Kind::Job(_) => 0,
        };
        let addresses = self.receiver.len() + self.sender.as_ref().map_or(0, |name| name.len());
        mailbox::Message::bytes(&self.message) + size_of::<Letter<Dead>>() + addresses + topic
    }

    fn priority(&self) -> Priority {
        self.message.priority
    }

    fn expires_after(&self) -> u64 {
        NEVER
    }
}

/// A dead letter, for whoever looks at it.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    /// Its number, from 1.
    pub number: u64,
    /// Why nobody handled it.
    pub reason: Reason,
    /// Whom it was for.
    pub receiver: Arc<str>,
    /// Who sent it; none for the embedder.
    pub sender: Option<Arc<str>>,
    /// The topic it was published on.
    pub topic: Option<Arc<str>>,
    /// Number of its codec.
    pub codec: u32,
    /// The body.
    pub payload: Payload,
    /// The trace it belongs to.
    pub trace: Option<Arc<Trace>>,
    /// Since when it is one, in nanoseconds of [`monotonic_nanoseconds`].
    pub at: u64,
}

impl DeadLetter {
    fn of(letter: &Letter<Dead>) -> DeadLetter {
        let Dead {
            receiver,
            sender,
            message,
        } = &letter.message;
        let topic = match &message.kind {
            Kind::Published(topic) => Some(Arc::clone(topic)),
            Kind::Tell | Kind::Ask(_) | Kind::Job(_) => None,
        };
        DeadLetter {
            number: letter.id,
            reason: letter.reason,
            receiver: Arc::clone(receiver),
            sender: sender.clone(),
            topic,
            codec: message.codec,
            payload: message.payload.clone(),
            trace: message.trace.clone(),
            at: letter.at,
        }
    }

    /// How long it has been one.
    pub fn age(&self) -> Duration {
        Duration::from_nanos(monotonic_nanoseconds().saturating_sub(self.at))
    }
}

impl Broker {
    fn letters(&self) -> MutexGuard<'_, Letters<Dead>> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a message that nobody handled.
    pub(super) fn post(&self, actor: &Arc<str>, message: Message, why: Refusal) {
        let dead = Dead {
            receiver: Arc::clone(actor),
            sender: self.name_of(message.sender),
            message,
        };
        let letter = self
            .letters()
            .post(dead, why.reason(), monotonic_nanoseconds());
        self.events.add(Event::DeadLetter {
            actor: Arc::clone(actor),
            letter,
            why,
        });
    }

    /// The address of a sender; none for the embedder, and for who is gone.
    pub fn name_of(&self, sender: u64) -> Option<Arc<str>> {
        if sender == EMBEDDER {
            return None;
        }
        self.by_handle(sender).map(|cell| Arc::clone(cell.name()))
    }

    /// The dead letters that are kept, oldest first.
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.letters().iter().map(DeadLetter::of).collect()
    }

    /// One of them.
    pub fn dead_letter(&self, number: u64) -> Option<DeadLetter> {
        self.letters().get(number).map(DeadLetter::of)
    }

    /// Sends a dead letter to its receiver once more, to keep for ever; none if there is
    /// no such letter. One that is not accepted stays what it was.
    ///
    /// # Errors
    ///
    /// Why it was not accepted.
    pub fn replay(&self, number: u64, may_block: bool) -> Option<Result<(), Refusal>> {
        if let Err(why) = self.refuse_forked() {
            return Some(Err(why));
        }
        let mut letter = self.letters().take(number)?;
        let receiver = Arc::clone(&letter.message.receiver);
        let Some(cell) = self.find(&receiver) else {
            self.letters().put_back(letter);
            return Some(Err(Refusal::NotFound(receiver)));
        };
        letter.message.message.expires_after = NEVER;
        let Letter {
            id,
            reason,
            at,
            message: Dead {
                sender, message, ..
            },
        } = letter;
        let (message, why) = match cell.send_here(message, may_block) {
            Sent::Accepted => return Some(Ok(())),
            Sent::Full(message) => (message, cell.full()),
            Sent::Refused(message, why) => (message, why),
        };
        self.letters().put_back(Letter {
            id,
            reason,
            at,
            message: Dead {
                receiver,
                sender,
                message,
            },
        });
        Some(Err(why))
    }

    /// Throws a dead letter away; says whether there was one.
    pub fn discard(&self, number: u64) -> bool {
        let letter = self.letters().take(number);
        letter.is_some()
    }

    /// Throws all dead letters away; says how many there were.
    pub fn discard_all(&self) -> usize {
        let letters = self.letters().take_all(|_| true);
        letters.len()
    }

    /// What became of messages that were not handled.
    pub fn letter_counters(&self) -> LetterCounters {
        self.letters().counters()
    }
}
