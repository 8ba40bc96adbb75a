//! An actor whose messages Python code handles, on an event loop.

use super::courier::{Parcel, Shared};
use super::errand::{Duty, Errand};
use super::message::Message;
use crate::runtime::Kept;
use airssys_host::actor::{self, Behaviour, EMBEDDER, Exit, Handled, Interrupt, Turn};
use airssys_host::broker::Broker;
use pyo3::prelude::*;
use std::any::Any;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// One incarnation of a Python actor, where its messages are.
pub struct Handler {
    worker: Arc<Worker>,
}

impl Handler {
    /// What hands messages to `serving.begin(message, duty)` on the loop of `courier`, and
    /// calls `serving.cancel()` there when it is interrupted.
    pub fn new(broker: &Arc<Broker>, courier: &Arc<Shared>, serving: Py<PyAny>) -> Handler {
        Handler {
            worker: Arc::new(Worker {
                broker: Arc::downgrade(broker),
                courier: Arc::clone(courier),
                serving: Kept::new(serving),
                interrupted: AtomicBool::new(false),
                current: Mutex::default(),
            }),
        }
    }
}

impl Behaviour for Handler {
    fn handle(&mut self, turn: Turn<'_>, message: &actor::Message) -> Handled {
        let errand = Errand::new();
        let duty = Duty::new(Arc::clone(&errand), message.codec, turn.asked);
        if !self.worker.take_on(&errand) {
            return Handled::Ended(Exit::Interrupted);
        }
        let worker = Arc::clone(&self.worker);
        let message = Message::new(message, worker.address(message.sender), turn.asked);
        Handled::Away(Box::new(move |cell| {
            if errand.set_out(cell) {
                let courier = Arc::clone(&worker.courier);
                courier.leave(Parcel::Message(worker, message, duty));
            }
        }))
    }

    fn interrupter(&self) -> Option<Arc<dyn Interrupt>> {
        Some(Arc::new(Interrupter(Arc::clone(&self.worker))))
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

/// The incarnation, where its handlers run.
pub struct Worker {
    broker: Weak<Broker>,
    courier: Arc<Shared>,
    serving: Kept<Py<PyAny>>,
    interrupted: AtomicBool,
    current: Mutex<Option<Arc<Errand>>>,
}

impl Worker {
    /// Says whether it still takes messages. That is asked after `errand` was noted,
    /// and an interrupt looks for it after it said so: one of them sees the other.
    fn take_on(&self, errand: &Arc<Errand>) -> bool {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        *current = Some(Arc::clone(errand));
        drop(current);
        !self.interrupted.load(Ordering::SeqCst)
    }

    fn address(&self, sender: u64) -> Option<Arc<str>> {
        if sender == EMBEDDER {
            return None;
        }
        let cell = self.broker.upgrade()?.by_handle(sender)?;
        Some(Arc::clone(cell.name()))
    }

    /// Has a message handled, on the loop's own thread.
    ///
    /// # Errors
    ///
    /// What Python raises.
    pub fn begin(&self, py: Python<'_>, message: Message, duty: Duty) -> PyResult<()> {
        let serving = self.serving.bind(py);
        serving.call_method1("begin", (message, duty)).map(drop)
    }

    /// Cancels what is being handled, on the loop's own thread.
    ///
    /// # Errors
    ///
    /// What Python raises.
    pub fn cancel(&self, py: Python<'_>) -> PyResult<()> {
        self.serving.bind(py).call_method0("cancel").map(drop)
    }
}

/// Ends what a handler is at. Its actor need not wait until the handler has noticed.
struct Interrupter(Arc<Worker>);

impl Interrupt for Interrupter {
    fn interrupt(&self) {
        let worker = &self.0;
        worker.interrupted.store(true, Ordering::SeqCst);
        let current = worker.current.lock();
        let current = current.unwrap_or_else(PoisonError::into_inner).take();
        if let Some(errand) = current {
            errand.end(Handled::Ended(Exit::Interrupted));
            worker.courier.leave(Parcel::Cancel(Arc::clone(worker)));
        }
    }
}
