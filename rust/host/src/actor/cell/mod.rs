//! An actor: a mailbox, what handles its messages, and whose turn it is.
//!
//! | phase | meaning | leaves by |
//! |---|---|---|
//! | vacant | no instance; messages wait for one | `occupy`, `stop` |
//! | idle | nothing to do | a message, `stop` |
//! | queued | on a run queue | whoever runs it |
//! | running | a thread runs its handler | the mailbox is empty, or the budget used up |
//! | away | its handler goes on elsewhere | `resume` |
//! | stopped | for good | never |
//!
//! One short lock guards the mailbox and the phase together; no handler, no waker
//! and no destructor of a message runs under it.

mod ending;
mod extras;
mod line;
mod sending;
mod turn;

pub use extras::Routing;

use super::behaviour::{Answer, Behaviour, Departure, Handled, Interrupt, Turn};
use super::exit::Exit;
use super::message::{Kind, Message, monotonic_nanoseconds};
use super::payload::Payload;
use super::refusal::{HandlerRefusal, Refusal};
use super::reply::{Outcome, Pending, Reply, ReplyTo};
use super::schedule::Scheduler;
use crate::instance::{Journal, Served};
use airssys_core::address::{AddressPattern, ComponentId};
use airssys_core::mailbox::{Mailbox, MailboxCounters, MailboxLimits};
use extras::Extras;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// Hears of what happens to actors; called outside of all locks.
pub trait Observer: Send + Sync {
    /// An instance has ended; the mailbox waits for another.
    fn ended(&self, cell: &Arc<Cell>, incarnation: u64, exit: &Arc<Exit>);

    /// An instance is gone, whichever way; also one that was being made.
    fn left(&self, cell: &Arc<Cell>, incarnation: u64);

    /// The actor has stopped for good.
    fn stopped(&self, cell: &Arc<Cell>);

    /// Nobody will handle this message.
    fn undelivered(&self, cell: &Arc<Cell>, message: Message, why: Refusal);
}

/// What the actors of one host share.
pub struct Shared {
    /// Runs them.
    pub scheduler: Arc<Scheduler>,
    /// Hears of them.
    pub observer: Arc<dyn Observer>,
    /// Bytes that the payload of a reply may have, as that of any message.
    pub reply_bytes_max: usize,
}

/// An actor.
pub struct Cell {
    handle: u64,
    name: Arc<str>,
    shared: Arc<Shared>,
    /// Whom its handler waits for now, and nothing else meanwhile; 0 for nobody.
    waits_for: AtomicU64,
    /// Which actors it hears; nobody but the embedder if it was not said.
    hears: OnceLock<Box<[AddressPattern]>>,
    inner: Mutex<Inner>,
    /// The receipts of its components, if it has any.
    journal: OnceLock<Arc<Journal>>,
    extras: OnceLock<Box<Extras>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Vacant,
    Idle,
    Queued,
    Running,
    Away,
    Stopped,
}

struct Inner {
    mailbox: Mailbox<Message>,
    phase: Phase,
    stopping: bool,
    /// Whether the instance goes, and the actor waits for another.
    retiring: bool,
    /// Messages in the mailbox that may expire: only those need a look at the clock.
    expiring: u32,
    /// Messages that never were in the mailbox.
    handled_at_once: u64,
    incarnation: u64,
    behaviour: Option<Box<dyn Behaviour>>,
    interrupt: Option<Arc<dyn Interrupt>>,
    /// The message whose handler is away.
    away: Option<Box<Message>>,
    /// Senders that wait for room; few actors ever have any.
    waiters: Option<Box<Waiters>>,
}

#[derive(Default)]
struct Waiters {
    next: u64,
    by_number: HashMap<u64, ReplyTo>,
}

/// What became of a message that was sent.
#[derive(Debug)]
#[must_use = "a message that was not accepted is in here"]
pub enum Sent {
    /// It waits for its turn, or its actor's policy was to drop it.
    Accepted,
    /// The mailbox is full, and its policy is to wait: see [`Cell::wait_for_room`].
    Full(Message),
    /// It was not taken.
    Refused(Message, Refusal),
}

/// How asking an idle actor went.
pub enum AskedHere {
    /// It ended.
    Ended(Outcome),
    /// The handler goes on elsewhere; this request tells of its end.
    Away(Arc<Pending>),
    /// Somebody else has the actor, or it has none to ask: to be asked with
    /// [`Cell::send_here`].
    Busy(Message),
}

/// What running an actor came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ran {
    /// It has nothing to do for now.
    Done,
    /// It has more to do, and is queued for it.
    More,
}

/// What one turn came to.
enum Turned {
    Served,
    Ended(Exit, Message),
    Left(Departure, Message),
}

impl Cell {
    /// An actor without an instance; messages wait for one.
    pub fn new(
        handle: u64,
        name: Arc<str>,
        limits: MailboxLimits,
        shared: Arc<Shared>,
    ) -> Arc<Cell> {
        Arc::new(Cell {
            handle,
            name,
            shared,
            waits_for: AtomicU64::new(0),
            hears: OnceLock::new(),
            inner: Mutex::new(Inner {
                mailbox: Mailbox::new(limits),
                phase: Phase::Vacant,
                stopping: false,
                retiring: false,
                expiring: 0,
                handled_at_once: 0,
                incarnation: 0,
                behaviour: None,
                interrupt: None,
                away: None,
                waiters: None,
            }),
            journal: OnceLock::new(),
            extras: OnceLock::new(),
        })
    }

    /// Where the receipts of its components are kept.
    pub fn journal(&self) -> &Arc<Journal> {
        self.journal.get_or_init(Arc::default)
    }

    /// The receipts of its last calls, oldest first.
    pub fn receipts(&self) -> Vec<Served> {
        self.journal
            .get()
            .map_or_else(Vec::new, |journal| journal.read())
    }

    /// Its number in this process.
    pub fn handle(&self) -> u64 {
        self.handle
    }

    /// Its address.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Says which actors it hears, once and for all.
    pub fn set_hears(&self, patterns: Box<[AddressPattern]>) {
        // What was said first stands: others may have been told of it.
        let _ = self.hears.set(patterns);
    }

    /// Whether it hears an actor.
    pub fn hears(&self, sender: &ComponentId) -> bool {
        let hears = self.hears.get();
        hears.is_some_and(|hears| hears.iter().any(|pattern| pattern.matches(sender)))
    }

    /// Whom its handler waits for now, 0 for nobody.
    pub fn waits_for(&self) -> u64 {
        self.waits_for.load(Ordering::SeqCst)
    }

    /// Notes whom its handler waits for.
    pub fn wait_for(&self, handle: u64) {
        self.waits_for.store(handle, Ordering::SeqCst);
    }

    /// Grows with each instance it has; 0 before the first.
    pub fn incarnation(&self) -> u64 {
        self.inner().incarnation
    }

    /// The incarnation that has it; while it is vacant the one that comes next.
    pub fn tenant(&self) -> u64 {
        let inner = self.inner();
        inner.incarnation + u64::from(inner.phase == Phase::Vacant)
    }

    /// What its mailbox did, and holds. A message that was handled as it was sent is
    /// counted as what came and went at once.
    pub fn counters(&self) -> MailboxCounters {
        let inner = self.inner();
        let mut counters = inner.mailbox.counters();
        counters.accepted += inner.handled_at_once;
        counters.delivered += inner.handled_at_once;
        counters
    }

    /// Whether it has stopped for good.
    pub fn is_stopped(&self) -> bool {
        self.inner().phase == Phase::Stopped
    }

    /// Whether it has stopped for good, or is about to.
    pub fn is_over(&self) -> bool {
        let inner = self.inner();
        inner.stopping || inner.phase == Phase::Stopped
    }

    /// What it does, in a word.
    pub fn status(&self) -> &'static str {
        let inner = self.inner();
        match inner.phase {
            Phase::Stopped => "stopped",
            _ if inner.stopping => "stopping",
            Phase::Vacant if inner.incarnation == 0 => "starting",
            Phase::Vacant => "failed",
            Phase::Idle | Phase::Queued | Phase::Running | Phase::Away => "running",
        }
    }

    #[inline]
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives it an instance, and says the how-manieth that is.
    ///
    /// # Errors
    ///
    /// The behaviour, if the actor has stopped, or has an instance.
    pub fn occupy(
        self: &Arc<Self>,
        behaviour: Box<dyn Behaviour>,
    ) -> Result<u64, Box<dyn Behaviour>> {
        let mut inner = self.inner();
        if inner.phase != Phase::Vacant || inner.stopping {
            return Err(behaviour);
        }
        inner.interrupt = behaviour.interrupter();
        inner.behaviour = Some(behaviour);
        inner.retiring = false;
        inner.incarnation += 1;
        inner.phase = Phase::Idle;
        let incarnation = inner.incarnation;
        let woken = !inner.mailbox.is_empty() && inner.wake();
        drop(inner);
        if woken {
            self.shared.scheduler.schedule(Arc::clone(self));
        }
        Ok(incarnation)
    }

    /// Whoever asked is told; what nobody waits for is a dead letter.
    fn undelivered(self: &Arc<Self>, mut message: Message, why: Refusal) {
        match std::mem::replace(&mut message.kind, Kind::Tell) {
            Kind::Ask(reply_to) => {
                reply_to.end(Err(why));
            }
            // It says itself what becomes of whoever waits for it.
            Kind::Job(job) => drop(job),
            kind => {
                message.kind = kind;
                self.shared.observer.undelivered(self, message, why);
            }
        }
    }

    /// Asks, if the actor is idle: its handler runs on this thread. `pending` makes
    /// the request that is waited for, if the handler goes on elsewhere.
    #[inline]
    pub fn ask_here(
        self: &Arc<Self>,
        message: Message,
        may_block: bool,
        pending: impl FnOnce() -> Arc<Pending>,
    ) -> AskedHere {
        let Some(mut behaviour) = self.take_idle_for(&message) else {
            return AskedHere::Busy(message);
        };
        self.shared.scheduler.inline(may_block, || {
            let turn = Turn {
                cell: self,
                may_block,
                asked: true,
            };
            let codec = message.codec;
            let outcome = match behaviour.handle(turn, &message) {
                Handled::Served(answer) => self.reply(answer, codec),
                Handled::Refused(why) => Err(self.handler_refused(why)),
                Handled::Ended(exit) => return AskedHere::Ended(Err(self.vacate(behaviour, exit))),
                Handled::Deferred(deferral) => {
                    let pending = pending();
                    deferral.accept(ReplyTo::new(Arc::clone(&pending)));
                    self.go_on(behaviour);
                    return AskedHere::Away(pending);
                }
                Handled::Away(departure) => {
                    let pending = pending();
                    let kind = Kind::Ask(ReplyTo::new(Arc::clone(&pending)));
                    self.leave(behaviour, departure, Message { kind, ..message });
                    return AskedHere::Away(pending);
                }
            };
            self.go_on(behaviour);
            AskedHere::Ended(outcome)
        })
    }

    /// What whoever asked gets: whoever is asked must not flood them.
    #[inline]
    fn reply(&self, answer: Answer, codec: u32) -> Outcome {
        if answer.payload.len() > self.shared.reply_bytes_max {
            return Err(self.reply_too_large(answer.payload.len()));
        }
        Ok(Reply {
            codec: if answer.codec == 0 {
                codec
            } else {
                answer.codec
            },
            payload: answer.payload,
            receipt: answer.receipt,
        })
    }

    #[cold]
    fn reply_too_large(&self, bytes: usize) -> Refusal {
        let most = self.shared.reply_bytes_max;
        let why = format!("its reply of {bytes} bytes is larger than {most}");
        self.handler_refused(HandlerRefusal::Failed(why))
    }

    /// Ends a turn that was taken without the queue.
    #[inline]
    fn go_on(self: &Arc<Self>, behaviour: Box<dyn Behaviour>) {
        if self.rest(self.inner(), behaviour) == Ran::More {
            self.shared.scheduler.schedule(Arc::clone(self));
        }
    }

    /// Takes the handler for a message that the mailbox would take as it is.
    #[inline]
    fn take_idle_for(&self, message: &Message) -> Option<Box<dyn Behaviour>> {
        let mut inner = self.inner();
        // What may expire, or never fits, is the mailbox's to judge.
        if message.expires() || !inner.mailbox.fits_alone(message) {
            return None;
        }
        inner.take_idle()
    }
}

impl Inner {
    #[inline]
    fn take_idle(&mut self) -> Option<Box<dyn Behaviour>> {
        if self.phase != Phase::Idle || self.stopping {
            return None;
        }
        self.phase = Phase::Running;
        self.handled_at_once += 1;
        self.behaviour.take()
    }

    /// Whether the actor has just become runnable.
    #[inline]
    fn wake(&mut self) -> bool {
        if self.phase != Phase::Idle {
            return false;
        }
        self.phase = Phase::Queued;
        true
    }

    fn wake_if_any(&mut self) -> bool {
        !self.mailbox.is_empty() && self.wake()
    }

    #[inline]
    fn now(&self) -> u64 {
        if self.expiring > 0 {
            monotonic_nanoseconds()
        } else {
            0
        }
    }

    /// Lets in who waits for room. Those are to be told outside of the lock.
    #[inline]
    fn admit(&mut self) -> Vec<ReplyTo> {
        if self.mailbox.waiting() == 0 {
            return Vec::new();
        }
        let mut admitted = Vec::new();
        while let Some(number) = self.mailbox.admit() {
            let waiters = self.waiters.get_or_insert_default();
            admitted.extend(waiters.by_number.remove(&number));
        }
        admitted
    }
}

fn tell(admitted: Vec<ReplyTo>) {
    for reply_to in admitted {
        reply_to.end(Ok(Reply {
            codec: 0,
            payload: Payload::EMPTY,
            receipt: None,
        }));
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Cell({:?}, {})", self.name, self.status())
    }
}
