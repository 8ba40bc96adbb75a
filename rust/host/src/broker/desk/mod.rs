//! The messaging of one instance: what it says, for whom it waits, and what it owes.
//!
//! A desk belongs to one instance of one actor and is gone with it. So nothing of an
//! earlier instance is taken for a later one's, and nobody else can use its name.

mod envelope;
mod requests;
mod rules;
mod told;
mod waits;

pub use rules::{Denied, Granted};

use super::{Broker, Room};
use crate::actor::{Cell, Kind, Message, Payload, Sent, monotonic_nanoseconds};
use crate::broker::Asked;
use crate::messaging::{
    Address, BroadcastFailure, Encoded, Envelope, MessageError, MessagingError, Post, Priority,
    SendOptions, Told, Wait,
};
use airssys_core::address::ComponentId;
use airssys_core::mailbox;
use envelope::Handling;
use requests::Requests;
use rules::{No, Rules};
use std::cell::Cell as Counter;
use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::time::Duration;
use waits::{Awaited, Waits};

/// Handlers that ask each other on one stack; the next one is asked through its
/// mailbox, by another turn.
const NESTED_MAX: u32 = 8;

thread_local! {
    static NESTED: Counter<u32> = const { Counter::new(0) };
}

/// The desk of one instance.
pub struct Desk {
    this: Weak<Desk>,
    broker: Weak<Broker>,
    cell: Arc<Cell>,
    id: ComponentId,
    rules: Rules,
    handling: Handling,
    requests: Requests,
}

/// Whom a message goes to.
type Receiver = (Arc<Broker>, Arc<Cell>);

impl Desk {
    /// The desk of the instance that `cell` is about to have.
    ///
    /// # Errors
    ///
    /// If the actor has no address.
    pub fn new(
        broker: &Arc<Broker>,
        cell: &Arc<Cell>,
        granted: Granted,
    ) -> Result<Arc<Desk>, airssys_core::address::AddressError> {
        let id = ComponentId::parse(cell.name())?;
        Ok(Arc::new_cyclic(|this| Desk {
            this: Weak::clone(this),
            broker: Arc::downgrade(broker),
            cell: Arc::clone(cell),
            id,
            rules: Rules::new(granted),
            handling: Handling::default(),
            requests: Requests::default(),
        }))
    }

    fn broker(&self) -> Told<Arc<Broker>> {
        self.broker
            .upgrade()
            .ok_or_else(|| MessagingError::Unavailable("the host is closed".to_owned()))
    }

    fn receiver(&self, handle: u64) -> Told<Receiver> {
        let broker = self.broker()?;
        let cell = broker.by_handle(handle).ok_or(MessagingError::NotFound)?;
        self.ruled(self.rules.may_send(&self.id, &cell))
            .map_err(|why| self.of_handle(handle, &cell, why))?;
        self.may_send_more(1)?;
        let member = Arc::clone(cell.route(self.cell.handle(), None));
        Ok((broker, member))
    }

    /// A guest may try numbers: those it was not told of by the host name nobody.
    #[cold]
    fn of_handle(&self, handle: u64, cell: &Cell, why: MessagingError) -> MessagingError {
        if self.may_know(handle, cell) {
            why
        } else {
            MessagingError::NotFound
        }
    }

    /// Whether it was told of an actor: that is itself, sent it something, or is within
    /// what it may name.
    fn may_know(&self, handle: u64, cell: &Cell) -> bool {
        handle == self.cell.handle()
            || self.handling.has_met(handle)
            || ComponentId::parse(cell.name()).is_ok_and(|id| self.rules.may_name(&id).is_ok())
    }

    /// Tells the guest why it may not, and the host of what was denied.
    #[inline]
    fn ruled(&self, ruled: Result<(), No>) -> Told<()> {
        ruled.map_err(|no| self.refusal(no))
    }

    #[cold]
    fn refusal(&self, no: No) -> MessagingError {
        let denied = match no {
            No::Invalid(text) => return MessagingError::InvalidArgument(text),
            No::NotFound => return MessagingError::NotFound,
            No::Denied(denied) => denied,
        };
        // Of the receiver's grant the sender learns nothing.
        let told = format!("{} {}", denied.action, denied.resource);
        if let Ok(broker) = self.broker() {
            let news = self.rules.is_news(&denied);
            broker.denied(&self.cell, denied, news);
        }
        MessagingError::Denied(told)
    }

    /// Whether its rate allows so many messages more.
    fn may_send_more(&self, messages: usize) -> Told<()> {
        let messages = u32::try_from(messages).unwrap_or(u32::MAX);
        self.cell
            .admit_sending(messages)
            .map_err(|why| told::error(&why))
    }

    fn message(&self, codec: u32, payload: &[u8]) -> Message {
        let payload = Payload::copy(payload);
        let mut message = Message::new(self.cell.handle(), codec, payload, Kind::Tell);
        // What is said while a message is handled belongs to its trace.
        message.trace = self.handling.trace();
        message
    }

    fn try_ask(
        &self,
        target: u64,
        codec: u32,
        payload: &[u8],
        timeout: Duration,
    ) -> Told<Wait<Told<Encoded>>> {
        let (broker, cell) = self.receiver(target)?;
        let waits = Waits::begin(&broker, &self.cell, &cell)?;
        let message = self.message(codec, payload);
        let nested = Nested::enter();
        let asked = if nested.is_deep() {
            broker.ask_queued(&cell, message, timeout)
        } else {
            broker.ask(&cell, message, timeout, false)
        };
        drop(nested);
        Ok(match asked {
            Asked::Ended(outcome) => Wait::Now(told::reply(outcome)),
            Asked::Waiting(waiting) => Wait::Later(Box::pin(async move {
                let outcome = Awaited(Arc::clone(waiting.pending())).await;
                drop((waiting, waits));
                told::reply(outcome)
            })),
        })
    }

    fn try_send(
        &self,
        target: u64,
        codec: u32,
        payload: &[u8],
        how: SendOptions,
    ) -> Told<Wait<Told<()>>> {
        let (broker, cell) = self.receiver(target)?;
        let mut message = self.message(codec, payload);
        message.priority = match how.priority {
            Priority::Low => mailbox::Priority::Low,
            Priority::Normal => mailbox::Priority::Normal,
            Priority::High => mailbox::Priority::High,
        };
        if let Some(milliseconds) = how.time_to_live_milliseconds {
            let most = u64::from(milliseconds) * 1_000_000;
            message.expires_after = monotonic_nanoseconds().saturating_add(most);
        }
        broker
            .check(&cell, &message)
            .map_err(|why| told::error(&why))?;
        match cell.send(message) {
            Sent::Accepted => Ok(Wait::Now(Ok(()))),
            Sent::Refused(_, why) => Err(told::error(&why)),
            Sent::Full(message) => {
                let waits = Waits::begin(&broker, &self.cell, &cell)?;
                let room = Room::line_up(&cell, message).map_err(|why| told::error(&why))?;
                let Some(room) = room else {
                    return Ok(Wait::Now(Ok(())));
                };
                Ok(Wait::Later(Box::pin(async move {
                    let outcome = Awaited(Arc::clone(room.pending())).await;
                    drop((room, waits));
                    outcome.map(drop).map_err(|why| told::error(&why))
                })))
            }
        }
    }

    fn try_request(&self, target: u64, codec: u32, payload: &[u8], timeout: Duration) -> Told<u64> {
        let (broker, cell) = self.receiver(target)?;
        let message = self.message(codec, payload);
        broker
            .check_size(&message.payload)
            .map_err(|why| told::error(&why))?;
        let this = self.this.upgrade().ok_or(MessagingError::Cancelled)?;
        let number = self.requests.begin()?;
        let trace = message.trace.clone();
        let asked = broker.ask_queued(&cell, message, timeout);
        self.requests.follow(&this, number, asked, trace);
        Ok(number)
    }
}

/// How deep handlers ask each other on this stack.
struct Nested(u32);

impl Nested {
    fn enter() -> Nested {
        let depth = NESTED.get() + 1;
        NESTED.set(depth);
        Nested(depth)
    }

    fn is_deep(&self) -> bool {
        self.0 > NESTED_MAX
    }
}

impl Drop for Nested {
    fn drop(&mut self) {
        NESTED.set(self.0 - 1);
    }
}

fn address(id: &ComponentId) -> Address {
    Address {
        namespace: id.namespace().to_owned(),
        name: id.name().to_owned(),
        instance: id.instance().to_owned(),
    }
}

impl Post for Desk {
    fn own_id(&self) -> Told<Address> {
        Ok(address(&self.id))
    }

    fn lookup(&self, id: &Address) -> Told<u64> {
        let id = ComponentId::new(&id.namespace, &id.name, &id.instance)
            .map_err(|error| MessagingError::InvalidArgument(error.to_string()))?;
        self.ruled(self.rules.may_name(&id))?;
        let cell = self.broker()?.find(id.as_str());
        cell.map(|cell| cell.handle())
            .ok_or(MessagingError::NotFound)
    }

    fn id_of(&self, handle: u64) -> Told<Address> {
        let cell = self.broker()?.by_handle(handle);
        let known = cell.filter(|cell| self.may_know(handle, cell));
        let name = known.as_ref().map(|cell| ComponentId::parse(cell.name()));
        match name {
            Some(Ok(id)) => Ok(address(&id)),
            _ => Err(MessagingError::NotFound),
        }
    }

    fn send(&self, target: u64, codec: u32, payload: &[u8], how: SendOptions) -> Wait<Told<()>> {
        self.try_send(target, codec, payload, how)
            .unwrap_or_else(|why| Wait::Now(Err(why)))
    }

    fn broadcast(
        &self,
        targets: &[u64],
        codec: u32,
        payload: &[u8],
    ) -> Told<Vec<BroadcastFailure>> {
        let most = super::BROADCAST_MAX;
        if targets.len() > most {
            return Err(MessagingError::InvalidArgument(format!(
                "targets: {} receivers; at most {most}",
                targets.len()
            )));
        }
        let broker = self.broker()?;
        let message = self.message(codec, payload);
        broker
            .check_payload(message.sender, codec, &message.payload)
            .map_err(|why| told::error(&why))?;
        let mut seen = HashSet::new();
        let (mut failures, mut receivers) = (Vec::new(), Vec::new());
        // A pool is known by its own number, not by that of the member which gets it.
        let mut sent_to = Vec::new();
        for target in targets.iter().map(|&target| u64::from_le(target)) {
            if !seen.insert(target) {
                continue;
            }
            match self.receiver(target) {
                Ok((_, cell)) => {
                    receivers.push(Ok(cell));
                    sent_to.push(target);
                }
                Err(error) => failures.push(BroadcastFailure { target, error }),
            }
        }
        let failed = broker.broadcast(&message, &receivers, false);
        failures.extend(failed.into_iter().filter_map(|(place, why)| {
            Some(BroadcastFailure {
                target: *sent_to.get(place)?,
                error: told::error(&why),
            })
        }));
        Ok(failures)
    }

    fn ask(
        &self,
        target: u64,
        codec: u32,
        payload: &[u8],
        timeout: Duration,
    ) -> Wait<Told<Encoded>> {
        self.try_ask(target, codec, payload, timeout)
            .unwrap_or_else(|why| Wait::Now(Err(why)))
    }

    fn request(&self, target: u64, codec: u32, payload: &[u8], timeout: Duration) -> Told<u64> {
        self.try_request(target, codec, payload, timeout)
    }

    fn cancel_request(&self, request: u64) -> Told<()> {
        self.requests.cancel(request)
    }

    fn publish(&self, topic: &str, codec: u32, payload: &[u8]) -> Told<()> {
        self.ruled(self.rules.may_publish(topic))?;
        let message = self.message(codec, payload);
        let broker = self.broker()?;
        self.may_send_more(1)?;
        broker
            .check_payload(message.sender, codec, &message.payload)
            .map_err(|why| told::error(&why))?;
        let published = broker.publish(&message, topic, false);
        published.map(drop).map_err(|why| told::error(&why))
    }

    fn subscribe(&self, pattern: &str) -> Told<()> {
        self.ruled(self.rules.may_subscribe(pattern))?;
        let subscribed = self.broker()?.subscribe(&self.cell, pattern);
        subscribed.map(drop).map_err(|why| told::error(&why))
    }

    fn unsubscribe(&self, pattern: &str) -> Told<()> {
        let ended = self.broker()?.unsubscribe(&self.cell, pattern);
        ended.map(drop).map_err(|why| told::error(&why))
    }

    fn envelope(&self) -> Told<Envelope> {
        let broker = self.broker()?;
        self.handling.envelope(|sender| {
            let cell = broker.by_handle(sender)?;
            let id = ComponentId::parse(cell.name()).ok()?;
            Some(address(&id))
        })
    }

    fn set_reply_codec(&self, codec: u32) -> Told<()> {
        self.handling.set_reply_codec(codec)
    }

    fn defer_reply(&self) -> Told<u32> {
        self.handling.defer()
    }

    fn reply(&self, deferred: u32, answer: Result<(u32, &[u8]), MessageError>) -> Told<()> {
        if let Ok((_, payload)) = &answer {
            let most = self.broker()?.message_bytes_max();
            if payload.len() > most {
                return Err(MessagingError::TooLarge(most as u64));
            }
        }
        self.handling.answer(self.cell.name(), deferred, answer)
    }

    fn drop_deferred(&self, deferred: u32) {
        self.handling.let_go(deferred);
    }
}
