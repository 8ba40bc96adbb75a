//! Who takes what.

use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::RandomState;

use super::trie::{Place, Trie};
use super::{TOPIC_NAMES_MAX, Topic, TopicPattern};

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubscriptionLimits {
    /// Subscriptions of all subscribers.
    pub subscriptions_max: usize,
    /// Subscriptions of one subscriber. Patterns that differ in their wildcards only can all match
    /// one topic, and whoever publishes on it then walks all of them: this bounds what one
    /// subscriber can make others pay.
    pub per_subscriber_max: usize,
    /// Different names at different places in all patterns: what memory goes by. At most
    /// 2^31.
    pub names_max: usize,
}

impl Default for SubscriptionLimits {
    fn default() -> Self {
        Self {
            subscriptions_max: 1_000_000,
            per_subscriber_max: 256,
            names_max: 1_000_000,
        }
    }
}

/// Why a subscription was not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubscriptionsFull {
    /// The subscriber has as many as one may have.
    #[error(
        "the subscriber has {subscriptions} subscriptions, and may have no more; hint: use a wildcard"
    )]
    Subscriber {
        /// How many.
        subscriptions: usize,
    },
    /// There are as many as there may be.
    #[error(
        "there are {subscriptions} subscriptions, and may be no more; hint: unsubscribe what is not needed"
    )]
    Subscriptions {
        /// How many.
        subscriptions: usize,
    },
    /// The patterns together have as many names as they may.
    #[error(
        "the patterns have {names} different names, and there is no room for {more} more; hint: unsubscribe what is not needed"
    )]
    Names {
        /// How many.
        names: usize,
        /// How many the pattern could add.
        more: usize,
    },
}

/// All subscriptions.
///
/// Costs: subscribing and unsubscribing are O(names of the pattern + subscriptions of the
/// subscriber + subscribers of the same pattern), the last two as a search and a move of memory;
/// matching is O(names of the topic) for each chain of wildcards that fits, whatever else there
/// is, and O(found).
#[derive(Debug, Clone)]
pub struct Topics<S> {
    trie: Trie<S>,
    places: HashMap<S, Vec<Place>, RandomState>,
    subscriptions: usize,
    limits: SubscriptionLimits,
}

impl<S: Copy + Ord + Hash> Topics<S> {
    /// No subscriptions yet.
    pub fn new(limits: SubscriptionLimits) -> Self {
        Self {
            trie: Trie::new(),
            places: HashMap::default(),
            subscriptions: 0,
            limits,
        }
    }

    /// Lets a subscriber take what a pattern matches. Returns whether that is new: subscribing
    /// again changes nothing.
    ///
    /// # Errors
    ///
    /// [`SubscriptionsFull`]; nothing was changed.
    pub fn subscribe(
        &mut self,
        subscriber: S,
        pattern: &TopicPattern,
    ) -> Result<bool, SubscriptionsFull> {
        if self.has(subscriber, pattern) {
            return Ok(false);
        }
        self.check_room(subscriber, pattern)?;
        let place = self.trie.make(pattern);
        self.trie.insert(place, subscriber);
        self.places.entry(subscriber).or_default().push(place);
        self.subscriptions += 1;
        Ok(true)
    }

    /// Ends a subscription. Returns whether there was one.
    pub fn unsubscribe(&mut self, subscriber: S, pattern: &TopicPattern) -> bool {
        let Some(place) = self.trie.find(pattern) else {
            return false;
        };
        if !self.trie.remove(place, subscriber) {
            return false;
        }
        if let Some(places) = self.places.get_mut(&subscriber) {
            if let Some(index) = places.iter().position(|&one| one == place) {
                places.swap_remove(index);
            }
            if places.is_empty() {
                self.places.remove(&subscriber);
            }
        }
        self.subscriptions -= 1;
        true
    }

    /// Ends all subscriptions of a subscriber. Returns how many there were.
    pub fn remove(&mut self, subscriber: S) -> usize {
        let places = self.places.remove(&subscriber).unwrap_or_default();
        for &place in &places {
            self.trie.remove(place, subscriber);
        }
        self.subscriptions -= places.len();
        places.len()
    }

    /// Appends everybody who takes a topic to `found`, once each, however many of their patterns
    /// match; in ascending order.
    #[inline]
    pub fn collect(&self, topic: Topic<'_>, found: &mut Vec<S>) {
        self.trie.collect(topic, found);
    }

    /// Whether a subscriber has subscribed to just this pattern.
    pub fn has(&self, subscriber: S, pattern: &TopicPattern) -> bool {
        self.trie
            .find(pattern)
            .is_some_and(|place| self.trie.has(place, subscriber))
    }

    /// Whether a subscriber has any subscription.
    pub fn is_subscriber(&self, subscriber: S) -> bool {
        self.places.contains_key(&subscriber)
    }

    /// The patterns of a subscriber, as it wrote them, in no particular order.
    pub fn patterns_of(&self, subscriber: S) -> Vec<String> {
        let places = self.places.get(&subscriber).into_iter().flatten();
        places.map(|&place| self.trie.text(place)).collect()
    }

    /// Subscriptions there are.
    pub fn len(&self) -> usize {
        self.subscriptions
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.subscriptions == 0
    }

    /// Different names at different places in the patterns.
    pub fn names(&self) -> usize {
        self.trie.len() - 1
    }

    fn check_room(&self, subscriber: S, pattern: &TopicPattern) -> Result<(), SubscriptionsFull> {
        let subscriptions = self.places.get(&subscriber).map_or(0, Vec::len);
        if subscriptions >= self.limits.per_subscriber_max {
            return Err(SubscriptionsFull::Subscriber { subscriptions });
        }
        let subscriptions = self.subscriptions;
        if subscriptions >= self.limits.subscriptions_max {
            return Err(SubscriptionsFull::Subscriptions { subscriptions });
        }
        let names = self.names();
        let more = match self.trie.find(pattern) {
            Some(_) => 0,
            None => pattern.names().count(),
        };
        debug_assert!(more <= TOPIC_NAMES_MAX, "a pattern is bounded");
        if names + more > self.limits.names_max.min(1 << 31) {
            return Err(SubscriptionsFull::Names { names, more });
        }
        Ok(())
    }
}
