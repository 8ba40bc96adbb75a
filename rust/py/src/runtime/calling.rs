//! Driving a call: at once on this thread, or later in the runtime.

use super::caller::{self, Called};
use super::gil;
use crate::error::{Error, Result};
use airssys_host::Instance;
use airssys_host::instance::{CallFuture, Invocation, Lease, Target};
use pyo3::prelude::*;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

/// Time between two looks at pending signals while a thread waits.
const SIGNAL_CHECK: Duration = Duration::from_millis(50);

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
        caller::refuse_reentrant(py, instance, target)?;
        // The event loop of this thread, if it has one, stands still meanwhile.
        let called = Called::new(py, instance, invocation, false)?;
        return finish(py, instance.start(target, called));
    }
    run_here(py, instance, target, invocation)
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
    ended.map_err(|error| gil::take_raised().map_or_else(|| Error::Host(error), Error::Python))
}

#[cold]
fn queue<'a>(py: Python<'_>, instance: &'a Arc<Instance>, target: Target) -> Result<Lease<'a>> {
    let began = Instant::now();
    loop {
        gil::detached(py, || instance.wait_idle(SIGNAL_CHECK));
        if let Some(mut lease) = instance.enter(target)? {
            lease.queued(began.elapsed());
            return Ok(lease);
        }
        py.check_signals()?;
        if began.elapsed() >= instance.limits().call_max {
            return Err(instance.busy(target).into());
        }
    }
}

/// Runs a call that may wait to its end, on this thread.
fn finish<T: Send + 'static>(py: Python<'_>, mut call: CallFuture<T>) -> Result<T> {
    if let Poll::Ready(ended) = call.poll_once() {
        return Ok(ended?);
    }
    loop {
        if let Poll::Ready(ended) = gil::detached(py, || call.wait(SIGNAL_CHECK)) {
            return Ok(ended?);
        }
        py.check_signals()?;
    }
}
