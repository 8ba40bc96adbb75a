//! Driving a call: at once on this thread, or later in the runtime.

use super::awaitable;
use super::caller::{self, Called};
use super::exit;
use super::gil;
use super::given::Given;
use crate::error::{Error, Result};
use airssys_host::instance::{CallFuture, Invocation, Lease, Target};
use airssys_host::{Error as HostError, Instance};
use pyo3::prelude::*;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

/// Time between two looks at pending signals while a thread waits.
const SIGNAL_CHECK: Duration = Duration::from_millis(50);

/// When a call on a stack of its own gives its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At once: this thread waits for it.
    Now,
    /// When it is awaited.
    Later,
}

/// Turns how a call ended into what its caller gets.
pub trait Finish<T>:
    for<'py> FnOnce(Python<'py>, Result<T>) -> Result<Bound<'py, PyAny>> + Send + 'static
{
}

impl<T, F> Finish<T> for F where
    F: for<'py> FnOnce(Python<'py>, Result<T>) -> Result<Bound<'py, PyAny>> + Send + 'static
{
}

/// Runs a call to its end.
///
/// # Errors
///
/// However the call ended, or what a signal handler raised meanwhile.
#[inline]
pub fn run<I: Invocation + 'static>(
    py: Python<'_>,
    instance: &Arc<Instance>,
    target: Target,
    invocation: I,
) -> Result<I::Output>
where
    I::Output: 'static,
{
    if instance.waits() {
        return wait(py, begin(py, instance, target, invocation, When::Now)?);
    }
    run_here(py, instance, target, invocation)
}

/// Runs a call on a stack of its own; `given` goes back if it is cancelled before it
/// begins.
///
/// # Errors
///
/// Whatever `finish` makes of how it ended; the instance's being inside a call
/// that waits for this one.
pub fn start<'py, I: Invocation + 'static>(
    py: Python<'py>,
    instance: &Arc<Instance>,
    target: Target,
    invocation: I,
    when: When,
    given: Option<Given>,
    finish: impl Finish<I::Output>,
) -> Result<Bound<'py, PyAny>>
where
    I::Output: 'static,
{
    let call = begin(py, instance, target, invocation, when)?;
    match when {
        When::Now => finish(py, wait(py, call)),
        When::Later => awaitable::begin(py, call, given, finish),
    }
}

fn begin<I: Invocation + 'static>(
    py: Python<'_>,
    instance: &Arc<Instance>,
    target: Target,
    invocation: I,
    when: When,
) -> Result<CallFuture<I::Output>> {
    caller::refuse_reentrant(py, instance, target)?;
    // A thread that waits for the call runs no event loop meanwhile.
    let called = Called::new(py, instance, invocation, when == When::Later)?;
    Ok(instance.start(target, called))
}

/// Runs a call of an instance whose imports never wait.
#[inline]
pub fn run_here<I: Invocation>(
    py: Python<'_>,
    instance: &Arc<Instance>,
    target: Target,
    invocation: I,
) -> Result<I::Output> {
    let lease = match instance.enter(target)? {
        Some(lease) => lease,
        None => queue(py, instance, target)?,
    };
    let held = gil::Held::new(py);
    let ended = lease.run(target, invocation);
    drop(held);
    told(ended)
}

/// How a call ended, told on the thread where it did: what a handler of Python raised
/// there meanwhile counts for more than that it ended the guest.
#[inline]
pub fn told<T>(ended: core::result::Result<T, HostError>) -> Result<T> {
    ended.map_err(|error| gil::take_raised().map_or_else(|| Error::Host(error), Error::Python))
}

#[cold]
fn queue<'a>(py: Python<'_>, instance: &'a Arc<Instance>, target: Target) -> Result<Lease<'a>> {
    caller::refuse_reentrant(py, instance, target)?;
    let began = Instant::now();
    loop {
        exit::detached(py, || instance.wait_idle(SIGNAL_CHECK))?;
        if let Some(mut lease) = instance.enter(target)? {
            lease.queued(began.elapsed());
            return Ok(lease);
        }
        py.check_signals()?;
        if began.elapsed() >= instance.turn_max() {
            return Err(instance.busy(target).into());
        }
    }
}

/// Runs a call that may wait to its end, on this thread.
fn wait<T: Send + 'static>(py: Python<'_>, mut call: CallFuture<T>) -> Result<T> {
    if let Poll::Ready(ended) = call.poll_once() {
        return told(ended);
    }
    loop {
        if let Poll::Ready(ended) = exit::detached(py, || call.wait(SIGNAL_CHECK))? {
            return told(ended);
        }
        py.check_signals()?;
    }
}
