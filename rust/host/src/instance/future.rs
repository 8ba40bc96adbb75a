//! Calls that may wait: begun on a thread, and gone on with elsewhere.

use super::Instance;
use crate::error::{Error, Result};
use crate::linker::inside_task;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// A call that may wait; it owns all it needs.
pub struct CallFuture<T> {
    future: Pin<Box<dyn Future<Output = Result<T>> + Send>>,
    instance: Arc<Instance>,
    number: u64,
}

impl<T: Send + 'static> CallFuture<T> {
    /// The call of `number` among those of its instance.
    pub(super) fn new(
        future: Pin<Box<dyn Future<Output = Result<T>> + Send>>,
        instance: Arc<Instance>,
        number: u64,
    ) -> CallFuture<T> {
        CallFuture {
            future,
            instance,
            number,
        }
    }

    /// Runs until the call ends or first has to wait.
    ///
    /// # Errors
    ///
    /// However the call ended.
    pub fn poll_once(&mut self) -> Poll<Result<T>> {
        let runtime = match self.instance.component().engine().runtime() {
            Ok(runtime) => runtime,
            Err(error) => return Poll::Ready(Err(error)),
        };
        if inside_task() && self.instance.component().is_concurrent() {
            return Poll::Pending;
        }
        let _context = runtime.enter();
        self.future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
    }

    /// Goes on until the call ends or `most` is over.
    ///
    /// # Errors
    ///
    /// However the call ended.
    pub fn wait(&mut self, most: Duration) -> Poll<Result<T>> {
        let runtime = match self.instance.component().engine().runtime() {
            Ok(runtime) => runtime,
            Err(error) => return Poll::Ready(Err(error)),
        };
        let future = self.future.as_mut();
        let drive = || {
            runtime.block_on(async {
                match tokio::time::timeout(most, future).await {
                    Ok(ended) => Poll::Ready(ended),
                    Err(_) => Poll::Pending,
                }
            })
        };
        if inside_task() && self.instance.component().is_concurrent() {
            return elsewhere(drive).unwrap_or_else(|error| Poll::Ready(Err(error)));
        }
        drive()
    }

    /// Goes on in the runtime's threads and gives the result to `then`.
    ///
    /// # Errors
    ///
    /// If the runtime is gone.
    pub fn spawn(self, then: impl FnOnce(Result<T>) + Send + 'static) -> Result<Abort> {
        let CallFuture {
            future,
            instance,
            number,
        } = self;
        let engine = instance.component().engine().clone();
        let task = engine.runtime()?.spawn(async move { then(future.await) });
        Ok(Abort {
            task: task.abort_handle(),
            instance,
            number,
        })
    }
}

/// Runs in a thread of its own: the engine drives one concurrent call on a thread,
/// and a function that serves one may itself call another instance.
fn elsewhere<T: Send>(run: impl FnOnce() -> T + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("airssys-nested-call".to_owned())
            .spawn_scoped(scope, run)
            .map_err(|error| Error::Engine(format!("no thread for a nested call: {error}")))?;
        match thread.join() {
            Ok(done) => Ok(done),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Ends a spawned call; its instance is closed with it.
pub struct Abort {
    task: tokio::task::AbortHandle,
    instance: Arc<Instance>,
    number: u64,
}

impl Abort {
    /// Ends the call where it waits. If the guest had begun with it, the instance counts
    /// as closed at once, though the guest's stack may be unwound a little later.
    pub fn abort(&self) {
        self.task.abort();
        let roaming = &self.instance.roaming;
        let ours = roaming.compare_exchange(self.number, 0, Ordering::SeqCst, Ordering::SeqCst);
        if ours.is_ok() {
            self.instance.slot.close();
        }
    }
}
