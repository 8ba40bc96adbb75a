//! An actor whose messages a component handles.

use super::behaviour::{Answer, Behaviour, Handled, Interrupt, Turn};
use super::cell::Cell;
use super::deferral::Deferral;
use super::exit::Exit;
use super::message::Message;
use super::payload::Payload;
use super::refusal::HandlerRefusal;
use crate::error::{Error, Result};
use crate::instance::{Abort, CallFuture, Instance, Invocation, Signature, Target, Typed, Weigh};
use crate::messaging::{Encoded, MessageError, MessagingError};
use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use wasmtime::component::{ComponentType, Lift};

/// The export that takes messages.
pub const HANDLE_MESSAGE: &str = "airssys:core/lifecycle@1.0.0#handle-message";
/// The export that takes the ends of requests.
pub const HANDLE_CALLBACK: &str = "airssys:core/lifecycle@1.0.0#handle-callback";

/// What an instance may ask about the message that it handles.
pub trait Desk: Send + Sync {
    /// A handler begins; with `asked` somebody waits for its reply.
    fn begin(&self, message: &Message, asked: bool);

    /// It has returned: the codec it chose for the reply, 0 for none, and the request
    /// that it keeps open.
    fn end(&self) -> (u32, Option<Arc<Deferral>>);

    /// The instance has gone: nothing of its is open any more.
    fn close(&self);
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
type Answered = Result<(std::result::Result<Vec<u8>, MessageError>,)>;

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

/// `handle-callback`.
struct HandleCallback;

impl Signature for HandleCallback {
    type Params<'a> = (u64, std::result::Result<Encoded, MessagingError>);
    type Return = (std::result::Result<(), ComponentError>,);
}

/// `component-error` of `airssys:core/errors`.
#[derive(ComponentType, Lift)]
#[component(variant)]
enum ComponentError {
    #[component(name = "configuration-invalid")]
    ConfigurationInvalid(String),
    #[component(name = "initialization-failed")]
    InitializationFailed(String),
    #[component(name = "invalid-state")]
    InvalidState(String),
    #[component(name = "shutdown-failed")]
    ShutdownFailed(String),
    #[component(name = "resource-exhausted")]
    ResourceExhausted(String),
    #[component(name = "internal")]
    Internal(String),
}

impl ComponentError {
    fn text(&self) -> &String {
        match self {
            ComponentError::ConfigurationInvalid(text)
            | ComponentError::InitializationFailed(text)
            | ComponentError::InvalidState(text)
            | ComponentError::ShutdownFailed(text)
            | ComponentError::ResourceExhausted(text)
            | ComponentError::Internal(text) => text,
        }
    }
}

impl Weigh for ComponentError {
    fn bytes(&self) -> u64 {
        self.text().bytes()
    }
}

/// Hands messages to `handle-message` of a component's instance.
pub struct Guest {
    instance: Arc<Instance>,
    handle_message: Target,
    handle_callback: Option<Target>,
    running: Arc<Running>,
}

impl Guest {
    /// The guest behind `instance`, and what it may ask about its messages, if it can.
    ///
    /// # Errors
    ///
    /// [`Error::ExportMissing`] if the component takes no messages.
    pub fn new(instance: Arc<Instance>, desk: Option<Arc<dyn Desk>>) -> Result<Guest> {
        let exports = instance.component().exports().list();
        let position = |name: &str| exports.iter().position(|export| export.name == name);
        let Some(index) = position(HANDLE_MESSAGE) else {
            return Err(Error::ExportMissing(format!(
                "component {:?} exports no {HANDLE_MESSAGE:?}, so it takes no messages; \
                 hint: call its functions instead, or give it `airssys:core/lifecycle`",
                instance.component().name()
            )));
        };
        Ok(Guest {
            handle_message: Target::Export(index),
            handle_callback: position(HANDLE_CALLBACK).map(Target::Export),
            running: Arc::new(Running {
                instance: Arc::clone(&instance),
                desk,
                aside: Mutex::default(),
            }),
            instance,
        })
    }

    /// The instance.
    pub fn instance(&self) -> &Arc<Instance> {
        &self.instance
    }

    /// Whether its instance is the one that has `desk`.
    pub fn is_at(&self, desk: *const ()) -> bool {
        let mine = self.running.desk.as_ref();
        mine.is_some_and(|mine| std::ptr::eq(Arc::as_ptr(mine).cast(), desk))
    }

    /// Gives the instance the end of one of its requests.
    pub fn call_back(
        &self,
        turn: &Turn<'_>,
        request: u64,
        outcome: std::result::Result<Encoded, MessagingError>,
    ) -> Handled {
        let Some(target) = self.handle_callback else {
            return Handled::Ended(Exit::Broken(format!(
                "it made a request, and exports no {HANDLE_CALLBACK:?} for the end of it"
            )));
        };
        let call = Typed::<HandleCallback>::new((request, outcome));
        if self.instance.waits() || !turn.may_block {
            return self.aside(self.instance.start(target, call), called_back);
        }
        called_back(self.run(target, call), &self.running)
    }

    /// Calls on this stack.
    fn run<I: Invocation>(&self, target: Target, call: I) -> Result<I::Output> {
        loop {
            if let Some(lease) = self.instance.enter(target)? {
                return lease.run(target, call);
            }
            // Somebody calls the instance past its mailbox.
            self.instance.wait_idle(self.instance.turn_max());
        }
    }

    /// Runs a call on a stack of its own: where it would wait, or run on for long, it
    /// goes on elsewhere.
    fn aside<T: Send + 'static>(&self, mut call: CallFuture<T>, end: End<T>) -> Handled {
        if let Poll::Ready(ended) = call.poll_once() {
            return end(ended, &self.running);
        }
        let running = Arc::clone(&self.running);
        Handled::Away(Box::new(move |cell| {
            let back = Return {
                cell: Some(cell),
                running: Arc::clone(&running),
            };
            // If there is no runtime left, the way back is dropped, and says so.
            if let Ok(abort) = call.spawn(move |ended| back.with(ended, end)) {
                running.note(abort);
            }
        }))
    }
}

/// What the end of a call means for the actor.
type End<T> = fn(Result<T>, &Running) -> Handled;

impl Behaviour for Guest {
    fn handle(&mut self, turn: Turn<'_>, message: &Message) -> Handled {
        if let Some(desk) = &self.running.desk {
            desk.begin(message, turn.asked);
        }
        let end = if turn.asked { answered } else { told };
        if self.instance.waits() || !turn.may_block {
            let params = (message.sender, message.codec, message.payload.to_vec());
            let call = Typed::<HandleOwned>::new(params);
            return self.aside(self.instance.start(self.handle_message, call), end);
        }
        let params = (message.sender, message.codec, &*message.payload);
        let call = Typed::<HandleMessage>::new(params);
        end(self.run(self.handle_message, call), &self.running)
    }

    fn interrupter(&self) -> Option<Arc<dyn Interrupt>> {
        Some(Arc::clone(&self.running) as _)
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        if let Some(desk) = &self.running.desk {
            desk.close();
        }
    }
}

/// The call that runs, for whoever wants it to end.
struct Running {
    instance: Arc<Instance>,
    desk: Option<Arc<dyn Desk>>,
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
    fn with<T>(mut self, ended: Result<T>, end: End<T>) {
        if let Some(cell) = self.cell.take() {
            cell.resume(end(ended, &self.running));
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

fn answered(ended: Answered, running: &Running) -> Handled {
    handled(ended, running, true)
}

fn told(ended: Answered, running: &Running) -> Handled {
    handled(ended, running, false)
}

#[inline]
fn handled(ended: Answered, running: &Running, wanted: bool) -> Handled {
    let (codec, deferral) = running.desk.as_ref().map_or((0, None), |desk| desk.end());
    match ended {
        Ok((Ok(_),)) if let Some(deferral) = deferral => Handled::Deferred(deferral),
        Ok((Ok(payload),)) => Handled::Served(Answer {
            codec,
            payload: Payload::from(payload),
            receipt: wanted.then(|| Box::new(running.instance.served())),
        }),
        Ok((Err(error),)) => Handled::Refused(error.into()),
        Err(error) => Handled::Ended(Exit::of(error)),
    }
}

fn called_back(
    ended: Result<(std::result::Result<(), ComponentError>,)>,
    running: &Running,
) -> Handled {
    if let Some(desk) = &running.desk {
        desk.end();
    }
    match ended {
        Ok((Ok(()),)) => Handled::Served(Answer::NONE),
        // It cannot take the end of its own request: as bad as a trap.
        Ok((Err(error),)) => Handled::Ended(Exit::Broken(format!(
            "handle-callback failed: {}",
            crate::printable::printable(error.text(), true)
        ))),
        Err(error) => Handled::Ended(Exit::of(error)),
    }
}
