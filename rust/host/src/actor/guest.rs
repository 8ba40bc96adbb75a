//! An actor whose messages a component handles.

use super::behaviour::{Answer, Behaviour, Handled, Interrupt, Turn};
use super::cell::Cell;
use super::exit::Exit;
use super::message::Message;
use super::payload::Payload;
use super::refusal::HandlerRefusal;
use super::reply::Served;
use crate::error::{Error, Result};
use crate::instance::{Abort, Instance, Signature, Target, Typed, Weigh};
use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use wasmtime::component::{ComponentType, Lift};

/// The export that takes messages.
pub const HANDLE_MESSAGE: &str = "airssys:core/lifecycle@1.0.0#handle-message";

/// `message-error` of `airssys:core/errors`.
#[derive(ComponentType, Lift)]
#[component(variant)]
enum MessageError {
    #[component(name = "malformed")]
    Malformed(String),
    #[component(name = "codec-unsupported")]
    CodecUnsupported(Vec<u32>),
    #[component(name = "unsupported")]
    Unsupported(String),
    #[component(name = "refused")]
    Refused(String),
    #[component(name = "busy")]
    Busy(u32),
    #[component(name = "failed")]
    Failed(String),
}

impl Weigh for MessageError {
    fn bytes(&self) -> u64 {
        match self {
            MessageError::Malformed(text)
            | MessageError::Unsupported(text)
            | MessageError::Refused(text)
            | MessageError::Failed(text) => text.bytes(),
            MessageError::CodecUnsupported(codecs) => codecs.bytes(),
            MessageError::Busy(_) => size_of::<u32>() as u64,
        }
    }
}

impl From<MessageError> for HandlerRefusal {
    fn from(error: MessageError) -> HandlerRefusal {
        match error {
            MessageError::Malformed(text) => HandlerRefusal::Malformed(text),
            MessageError::CodecUnsupported(codecs) => HandlerRefusal::CodecUnsupported(codecs),
            MessageError::Unsupported(text) => HandlerRefusal::Unsupported(text),
            MessageError::Refused(text) => HandlerRefusal::Refused(text),
            MessageError::Busy(milliseconds) => HandlerRefusal::Busy(milliseconds),
            MessageError::Failed(text) => HandlerRefusal::Failed(text),
        }
    }
}

/// What the handler gave, or how its call ended.
type Answered = Result<std::result::Result<Vec<u8>, MessageError>>;

/// `handle-message`.
struct HandleMessage;

impl Signature for HandleMessage {
    type Params<'a> = (u64, u32, &'a [u8]);
    type Return = (std::result::Result<Vec<u8>, MessageError>,);
}

/// The same for a call that outlives the message.
struct HandleOwned;

impl Signature for HandleOwned {
    type Params<'a> = (u64, u32, Vec<u8>);
    type Return = (std::result::Result<Vec<u8>, MessageError>,);
}

/// Hands messages to `handle-message` of a component's instance.
pub struct Guest {
    instance: Arc<Instance>,
    handle_message: Target,
    running: Arc<Running>,
}

impl Guest {
    /// The guest behind `instance`.
    ///
    /// # Errors
    ///
    /// [`Error::ExportMissing`] if the component takes no messages.
    pub fn new(instance: Arc<Instance>) -> Result<Guest> {
        let exports = instance.component().exports();
        let Some(index) = exports
            .list()
            .iter()
            .position(|export| export.name == HANDLE_MESSAGE)
        else {
            return Err(Error::ExportMissing(format!(
                "component {:?} exports no {HANDLE_MESSAGE:?}, so it takes no messages; \
                 hint: call its functions instead, or give it `airssys:core/lifecycle`",
                instance.component().name()
            )));
        };
        Ok(Guest {
            handle_message: Target::Export(index),
            running: Arc::new(Running {
                instance: Arc::clone(&instance),
                aside: Mutex::default(),
            }),
            instance,
        })
    }

    /// The instance.
    pub fn instance(&self) -> &Arc<Instance> {
        &self.instance
    }

    fn call(&self, message: &Message) -> Answered {
        let target = self.handle_message;
        let params = (message.sender, message.codec, &*message.payload);
        loop {
            if let Some(lease) = self.instance.enter(target)? {
                return Ok(lease.run(target, Typed::<HandleMessage>::new(params))?.0);
            }
            // Somebody calls the instance past its mailbox.
            self.instance.wait_idle(self.instance.turn_max());
        }
    }

    /// Calls on a stack of its own: where it would wait, or run on for long, it goes
    /// on elsewhere.
    fn call_aside(&self, message: &Message, asked: bool) -> Handled {
        let params = (message.sender, message.codec, message.payload.to_vec());
        let mut call = self
            .instance
            .start(self.handle_message, Typed::<HandleOwned>::new(params));
        if let Poll::Ready(answer) = call.poll_once() {
            return handled(answer.map(|(answer,)| answer), &self.instance, asked);
        }
        let running = Arc::clone(&self.running);
        Handled::Away(Box::new(move |cell| {
            let back = Return {
                cell: Some(cell),
                running: Arc::clone(&running),
            };
            // If there is no runtime left, the way back is dropped, and says so.
            if let Ok(abort) = call.spawn(move |answer| back.with(answer.map(|(answer,)| answer))) {
                running.note(abort);
            }
        }))
    }
}

impl Behaviour for Guest {
    fn handle(&mut self, turn: Turn<'_>, message: &Message) -> Handled {
        if self.instance.waits() || !turn.may_block {
            return self.call_aside(message, turn.asked);
        }
        handled(self.call(message), &self.instance, turn.asked)
    }

    fn interrupter(&self) -> Option<Arc<dyn Interrupt>> {
        Some(Arc::clone(&self.running) as _)
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

/// The call that runs, for whoever wants it to end.
struct Running {
    instance: Arc<Instance>,
    /// The part of it that is set aside.
    aside: Mutex<Option<Abort>>,
}

impl Running {
    fn note(&self, abort: Abort) {
        *self.aside.lock().unwrap_or_else(PoisonError::into_inner) = Some(abort);
    }
}

impl Interrupt for Running {
    fn interrupt(&self) {
        self.instance.interrupt();
        let aside = self
            .aside
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(abort) = aside {
            abort.abort();
        }
    }
}

/// Brings a handler that went away back to its actor, also if it is dropped where
/// it waits.
struct Return {
    cell: Option<Arc<Cell>>,
    running: Arc<Running>,
}

impl Return {
    fn with(mut self, answer: Answered) {
        if let Some(cell) = self.cell.take() {
            cell.resume(handled(answer, &self.running.instance, true));
        }
    }
}

impl Drop for Return {
    fn drop(&mut self) {
        if let Some(cell) = self.cell.take() {
            cell.resume(Handled::Ended(Exit::Interrupted));
        }
    }
}

fn handled(answer: Answered, instance: &Instance, wanted: bool) -> Handled {
    match answer {
        Ok(Ok(payload)) => Handled::Served(Answer {
            codec: 0,
            payload: Payload::from(payload),
            receipt: wanted.then(|| {
                Box::new(Served {
                    usage: instance.receipt(),
                    memory_bytes_max: instance.limits().memory_bytes_max,
                })
            }),
        }),
        Ok(Err(error)) => Handled::Refused(error.into()),
        Err(error) => Handled::Ended(Exit::of(error)),
    }
}
