//! How a request ends: with a reply, or with the reason why there is none.
//!
//! Whoever owes the reply holds a [`ReplyTo`]. However it loses that (a trap, a
//! stop, a dropped queue, an answer forgotten), the asker gets an end, because
//! dropping it is one. Nobody can name a request that is not theirs: there are no
//! numbers to guess.

use super::payload::Payload;
use super::refusal::Refusal;
use crate::instance::Served;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread::Thread;

/// What the handler answered.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The codec of the payload.
    pub codec: u32,
    /// The answer.
    pub payload: Payload,
    /// What handling the request took, if a component did.
    pub receipt: Option<Box<Served>>,
}

/// How a request ended.
pub type Outcome = Result<Reply, Refusal>;

/// Who is told of the end.
enum Listener {
    /// Nobody listens yet.
    Nobody,
    Thread(Thread),
    Waker(Waker),
    Call(Box<dyn FnOnce(Outcome) + Send>),
}

enum State {
    Open(Listener),
    Ended(Outcome),
    /// The asker has its outcome, or gave up.
    Closed,
}

/// A request that has not ended, or whose end nobody has taken yet.
pub struct Pending {
    state: Mutex<State>,
    orphans: Arc<AtomicU64>,
}

impl Pending {
    /// A new request; late answers to it are counted in `orphans`.
    pub fn new(orphans: Arc<AtomicU64>) -> Arc<Pending> {
        Arc::new(Pending {
            state: Mutex::new(State::Open(Listener::Nobody)),
            orphans,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends it. What comes after the end is dropped, and says so.
    pub fn end(&self, outcome: Outcome) -> bool {
        let mut state = self.state();
        let State::Open(listener) = &mut *state else {
            return false;
        };
        match std::mem::replace(listener, Listener::Nobody) {
            Listener::Call(then) => {
                *state = State::Closed;
                drop(state);
                then(outcome);
            }
            listener => {
                *state = State::Ended(outcome);
                drop(state);
                match listener {
                    Listener::Thread(thread) => thread.unpark(),
                    Listener::Waker(waker) => waker.wake(),
                    Listener::Nobody | Listener::Call(_) => {}
                }
            }
        }
        true
    }

    /// Takes the outcome, once there is one.
    pub fn take(&self) -> Option<Outcome> {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Closed) {
            State::Ended(outcome) => Some(outcome),
            open @ State::Open(_) => {
                *state = open;
                None
            }
            State::Closed => None,
        }
    }

    /// The same; else has `thread` woken at the end.
    pub fn take_or_wake(&self, thread: &Thread) -> Option<Outcome> {
        self.take_or(|| Listener::Thread(thread.clone()))
    }

    /// The same for a task.
    pub fn take_or_poll(&self, waker: &Waker) -> Option<Outcome> {
        self.take_or(|| Listener::Waker(waker.clone()))
    }

    /// Gives the outcome to `then`: now, or on the thread where the request ends.
    pub fn then(&self, then: impl FnOnce(Outcome) + Send + 'static) {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Closed) {
            State::Open(_) => *state = State::Open(Listener::Call(Box::new(then))),
            State::Ended(outcome) => {
                drop(state);
                then(outcome);
            }
            State::Closed => {}
        }
    }

    fn take_or(&self, listen: impl FnOnce() -> Listener) -> Option<Outcome> {
        let mut state = self.state();
        match &mut *state {
            State::Open(listener) => {
                *listener = listen();
                None
            }
            State::Closed => None,
            State::Ended(_) => match std::mem::replace(&mut *state, State::Closed) {
                State::Ended(outcome) => Some(outcome),
                State::Open(_) | State::Closed => None,
            },
        }
    }

    /// Whether the asker still waits.
    pub fn is_open(&self) -> bool {
        matches!(*self.state(), State::Open(_))
    }

    /// Gives the request up: an answer that comes later is an orphan.
    pub fn close(&self) {
        *self.state() = State::Closed;
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Pending(open: {})", self.is_open())
    }
}

/// The duty to end a request. Dropped, it ends as cancelled.
#[derive(Debug)]
pub struct ReplyTo(Option<Arc<Pending>>);

impl ReplyTo {
    /// The duty to end `pending`.
    pub fn new(pending: Arc<Pending>) -> ReplyTo {
        ReplyTo(Some(pending))
    }

    /// Ends it. Says whether the asker still waited.
    pub fn end(mut self, outcome: Outcome) -> bool {
        self.0
            .take()
            .is_some_and(|pending| finish(&pending, outcome))
    }

    /// Whether the asker still waits.
    pub fn is_wanted(&self) -> bool {
        self.0.as_ref().is_some_and(|pending| pending.is_open())
    }
}

fn finish(pending: &Pending, outcome: Outcome) -> bool {
    let in_time = pending.end(outcome);
    if !in_time {
        pending.orphans.fetch_add(1, Ordering::Relaxed);
    }
    in_time
}

impl Drop for ReplyTo {
    fn drop(&mut self) {
        if let Some(pending) = self.0.take() {
            pending.end(Err(Refusal::Cancelled));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply() -> Reply {
        Reply {
            codec: 0x51,
            payload: Payload::copy(b"yes"),
            receipt: None,
        }
    }

    fn pending() -> (Arc<Pending>, Arc<AtomicU64>) {
        let orphans = Arc::new(AtomicU64::new(0));
        (Pending::new(Arc::clone(&orphans)), orphans)
    }

    #[test]
    fn a_request_ends_once() {
        let (pending, orphans) = pending();
        let (first, second) = (
            ReplyTo::new(Arc::clone(&pending)),
            ReplyTo::new(Arc::clone(&pending)),
        );
        assert!(first.end(Ok(reply())));
        assert!(!second.end(Err(Refusal::Cancelled)));
        assert!(pending.take().is_some_and(|outcome| outcome.is_ok()));
        assert!(pending.take().is_none());
        assert_eq!(orphans.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_duty_that_is_dropped_ends_the_request() {
        let (pending, orphans) = pending();
        drop(ReplyTo::new(Arc::clone(&pending)));
        assert!(matches!(pending.take(), Some(Err(Refusal::Cancelled))));
        assert_eq!(orphans.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn an_answer_after_the_asker_gave_up_is_an_orphan() {
        let (pending, orphans) = pending();
        let duty = ReplyTo::new(Arc::clone(&pending));
        pending.close();
        assert!(!duty.is_wanted());
        assert!(!duty.end(Ok(reply())));
        assert_eq!(orphans.load(Ordering::Relaxed), 1);
    }
}
