//! The actors of one host, by name, and the messages between them.

mod batch;
mod broadcast;
mod dead;
mod deadlines;
mod desk;
mod events;
mod feed;
mod pool;
mod room;
mod tap;
mod topics;
mod traffic;

pub use batch::{Batch, Sending, SendingGuard};
pub use broadcast::BROADCAST_MAX;
pub use dead::DeadLetter;
pub use desk::{Denied, Desk, Granted};
pub use events::Event;
pub use feed::{Feed, FeedLimits, Overflow, Wake};
pub use room::Room;
pub use topics::{Published, Subscription};
pub use traffic::{Route, RouteRules};

use crate::actor::{
    AskedHere, Cell, EMBEDDER, Exit, Kind, Message, Observer, Outcome, Payload, Pending, Refusal,
    ReplyTo, Scheduler, Sent, Shared,
};
use crate::engine::Engine;
use airssys_core::address::{ComponentId, Handle};
use airssys_core::letters::Letters;
use airssys_core::mailbox::MailboxLimits;
use airssys_core::multicodec::{self, Code};
use airssys_core::routing::{NAMES_MAX_DEFAULT, NameError, NameTable, Names};
use airssys_core::timers::TimerKey;
use arc_swap::ArcSwap;
use dead::Dead;
use deadlines::Deadlines;
use events::Events;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use topics::Subscriptions;
use traffic::{Attempts, Routes};

/// Bytes of a payload at most, unless told otherwise (SPEC of the project, 5.2).
pub const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// The actors of one host.
pub struct Broker {
    /// Its ticker looks after handlers that run long.
    engine: Engine,
    shared: Arc<Shared>,
    /// The writers' side; readers have the version that was published.
    names: Mutex<Names<Arc<Cell>>>,
    table: ArcSwap<NameTable<Arc<Cell>>>,
    topics: Subscriptions,
    routes: Routes,
    deadlines: Deadlines,
    events: Events,
    letters: Mutex<Letters<Dead>>,
    orphans: Arc<AtomicU64>,
    denials: AtomicU64,
    message_bytes_max: usize,
    closing: AtomicBool,
}

/// Why there is no new actor.
#[derive(Debug, thiserror::Error)]
pub enum Unregistered {
    /// Its name is taken, or there are too many.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The host is being closed.
    #[error("the host is closing")]
    Closing,
    /// This is another process than that of the host.
    #[error("{}", Refusal::Forked)]
    Forked,
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
    timer: Option<TimerKey>,
    broker: Arc<Broker>,
    /// What is tried for it, if it goes by a route.
    attempts: Option<Arc<Attempts>>,
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
        if let Some(attempts) = self.attempts.take() {
            attempts.give_up();
        }
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

    fn left(&self, cell: &Arc<Cell>, incarnation: u64) {
        if let Some(broker) = self.0.upgrade() {
            broker.topics.remove_instance(cell.handle(), incarnation);
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
        if let Some(broker) = self.0.upgrade() {
            broker.post(cell.name(), message, why);
        }
    }
}

impl Broker {
    /// A broker without actors, whose handlers `engine` looks after. `wake` is
    /// called when there are events to take.
    pub fn new(engine: &Engine, wake: Box<dyn Fn() + Send + Sync>) -> Arc<Broker> {
        let names = Names::new(NAMES_MAX_DEFAULT);
        let table = ArcSwap::new(names.table());
        let broker = Arc::new_cyclic(|weak: &Weak<Broker>| Broker {
            engine: engine.clone(),
            shared: Arc::new(Shared {
                scheduler: Scheduler::new(),
                observer: Arc::new(Ear(Weak::clone(weak))),
                reply_bytes_max: MESSAGE_BYTES_MAX,
            }),
            names: Mutex::new(names),
            table,
            topics: Subscriptions::new(),
            routes: Routes::default(),
            deadlines: Deadlines::new(),
            events: Events::new(wake),
            letters: Mutex::default(),
            orphans: Arc::default(),
            denials: AtomicU64::new(0),
            message_bytes_max: MESSAGE_BYTES_MAX,
            closing: AtomicBool::new(false),
        });
        engine.look_after(&broker.shared.scheduler);
        broker
    }

    fn names(&self) -> MutexGuard<'_, Names<Arc<Cell>>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new actor that waits for an instance.
    ///
    /// # Errors
    ///
    /// [`Unregistered`].
    pub fn register(
        &self,
        id: ComponentId,
        limits: MailboxLimits,
    ) -> Result<Arc<Cell>, Unregistered> {
        let mut names = self.names();
        if self.engine.is_left_behind() {
            return Err(Unregistered::Forked);
        }
        if self.closing.load(Ordering::SeqCst) {
            return Err(Unregistered::Closing);
        }
        let name = id.written().into();
        let entry = names.insert(id, |handle| {
            Cell::new(handle.as_u64(), name, limits, Arc::clone(&self.shared))
        })?;
        self.table.store(names.table());
        drop(names);
        self.routes.apply(&entry.slot);
        Ok(Arc::clone(&entry.slot))
    }

    /// The actor of an address, as people write it.
    #[inline]
    pub fn find(&self, address: &str) -> Option<Arc<Cell>> {
        let table = self.table.load();
        table.find(address).map(|entry| Arc::clone(&entry.slot))
    }

    /// The actor behind a number.
    #[inline]
    pub fn by_handle(&self, handle: u64) -> Option<Arc<Cell>> {
        let table = self.table.load();
        let entry = table.by_handle(Handle::from_u64(handle))?;
        Some(Arc::clone(&entry.slot))
    }

    /// All actors, in no order.
    pub fn actors(&self) -> Vec<Arc<Cell>> {
        let table = self.table.load();
        table.iter().map(|entry| Arc::clone(&entry.slot)).collect()
    }

    fn forget(&self, cell: &Cell) {
        let mut names = self.names();
        if names.remove(Handle::from_u64(cell.handle())).is_some() {
            self.table.store(names.table());
        }
    }

    /// Fails in a forked child: who would run an actor, or end a wait, is not here.
    ///
    /// # Errors
    ///
    /// [`Refusal::Forked`].
    #[inline]
    pub fn refuse_forked(&self) -> Result<(), Refusal> {
        if self.engine.is_left_behind() {
            return Err(Refusal::Forked);
        }
        Ok(())
    }

    fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    /// Bytes that a payload may have.
    pub fn message_bytes_max(&self) -> usize {
        self.message_bytes_max
    }

    /// Whether a message can be sent at all. What the embedder sends, the host's own
    /// encoder made; what others send is looked at.
    #[inline]
    fn check(&self, cell: &Cell, message: &Message) -> Result<(), Refusal> {
        self.refuse_forked()?;
        cell.reads(message.codec, false)?;
        self.check_payload(message.sender, message.codec, &message.payload)
    }

    #[inline]
    fn check_payload(&self, sender: u64, codec: u32, payload: &Payload) -> Result<(), Refusal> {
        self.check_size(payload)?;
        if sender == EMBEDDER {
            return Ok(());
        }
        multicodec::check(Code(codec.into()), payload)
            .map_err(|error| Refusal::Malformed(error.to_string()))
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

    /// Asks an actor; its handler runs on this thread if it is idle, and if that may
    /// not block, for a tick of the clock at most.
    #[inline]
    pub fn ask(
        self: &Arc<Self>,
        cell: &Arc<Cell>,
        message: Message,
        timeout: Duration,
        may_block: bool,
    ) -> Asked {
        if let Err(why) = self.check(cell, &message) {
            return Asked::Ended(Err(why));
        }
        if let Some(route) = cell.traffic() {
            return self.ask_by(route, cell, &message, timeout);
        }
        self.ask_once(cell, message, timeout, may_block)
    }

    #[inline]
    fn ask_once(
        self: &Arc<Self>,
        cell: &Arc<Cell>,
        mut message: Message,
        timeout: Duration,
        may_block: bool,
    ) -> Asked {
        message.answer_within_ms = whole_ms(timeout);
        let cell = cell.route(message.sender, None);
        let pending = || Pending::new(Arc::clone(&self.orphans));
        match cell.ask_here(message, may_block, pending) {
            AskedHere::Ended(outcome) => Asked::Ended(outcome),
            AskedHere::Away(pending) => self.waiting(cell, pending, timeout),
            AskedHere::Busy(message) => self.ask_later(cell, message, timeout, may_block),
        }
    }

    /// Asks through the mailbox: the handler has a turn of its own.
    pub fn ask_queued(
        self: &Arc<Self>,
        cell: &Arc<Cell>,
        message: Message,
        timeout: Duration,
    ) -> Asked {
        if let Err(why) = self.check(cell, &message) {
            return Asked::Ended(Err(why));
        }
        match cell.traffic() {
            Some(route) => self.ask_by(route, cell, &message, timeout),
            None => self.queue(cell, message, timeout),
        }
    }

    fn queue(self: &Arc<Self>, cell: &Arc<Cell>, mut message: Message, timeout: Duration) -> Asked {
        let cell = cell.route(message.sender, None);
        message.answer_within_ms = whole_ms(timeout);
        let pending = Pending::new(Arc::clone(&self.orphans));
        message.kind = Kind::Ask(ReplyTo::new(Arc::clone(&pending)));
        let sent = cell.send(message);
        self.follow(cell, sent, pending, timeout)
    }

    fn ask_later(
        self: &Arc<Self>,
        cell: &Arc<Cell>,
        mut message: Message,
        timeout: Duration,
        may_block: bool,
    ) -> Asked {
        let pending = Pending::new(Arc::clone(&self.orphans));
        message.kind = Kind::Ask(ReplyTo::new(Arc::clone(&pending)));
        let sent = cell.send_here(message, may_block);
        self.follow(cell, sent, pending, timeout)
    }

    fn follow(
        self: &Arc<Self>,
        cell: &Arc<Cell>,
        sent: Sent,
        pending: Arc<Pending>,
        timeout: Duration,
    ) -> Asked {
        match sent {
            Sent::Accepted => {}
            Sent::Full(message) => {
                // Its own end tells whether it got in.
                cell.wait_for_room(message, &Pending::new(Arc::default()));
            }
            Sent::Refused(message, why) => {
                pending.end(Err(why));
                drop(message);
            }
        }
        self.waiting(cell, pending, timeout)
    }

    fn waiting(
        self: &Arc<Self>,
        cell: &Arc<Cell>,
        pending: Arc<Pending>,
        timeout: Duration,
    ) -> Asked {
        if let Some(outcome) = pending.take() {
            return Asked::Ended(outcome);
        }
        let waiting = Waiting {
            timer: self.deadlines.set(&pending, cell.name(), timeout),
            pending,
            broker: Arc::clone(self),
            attempts: None,
        };
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
    pub fn try_send(
        &self,
        cell: &Arc<Cell>,
        message: Message,
        may_block: bool,
    ) -> Result<(), Refusal> {
        self.check(cell, &message)?;
        let cell = cell.route(message.sender, None);
        match cell.send_here(message, may_block) {
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

    /// Sends; where the mailbox is full and its policy is to wait, gives the place in
    /// the line.
    ///
    /// # Errors
    ///
    /// Why it was not accepted.
    pub fn send(
        &self,
        cell: &Arc<Cell>,
        message: Message,
        may_block: bool,
    ) -> Result<Option<Room>, Refusal> {
        self.check(cell, &message)?;
        let cell = cell.route(message.sender, None);
        match cell.send_here(message, may_block) {
            Sent::Accepted => Ok(None),
            Sent::Full(message) => Room::line_up(cell, message),
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

    /// Requests that wait for their end.
    pub fn requests_open(&self) -> usize {
        self.deadlines.len()
    }

    /// What components wanted to say and were not granted, so far.
    pub fn denials(&self) -> u64 {
        self.denials.load(Ordering::Relaxed)
    }

    /// Counts a denial, and tells of it where it is news.
    fn denied(&self, cell: &Cell, denied: Denied, news: bool) {
        self.denials.fetch_add(1, Ordering::Relaxed);
        if news {
            let actor = Arc::clone(cell.name());
            self.events.add(Event::Denied { actor, denied });
        }
    }

    /// Stops all actors, and takes no new ones.
    pub fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
        for cell in self.actors() {
            cell.stop();
        }
        self.topics.close();
        self.deadlines.close();
        self.shared.scheduler.close();
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.close();
    }
}

/// At least one, and as many as fit.
fn whole_ms(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod watch_tests;
