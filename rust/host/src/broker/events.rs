//! What happened to actors, for whoever supervises and watches them.

use crate::actor::{Exit, Refusal};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Letters that are kept until they are read; of those beyond, the oldest go.
const LETTERS_MAX: usize = 10_000;

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// An instance has ended, and its actor waits for another.
    Ended {
        /// Its address.
        actor: Arc<str>,
        /// Which of its instances.
        incarnation: u64,
        /// How it ended.
        exit: Arc<Exit>,
    },
    /// An actor has stopped for good.
    Stopped {
        /// Its address.
        actor: Arc<str>,
    },
    /// A message was not handled.
    DeadLetter {
        /// Whom it was for.
        actor: Arc<str>,
        /// Why it was not handled.
        why: Refusal,
    },
}

/// Events that nobody has taken yet.
pub(super) struct Events {
    waiting: Mutex<VecDeque<Event>>,
    letters: AtomicU64,
    wake: Box<dyn Fn() + Send + Sync>,
}

impl Events {
    /// Calls `wake` whenever there are events again where there were none.
    pub(super) fn new(wake: Box<dyn Fn() + Send + Sync>) -> Events {
        Events {
            waiting: Mutex::default(),
            letters: AtomicU64::new(0),
            wake,
        }
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Event>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, event: Event) {
        let mut waiting = self.waiting();
        if matches!(event, Event::DeadLetter { .. }) {
            self.letters.fetch_add(1, Ordering::Relaxed);
            if waiting.len() >= LETTERS_MAX {
                // How actors ended is never given up for letters.
                return;
            }
        }
        waiting.push_back(event);
        let first = waiting.len() == 1;
        drop(waiting);
        if first {
            (self.wake)();
        }
    }

    pub(super) fn take(&self) -> VecDeque<Event> {
        std::mem::take(&mut *self.waiting())
    }

    /// Messages that were not handled since the host began.
    pub(super) fn letters(&self) -> u64 {
        self.letters.load(Ordering::Relaxed)
    }
}
