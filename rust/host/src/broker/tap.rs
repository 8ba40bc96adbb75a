//! What an actor is handed, told to somebody outside who has no part in it.

use super::Broker;
use super::feed::Feed;
use super::topics::Published;
use crate::actor::{Behaviour, Cell, Handled, Interrupt, Kind, Message, Turn};
use airssys_core::mailbox;
use std::any::Any;
use std::sync::{Arc, Weak};

/// Hands messages on, and a copy of each to a feed. Actors nobody looks at do without.
struct Tapped {
    inner: Box<dyn Behaviour>,
    feed: Arc<Feed<Published>>,
    broker: Weak<Broker>,
}

impl Behaviour for Tapped {
    fn handle(&mut self, turn: Turn<'_>, message: &Message) -> Handled {
        let kind = match &message.kind {
            Kind::Published(topic) => Kind::Published(Arc::clone(topic)),
            Kind::Tell | Kind::Ask(_) | Kind::Job(_) => Kind::Tell,
        };
        let copy = message.copy(kind);
        let broker = self.broker.upgrade();
        let sender = broker.and_then(|broker| broker.name_of(message.sender));
        let bytes = mailbox::Message::bytes(&copy);
        let published = Published {
            message: copy,
            sender,
            asked: turn.asked,
        };
        drop(self.feed.push(published, bytes));
        self.inner.handle(turn, message)
    }

    fn interrupter(&self) -> Option<Arc<dyn Interrupt>> {
        self.inner.interrupter()
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self.inner.as_any()
    }
}

impl Broker {
    /// Has `feed` get a copy of each message that an actor is handed, by all instances it
    /// has from now on.
    pub fn tap(&self, cell: &Cell, feed: Arc<Feed<Published>>) {
        cell.set_tap(feed);
    }

    /// Gives an actor an instance, as [`Cell::occupy`] does, and says the how-manieth.
    ///
    /// # Errors
    ///
    /// The actor has stopped, or has an instance.
    pub fn occupy(
        self: &Arc<Self>,
        cell: &Arc<Cell>,
        inner: Box<dyn Behaviour>,
    ) -> Result<u64, Box<dyn Behaviour>> {
        let Some(feed) = cell.tap() else {
            return cell.occupy(inner);
        };
        cell.occupy(Box::new(Tapped {
            inner,
            feed: Arc::clone(feed),
            broker: Arc::downgrade(self),
        }))
    }
}
