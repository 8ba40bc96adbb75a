//! The native half of `aw.Actor`.

use super::desk::Desk;
use super::handler::Handler;
use super::{asking, body};
use crate::codec::Borsh;
use crate::error::{Error, Result};
use crate::runtime::{Instance, awaitable, gil};
use airssys_core::mailbox::Priority;
use airssys_core::multicodec::Code;
use airssys_host::actor::{Cell, EMBEDDER, Guest, Kind, Message, Refusal, monotonic_nanoseconds};
use airssys_host::broker::Broker;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use std::sync::Arc;
use std::time::Duration;

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

    fn message(&self, value: &Bound<'_, PyAny>, how: &How<'_, '_>) -> Result<Message> {
        let (codec, payload) = body::write(value, how.codec, how.schema)?;
        let mut message = Message::new(EMBEDDER, codec, payload, Kind::Tell);
        message.priority = how.priority;
        if let Some(seconds) = how.time_to_live_seconds {
            let most = Duration::try_from_secs_f64(seconds)
                .map_err(|_| PyValueError::new_err(format!("ttl: {seconds} is no time to live")))?;
            let most = u64::try_from(most.as_nanos()).unwrap_or(u64::MAX);
            message.expires_after = monotonic_nanoseconds().saturating_add(most);
        }
        Ok(message)
    }

    /// Runs what may run a handler on this thread.
    pub fn here<T>(py: Python<'_>, run: impl FnOnce() -> T) -> Result<T> {
        let held = gil::Held::new(py);
        let ran = run();
        drop(held);
        gil::take_raised().map_or(Ok(ran), |raised| Err(Error::Python(raised)))
    }
}

/// How a message is written and sent.
struct How<'a, 'py> {
    codec: Code,
    schema: Option<&'a Bound<'py, Borsh>>,
    priority: Priority,
    time_to_live_seconds: Option<f64>,
}

impl<'a, 'py> How<'a, 'py> {
    fn new(
        codec: &str,
        schema: Option<&'a Bound<'py, Borsh>>,
        priority: Option<&str>,
        time_to_live_seconds: Option<f64>,
    ) -> Result<How<'a, 'py>> {
        let codec = body::code(codec)?;
        let priority = match priority {
            None | Some("normal") => Priority::Normal,
            Some("low") => Priority::Low,
            Some("high") => Priority::High,
            Some(other) => {
                return Err(PyValueError::new_err(format!(
                    "priority: {other:?} is none; hint: \"low\", \"normal\" or \"high\""
                ))
                .into());
            }
        };
        Ok(How {
            codec,
            schema,
            priority,
            time_to_live_seconds,
        })
    }
}

fn timeout(seconds: f64) -> Result<Duration> {
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|timeout| !timeout.is_zero())
        .ok_or_else(|| {
            let why = format!("timeout: {seconds} is no time to wait; hint: seconds, more than 0");
            PyValueError::new_err(why).into()
        })
}

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

    /// Gives it an instance; says the how-manieth that is, or none if it has one or
    /// has stopped.
    fn occupy(&self, instance: &Instance) -> Result<Option<u64>> {
        let guest = Guest::new(Arc::clone(instance.host()))?;
        Ok(self.cell.occupy(Box::new(guest)).ok())
    }

    /// The same for Python code: `serving.begin(message, duty)` on the loop of `desk`.
    fn occupy_with(&self, serving: Py<PyAny>, desk: &Desk) -> Option<u64> {
        let handler = Handler::new(&self.broker, desk.shared(), serving);
        self.cell.occupy(Box::new(handler)).ok()
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

    #[pyo3(signature = (value, *, codec="cbor", schema=None, priority=None, ttl=None))]
    fn try_send(
        &self,
        py: Python<'_>,
        value: &Bound<'_, PyAny>,
        codec: &str,
        schema: Option<&Bound<'_, Borsh>>,
        priority: Option<&str>,
        ttl: Option<f64>,
    ) -> Result<()> {
        let message = self.message(value, &How::new(codec, schema, priority, ttl)?)?;
        let sent = Self::here(py, || self.broker.try_send(&self.cell, message, false))?;
        sent.map_err(Error::Refusal)
    }

    #[pyo3(signature = (value, *, codec="cbor", schema=None, priority=None, ttl=None))]
    fn send_waiting(
        &self,
        py: Python<'_>,
        value: &Bound<'_, PyAny>,
        codec: &str,
        schema: Option<&Bound<'_, Borsh>>,
        priority: Option<&str>,
        ttl: Option<f64>,
    ) -> Result<()> {
        let message = self.message(value, &How::new(codec, schema, priority, ttl)?)?;
        let sent = Self::here(py, || self.broker.send(&self.cell, message, false))?;
        match sent.map_err(Error::Refusal)? {
            None => Ok(()),
            Some(room) => asking::wait_for(py, &room)?
                .map(drop)
                .map_err(Error::Refusal),
        }
    }

    #[pyo3(signature = (value, *, codec="cbor", schema=None, priority=None, ttl=None))]
    fn send<'py>(
        &self,
        py: Python<'py>,
        value: &Bound<'py, PyAny>,
        codec: &str,
        schema: Option<&Bound<'py, Borsh>>,
        priority: Option<&str>,
        ttl: Option<f64>,
    ) -> Result<Bound<'py, PyAny>> {
        let event_loop = awaitable::running_loop(py)?;
        let message = self.message(value, &How::new(codec, schema, priority, ttl)?)?;
        let sent = Self::here(py, || self.broker.send(&self.cell, message, false))?;
        match sent.map_err(Error::Refusal)? {
            None => awaitable::done(py, Ok(py.None().into_bound(py))),
            Some(room) => asking::room(event_loop, &room),
        }
    }

    /// Sends a batch in one crossing; says how many were accepted before one was not.
    #[pyo3(signature = (values, *, codec="cbor", schema=None))]
    fn try_send_many(
        &self,
        py: Python<'_>,
        values: &Bound<'_, PyList>,
        codec: &str,
        schema: Option<&Bound<'_, Borsh>>,
    ) -> Result<usize> {
        let how = How::new(codec, schema, None, None)?;
        let messages: Vec<Message> = values
            .iter()
            .map(|value| self.message(&value, &how))
            .collect::<Result<_>>()?;
        let mut accepted = 0;
        let sent = Self::here(py, || {
            for message in messages {
                self.broker.try_send(&self.cell, message, false)?;
                accepted += 1;
            }
            Ok(())
        })?;
        match sent {
            Ok(()) | Err(Refusal::MailboxFull { .. }) => Ok(accepted),
            Err(why) => Err(Error::Refusal(why)),
        }
    }

    #[pyo3(signature = (value, *, timeout=5.0, codec="cbor", schema=None))]
    fn ask_waiting<'py>(
        &self,
        py: Python<'py>,
        value: &Bound<'py, PyAny>,
        timeout: f64,
        codec: &str,
        schema: Option<&Bound<'py, Borsh>>,
    ) -> Result<Bound<'py, PyAny>> {
        let timeout = self::timeout(timeout)?;
        let message = self.message(value, &How::new(codec, schema, None, None)?)?;
        let asked = Self::here(py, || self.broker.ask(&self.cell, message, timeout, true))?;
        asking::wait(py, asked)
    }

    #[pyo3(signature = (value, *, timeout=5.0, codec="cbor", schema=None))]
    fn ask<'py>(
        &self,
        py: Python<'py>,
        value: &Bound<'py, PyAny>,
        timeout: f64,
        codec: &str,
        schema: Option<&Bound<'py, Borsh>>,
    ) -> Result<Bound<'py, PyAny>> {
        // Asked first: a request that nobody can wait for would be lost.
        let event_loop = awaitable::running_loop(py)?;
        let timeout = self::timeout(timeout)?;
        let message = self.message(value, &How::new(codec, schema, None, None)?)?;
        let asked = Self::here(py, || self.broker.ask(&self.cell, message, timeout, false))?;
        asking::awaited(py, event_loop, asked)
    }

    fn __repr__(&self) -> String {
        format!("<Actor {:?} {}>", self.cell.name(), self.cell.status())
    }
}
