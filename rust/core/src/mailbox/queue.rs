//! The mailbox itself.

use super::lanes::Lanes;
use super::{
    Left, MailboxCounters, MailboxLimits, Message, Pop, Priority, Push, Refusal, Shed, WaitRefused,
    Waiting, WhenFull,
};

/// A bounded queue of messages with lanes; see the [module](super).
#[derive(Debug)]
pub struct Mailbox<M> {
    lanes: Lanes<M>,
    counters: MailboxCounters,
    limits: MailboxLimits,
    closed: bool,
}

impl<M: Message> Mailbox<M> {
    /// An empty, open mailbox. It allocates nothing.
    pub fn new(limits: MailboxLimits) -> Self {
        Self {
            lanes: Lanes::default(),
            counters: MailboxCounters::default(),
            limits,
            closed: false,
        }
    }

    /// Puts a message into its lane, or says why not.
    ///
    /// `now` is the owner's monotonic clock in nanoseconds. It matters only if the mailbox is
    /// full: then messages at the head of a lane whose time is over make way before the policy
    /// is asked. While senders wait for room nobody passes them, even where there is room.
    #[inline]
    pub fn push(&mut self, message: M, now: u64) -> Push<M> {
        let bytes = message.bytes();
        if !self.closed && self.has_room(bytes) && self.lanes.waiting_len() == 0 {
            self.accept(message, bytes);
            return Push::Accepted;
        }
        self.push_into_full(message, bytes, now)
    }

    /// Puts a message into the system lane: before all others, never refused for want of room.
    ///
    /// # Errors
    ///
    /// The message itself, if the mailbox is closed.
    pub fn push_system(&mut self, message: M) -> Result<(), M> {
        if self.closed {
            return Err(message);
        }
        self.lanes.push_system(message);
        Ok(())
    }

    /// Takes the next message, a system message first. `now` as for [`push`](Self::push).
    #[inline]
    pub fn pop(&mut self, now: u64) -> Pop<M> {
        if let Some(message) = self.lanes.pop_system() {
            return Pop::Message(message);
        }
        let Some(message) = self.lanes.pop() else {
            return Pop::Empty;
        };
        self.forget(message.bytes());
        if message.expires_after() < now {
            self.counters.expired += 1;
            return Pop::Expired(message);
        }
        self.counters.delivered += 1;
        Pop::Message(message)
    }

    /// Takes the next message if it is one of the system.
    #[inline]
    pub fn pop_system(&mut self) -> Option<M> {
        self.lanes.pop_system()
    }

    /// Takes at most `max` messages in the order of [`pop`](Self::pop), appends those to handle
    /// to `ready` and those whose time is over to `expired`. Returns how many it took.
    ///
    /// A system message that comes while a batch is handled overtakes it only if the owner looks:
    /// [`pop_system`](Self::pop_system) between two messages.
    pub fn drain_into(
        &mut self,
        ready: &mut Vec<M>,
        expired: &mut Vec<M>,
        max: usize,
        now: u64,
    ) -> usize {
        for taken in 0..max {
            match self.pop(now) {
                Pop::Empty => return taken,
                Pop::Message(message) => ready.push(message),
                Pop::Expired(message) => expired.push(message),
            }
        }
        max
    }

    /// Lets a message wait for room behind those that wait already; [`admit`](Self::admit) says
    /// when it got in. The number `waiter` is the owner's, and should wait only once at a time.
    /// Unless the mailbox was locked since [`push`](Self::push) found it full, ask `admit` at
    /// once: the room may have come in between.
    ///
    /// # Errors
    ///
    /// [`WaitRefused`] with the message: too many wait, it can never fit, or the mailbox is
    /// closed.
    pub fn wait(&mut self, waiter: u64, message: M) -> Result<(), WaitRefused<M>> {
        let refused = if self.closed {
            WaitRefused::Closed
        } else if message.bytes() > self.limits.bytes_max {
            WaitRefused::TooLarge
        } else if self.lanes.waiting_len() >= self.limits.waiting_max as usize {
            WaitRefused::Crowded
        } else {
            self.lanes.wait(Waiting { waiter, message });
            return Ok(());
        };
        self.counters.rejected += 1;
        Err(refused(message))
    }

    /// Accepts the message that waits longest, if it fits now, and returns whom to tell. Call it
    /// after taking messages out, and after [`withdraw`](Self::withdraw), until it returns none.
    #[inline]
    pub fn admit(&mut self) -> Option<u64> {
        let bytes = self.lanes.first_waiting()?.message.bytes();
        if !self.has_room(bytes) {
            return None;
        }
        let Waiting { waiter, message } = self.lanes.pop_waiting()?;
        self.accept(message, bytes);
        Some(waiter)
    }

    /// Takes back a message that still waits for room: its sender gave up. O(waiting).
    pub fn withdraw(&mut self, waiter: u64) -> Option<M> {
        Some(self.lanes.withdraw(waiter)?.message)
    }

    /// Closes for good and hands back everything that was inside. Closing twice finds nothing.
    pub fn close(&mut self) -> Left<M> {
        self.closed = true;
        let lanes = &mut self.lanes;
        let left = Left {
            system: std::iter::from_fn(|| lanes.pop_system()).collect(),
            messages: std::iter::from_fn(|| lanes.pop()).collect(),
            waiting: std::iter::from_fn(|| lanes.pop_waiting()).collect(),
        };
        self.counters.left += left.messages.len() as u64;
        self.counters.messages = 0;
        self.counters.bytes = 0;
        self.lanes.release();
        left
    }

    /// Gives back the memory of empty lanes, for an actor that has been idle for a while.
    pub fn release(&mut self) {
        self.lanes.release();
    }

    /// Whether nothing waits to be handled.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.counters.messages == 0 && self.lanes.system_len() == 0
    }

    /// Messages that wait to be handled, those of the system included.
    pub fn len(&self) -> usize {
        self.counters.messages as usize + self.lanes.system_len()
    }

    /// Whether a system message waits.
    #[inline]
    pub fn has_system(&self) -> bool {
        self.lanes.system_len() > 0
    }

    /// Senders that wait for room.
    #[inline]
    pub fn waiting(&self) -> usize {
        self.lanes.waiting_len()
    }

    /// Whether it was closed.
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether a message would have room if it were the only one.
    #[inline]
    pub fn fits_alone(&self, message: &M) -> bool {
        message.bytes() <= self.limits.bytes_max
    }

    /// What it did, and what it holds.
    pub fn counters(&self) -> MailboxCounters {
        self.counters
    }

    /// Its limits.
    pub fn limits(&self) -> MailboxLimits {
        self.limits
    }

    /// Slots that it holds memory for.
    pub fn slots(&self) -> usize {
        self.lanes.slots()
    }

    /// The messages that wait, those of the system left out, in the order of their turn.
    pub fn iter(&self) -> impl Iterator<Item = &M> {
        [Priority::High, Priority::Normal, Priority::Low]
            .into_iter()
            .flat_map(|lane| self.lanes.iter(lane))
    }

    #[inline]
    fn has_room(&self, bytes: usize) -> bool {
        // Never overflows: what is inside is within the bound.
        self.counters.messages < self.limits.messages_max
            && bytes <= self.limits.bytes_max - self.counters.bytes
    }

    #[inline]
    fn accept(&mut self, message: M, bytes: usize) {
        let counters = &mut self.counters;
        counters.accepted += 1;
        counters.messages += 1;
        counters.bytes += bytes;
        counters.messages_peak = counters.messages_peak.max(counters.messages);
        counters.bytes_peak = counters.bytes_peak.max(counters.bytes);
        self.lanes.push(message.priority(), message, bytes);
    }

    #[inline]
    fn forget(&mut self, bytes: usize) {
        self.counters.messages -= 1;
        // A message that changed its size must not take the mailbox with it.
        self.counters.bytes = self.counters.bytes.saturating_sub(bytes);
    }

    #[cold]
    fn push_into_full(&mut self, message: M, bytes: usize, now: u64) -> Push<M> {
        if self.closed {
            return self.refuse(Refusal::Closed, message, Vec::new());
        }
        if bytes > self.limits.bytes_max {
            return self.refuse(Refusal::TooLarge, message, Vec::new());
        }
        let mut shed = Vec::new();
        if self.lanes.waiting_len() == 0 {
            self.shed_expired(bytes, now, &mut shed);
            if self.limits.when_full == WhenFull::DropOldest {
                self.shed_oldest(message.priority(), bytes, &mut shed);
            }
            if self.has_room(bytes) {
                self.accept(message, bytes);
                return Push::AcceptedShedding(shed);
            }
        }
        let why = match self.limits.when_full {
            WhenFull::Block => Refusal::Full,
            WhenFull::Reject => Refusal::Rejected,
            WhenFull::DropNewest | WhenFull::DropOldest => Refusal::Dropped,
        };
        self.refuse(why, message, shed)
    }

    /// Takes out what is expired at the head of a lane until `bytes` fit.
    fn shed_expired(&mut self, bytes: usize, now: u64, shed: &mut Vec<Shed<M>>) {
        for lane in [Priority::Low, Priority::Normal, Priority::High] {
            while !self.has_room(bytes) {
                let over = |message: &M| message.expires_after() < now;
                let Some(message) = self.lanes.pop_if(lane, over) else {
                    break;
                };
                self.forget(message.bytes());
                self.counters.expired += 1;
                shed.push(Shed::Expired(message));
            }
        }
    }

    /// Takes out the oldest of what is not above `newcomer` until `bytes` fit; nothing, if they
    /// would not fit even then.
    fn shed_oldest(&mut self, newcomer: Priority, bytes: usize, shed: &mut Vec<Shed<M>>) {
        let bytes_above = self.lanes.bytes_above(newcomer, self.counters.bytes);
        if bytes_above > self.limits.bytes_max - bytes {
            return;
        }
        while !self.has_room(bytes) {
            let Some(message) = self.lanes.pop_least(newcomer) else {
                return;
            };
            self.forget(message.bytes());
            self.counters.displaced += 1;
            shed.push(Shed::Displaced(message));
        }
    }

    fn refuse(&mut self, why: Refusal, message: M, shed: Vec<Shed<M>>) -> Push<M> {
        match why {
            Refusal::Full => self.counters.full += 1,
            Refusal::Dropped => self.counters.dropped += 1,
            Refusal::Rejected | Refusal::TooLarge | Refusal::Closed => self.counters.rejected += 1,
        }
        Push::Refused { why, message, shed }
    }
}
