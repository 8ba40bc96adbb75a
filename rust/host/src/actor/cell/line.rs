//! The line before a full mailbox.

use super::{Cell, tell};
use crate::actor::message::{Kind, Message};
use crate::actor::refusal::Refusal;
use crate::actor::reply::{Pending, ReplyTo};
use airssys_core::mailbox::WaitRefused;
use std::sync::Arc;

impl Cell {
    /// Lets a message wait for room in the mailbox. `sender` is told when it got
    /// in, with an empty reply, or why not. Gives its place in the line.
    pub fn wait_for_room(self: &Arc<Self>, message: Message, sender: &Arc<Pending>) -> u64 {
        let reply_to = ReplyTo::new(Arc::clone(sender));
        let expires = message.expires();
        let mut inner = self.inner();
        let waiters = inner.waiters.get_or_insert_default();
        waiters.next += 1;
        let number = waiters.next;
        match inner.mailbox.wait(number, message) {
            Ok(()) => {
                // It may get in at any time from now on, and expire there.
                inner.expiring += u32::from(expires);
                let waiters = inner.waiters.get_or_insert_default();
                waiters.by_number.insert(number, reply_to);
                // There may have been room made since it was full.
                let admitted = inner.admit();
                let woken = inner.wake_if_any();
                drop(inner);
                tell(admitted);
                if woken {
                    self.shared.scheduler.schedule(Arc::clone(self));
                }
            }
            Err(refused) => {
                drop(inner);
                let (message, why) = match refused {
                    WaitRefused::Crowded(message) => (message, self.full()),
                    WaitRefused::TooLarge(message) => {
                        let why = self.too_large(&message);
                        (message, why)
                    }
                    WaitRefused::Closed(message) => {
                        (message, Refusal::Stopped(Arc::clone(&self.name)))
                    }
                };
                // Whoever asked hears why, as whoever sent does.
                if let Kind::Ask(asker) = message.kind {
                    asker.end(Err(why.clone()));
                }
                reply_to.end(Err(why));
            }
        }
        number
    }

    /// Leaves the line: the message is not sent.
    pub fn withdraw(self: &Arc<Self>, place: u64) {
        let mut inner = self.inner();
        let message = inner.mailbox.withdraw(place);
        inner.expiring -= u32::from(message.as_ref().is_some_and(Message::expires));
        let waiters = inner.waiters.as_mut();
        let sender = waiters.and_then(|waiters| waiters.by_number.remove(&place));
        // Whoever stood behind it may need less room.
        let admitted = inner.admit();
        let woken = inner.wake_if_any();
        drop(inner);
        drop((message, sender));
        tell(admitted);
        if woken {
            self.shared.scheduler.schedule(Arc::clone(self));
        }
    }
}
