//! Ends requests whose time is over.
//!
//! One thread, and a wheel behind a lock. Nearly every deadline is taken back
//! before it comes, so setting one must not wake that thread: while deadlines are
//! set it looks every [`POLL_MS`] anyway.

use crate::actor::{Pending, Refusal, monotonic_nanoseconds};
use airssys_core::timers::{TimerKey, Timers};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long the thread sleeps at most while deadlines are set now and then.
const POLL_MS: u64 = 50;
/// How long after the last deadline was set it stops looking.
const LINGER_MS: u64 = 1_000;
/// More requests than this do not wait at once.
const DEADLINES_MAX: usize = 1 << 22;

/// The deadlines of one host.
pub(super) struct Deadlines {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    wheel: Mutex<Wheel>,
    changed: Condvar,
}

struct Wheel {
    timers: Timers<Deadline>,
    /// When the thread looks again.
    looks_at_ms: u64,
    set_at_ms: u64,
    closing: bool,
}

/// Whose request it is, and whom it was asked of.
struct Deadline {
    pending: Arc<Pending>,
    actor: Arc<str>,
    after: Duration,
}

impl Deadline {
    fn pass(self) {
        let Deadline {
            pending,
            actor,
            after,
        } = self;
        pending.end(Err(Refusal::TimedOut { actor, after }));
    }
}

fn now_ms() -> u64 {
    monotonic_nanoseconds() / 1_000_000
}

impl Deadlines {
    pub(super) fn new() -> Deadlines {
        Deadlines {
            shared: Arc::new(Shared {
                wheel: Mutex::new(Wheel {
                    timers: Timers::new(DEADLINES_MAX, now_ms()),
                    looks_at_ms: u64::MAX,
                    set_at_ms: 0,
                    closing: false,
                }),
                changed: Condvar::new(),
            }),
            thread: Mutex::new(None),
        }
    }

    /// Ends `pending` as timed out after `timeout`, unless that is taken back.
    /// None, if as many wait as may: then it has ended.
    pub(super) fn set(
        &self,
        pending: &Arc<Pending>,
        actor: &Arc<str>,
        timeout: Duration,
    ) -> Option<TimerKey> {
        let now = now_ms();
        let timeout_ms = u64::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
        // A millisecond that has begun is not a whole one.
        let due = now.saturating_add(timeout_ms).saturating_add(1);
        let deadline = Deadline {
            pending: Arc::clone(pending),
            actor: Arc::clone(actor),
            after: timeout,
        };
        let mut wheel = self.shared.wheel();
        wheel.set_at_ms = now;
        let late = wheel.looks_at_ms > due;
        let key = match wheel.timers.insert(due, deadline) {
            Ok(key) => key,
            Err(deadline) => {
                drop(wheel);
                deadline.pass();
                return None;
            }
        };
        if late {
            wheel.looks_at_ms = due;
            drop(wheel);
            self.ensure_thread();
            self.shared.changed.notify_one();
        }
        Some(key)
    }

    /// Takes a deadline back.
    pub(super) fn cancel(&self, key: TimerKey) {
        let deadline = self.shared.wheel().timers.cancel(key);
        drop(deadline);
    }

    /// Deadlines that have neither come nor been taken back.
    pub(super) fn len(&self) -> usize {
        self.shared.wheel().timers.len()
    }

    /// Lets the thread end once no deadline is left.
    pub(super) fn close(&self) {
        self.shared.wheel().closing = true;
        self.shared.changed.notify_one();
    }

    /// Whether a thread looks after them.
    #[cfg(test)]
    pub(super) fn is_watched(&self) -> bool {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    fn ensure_thread(&self) {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return;
        }
        let shared = Arc::clone(&self.shared);
        *thread = thread::Builder::new()
            .name("airssys-deadlines".to_owned())
            .spawn(move || shared.run())
            .ok();
    }
}

impl Shared {
    fn wheel(&self) -> MutexGuard<'_, Wheel> {
        self.wheel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut fired = Vec::new();
        let mut wheel = self.wheel();
        while !(wheel.closing && wheel.timers.is_empty()) {
            let now = now_ms();
            wheel.timers.advance(now, &mut fired);
            if !fired.is_empty() {
                drop(wheel);
                for deadline in fired.drain(..) {
                    deadline.pass();
                }
                wheel = self.wheel();
                continue;
            }
            wheel.plan(now);
            let sleep = Duration::from_millis(wheel.looks_at_ms.saturating_sub(now));
            wheel = if wheel.looks_at_ms == u64::MAX {
                self.changed
                    .wait(wheel)
                    .unwrap_or_else(PoisonError::into_inner)
            } else {
                self.changed
                    .wait_timeout(wheel, sleep)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            };
        }
        // Nobody looks any more: whoever sets one has to see to that.
        wheel.looks_at_ms = u64::MAX;
    }
}

impl Wheel {
    fn plan(&mut self, now_ms: u64) {
        let next = self.timers.next_wake_ms().unwrap_or(u64::MAX);
        let soon = if self.set_at_ms.saturating_add(LINGER_MS) > now_ms {
            now_ms + POLL_MS
        } else {
            u64::MAX
        };
        self.looks_at_ms = next.min(soon);
    }
}

impl Drop for Deadlines {
    fn drop(&mut self) {
        // Whoever waits for one of them holds what this is a part of: none is left.
        self.close();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread
            && thread.thread().id() != thread::current().id()
        {
            let _ = thread.join();
        }
    }
}
