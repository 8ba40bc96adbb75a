//! The native half of `aw.Subscription`: what is published, for somebody outside.

use super::feed;
use super::message::Message;
use super::named::{self, OVERFLOW_HINT};
use crate::error::{Error, Result};
use airssys_host::actor::Cell;
use airssys_host::broker::{Broker, Feed, FeedLimits, Overflow, Published, Subscription};
use pyo3::prelude::*;
use std::sync::Arc;

/// What waits to be read.
#[pyclass(frozen, module = "airssys_wasm._native.broker", name = "Messages")]
pub struct Messages {
    feed: Arc<Feed<Published>>,
    /// None for what an actor is handed.
    subscription: Option<Subscription>,
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
        let feed = Feed::new(limits);
        let subscription = broker
            .listen(pattern, Arc::clone(&feed))
            .map_err(Error::Refusal)?;
        Ok(Messages {
            feed,
            subscription: Some(subscription),
        })
    }

    /// Listens to what an actor is handed by the instances that it gets from now on.
    pub fn tap(broker: &Broker, cell: &Cell, items_max: usize, bytes_max: usize) -> Messages {
        let feed = Feed::new(FeedLimits {
            items_max,
            bytes_max,
            overflow: Overflow::Oldest,
        });
        broker.tap(cell, Arc::clone(&feed));
        Messages {
            feed,
            subscription: None,
        }
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
        other => {
            let why = format!("{other:?} is no policy here; hint: {OVERFLOW_HINT}");
            Err(named::mismatch("when_full", &why).into())
        }
    }
}

fn told(published: &Published) -> Message {
    Message::new(
        &published.message,
        published.sender.clone(),
        published.asked,
    )
}

#[pymethods]
impl Messages {
    fn take(&self) -> Result<Option<Message>> {
        Ok(feed::take(&self.feed)?.map(|one| told(&one)))
    }

    fn ready<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyAny>> {
        feed::ready(py, &self.feed)
    }

    #[pyo3(signature = (timeout=None))]
    fn next(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = named::wait)] timeout: Option<f64>,
    ) -> Result<Option<Message>> {
        let next = feed::next(py, &self.feed, named::wait_at_most(timeout)?)?;
        Ok(next.map(|one| told(&one)))
    }

    fn close(&self) {
        match &self.subscription {
            Some(subscription) => subscription.end(),
            None => self.feed.close(),
        }
    }

    #[getter]
    fn closed(&self) -> bool {
        self.feed.is_closed()
    }

    #[getter]
    fn dropped(&self) -> u64 {
        self.feed.dropped()
    }

    fn __len__(&self) -> usize {
        self.feed.len()
    }
}
