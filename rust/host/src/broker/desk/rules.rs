//! What an instance may say to whom.

use crate::actor::Cell;
use crate::messaging::MessagingError;
use airssys_core::address::{AddressPattern, ComponentId};
use airssys_core::topics::{Topic, TopicPattern};
use foldhash::HashSet;
use std::sync::{Mutex, PoisonError};

/// Receivers whose permission is remembered; more are looked up each time.
const REMEMBERED_MAX: usize = 4096;

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
}

impl Rules {
    pub(super) fn new(granted: Granted) -> Rules {
        Rules {
            granted,
            allowed: Mutex::default(),
        }
    }

    /// Whether it may know of an address at all.
    pub(super) fn may_name(&self, id: &ComponentId) -> Result<(), MessagingError> {
        if self.granted.send.iter().any(|pattern| pattern.matches(id)) {
            return Ok(());
        }
        Err(MessagingError::Denied(format!("messaging.send {id}")))
    }

    /// Whether it may send to an actor, which must want to hear it.
    #[inline]
    pub(super) fn may_send(&self, own: &ComponentId, to: &Cell) -> Result<(), MessagingError> {
        let allowed = self.allowed.lock().unwrap_or_else(PoisonError::into_inner);
        if allowed.contains(&to.handle()) {
            return Ok(());
        }
        drop(allowed);
        self.decide(own, to)
    }

    #[cold]
    fn decide(&self, own: &ComponentId, to: &Cell) -> Result<(), MessagingError> {
        let Ok(id) = ComponentId::parse(to.name()) else {
            return Err(MessagingError::NotFound);
        };
        self.may_name(&id)?;
        if !to.hears(own) {
            // Of the receiver's grant the sender learns nothing.
            return Err(MessagingError::Denied(format!("messaging.send {id}")));
        }
        let mut allowed = self.allowed.lock().unwrap_or_else(PoisonError::into_inner);
        if allowed.len() < REMEMBERED_MAX {
            allowed.insert(to.handle());
        }
        Ok(())
    }

    pub(super) fn may_publish(&self, topic: &str) -> Result<(), MessagingError> {
        let parsed = Topic::parse(topic).map_err(invalid)?;
        if self
            .granted
            .publish
            .iter()
            .any(|pattern| pattern.matches(parsed))
        {
            return Ok(());
        }
        Err(MessagingError::Denied(format!("messaging.publish {topic}")))
    }

    pub(super) fn may_subscribe(&self, pattern: &str) -> Result<(), MessagingError> {
        let parsed = TopicPattern::parse(pattern).map_err(invalid)?;
        if self
            .granted
            .subscribe
            .iter()
            .any(|outer| outer.contains(&parsed))
        {
            return Ok(());
        }
        Err(MessagingError::Denied(format!(
            "messaging.subscribe {pattern}"
        )))
    }
}

fn invalid(error: impl std::fmt::Display) -> MessagingError {
    MessagingError::InvalidArgument(error.to_string())
}
