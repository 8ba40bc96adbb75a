//! Messages on their way in: handled at once, or put into the mailbox.

use super::{Cell, Inner, Sent};
use crate::actor::message::{Message, coarse_unix_nanoseconds, monotonic_nanoseconds};
use crate::actor::refusal::Refusal;
use airssys_core::mailbox::{self, MailboxCounters, Push, Refusal as Full, Shed};
use std::sync::Arc;

/// Messages that are put into a mailbox under one lock.
const RUN_MAX: usize = 64;

impl Cell {
    /// Puts a message into the mailbox; some other thread handles it.
    #[inline]
    pub fn send(self: &Arc<Self>, message: Message) -> Sent {
        match self.enqueue(message) {
            Ok(woken) => {
                if woken {
                    self.shared.scheduler.schedule(Arc::clone(self));
                }
                Sent::Accepted
            }
            Err(refused) => self.refused(*refused),
        }
    }

    /// Puts a message into the mailbox, or has it handled here and now if the actor
    /// is idle: waking another thread costs more than most handlers.
    #[inline]
    pub fn send_here(self: &Arc<Self>, message: Message, may_block: bool) -> Sent {
        let Some(here) = self.shared.scheduler.enter(may_block) else {
            return self.send(message);
        };
        if let Some(behaviour) = self.take_idle_for(&message) {
            here.turn(|| self.handle_now(behaviour, message, may_block));
            return Sent::Accepted;
        }
        // What makes way, or is refused, may wake others: they are this thread's turn too.
        here.turn(|| self.send(message))
    }

    /// Puts messages into the mailbox under one lock, until one is not simply
    /// accepted; some other thread handles them. Gives how many were, and what became
    /// of that one.
    pub fn send_run(
        self: &Arc<Self>,
        messages: &mut impl Iterator<Item = Message>,
    ) -> (usize, Option<Sent>) {
        let mut accepted = 0;
        let mut inner = self.inner();
        let other = loop {
            if accepted == RUN_MAX {
                break None;
            }
            let Some(message) = messages.next() else {
                break None;
            };
            match inner.push(message) {
                Push::Accepted => accepted += 1,
                other => break Some(other),
            }
        };
        let woken = inner.wake_if_any();
        drop(inner);
        if woken {
            self.shared.scheduler.schedule(Arc::clone(self));
        }
        let sent = other.map(|pushed| match self.pushed(pushed) {
            Ok(()) => Sent::Accepted,
            Err(refused) => self.refused(*refused),
        });
        (accepted, sent)
    }

    /// Puts work before all messages; it runs even where the mailbox is full.
    ///
    /// # Errors
    ///
    /// The work, if the actor has stopped.
    pub fn send_system(self: &Arc<Self>, message: Message) -> Result<(), Message> {
        let mut inner = self.inner();
        inner.mailbox.push_system(message)?;
        let woken = inner.wake();
        drop(inner);
        if woken {
            self.shared.scheduler.schedule(Arc::clone(self));
        }
        Ok(())
    }

    /// Says whether the actor became runnable.
    #[inline]
    fn enqueue(self: &Arc<Self>, message: Message) -> Result<bool, Box<(Full, Message)>> {
        let mut inner = self.inner();
        let pushed = inner.push(message);
        let woken = inner.wake_if_any();
        drop(inner);
        self.pushed(pushed).map(|()| woken)
    }

    /// What made way is told so.
    #[inline]
    fn pushed(self: &Arc<Self>, pushed: Push<Message>) -> Result<(), Box<(Full, Message)>> {
        match pushed {
            Push::Accepted => Ok(()),
            Push::AcceptedShedding(shed) => {
                self.lost(shed);
                Ok(())
            }
            Push::Refused { why, message, shed } => {
                self.lost(shed);
                Err(Box::new((why, message)))
            }
        }
    }

    #[cold]
    fn refused(self: &Arc<Self>, (why, message): (Full, Message)) -> Sent {
        let why = match why {
            Full::Full => return Sent::Full(message),
            Full::Rejected => self.full(),
            Full::TooLarge => self.too_large(&message),
            Full::Closed => Refusal::Stopped(Arc::clone(&self.name)),
            Full::Dropped => {
                self.undelivered(message, Refusal::Dropped(Arc::clone(&self.name)));
                return Sent::Accepted;
            }
        };
        Sent::Refused(message, why)
    }

    /// Why a message is refused for want of room.
    pub fn full(&self) -> Refusal {
        let MailboxCounters {
            messages, bytes, ..
        } = self.counters();
        Refusal::MailboxFull {
            actor: Arc::clone(&self.name),
            messages,
            bytes,
        }
    }

    pub(super) fn too_large(&self, message: &Message) -> Refusal {
        Refusal::NeverFits {
            actor: Arc::clone(&self.name),
            bytes: mailbox::Message::bytes(message),
            most: self.inner().mailbox.limits().bytes_max(),
        }
    }

    fn lost(self: &Arc<Self>, shed: Vec<Shed<Message>>) {
        for one in shed {
            let name = Arc::clone(&self.name);
            match one {
                Shed::Expired(message) => self.undelivered(message, Refusal::Expired(name)),
                Shed::Displaced(message) => self.undelivered(message, Refusal::Dropped(name)),
            }
        }
    }
}

impl Inner {
    #[inline]
    fn push(&mut self, mut message: Message) -> Push<Message> {
        message.accepted_unix_ns = coarse_unix_nanoseconds();
        let expires = message.expires();
        // What is over makes way for what is not, whichever of the two may expire.
        let now = if expires {
            monotonic_nanoseconds()
        } else {
            self.now()
        };
        let pushed = self.mailbox.push(message, now);
        match &pushed {
            Push::Accepted => self.expiring += u32::from(expires),
            Push::AcceptedShedding(shed) => {
                self.expiring += u32::from(expires);
                self.forget(shed);
            }
            Push::Refused { shed, .. } => self.forget(shed),
        }
        pushed
    }

    fn forget(&mut self, shed: &[Shed<Message>]) {
        for Shed::Expired(message) | Shed::Displaced(message) in shed {
            self.expiring -= u32::from(message.expires());
        }
    }
}
