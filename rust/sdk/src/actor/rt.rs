//! What the macro's output calls; not for use by hand.

use std::fmt::Display;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::bindings::exports::airssys::core::lifecycle as wit;
use super::codec::{RAW, TYPED, from_bytes, to_bytes};
use super::context::Context;
use super::errors::{Refusal, SendError, StartError};
use super::life::{Health, Start, StopReason};
use super::messaging::{Reply, RequestId};

pub use super::bindings::export_actor;

/// Codecs of a handler that takes a type of its own.
pub const TYPED_CODECS: &[u32] = TYPED;
/// Codecs of a handler that takes bytes.
pub const RAW_CODECS: &[u32] = &[RAW];

/// What the crate's manifest says.
pub struct About {
    pub name: &'static str,
    pub version: &'static str,
    pub description: &'static str,
    /// With colons between them, as cargo has it.
    pub authors: &'static str,
    pub license: &'static str,
}

/// The functions of an impl block, in one shape.
pub trait Behaviour: Sized + 'static {
    const ABOUT: About;
    const CODECS: &'static [u32];

    /// Lends the place of the state, which is empty before the start.
    fn with_state<R>(act: impl FnOnce(&mut Option<Self>) -> R) -> R;

    fn begin(start: &Start) -> Result<Self, StartError>;

    fn receive(&mut self, context: &Context, payload: Vec<u8>) -> Result<Vec<u8>, Refusal>;

    fn request_ended(
        &mut self,
        _request: RequestId,
        _outcome: Result<Reply, SendError>,
    ) -> Result<(), String> {
        Ok(())
    }

    fn end(&mut self, _reason: StopReason) -> Result<(), String> {
        Ok(())
    }

    fn condition(&self) -> Health {
        Health::Healthy
    }
}

/// Reads the message of a typed handler.
///
/// # Errors
///
/// [`Refusal::CodecUnsupported`] or [`Refusal::Malformed`].
pub fn read<'de, T: Deserialize<'de>>(context: &Context, payload: &'de [u8]) -> Result<T, Refusal> {
    match from_bytes(context.codec(), payload) {
        Some(read) => read.map_err(Refusal::Malformed),
        None => Err(Refusal::CodecUnsupported(TYPED.to_vec())),
    }
}

/// Writes the reply of a typed handler.
///
/// # Errors
///
/// [`Refusal::Failed`] if its `Serialize` fails.
pub fn write<T: Serialize + ?Sized>(context: &Context, reply: &T) -> Result<Vec<u8>, Refusal> {
    to_bytes(context.codec(), reply).map_err(|why| Refusal::Failed(format!("reply: {why}")))
}

/// Checks that a message is one for a handler of bytes.
///
/// # Errors
///
/// [`Refusal::CodecUnsupported`].
pub fn require_raw(context: &Context) -> Result<(), Refusal> {
    if context.codec() == RAW {
        return Ok(());
    }
    Err(Refusal::CodecUnsupported(RAW_CODECS.to_vec()))
}

/// The text of an error that the interface has no case for.
///
/// # Errors
///
/// The same, as a text.
pub fn said<E: Display>(outcome: Result<(), E>) -> Result<(), String> {
    outcome.map_err(|error| error.to_string())
}

/// An actor as the component's exports.
pub struct Exported<A>(PhantomData<A>);

impl<A: Behaviour> wit::Guest for Exported<A> {
    fn initialize(config: wit::ComponentConfig) -> Result<(), wit::ComponentError> {
        let state = A::begin(&Start::from(config))?;
        A::with_state(|place| *place = Some(state));
        Ok(())
    }

    fn execute(
        operation: String,
        _codec: u32,
        _payload: Vec<u8>,
    ) -> Result<Vec<u8>, wit::ExecutionError> {
        Err(wit::ExecutionError::UnknownOperation(operation))
    }

    fn handle_message(
        sender: u64,
        codec: u32,
        payload: Vec<u8>,
    ) -> Result<Vec<u8>, wit::MessageError> {
        let context = Context::new(sender, codec);
        A::with_state(|place| match place {
            Some(state) => Ok(state.receive(&context, payload)?),
            None => Err(wit::MessageError::Failed("it was never started".to_owned())),
        })
    }

    fn handle_callback(
        request: u64,
        outcome: Result<wit::Encoded, wit::MessagingError>,
    ) -> Result<(), wit::ComponentError> {
        let outcome = outcome.map(Reply::from).map_err(SendError::from);
        A::with_state(|place| match place {
            Some(state) => state
                .request_ended(RequestId::from_number(request), outcome)
                .map_err(wit::ComponentError::Internal),
            None => Err(never_started()),
        })
    }

    fn metadata() -> wit::ComponentMetadata {
        let About {
            name,
            version,
            description,
            authors,
            license,
        } = A::ABOUT;
        let authors = authors.split(':').filter(|author| !author.is_empty());
        wit::ComponentMetadata {
            name: name.to_owned(),
            version: version.to_owned(),
            description: description.to_owned(),
            authors: authors.map(str::to_owned).collect(),
            license: license.to_owned(),
            operations: Vec::new(),
            codecs: A::CODECS.to_vec(),
            stateful: false,
            memory: None,
        }
    }

    fn health() -> wit::HealthStatus {
        A::with_state(|place| match place {
            Some(state) => state.condition().into(),
            None => wit::HealthStatus::Unknown,
        })
    }

    fn shutdown(reason: wit::ShutdownReason) -> Result<(), wit::ComponentError> {
        A::with_state(|place| match place.take() {
            Some(mut state) => state
                .end(reason.into())
                .map_err(wit::ComponentError::ShutdownFailed),
            None => Err(never_started()),
        })
    }
}

fn never_started() -> wit::ComponentError {
    wit::ComponentError::InvalidState("it was never started".to_owned())
}
