//! Publish–subscribe: who takes which topic, and what is published.
//!
//! Publishers read a version of the table that nobody changes meanwhile, without a
//! lock. There are two: a change is made to the one that nobody reads, the two are
//! swapped, and the other one is changed with the next change. So it copies nothing,
//! unless a publisher is held up for long in the version that it reads.
//!
//! A publisher never waits for a subscriber. Each mailbox has its own policy; where
//! that is to let senders wait, a published message that finds no room is a dead
//! letter, as where it is to refuse.

use super::Broker;
use super::feed::Feed;
use crate::actor::{Cell, Kind, Message, Refusal, Sent};
use airssys_core::topics::{SubscriptionLimits, SubscriptionsFull, Topic, TopicPattern, Topics};
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// How often a change looks whether the last publisher has left before it copies.
const LOOKS_MAX: u32 = 200;

/// Who takes what is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Subscriber {
    /// One instance of an actor: its subscriptions end with it.
    Actor { handle: u64, incarnation: u64 },
    /// Somebody outside.
    Listener(u64),
}

/// What a listener gets.
#[derive(Debug)]
pub struct Published {
    /// The message; its kind says the topic.
    pub message: Message,
    /// Address of the sender; none for the embedder.
    pub sender: Option<Arc<str>>,
    /// Whether somebody waits for a reply to the message itself.
    pub asked: bool,
}

/// One version.
#[derive(Clone)]
struct Table {
    topics: Topics<Subscriber>,
    listeners: HashMap<u64, Arc<Feed<Published>>>,
}

#[derive(Clone)]
enum Change {
    Subscribe(Subscriber, TopicPattern),
    Unsubscribe(Subscriber, TopicPattern),
    Listen(u64, TopicPattern, Arc<Feed<Published>>),
    Remove(Subscriber),
}

impl Table {
    /// Says whether anything changed. The same changes to the same table end the same.
    fn apply(&mut self, change: &Change) -> Result<bool, SubscriptionsFull> {
        match change {
            Change::Subscribe(who, pattern) => self.topics.subscribe(*who, pattern),
            Change::Unsubscribe(who, pattern) => Ok(self.topics.unsubscribe(*who, pattern)),
            Change::Listen(number, pattern, feed) => {
                self.topics
                    .subscribe(Subscriber::Listener(*number), pattern)?;
                self.listeners.insert(*number, Arc::clone(feed));
                Ok(true)
            }
            Change::Remove(who) => {
                if let Subscriber::Listener(number) = who {
                    self.listeners.remove(number);
                }
                Ok(self.topics.remove(*who) > 0)
            }
        }
    }
}

/// The version that nobody reads, but for publishers that are about to leave it.
struct Spare {
    table: Arc<Table>,
    /// What was done to the other one.
    behind: Option<Change>,
}

/// All subscriptions of a host.
pub(super) struct Subscriptions {
    read: ArcSwap<Table>,
    spare: Mutex<Spare>,
    next_listener: AtomicU64,
}

impl Subscriptions {
    pub(super) fn new() -> Subscriptions {
        let table = Table {
            topics: Topics::new(SubscriptionLimits::default()),
            listeners: HashMap::new(),
        };
        Subscriptions {
            read: ArcSwap::from_pointee(table.clone()),
            spare: Mutex::new(Spare {
                table: Arc::new(table),
                behind: None,
            }),
            next_listener: AtomicU64::new(1),
        }
    }

    fn spare(&self) -> MutexGuard<'_, Spare> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: Change) -> Result<bool, SubscriptionsFull> {
        let mut spare = self.spare();
        let behind = spare.behind.take();
        let table = spare.unshared();
        if let Some(behind) = behind {
            // It went well with the other one, which is the same.
            let _ = table.apply(&behind);
        }
        if !table.apply(&change)? {
            return Ok(false);
        }
        let fresh = Arc::clone(&spare.table);
        spare.table = self.read.swap(fresh);
        spare.behind = Some(change);
        Ok(true)
    }

    fn remove(&self, who: Subscriber) {
        // Asked first: most have none. Only they themselves would add any.
        if self.read.load().topics.is_subscriber(who) {
            let _ = self.change(Change::Remove(who));
        }
    }

    /// Whether nobody has subscribed to anything.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.read.load().topics.is_empty()
    }

    /// Ends what listeners get: nothing is published any more.
    pub(super) fn close(&self) {
        let table = self.read.load_full();
        for feed in table.listeners.values() {
            feed.close();
        }
    }

    /// Ends the subscriptions of one instance.
    pub(super) fn remove_instance(&self, handle: u64, incarnation: u64) {
        self.remove(Subscriber::Actor {
            handle,
            incarnation,
        });
    }

    fn takers(&self, topic: Topic<'_>) -> (Vec<Arc<Feed<Published>>>, Vec<u64>) {
        let (mut listeners, mut actors) = (Vec::new(), Vec::new());
        let mut found = Vec::new();
        let table = self.read.load();
        table.topics.collect(topic, &mut found);
        for who in found {
            match who {
                // Two instances of one actor follow each other.
                Subscriber::Actor { handle, .. } if actors.last() == Some(&handle) => {}
                Subscriber::Actor { handle, .. } => actors.push(handle),
                Subscriber::Listener(number) => {
                    listeners.extend(table.listeners.get(&number).map(Arc::clone));
                }
            }
        }
        (listeners, actors)
    }
}

impl Spare {
    fn unshared(&mut self) -> &mut Table {
        for _ in 0..LOOKS_MAX {
            if Arc::get_mut(&mut self.table).is_some() {
                break;
            }
            thread::yield_now();
        }
        Arc::make_mut(&mut self.table)
    }
}

/// A listener's subscription; dropped, it ends.
pub struct Subscription {
    broker: Arc<Broker>,
    number: u64,
    feed: Arc<Feed<Published>>,
}

impl Subscription {
    /// What comes.
    pub fn feed(&self) -> &Arc<Feed<Published>> {
        &self.feed
    }

    /// Ends it; what came before can still be taken.
    pub fn end(&self) {
        self.broker.topics.remove(Subscriber::Listener(self.number));
        self.feed.close();
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.end();
    }
}

fn pattern(text: &str) -> Result<TopicPattern, Refusal> {
    TopicPattern::parse(text).map_err(|error| Refusal::Topic(Box::new(error)))
}

fn instance_of(cell: &Cell) -> Subscriber {
    Subscriber::Actor {
        handle: cell.handle(),
        incarnation: cell.tenant(),
    }
}

impl Broker {
    /// Lets the present instance of an actor, or the one that is being made, take
    /// what is published on topics that match. Says whether that is new.
    ///
    /// # Errors
    ///
    /// [`Refusal::Topic`] if the pattern is not written as it must be,
    /// [`Refusal::Subscriptions`] if there are too many, [`Refusal::Stopped`].
    pub fn subscribe(&self, cell: &Arc<Cell>, pattern: &str) -> Result<bool, Refusal> {
        let pattern = self::pattern(pattern)?;
        let who = instance_of(cell);
        let subscribed = self.topics.change(Change::Subscribe(who, pattern));
        if cell.is_stopped() {
            self.topics.remove(who);
            return Err(Refusal::Stopped(Arc::clone(cell.name())));
        }
        subscribed.map_err(Refusal::Subscriptions)
    }

    /// Ends a subscription of an actor. Says whether there was one.
    ///
    /// # Errors
    ///
    /// [`Refusal::Topic`] if the pattern is not written as it must be.
    pub fn unsubscribe(&self, cell: &Arc<Cell>, pattern: &str) -> Result<bool, Refusal> {
        let change = Change::Unsubscribe(instance_of(cell), self::pattern(pattern)?);
        self.topics.change(change).map_err(Refusal::Subscriptions)
    }

    /// Ends all subscriptions of the instance that is being made: it never came to be.
    pub fn forget_subscriptions(&self, cell: &Cell) {
        self.topics.remove(instance_of(cell));
    }

    /// Lets somebody outside listen.
    ///
    /// # Errors
    ///
    /// As for [`subscribe`](Self::subscribe); [`Refusal::Closing`].
    pub fn listen(
        self: &Arc<Self>,
        pattern: &str,
        feed: Arc<Feed<Published>>,
    ) -> Result<Subscription, Refusal> {
        let pattern = self::pattern(pattern)?;
        self.refuse_forked()?;
        let number = self.topics.next_listener.fetch_add(1, Ordering::Relaxed);
        self.topics
            .change(Change::Listen(number, pattern, Arc::clone(&feed)))
            .map_err(Refusal::Subscriptions)?;
        let subscription = Subscription {
            broker: Arc::clone(self),
            number,
            feed,
        };
        if self.is_closing() {
            return Err(Refusal::Closing);
        }
        Ok(subscription)
    }

    /// Publishes a message: says how many took it. Subscribers that are idle may run
    /// on this thread; none holds it up.
    ///
    /// # Errors
    ///
    /// [`Refusal::Topic`] if the topic is not written as it must be,
    /// [`Refusal::TooLarge`], [`Refusal::Closing`].
    pub fn publish(
        &self,
        message: &Message,
        topic: &str,
        may_block: bool,
    ) -> Result<usize, Refusal> {
        let parsed = Topic::parse(topic).map_err(|error| Refusal::Topic(Box::new(error)))?;
        self.check_size(&message.payload)?;
        self.refuse_forked()?;
        if self.is_closing() {
            return Err(Refusal::Closing);
        }
        let (listeners, actors) = self.topics.takers(parsed);
        if listeners.is_empty() && actors.is_empty() {
            return Ok(0);
        }
        let topic: Arc<str> = topic.into();
        let copy = || message.copy(Kind::Published(Arc::clone(&topic)));
        let mut taken = self.hand_out(message.sender, &listeners, &copy);
        if !actors.is_empty() {
            // All are queued before the first runs, and share one turn of this thread.
            self.shared.scheduler.inline(may_block, || {
                for cell in actors.iter().filter_map(|&handle| self.by_handle(handle)) {
                    taken += usize::from(self.deliver(&cell, copy()));
                }
            });
        }
        Ok(taken)
    }

    fn hand_out(
        &self,
        sender: u64,
        listeners: &[Arc<Feed<Published>>],
        message: &dyn Fn() -> Message,
    ) -> usize {
        if listeners.is_empty() {
            return 0;
        }
        let name = self.name_of(sender);
        for feed in listeners {
            let message = message();
            let bytes = airssys_core::mailbox::Message::bytes(&message);
            let sender = name.clone();
            let published = Published {
                message,
                sender,
                asked: false,
            };
            drop(feed.push(published, bytes));
        }
        listeners.len()
    }

    fn deliver(&self, cell: &Arc<Cell>, message: Message) -> bool {
        if let Err(why) = cell.reads(message.codec, false) {
            self.post(cell.name(), message, why);
            return false;
        }
        match cell.send(message) {
            Sent::Accepted => true,
            Sent::Full(message) => {
                self.post(cell.name(), message, cell.full());
                false
            }
            // Its subscriptions are over.
            Sent::Refused(_, Refusal::Stopped(_)) => false,
            Sent::Refused(message, why) => {
                self.post(cell.name(), message, why);
                false
            }
        }
    }
}
