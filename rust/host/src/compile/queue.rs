//! How many compiling processes an engine runs at once.
//!
//! Each may take gigabytes and all the time it is allowed, so a crowd of callers
//! waits its turn, first come, first served.

use crate::engine::long_call;
use crate::error::{Error, Result};
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Time between two looks whether the embedder wants to go on waiting.
const LOOK: Duration = Duration::from_millis(50);
/// The same in ticks of a long call.
const LOOK_TICKS: u32 = 50;

/// Places for compiling processes.
pub(crate) struct Queue {
    state: Mutex<State>,
    freed: Condvar,
}

struct State {
    free: usize,
    next: u64,
    done: u64,
    waiting: VecDeque<u64>,
}

/// A place in use; given back when dropped.
pub(super) struct Place<'a> {
    queue: &'a Queue,
}

impl Queue {
    /// A queue in front of this many places.
    pub(crate) fn new(places: usize) -> Queue {
        Queue {
            state: Mutex::new(State {
                free: places.max(1),
                next: 0,
                done: 0,
                waiting: VecDeque::new(),
            }),
            freed: Condvar::new(),
        }
    }

    /// Takes a place as soon as it is our turn.
    pub(super) fn enter(&self, seconds_max: f64) -> Result<Place<'_>> {
        let deadline = Instant::now() + Duration::from_secs_f64(seconds_max);
        let mut state = self.lock();
        let ticket = state.next;
        state.next += 1;
        state.waiting.push_back(ticket);
        let mut ticks = 0_u32;
        while state.free == 0 || state.waiting.front() != Some(&ticket) {
            let ahead = state.waiting.iter().take_while(|it| **it != ticket).count();
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.leave(state, ticket);
                return Err(too_long(seconds_max, ahead));
            }
            state = self.wait(state, left.min(LOOK));
            ticks = ticks.saturating_add(LOOK_TICKS);
            // The embedder's word may take its time: nobody waits for it here.
            drop(state);
            let go_on = long_call(ticks);
            state = self.lock();
            if !go_on {
                self.leave(state, ticket);
                return Err(Error::Interrupted);
            }
        }
        state.waiting.pop_front();
        state.free -= 1;
        drop(state);
        self.freed.notify_all();
        Ok(Place { queue: self })
    }

    /// How many have given their place back: where that has changed, another may
    /// have done the work meanwhile.
    pub(super) fn done(&self) -> u64 {
        self.lock().done
    }

    fn leave(&self, mut state: MutexGuard<'_, State>, ticket: u64) {
        state.waiting.retain(|other| *other != ticket);
        drop(state);
        self.freed.notify_all();
    }

    fn wait<'a>(&'a self, state: MutexGuard<'a, State>, most: Duration) -> MutexGuard<'a, State> {
        let woken = self.freed.wait_timeout(state, most);
        woken.unwrap_or_else(PoisonError::into_inner).0
    }

    // Nothing under the lock can panic, so a poisoned one still holds a good value.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.free += 1;
        state.done += 1;
        drop(state);
        self.queue.freed.notify_all();
    }
}

fn too_long(seconds: f64, ahead: usize) -> Error {
    Error::CompileRefused(format!(
        "no compiling process was free for {seconds} s, with {ahead} callers ahead; hint: load \
         fewer large components at once, or raise Engine(compile_queue_seconds_max=...)"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn no_more_are_inside_than_there_are_places() {
        let queue = Queue::new(2);
        let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    let _place = queue.enter(30.0).unwrap();
                    let now = inside.fetch_add(1, Ordering::SeqCst) + 1;
                    most.fetch_max(now, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(5));
                    inside.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        assert_eq!(most.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn who_waits_too_long_leaves_and_holds_nobody_up() {
        let queue = Queue::new(1);
        let place = queue.enter(1.0).unwrap();
        assert_eq!(queue.done(), 0);
        assert!(matches!(queue.enter(0.01), Err(Error::CompileRefused(_))));
        drop(place);
        assert_eq!(queue.done(), 1);
        assert!(queue.enter(1.0).is_ok());
    }
}
