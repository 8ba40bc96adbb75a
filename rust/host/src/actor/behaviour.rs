//! What an actor does with a message.

use super::cell::Cell;
use super::deferral::Deferral;
use super::exit::Exit;
use super::message::Message;
use super::payload::Payload;
use super::refusal::HandlerRefusal;
use crate::instance::Served;
use std::any::Any;
use std::sync::Arc;

/// Handles the messages of one actor, one at a time.
pub trait Behaviour: Send {
    /// Handles a message.
    fn handle(&mut self, turn: Turn<'_>, message: &Message) -> Handled;

    /// Makes a call that runs end as soon as it can; from any thread.
    fn interrupter(&self) -> Option<Arc<dyn Interrupt>> {
        None
    }

    /// For whoever made it.
    fn as_any(&mut self) -> &mut dyn Any;
}

/// Ends a call that runs.
pub trait Interrupt: Send + Sync {
    /// Ends it; the behaviour answers with an [`Exit`].
    fn interrupt(&self);
}

/// One turn of an actor: what its behaviour may want to know beside the message.
pub struct Turn<'a> {
    /// The actor.
    pub cell: &'a Arc<Cell>,
    /// Whether the thread may be held up; that of an event loop may not.
    pub may_block: bool,
    /// Whether somebody waits for a reply.
    pub asked: bool,
}

/// What came of a message.
pub enum Handled {
    /// It was served; the reply is dropped if nobody waits for it.
    Served(Answer),
    /// The reply comes later, through this.
    Deferred(Arc<Deferral>),
    /// The handler refused it.
    Refused(HandlerRefusal),
    /// The instance has ended.
    Ended(Exit),
    /// The handler goes on elsewhere and ends with [`Cell::resume`]. This sends it
    /// off, once the actor is ready to be resumed.
    Away(Departure),
}

/// Starts what goes on elsewhere.
pub type Departure = Box<dyn FnOnce(Arc<Cell>) + Send>;

/// A reply as the behaviour gives it.
pub struct Answer {
    /// The codec of the payload; 0 for that of the message.
    pub codec: u32,
    /// The reply.
    pub payload: Payload,
    /// What it took.
    pub receipt: Option<Box<Served>>,
}

impl Answer {
    /// Nothing to say.
    pub const NONE: Answer = Answer {
        codec: 0,
        payload: Payload::EMPTY,
        receipt: None,
    };
}
