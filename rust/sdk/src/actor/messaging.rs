//! Other actors: to find them, to tell and ask them, and topics.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;
use std::time::Duration;

use super::bindings::airssys::core::messaging as wit;
use super::bindings::airssys::core::types::{ComponentId, Encoded};
use super::codec::{Body, FromBody};
use super::errors::SendError;

/// The address of an actor, `namespace/name/instance`.
///
/// Parsed from that, from `namespace/name` for its instance `0`, or from a name alone in
/// the namespace `local`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Address {
    /// Who it belongs to.
    pub namespace: String,
    /// Which component it is.
    pub name: String,
    /// Which of its instances.
    pub instance: String,
}

/// Another actor, by the number that the host has for it: good as long as the actor
/// lives, through its restarts.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Peer(u64);

/// A request that was made, until its end comes to `#[callback]`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RequestId(u64);

/// What another actor answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reply {
    /// The codec of the payload.
    pub codec: u32,
    /// The bytes.
    pub payload: Vec<u8>,
}

/// Which messages of a mailbox go first.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum Priority {
    /// After all others.
    Low,
    /// As a plain `send`.
    #[default]
    Normal,
    /// Before all others.
    High,
}

/// What a sender may want beyond the usual.
#[derive(Clone, Copy, Debug, Default)]
pub struct SendOptions {
    /// How urgent it is.
    pub priority: Priority,
    /// After this it is dropped unhandled; none keeps it.
    pub time_to_live: Option<Duration>,
}

impl Peer {
    /// Finds an actor by its address.
    ///
    /// # Errors
    ///
    /// [`SendError::InvalidArgument`] if it is no address, [`SendError::Denied`] if the
    /// grant has no `send` for it, [`SendError::NotFound`] if nobody has it.
    pub fn lookup(address: &str) -> Result<Self, SendError> {
        Self::at(address.parse()?)
    }

    /// Finds an actor by its address.
    ///
    /// # Errors
    ///
    /// As [`Peer::lookup`].
    pub fn at(address: Address) -> Result<Self, SendError> {
        Ok(Self(wit::lookup(&address.into())?))
    }

    pub(super) fn from_handle(handle: u64) -> Option<Self> {
        (handle != 0).then_some(Self(handle))
    }

    /// Its address.
    ///
    /// # Errors
    ///
    /// [`SendError::NotFound`] if it has been removed.
    pub fn address(self) -> Result<Address, SendError> {
        Ok(wit::id_of(self.0)?.into())
    }

    /// Puts a message into its mailbox; `Ok` means accepted, not handled.
    ///
    /// # Errors
    ///
    /// [`SendError`]: it was not accepted.
    pub fn send<B: Body + ?Sized>(self, message: &B) -> Result<(), SendError> {
        let (codec, payload) = message.encode(0)?;
        Ok(wit::send(self.0, codec, &payload)?)
    }

    /// [`Peer::send`] with a priority or a time to live.
    ///
    /// # Errors
    ///
    /// [`SendError`]: it was not accepted.
    pub fn send_with<B: Body + ?Sized>(
        self,
        message: &B,
        options: SendOptions,
    ) -> Result<(), SendError> {
        let (codec, payload) = message.encode(0)?;
        let options = wit::SendOptions {
            priority: options.priority.into(),
            time_to_live_milliseconds: options.time_to_live.map(milliseconds),
        };
        Ok(wit::send_with(self.0, codec, &payload, options)?)
    }

    /// Asks, and waits for the reply: `peer.ask::<_, u64>(&Command::Read, timeout)`.
    ///
    /// The actor serves nobody else meanwhile.
    ///
    /// # Errors
    ///
    /// [`SendError`]: there is no reply, or none that is an `R`.
    pub fn ask<B: Body + ?Sized, R: FromBody>(
        self,
        message: &B,
        timeout: Duration,
    ) -> Result<R, SendError> {
        let (codec, payload) = message.encode(0)?;
        let reply = wit::ask(self.0, codec, &payload, milliseconds(timeout))?;
        R::decode(reply.codec, reply.payload)
    }

    /// Asks without waiting: the end comes to `#[callback]`, once.
    ///
    /// # Errors
    ///
    /// [`SendError`]: nothing was asked, and no callback comes.
    pub fn request<B: Body + ?Sized>(
        self,
        message: &B,
        timeout: Duration,
    ) -> Result<RequestId, SendError> {
        let (codec, payload) = message.encode(0)?;
        let request = wit::request(self.0, codec, &payload, milliseconds(timeout))?;
        Ok(RequestId(request))
    }
}

impl RequestId {
    pub(super) fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// Gives the request up: its callback does not come.
    ///
    /// # Errors
    ///
    /// [`SendError::NoMessage`] if it has ended.
    pub fn cancel(self) -> Result<(), SendError> {
        Ok(wit::cancel_request(self.0)?)
    }
}

impl Reply {
    /// Reads the value.
    ///
    /// # Errors
    ///
    /// [`SendError::Malformed`] or [`SendError::CodecUnsupported`].
    pub fn value<R: FromBody>(self) -> Result<R, SendError> {
        R::decode(self.codec, self.payload)
    }
}

/// Sends one message to many, at most 1000; returns those that did not get it.
///
/// # Errors
///
/// [`SendError`]: nobody was tried.
pub fn broadcast<B: Body + ?Sized>(
    peers: &[Peer],
    message: &B,
) -> Result<Vec<(Peer, SendError)>, SendError> {
    let (codec, payload) = message.encode(0)?;
    let targets: Vec<u64> = peers.iter().map(|peer| peer.0).collect();
    let failures = wit::broadcast(&targets, codec, &payload)?;
    let failed = |one: wit::BroadcastFailure| (Peer(one.target), one.error.into());
    Ok(failures.into_iter().map(failed).collect())
}

/// Publishes on a topic: `publish("orders.created", &order)`.
///
/// # Errors
///
/// [`SendError::Denied`], [`SendError::InvalidArgument`], or the value is not written.
pub fn publish<B: Body + ?Sized>(topic: &str, message: &B) -> Result<(), SendError> {
    let (codec, payload) = message.encode(0)?;
    Ok(wit::publish(topic, codec, &payload)?)
}

/// Takes the messages of all topics that a pattern matches, until the incarnation ends:
/// `*` is one name, a final `#` any rest. They come to `#[handler]`.
///
/// # Errors
///
/// [`SendError::Denied`], [`SendError::InvalidArgument`], [`SendError::QuotaExceeded`].
pub fn subscribe(pattern: &str) -> Result<(), SendError> {
    Ok(wit::subscribe(pattern)?)
}

/// Ends a subscription.
///
/// # Errors
///
/// [`SendError::InvalidArgument`] if it is no pattern.
pub fn unsubscribe(pattern: &str) -> Result<(), SendError> {
    Ok(wit::unsubscribe(pattern)?)
}

/// The actor's own address; `#[start]` is told it without asking.
///
/// # Errors
///
/// [`SendError::Unavailable`] if the host is closing.
pub fn own_address() -> Result<Address, SendError> {
    Ok(wit::own_id()?.into())
}

/// The interface's timeouts begin at one.
pub(super) fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis())
        .unwrap_or(u32::MAX)
        .max(1)
}

impl Display for Address {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            namespace,
            name,
            instance,
        } = self;
        write!(formatter, "{namespace}/{name}/{instance}")
    }
}

impl FromStr for Address {
    type Err = SendError;

    /// Cuts it at its slashes; whether the parts are names the host decides.
    fn from_str(text: &str) -> Result<Self, SendError> {
        let parts: Vec<&str> = text.split('/').collect();
        let (namespace, name, instance) = match parts[..] {
            [name] => ("local", name, "0"),
            [namespace, name] => (namespace, name, "0"),
            [namespace, name, instance] => (namespace, name, instance),
            _ => return Err(SendError::InvalidArgument(format!("no address: {text:?}"))),
        };
        Ok(Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            instance: instance.to_owned(),
        })
    }
}

impl From<ComponentId> for Address {
    fn from(id: ComponentId) -> Self {
        Self {
            namespace: id.namespace,
            name: id.name,
            instance: id.instance,
        }
    }
}

impl From<Address> for ComponentId {
    fn from(address: Address) -> Self {
        Self {
            namespace: address.namespace,
            name: address.name,
            instance: address.instance,
        }
    }
}

impl From<Encoded> for Reply {
    fn from(encoded: Encoded) -> Self {
        Self {
            codec: encoded.codec,
            payload: encoded.payload,
        }
    }
}

impl From<Priority> for wit::Priority {
    fn from(priority: Priority) -> Self {
        match priority {
            Priority::Low => Self::Low,
            Priority::Normal => Self::Normal,
            Priority::High => Self::High,
        }
    }
}

impl From<wit::Priority> for Priority {
    fn from(priority: wit::Priority) -> Self {
        match priority {
            wit::Priority::Low => Self::Low,
            wit::Priority::Normal => Self::Normal,
            wit::Priority::High => Self::High,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Address, SendError, milliseconds};

    fn parsed(text: &str) -> Result<String, SendError> {
        text.parse().map(|address: Address| address.to_string())
    }

    #[test]
    fn an_address_has_one_to_three_parts() {
        assert_eq!(parsed("worker").unwrap(), "local/worker/0");
        assert_eq!(parsed("acme/worker").unwrap(), "acme/worker/0");
        assert_eq!(parsed("acme/worker/7").unwrap(), "acme/worker/7");
        assert!(matches!(
            parsed("a/b/c/d"),
            Err(SendError::InvalidArgument(_))
        ));
    }

    #[test]
    fn a_timeout_is_one_millisecond_at_least_and_as_long_as_can_be_said() {
        assert_eq!(milliseconds(Duration::ZERO), 1);
        assert_eq!(milliseconds(Duration::from_secs(2)), 2000);
        assert_eq!(milliseconds(Duration::MAX), u32::MAX);
    }
}
