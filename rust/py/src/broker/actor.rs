//! The native half of `aw.Actor`.

use super::courier::Courier;
use super::handler::Handler;
use super::messages::Messages;
use super::named::{self, How, Key};
use super::{asking, batch, body, home, lease, pattern, traffic};
use crate::codec::Borsh;
use crate::error::{Error, Result};
use crate::runtime::{Desk, Instance, Receipt, awaitable, event_loop, gil};
use airssys_host as host;
use airssys_host::actor::{Cell, EMBEDDER, Guest, Kind, Message, Refusal, monotonic_nanoseconds};
use airssys_host::broker::{Broker, Granted};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::sync::Arc;

/// An actor, whatever instance it has at the time.
#[pyclass(
    frozen,
    weakref,
    subclass,
    module = "airssys_wasm._native.broker",
    name = "Actor"
)]
pub struct Actor {
    cell: Arc<Cell>,
    broker: Arc<Broker>,
}

impl Actor {
    /// The actor of a cell.
    pub fn new(cell: Arc<Cell>, broker: Arc<Broker>) -> Actor {
        Actor { cell, broker }
    }

    /// Its cell.
    pub fn cell(&self) -> &Arc<Cell> {
        &self.cell
    }

    fn message(&self, value: &Bound<'_, PyAny>, how: &How<'_, '_>) -> Result<Message> {
        let (mut codec, mut payload) = body::write(value, how.codec, how.schema)?;
        if how.transcode {
            let reads = self.cell.reads(codec, true).map_err(Error::Refusal)?;
            (codec, payload) = body::transcoded(codec, payload, reads)?;
        }
        let mut message = Message::new(EMBEDDER, codec, payload, Kind::Tell);
        message.priority = how.priority;
        message.trace.clone_from(&how.trace);
        if let Some(seconds) = how.time_to_live_seconds {
            let most = u64::try_from(named::life(seconds)?.as_nanos()).unwrap_or(u64::MAX);
            message.expires_after = monotonic_nanoseconds().saturating_add(most);
        }
        Ok(message)
    }

    /// Who gets what is sent with a key: one that stands for several chooses by it.
    #[inline]
    fn receiver(&self, key: Option<&Key>) -> &Arc<Cell> {
        match key {
            None => &self.cell,
            Some(key) => self.cell.route(EMBEDDER, Some(key.as_bytes())),
        }
    }

    fn messages(&self, values: &Bound<'_, PyAny>, how: &How<'_, '_>) -> Result<Vec<Message>> {
        named::values(values)?
            .map(|value| self.message(&value?, how))
            .collect()
    }

    /// Runs what may run a handler on this thread.
    pub fn here<T>(py: Python<'_>, run: impl FnOnce() -> T) -> Result<T> {
        let held = gil::Held::new(py);
        let ran = run();
        drop(held);
        gil::take_raised().map_or(Ok(ran), |raised| Err(Error::Python(raised)))
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "options by name, which Python passes one by one"
)]
#[pymethods]
impl Actor {
    #[getter]
    fn name(&self) -> &str {
        self.cell.name()
    }

    #[getter]
    fn handle(&self) -> u64 {
        self.cell.handle()
    }

    #[getter]
    fn incarnation(&self) -> u64 {
        self.cell.incarnation()
    }

    #[getter]
    fn status(&self) -> &'static str {
        self.cell.status()
    }

    #[getter]
    fn receipts(&self) -> Vec<Receipt> {
        let served = self.cell.receipts().into_iter();
        served
            .map(|one| Receipt::new(one.receipt(), one.memory_bytes_max))
            .collect()
    }

    #[getter]
    fn mailbox<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counters = self.cell.counters();
        let dict = PyDict::new(py);
        dict.set_item("messages", counters.messages)?;
        dict.set_item("bytes", counters.bytes)?;
        dict.set_item("messages_peak", counters.messages_peak)?;
        dict.set_item("bytes_peak", counters.bytes_peak)?;
        dict.set_item("accepted", counters.accepted)?;
        dict.set_item("delivered", counters.delivered)?;
        dict.set_item("expired", counters.expired)?;
        dict.set_item("displaced", counters.displaced)?;
        dict.set_item("dropped", counters.dropped)?;
        dict.set_item("rejected", counters.rejected)?;
        Ok(dict)
    }

    /// What serves the messaging of the instance that it is about to have.
    #[pyo3(signature = (*, send, publish, subscribe))]
    #[allow(clippy::needless_pass_by_value, reason = "the shape PyO3 asks for")]
    fn desk(
        &self,
        send: Vec<String>,
        publish: Vec<String>,
        subscribe: Vec<String>,
    ) -> Result<Desk> {
        let granted = Granted {
            send: pattern::addresses(&send)?,
            publish: pattern::topics(&publish)?,
            subscribe: pattern::topics(&subscribe)?,
        };
        let desk = host::broker::Desk::new(&self.broker, &self.cell, granted)
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(Desk::new(desk))
    }

    /// Gives it an instance; says the how-manieth that is, or none if it has one or
    /// has stopped.
    #[pyo3(signature = (instance, desk=None))]
    fn occupy(&self, instance: &Instance, desk: Option<&Bound<'_, Desk>>) -> Result<Option<u64>> {
        let desk = desk.map(|desk| Arc::clone(desk.get().host()) as _);
        let guest = Guest::new(Arc::clone(instance.host()), desk)?;
        instance.host().keep_receipts(self.cell.journal());
        Ok(self.broker.occupy(&self.cell, Box::new(guest)).ok())
    }

    /// The same for Python code: `serving.begin(message, duty)` on the loop of
    /// `courier`.
    fn occupy_with(&self, serving: Py<PyAny>, courier: &Courier) -> Option<u64> {
        let handler = Handler::new(&self.broker, courier.shared(), serving);
        self.broker.occupy(&self.cell, Box::new(handler)).ok()
    }

    /// Gives a copy of each message that it is handed, by all instances it gets from
    /// now on. Once only.
    #[pyo3(signature = (*, messages_max, bytes_max))]
    fn tap(&self, messages_max: usize, bytes_max: usize) -> Messages {
        Messages::tap(&self.broker, &self.cell, messages_max, bytes_max)
    }

    fn stop(&self, py: Python<'_>) -> Result<()> {
        Self::here(py, || self.cell.stop())
    }

    /// Takes its instance away; the mailbox waits for another.
    fn retire(&self, py: Python<'_>) -> Result<()> {
        Self::here(py, || self.cell.retire())
    }

    /// The same once it has handled the message it has.
    fn retire_after_message(&self, py: Python<'_>) -> Result<()> {
        Self::here(py, || self.cell.retire_after_message())
    }

    /// Ends the subscriptions of an instance that never came to be.
    fn forget_subscriptions(&self) {
        self.broker.forget_subscriptions(&self.cell);
    }

    /// Gives what can be awaited until nothing else is handled.
    fn lease<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyAny>> {
        lease::take(py, &self.cell)
    }

    #[pyo3(signature = (value, *, codec="cbor", schema=None, priority=None, ttl=None, transcode=false, key=None, trace=None))]
    fn try_send(
        &self,
        py: Python<'_>,
        value: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = named::codec)] codec: &str,
        #[pyo3(from_py_with = named::schema)] schema: Option<&Bound<'_, Borsh>>,
        #[pyo3(from_py_with = named::priority)] priority: Option<&str>,
        #[pyo3(from_py_with = named::ttl)] ttl: Option<f64>,
        #[pyo3(from_py_with = named::transcode)] transcode: bool,
        key: Option<Key>,
        #[pyo3(from_py_with = named::trace)] trace: Option<&str>,
    ) -> Result<()> {
        let message = self.message(
            value,
            &How::new(codec, schema, priority, ttl)?.with(transcode, trace)?,
        )?;
        let sent = Self::here(py, || {
            self.broker
                .try_send(self.receiver(key.as_ref()), message, false)
        })?;
        sent.map_err(Error::Refusal)
    }

    #[pyo3(signature = (value, *, codec="cbor", schema=None, priority=None, ttl=None, transcode=false, key=None, trace=None))]
    fn send_waiting(
        &self,
        py: Python<'_>,
        value: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = named::codec)] codec: &str,
        #[pyo3(from_py_with = named::schema)] schema: Option<&Bound<'_, Borsh>>,
        #[pyo3(from_py_with = named::priority)] priority: Option<&str>,
        #[pyo3(from_py_with = named::ttl)] ttl: Option<f64>,
        #[pyo3(from_py_with = named::transcode)] transcode: bool,
        key: Option<Key>,
        #[pyo3(from_py_with = named::trace)] trace: Option<&str>,
    ) -> Result<()> {
        home::refuse()?;
        let message = self.message(
            value,
            &How::new(codec, schema, priority, ttl)?.with(transcode, trace)?,
        )?;
        let sent = Self::here(py, || {
            self.broker
                .send(self.receiver(key.as_ref()), message, false)
        })?;
        match sent.map_err(Error::Refusal)? {
            None => Ok(()),
            Some(room) => asking::wait_for(py, room.pending())?
                .map(drop)
                .map_err(Error::Refusal),
        }
    }

    #[pyo3(signature = (value, *, codec="cbor", schema=None, priority=None, ttl=None, transcode=false, key=None, trace=None))]
    fn send<'py>(
        &self,
        py: Python<'py>,
        value: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = named::codec)] codec: &str,
        #[pyo3(from_py_with = named::schema)] schema: Option<&Bound<'py, Borsh>>,
        #[pyo3(from_py_with = named::priority)] priority: Option<&str>,
        #[pyo3(from_py_with = named::ttl)] ttl: Option<f64>,
        #[pyo3(from_py_with = named::transcode)] transcode: bool,
        key: Option<Key>,
        #[pyo3(from_py_with = named::trace)] trace: Option<&str>,
    ) -> Result<Bound<'py, PyAny>> {
        let event_loop = event_loop::running_loop(py)?;
        let message = self.message(
            value,
            &How::new(codec, schema, priority, ttl)?.with(transcode, trace)?,
        )?;
        let sent = Self::here(py, || {
            self.broker
                .send(self.receiver(key.as_ref()), message, false)
        })?;
        // What is wrong with the message is raised here, and why it is not taken where it
        // is awaited, as with a request.
        match sent.map_err(Error::Refusal) {
            Ok(None) => awaitable::done(py, Ok(py.None().into_bound(py))),
            Ok(Some(room)) => asking::room(event_loop, room),
            Err(why) => awaitable::done(py, Err(why)),
        }
    }

    /// Sends a batch in one crossing; says how many were accepted before one was not.
    #[pyo3(signature = (values, *, codec="cbor", schema=None, trace=None))]
    fn try_send_many(
        &self,
        py: Python<'_>,
        values: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = named::codec)] codec: &str,
        #[pyo3(from_py_with = named::schema)] schema: Option<&Bound<'_, Borsh>>,
        #[pyo3(from_py_with = named::trace)] trace: Option<&str>,
    ) -> Result<usize> {
        let messages = self.messages(
            values,
            &How::new(codec, schema, None, None)?.with(false, trace)?,
        )?;
        let sent = Self::here(py, || {
            self.broker.try_send_many(&self.cell, messages, false)
        })?;
        match sent.map_err(Error::Refusal)? {
            (accepted, None | Some(Refusal::MailboxFull { .. })) => Ok(accepted),
            (_, Some(why)) => Err(Error::Refusal(why)),
        }
    }

    #[pyo3(signature = (values, *, codec="cbor", schema=None, trace=None))]
    fn send_many<'py>(
        &self,
        py: Python<'py>,
        values: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = named::codec)] codec: &str,
        #[pyo3(from_py_with = named::schema)] schema: Option<&Bound<'py, Borsh>>,
        #[pyo3(from_py_with = named::trace)] trace: Option<&str>,
    ) -> Result<Bound<'py, PyAny>> {
        let event_loop = event_loop::running_loop(py)?;
        let messages = self.messages(
            values,
            &How::new(codec, schema, None, None)?.with(false, trace)?,
        )?;
        let of = messages.len();
        let sending = Self::here(py, || self.broker.send_many(&self.cell, messages, false))?;
        batch::sending(py, event_loop, sending.map_err(Error::Refusal)?, of)
    }

    #[pyo3(signature = (values, *, codec="cbor", schema=None, trace=None))]
    fn send_many_waiting(
        &self,
        py: Python<'_>,
        values: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = named::codec)] codec: &str,
        #[pyo3(from_py_with = named::schema)] schema: Option<&Bound<'_, Borsh>>,
        #[pyo3(from_py_with = named::trace)] trace: Option<&str>,
    ) -> Result<()> {
        home::refuse()?;
        let messages = self.messages(
            values,
            &How::new(codec, schema, None, None)?.with(false, trace)?,
        )?;
        let of = messages.len();
        let sending = Self::here(py, || self.broker.send_many(&self.cell, messages, false))?;
        batch::sent(py, &sending.map_err(Error::Refusal)?, of)
    }

    #[pyo3(signature = (values, *, timeout=5.0, codec="cbor", schema=None, trace=None, return_exceptions=false))]
    fn ask_many<'py>(
        &self,
        py: Python<'py>,
        values: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = named::seconds_to_wait)] timeout: f64,
        #[pyo3(from_py_with = named::codec)] codec: &str,
        #[pyo3(from_py_with = named::schema)] schema: Option<&Bound<'py, Borsh>>,
        #[pyo3(from_py_with = named::trace)] trace: Option<&str>,
        #[pyo3(from_py_with = named::return_exceptions)] return_exceptions: bool,
    ) -> Result<Bound<'py, PyAny>> {
        let event_loop = event_loop::running_loop(py)?;
        let timeout = named::timeout(timeout)?;
        let messages = self.messages(
            values,
            &How::new(codec, schema, None, None)?.with(false, trace)?,
        )?;
        let asked = Self::here(py, || {
            self.broker.ask_many(&self.cell, messages, timeout, false)
        })?;
        let asked = asked.map_err(Error::Refusal)?;
        batch::awaited(py, event_loop, asked, return_exceptions)
    }

    #[pyo3(signature = (values, *, timeout=5.0, codec="cbor", schema=None, trace=None, return_exceptions=false))]
    fn ask_many_waiting(
        &self,
        py: Python<'_>,
        values: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = named::seconds_to_wait)] timeout: f64,
        #[pyo3(from_py_with = named::codec)] codec: &str,
        #[pyo3(from_py_with = named::schema)] schema: Option<&Bound<'_, Borsh>>,
        #[pyo3(from_py_with = named::trace)] trace: Option<&str>,
        #[pyo3(from_py_with = named::return_exceptions)] return_exceptions: bool,
    ) -> Result<Py<PyAny>> {
        home::refuse()?;
        let timeout = named::timeout(timeout)?;
        let messages = self.messages(
            values,
            &How::new(codec, schema, None, None)?.with(false, trace)?,
        )?;
        let asked = Self::here(py, || {
            self.broker.ask_many(&self.cell, messages, timeout, true)
        })?;
        batch::wait(py, &asked.map_err(Error::Refusal)?, return_exceptions)
    }

    /// Its members, if it stands for any.
    #[getter]
    fn members(&self) -> Vec<Actor> {
        let members = self.cell.members().into_iter();
        let actor = |cell| Actor::new(cell, Arc::clone(&self.broker));
        members.map(actor).collect()
    }

    /// Limits what it sends.
    fn limit_sending(&self, per_second: u32, burst: u32) -> Result<()> {
        self.cell.limit_sending(traffic::rate(per_second, burst)?);
        Ok(())
    }

    /// Takes note of the codecs that its component reads.
    fn declare(&self, codecs: Vec<u32>) {
        self.cell.declare(codecs);
    }

    #[pyo3(signature = (value, *, timeout=5.0, codec="cbor", schema=None, transcode=false, key=None, trace=None))]
    fn ask_waiting<'py>(
        &self,
        py: Python<'py>,
        value: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = named::seconds_to_wait)] timeout: f64,
        #[pyo3(from_py_with = named::codec)] codec: &str,
        #[pyo3(from_py_with = named::schema)] schema: Option<&Bound<'py, Borsh>>,
        #[pyo3(from_py_with = named::transcode)] transcode: bool,
        key: Option<Key>,
        #[pyo3(from_py_with = named::trace)] trace: Option<&str>,
    ) -> Result<Bound<'py, PyAny>> {
        home::refuse()?;
        let timeout = named::timeout(timeout)?;
        let how = How::new(codec, schema, None, None)?.with(transcode, trace)?;
        let message = self.message(value, &how)?;
        let cell = self.receiver(key.as_ref());
        let asked = Self::here(py, || self.broker.ask(cell, message, timeout, true))?;
        asking::wait(py, asked)
    }

    #[pyo3(signature = (value, *, timeout=5.0, codec="cbor", schema=None, transcode=false, key=None, trace=None))]
    fn ask<'py>(
        &self,
        py: Python<'py>,
        value: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = named::seconds_to_wait)] timeout: f64,
        #[pyo3(from_py_with = named::codec)] codec: &str,
        #[pyo3(from_py_with = named::schema)] schema: Option<&Bound<'py, Borsh>>,
        #[pyo3(from_py_with = named::transcode)] transcode: bool,
        key: Option<Key>,
        #[pyo3(from_py_with = named::trace)] trace: Option<&str>,
    ) -> Result<Bound<'py, PyAny>> {
        // Asked first: a request that nobody can wait for would be lost.
        let event_loop = event_loop::running_loop(py)?;
        let timeout = named::timeout(timeout)?;
        let how = How::new(codec, schema, None, None)?.with(transcode, trace)?;
        let message = self.message(value, &how)?;
        let cell = self.receiver(key.as_ref());
        let asked = Self::here(py, || self.broker.ask(cell, message, timeout, false))?;
        asking::awaited(py, event_loop, asked)
    }

    fn __repr__(&self) -> String {
        format!("<Actor {:?} {}>", self.cell.name(), self.cell.status())
    }
}
