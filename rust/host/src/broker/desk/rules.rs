//! What an instance may say to whom.

use crate::actor::Cell;
use airssys_core::address::{AddressPattern, ComponentId};
use airssys_core::topics::{Topic, TopicPattern};
use foldhash::HashSet;
use std::sync::{Mutex, PoisonError};

/// Receivers whose permission is remembered; more are looked up each time.
const REMEMBERED_MAX: usize = 4096;

/// Denials of one instance that are told of; what it is denied again is only counted.
const DENIALS_TOLD_MAX: usize = 64;

/// What was not granted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Denied {
    /// The grant it takes, as `messaging.send`.
    pub action: &'static str,
    /// The address, topic or pattern.
    pub resource: String,
    /// Whether it is the receiver who does not hear the sender.
    pub by_receiver: bool,
}

/// Why something may not be said.
pub(super) enum No {
    /// It is no address or topic.
    Invalid(String),
    /// There is nobody of that address.
    NotFound,
    /// It was not granted.
    Denied(Denied),
}

impl No {
    fn denied(action: &'static str, resource: &(impl ToString + ?Sized)) -> No {
        No::Denied(Denied {
            action,
            resource: resource.to_string(),
            by_receiver: false,
        })
    }
}

/// The messaging an instance was granted; nothing else is allowed.
#[derive(Clone, Debug, Default)]
pub struct Granted {
    /// Whom it may send to and ask.
    pub send: Vec<AddressPattern>,
    /// Topics it may publish on.
    pub publish: Vec<TopicPattern>,
    /// Topics it may take.
    pub subscribe: Vec<TopicPattern>,
}

/// The same, with what was found out already.
pub(super) struct Rules {
    granted: Granted,
    /// Handles it may send to. A handle is never another actor's, and what an actor
    /// hears does not change.
    allowed: Mutex<HashSet<u64>>,
    /// What it was denied already.
    denials: Mutex<HashSet<Denied>>,
}

impl Rules {
    pub(super) fn new(granted: Granted) -> Rules {
        Rules {
            granted,
            allowed: Mutex::default(),
            denials: Mutex::default(),
        }
    }

    /// Whether a denial is worth telling of: a guest may try as often as it likes.
    pub(super) fn is_news(&self, denied: &Denied) -> bool {
        let mut denials = self.denials.lock().unwrap_or_else(PoisonError::into_inner);
        denials.len() < DENIALS_TOLD_MAX && denials.insert(denied.clone())
    }

    /// Whether it may know of an address at all.
    pub(super) fn may_name(&self, id: &ComponentId) -> Result<(), No> {
        if self.granted.send.iter().any(|pattern| pattern.matches(id)) {
            return Ok(());
        }
        Err(No::denied("messaging.send", id))
    }

    /// Whether it may send to an actor, which must want to hear it.
    #[inline]
    pub(super) fn may_send(&self, own: &ComponentId, to: &Cell) -> Result<(), No> {
        let allowed = self.allowed.lock().unwrap_or_else(PoisonError::into_inner);
        if allowed.contains(&to.handle()) {
            return Ok(());
        }
        drop(allowed);
        self.decide(own, to)
    }

    #[cold]
    fn decide(&self, own: &ComponentId, to: &Cell) -> Result<(), No> {
        let Ok(id) = ComponentId::parse(to.name()) else {
            return Err(No::NotFound);
        };
        self.may_name(&id)?;
        if !to.hears(own) {
            return Err(No::Denied(Denied {
                action: "messaging.send",
                resource: id.to_string(),
                by_receiver: true,
            }));
        }
        let mut allowed = self.allowed.lock().unwrap_or_else(PoisonError::into_inner);
        if allowed.len() < REMEMBERED_MAX {
            allowed.insert(to.handle());
        }
        Ok(())
    }

    pub(super) fn may_publish(&self, topic: &str) -> Result<(), No> {
        let parsed = Topic::parse(topic).map_err(invalid)?;
        if self
            .granted
            .publish
            .iter()
            .any(|pattern| pattern.matches(parsed))
        {
            return Ok(());
        }
        Err(No::denied("messaging.publish", topic))
    }

    pub(super) fn may_subscribe(&self, pattern: &str) -> Result<(), No> {
        let parsed = TopicPattern::parse(pattern).map_err(invalid)?;
        if self
            .granted
            .subscribe
            .iter()
            .any(|outer| outer.contains(&parsed))
        {
            return Ok(());
        }
        Err(No::denied("messaging.subscribe", pattern))
    }
}

fn invalid(error: impl std::fmt::Display) -> No {
    No::Invalid(error.to_string())
}
