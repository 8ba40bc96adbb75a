//! The native half of `aw.Subscription`: what is published, for somebody outside.

use super::feed;
use super::message::Message;
use crate::error::{Error, Result};
use airssys_host::broker::{Broker, Feed, FeedLimits, Overflow, Published, Subscription};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::sync::Arc;
use std::time::Duration;

/// What waits to be read.
#[pyclass(frozen, module = "airssys_wasm._native.broker", name = "Messages")]
pub struct Messages {
    subscription: Subscription,
}

impl Messages {
    /// Listens to what is published.
    ///
    /// # Errors
    ///
    /// If the pattern is not one, a policy has no such name, or the host is closing.
    pub fn new(
        broker: &Arc<Broker>,
        pattern: &str,
        items_max: usize,
        bytes_max: usize,
        when_full: &str,
    ) -> Result<Messages> {
        let limits = FeedLimits {
            items_max,
            bytes_max,
            overflow: overflow(when_full)?,
        };
        let subscription = broker
            .listen(pattern, Feed::new(limits))
            .map_err(Error::Refusal)?;
        Ok(Messages { subscription })
    }
}

/// The policy of a name.
///
/// # Errors
///
/// If no policy is called so.
pub fn overflow(name: &str) -> Result<Overflow> {
    match name {
        "drop-oldest" => Ok(Overflow::Oldest),
        "drop-newest" => Ok(Overflow::Newest),
        other => Err(PyValueError::new_err(format!(
            "when_full: {other:?} is no policy here; hint: \"drop-oldest\" or \"drop-newest\""
        ))
        .into()),
    }
}

/// Seconds to wait, or none to wait without end.
///
/// # Errors
///
/// If it is negative, or no number.
pub fn timeout(seconds: Option<f64>) -> Result<Option<Duration>> {
    let Some(seconds) = seconds else {
        return Ok(None);
    };
    Duration::try_from_secs_f64(seconds).map(Some).map_err(|_| {
        let why =
            format!("timeout: {seconds} is no time to wait; hint: seconds, 0 or more, or None");
        PyValueError::new_err(why).into()
    })
}

fn told(published: &Published) -> Message {
    Message::new(&published.message, published.sender.clone(), false)
}

#[pymethods]
impl Messages {
    fn take(&self) -> Option<Message> {
        self.subscription.feed().take().map(|one| told(&one))
    }

    fn ready<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyAny>> {
        feed::ready(py, self.subscription.feed())
    }

    #[pyo3(signature = (timeout=None))]
    fn next(&self, py: Python<'_>, timeout: Option<f64>) -> Result<Option<Message>> {
        let timeout = self::timeout(timeout)?;
        let next = feed::next(py, self.subscription.feed(), timeout)?;
        Ok(next.map(|one| told(&one)))
    }

    fn close(&self) {
        self.subscription.end();
    }

    #[getter]
    fn closed(&self) -> bool {
        self.subscription.feed().is_closed()
    }

    #[getter]
    fn dropped(&self) -> u64 {
        self.subscription.feed().dropped()
    }

    fn __len__(&self) -> usize {
        self.subscription.feed().len()
    }
}
