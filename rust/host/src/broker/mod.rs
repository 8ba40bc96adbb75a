//! The actors of one host, by name, and the messages between them.

mod deadlines;
mod events;

pub use events::Event;

use crate::actor::{
    Cell, Exit, Kind, Message, Observer, Outcome, Payload, Pending, Refusal, ReplyTo, Scheduler,
    Sent, Shared,
};
use crate::engine::Engine;
use airssys_core::mailbox::MailboxLimits;
use deadlines::Deadlines;
use events::Events;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};
use std::time::Duration;

/// Bytes of a payload at most, unless told otherwise (SPEC of the project, 5.2).
pub const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// The actors of one host.
pub struct Broker {
    shared: Arc<Shared>,
    names: RwLock<HashMap<Arc<str>, Arc<Cell>>>,
    next_handle: AtomicU64,
    deadlines: Deadlines,
    events: Events,
    orphans: Arc<AtomicU64>,
    message_bytes_max: usize,
    closing: AtomicBool,
}

/// How asking began.
pub enum Asked {
    /// The handler ran at once.
    Ended(Outcome),
    /// The reply comes later.
    Waiting(Waiting),
}

/// A request that has not ended. Dropped, it is given up.
pub struct Waiting {
    pending: Arc<Pending>,
    timer: Option<airssys_core::timers::TimerKey>,
    broker: Arc<Broker>,
}

impl Waiting {
    /// The request.
    pub fn pending(&self) -> &Arc<Pending> {
        &self.pending
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(timer) = self.timer.take() {
            self.broker.deadlines.cancel(timer);
        }
        self.pending.close();
    }
}

/// Hears of the actors on behalf of a broker that may be gone.
struct Ear(Weak<Broker>);

impl Observer for Ear {
    fn ended(&self, cell: &Arc<Cell>, incarnation: u64, exit: &Arc<Exit>) {
        if let Some(broker) = self.0.upgrade() {
            broker.events.add(Event::Ended {
                actor: Arc::clone(cell.name()),
                incarnation,
                exit: Arc::clone(exit),
            });
        }
    }

    fn stopped(&self, cell: &Arc<Cell>) {
        if let Some(broker) = self.0.upgrade() {
            broker.forget(cell);
            broker.events.add(Event::Stopped {
                actor: Arc::clone(cell.name()),
            });
        }
    }

    fn undelivered(&self, cell: &Arc<Cell>, message: Message, why: Refusal) {
        drop(message);
        if let Some(broker) = self.0.upgrade() {
            broker.events.add(Event::DeadLetter {
                actor: Arc::clone(cell.name()),
                why,
            });
        }
    }
}

impl Broker {
    /// A broker without actors, whose handlers `engine` looks after. `wake` is
    /// called when there are events to take.
    pub fn new(engine: &Engine, wake: Box<dyn Fn() + Send + Sync>) -> Arc<Broker> {
        let broker = Arc::new_cyclic(|weak: &Weak<Broker>| Broker {
            shared: Arc::new(Shared {
                scheduler: Scheduler::new(),
                observer: Arc::new(Ear(Weak::clone(weak))),
            }),
            names: RwLock::default(),
            next_handle: AtomicU64::new(1),
            deadlines: Deadlines::new(),
            events: Events::new(wake),
            orphans: Arc::default(),
            message_bytes_max: MESSAGE_BYTES_MAX,
            closing: AtomicBool::new(false),
        });
        engine.look_after(&broker.shared.scheduler);
        broker
    }

    fn names(&self) -> RwLockReadGuard<'_, HashMap<Arc<str>, Arc<Cell>>> {
        self.names.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn names_mut(&self) -> RwLockWriteGuard<'_, HashMap<Arc<str>, Arc<Cell>>> {
        self.names.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new actor that waits for an instance, or none if the name is taken.
    ///
    /// # Errors
    ///
    /// [`Refusal::Closing`].
    pub fn register(
        &self,
        name: &str,
        limits: MailboxLimits,
    ) -> Result<Option<Arc<Cell>>, Refusal> {
        let mut names = self.names_mut();
        if self.closing.load(Ordering::SeqCst) {
            return Err(Refusal::Closing);
        }
        if names.contains_key(name) {
            return Ok(None);
        }
        let name: Arc<str> = name.into();
        let handle = self.next_handle.fetch_add(1, Ordering::Relaxed);
        let cell = Cell::new(handle, Arc::clone(&name), limits, Arc::clone(&self.shared));
        names.insert(name, Arc::clone(&cell));
        Ok(Some(cell))
    }

    /// The actor of a name.
    pub fn find(&self, name: &str) -> Option<Arc<Cell>> {
        self.names().get(name).cloned()
    }

    /// All actors, in no order.
    pub fn actors(&self) -> Vec<Arc<Cell>> {
        self.names().values().cloned().collect()
    }

    fn forget(&self, cell: &Arc<Cell>) {
        let mut names = self.names_mut();
        if names
            .get(cell.name())
            .is_some_and(|known| Arc::ptr_eq(known, cell))
        {
            names.remove(cell.name());
        }
    }

    fn check_size(&self, payload: &Payload) -> Result<(), Refusal> {
        if payload.len() <= self.message_bytes_max {
            return Ok(());
        }
        Err(Refusal::TooLarge {
            bytes: payload.len(),
            most: self.message_bytes_max,
        })
    }

    /// Asks an actor; its handler runs on this thread if it is idle.
    pub fn ask(self: &Arc<Self>, cell: &Arc<Cell>, message: Message, timeout: Duration) -> Asked {
        if let Err(why) = self.check_size(&message.payload) {
            return Asked::Ended(Err(why));
        }
        match cell.ask_here(message) {
            Ok(outcome) => Asked::Ended(outcome),
            Err(message) => self.ask_later(cell, message, timeout),
        }
    }

    fn ask_later(
        self: &Arc<Self>,
        cell: &Arc<Cell>,
        mut message: Message,
        timeout: Duration,
    ) -> Asked {
        let pending = Pending::new(Arc::clone(&self.orphans));
        message.kind = Kind::Ask(ReplyTo::new(Arc::clone(&pending)));
        let waiting = Waiting {
            timer: self.deadlines.set(&pending, cell.name(), timeout),
            pending,
            broker: Arc::clone(self),
        };
        match cell.send_here(message) {
            Sent::Accepted => {}
            Sent::Full(message) => {
                // Its own end tells whether it got in.
                cell.wait_for_room(message, &Pending::new(Arc::default()));
            }
            Sent::Refused(message, why) => {
                waiting.pending.end(Err(why));
                drop(message);
            }
        }
        match waiting.pending.take() {
            Some(outcome) => Asked::Ended(outcome),
            None => Asked::Waiting(waiting),
        }
    }

    /// Sends without waiting for anything.
    ///
    /// # Errors
    ///
    /// Why it was not accepted.
    pub fn try_send(&self, cell: &Arc<Cell>, message: Message) -> Result<(), Refusal> {
        self.check_size(&message.payload)?;
        match cell.send(message) {
            Sent::Accepted => Ok(()),
            Sent::Full(_) => {
                let counters = cell.counters();
                Err(Refusal::MailboxFull {
                    actor: Arc::clone(cell.name()),
                    messages: counters.messages,
                    bytes: counters.bytes,
                })
            }
            Sent::Refused(_, why) => Err(why),
        }
    }

    /// Sends; where the mailbox is full and its policy is to wait, the request that
    /// is given ends when the message got in.
    ///
    /// # Errors
    ///
    /// Why it was not accepted.
    pub fn send(&self, cell: &Arc<Cell>, message: Message) -> Result<Option<Arc<Pending>>, Refusal> {
        self.check_size(&message.payload)?;
        match cell.send(message) {
            Sent::Accepted => Ok(None),
            Sent::Full(message) => {
                let room = Pending::new(Arc::default());
                cell.wait_for_room(message, &room);
                match room.take() {
                    Some(Ok(_)) => Ok(None),
                    Some(Err(why)) => Err(why),
                    None => Ok(Some(room)),
                }
            }
            Sent::Refused(_, why) => Err(why),
        }
    }

    /// Events since they were last taken.
    pub fn take_events(&self) -> VecDeque<Event> {
        self.events.take()
    }

    /// Replies that came after their request had ended.
    pub fn orphans(&self) -> u64 {
        self.orphans.load(Ordering::Relaxed)
    }

    /// Messages that were not handled.
    pub fn dead_letters(&self) -> u64 {
        self.events.letters()
    }

    /// Stops all actors, and takes no new ones.
    pub fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
        for cell in self.actors() {
            cell.stop();
        }
        self.shared.scheduler.close();
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests;
