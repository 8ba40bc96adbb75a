//! What somebody outside listens to: a bounded queue that never holds a sender up.
//!
//! What comes when it is full is dropped, or displaces the oldest, and is counted.
//! Whoever waits is woken once for all that comes before they look again.

use crate::actor::Refusal;
use crate::engine;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a full feed drops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// What comes.
    Newest,
    /// What waits longest.
    Oldest,
}

/// How much a feed holds.
#[derive(Clone, Copy, Debug)]
pub struct FeedLimits {
    /// Items, at least 1.
    pub items_max: usize,
    /// Their bytes together; an item that is larger alone is always dropped.
    pub bytes_max: usize,
    /// What happens past that.
    pub overflow: Overflow,
}

/// Items whose room an empty feed keeps.
const KEPT_ROOM: usize = 1024;

/// Wakes who waits; called outside of all locks.
pub type Wake = Box<dyn FnOnce() + Send>;

/// Items for one listener.
pub struct Feed<T> {
    limits: FeedLimits,
    /// The process that it was made in.
    generation: u32,
    state: Mutex<State<T>>,
    ready: Condvar,
}

struct State<T> {
    items: VecDeque<(T, usize)>,
    bytes: usize,
    dropped: u64,
    closed: bool,
    /// Threads that wait.
    parked: usize,
    wake: Option<Wake>,
}

impl<T> Feed<T> {
    /// Nothing yet.
    pub fn new(limits: FeedLimits) -> Arc<Feed<T>> {
        Arc::new(Feed {
            limits,
            generation: engine::generation(),
            state: Mutex::new(State {
                items: VecDeque::new(),
                bytes: 0,
                dropped: 0,
                closed: false,
                parked: 0,
                wake: None,
            }),
            ready: Condvar::new(),
        })
    }

    /// Fails in a process that was forked since it was made: who would fill it is not
    /// here, and may have held its lock when they were left behind.
    ///
    /// # Errors
    ///
    /// [`Refusal::Forked`].
    #[inline]
    pub fn refuse_forked(&self) -> Result<(), Refusal> {
        if self.generation == engine::generation() {
            return Ok(());
        }
        Err(Refusal::Forked)
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an item of so many bytes. Gives what was dropped for it, to be destroyed
    /// where that does no harm; says nothing of one that came after the end.
    #[must_use = "what was dropped is destroyed here"]
    pub fn push(&self, item: T, bytes: usize) -> Vec<T> {
        let mut state = self.state();
        if state.closed {
            return vec![item];
        }
        let mut dropped = Vec::new();
        if bytes > self.limits.bytes_max || self.is_full(&state, bytes) {
            if bytes > self.limits.bytes_max || self.limits.overflow == Overflow::Newest {
                state.dropped += 1;
                return vec![item];
            }
            while self.is_full(&state, bytes) {
                let Some((oldest, weight)) = state.items.pop_front() else {
                    break;
                };
                state.bytes -= weight;
                state.dropped += 1;
                dropped.push(oldest);
            }
        }
        state.items.push_back((item, bytes));
        state.bytes += bytes;
        self.wake(state);
        dropped
    }

    fn is_full(&self, state: &State<T>, bytes: usize) -> bool {
        state.items.len() >= self.limits.items_max.max(1)
            || state.bytes.saturating_add(bytes) > self.limits.bytes_max
    }

    fn wake(&self, mut state: MutexGuard<'_, State<T>>) {
        let wake = state.wake.take();
        if state.parked > 0 {
            self.ready.notify_one();
        }
        drop(state);
        if let Some(wake) = wake {
            wake();
        }
    }

    /// The oldest item.
    pub fn take(&self) -> Option<T> {
        let mut state = self.state();
        let (item, bytes) = state.items.pop_front()?;
        state.bytes -= bytes;
        if state.items.is_empty() && state.items.capacity() > KEPT_ROOM {
            state.items = VecDeque::new();
        }
        Some(item)
    }

    /// Has `wake` called when there is something to look at, in place of whoever was
    /// to be called before; gives it back if there is something now.
    ///
    /// # Errors
    ///
    /// `wake`, which was not kept.
    pub fn when_ready(&self, wake: Wake) -> Result<(), Wake> {
        let mut state = self.state();
        if state.closed || !state.items.is_empty() {
            return Err(wake);
        }
        let before = state.wake.replace(wake);
        drop(state);
        drop(before);
        Ok(())
    }

    /// Waits on this thread until there is something to look at; says whether there is.
    pub fn wait(&self, at_most: Duration) -> bool {
        let mut state = self.state();
        if !state.closed && state.items.is_empty() {
            state.parked += 1;
            state = self
                .ready
                .wait_timeout(state, at_most)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            state.parked -= 1;
        }
        state.closed || !state.items.is_empty()
    }

    /// Takes nothing more; what is in it can still be taken.
    pub fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        self.ready.notify_all();
        self.wake(state);
    }

    /// Whether it takes nothing more.
    pub fn is_closed(&self) -> bool {
        self.state().closed
    }

    /// Items that wait.
    pub fn len(&self) -> usize {
        self.state().items.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Items that were dropped so far.
    pub fn dropped(&self) -> u64 {
        self.state().dropped
    }
}

impl<T> fmt::Debug for Feed<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        write!(
            formatter,
            "Feed({} items, {} dropped)",
            state.items.len(),
            state.dropped
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn feed(items_max: usize, bytes_max: usize, overflow: Overflow) -> Arc<Feed<u32>> {
        Feed::new(FeedLimits {
            items_max,
            bytes_max,
            overflow,
        })
    }

    #[test]
    fn it_holds_no_more_than_its_bounds_and_counts_what_it_drops() {
        let oldest = feed(2, 100, Overflow::Oldest);
        for item in 0..5 {
            drop(oldest.push(item, 10));
        }
        assert_eq!((oldest.take(), oldest.take()), (Some(3), Some(4)));
        assert_eq!(oldest.dropped(), 3);
        let newest = feed(2, 100, Overflow::Newest);
        for item in 0..5 {
            drop(newest.push(item, 10));
        }
        assert_eq!((newest.take(), newest.take()), (Some(0), Some(1)));
        assert_eq!(newest.dropped(), 3);
    }

    #[test]
    fn bytes_count_too_and_one_that_never_fits_displaces_nothing() {
        let feed = feed(100, 30, Overflow::Oldest);
        assert!(feed.push(1, 10).is_empty());
        assert!(feed.push(2, 10).is_empty());
        assert_eq!(feed.push(3, 31), [3]);
        assert_eq!(feed.push(4, 25), [1, 2]);
        assert_eq!((feed.take(), feed.take()), (Some(4), None));
    }

    #[test]
    fn who_waits_is_woken_once_until_they_look_again() {
        let feed = feed(10, 100, Overflow::Oldest);
        let woken = Arc::new(AtomicUsize::new(0));
        let count = |woken: &Arc<AtomicUsize>| -> Wake {
            let woken = Arc::clone(woken);
            Box::new(move || {
                woken.fetch_add(1, Ordering::Relaxed);
            })
        };
        assert!(feed.when_ready(count(&woken)).is_ok());
        drop(feed.push(1, 1));
        drop(feed.push(2, 1));
        assert_eq!(woken.load(Ordering::Relaxed), 1);
        assert!(feed.when_ready(count(&woken)).is_err());
        assert_eq!(
            (feed.take(), feed.take(), feed.take()),
            (Some(1), Some(2), None)
        );
        assert!(feed.when_ready(count(&woken)).is_ok());
        feed.close();
        assert_eq!(woken.load(Ordering::Relaxed), 2);
        assert_eq!(feed.push(3, 1), [3]);
        assert!(feed.is_closed() && feed.is_empty());
    }
}
