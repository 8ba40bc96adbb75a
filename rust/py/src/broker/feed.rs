//! Waiting for what a feed brings: on this thread, or in an event loop.

use super::asking::SIGNAL_CHECK;
use super::home;
use crate::error::{Error, Result};
use crate::runtime::{awaitable, event_loop, exit, gil};
use airssys_host::broker::Feed;
use pyo3::prelude::*;
use std::time::{Duration, Instant};

/// Takes the oldest item, if there is one.
///
/// # Errors
///
/// `EngineError` in a process that was forked since the feed was made.
pub fn take<T>(feed: &Feed<T>) -> Result<Option<T>> {
    feed.refuse_forked().map_err(Error::Refusal)?;
    Ok(feed.take())
}

/// Gives what can be awaited until there is something to look at. There is one at a
/// time: a later one takes the place of an earlier one that is not done.
///
/// # Errors
///
/// If no event loop runs here; as for [`take`].
pub fn ready<'py, T>(py: Python<'py>, feed: &Feed<T>) -> Result<Bound<'py, PyAny>> {
    feed.refuse_forked().map_err(Error::Refusal)?;
    let event_loop = event_loop::running_loop(py)?;
    let (future, waiter) = awaitable::future(event_loop)?;
    let wake = move || {
        // A handler that ran on this thread may have given the GIL up.
        gil::resume();
        awaitable::complete(waiter, |py| Ok(py.None()));
    };
    if let Err(wake) = feed.when_ready(Box::new(wake)) {
        wake();
    }
    Ok(future)
}

/// Waits on this thread for the oldest item: none if the time is over, or nothing comes
/// any more.
///
/// # Errors
///
/// What a signal handler raised meanwhile; as for [`take`].
pub fn next<T: Send>(
    py: Python<'_>,
    feed: &Feed<T>,
    timeout: Option<Duration>,
) -> Result<Option<T>> {
    home::refuse()?;
    feed.refuse_forked().map_err(Error::Refusal)?;
    let began = Instant::now();
    loop {
        if let Some(item) = feed.take() {
            return Ok(Some(item));
        }
        let left = match timeout {
            Some(timeout) => timeout.saturating_sub(began.elapsed()),
            None => SIGNAL_CHECK,
        };
        if feed.is_closed() {
            // It may have come just before the end.
            return Ok(feed.take());
        }
        if left.is_zero() {
            return Ok(None);
        }
        exit::detached(py, || feed.wait(left.min(SIGNAL_CHECK)))?;
        py.check_signals().map_err(Error::Python)?;
    }
}
