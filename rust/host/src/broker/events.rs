//! What happened to actors, for whoever supervises and watches them.

use super::desk::Denied;
use crate::actor::{Exit, Refusal};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Events that wait to be taken beside which a dead letter is none any more.
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
        /// Its number among the dead letters, if it is kept there.
        letter: Option<u64>,
        /// Why it was not handled.
        why: Refusal,
    },
    /// A component wanted to say what it was not granted.
    Denied {
        /// Its address.
        actor: Arc<str>,
        /// What it wanted.
        denied: Denied,
    },
    /// Letters that were no events any more, because too many waited to be taken.
    LettersMissed(u64),
}

#[derive(Default)]
struct Waiting {
    events: VecDeque<Event>,
    letters_missed: u64,
}

/// Events that nobody has taken yet.
pub(super) struct Events {
    waiting: Mutex<Waiting>,
    wake: Box<dyn Fn() + Send + Sync>,
}

impl Events {
    /// Calls `wake` whenever there are events again where there were none.
    pub(super) fn new(wake: Box<dyn Fn() + Send + Sync>) -> Events {
        Events {
            waiting: Mutex::default(),
            wake,
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, event: Event) {
        let mut waiting = self.waiting();
        // How actors ended, and what they were denied, which is told a few times for each,
        // is never given up for letters, which are counted anyway.
        if matches!(event, Event::DeadLetter { .. }) && waiting.events.len() >= LETTERS_MAX {
            waiting.letters_missed += 1;
            return;
        }
        waiting.events.push_back(event);
        let first = waiting.events.len() == 1;
        drop(waiting);
        if first {
            (self.wake)();
        }
    }

    pub(super) fn take(&self) -> VecDeque<Event> {
        let Waiting {
            mut events,
            letters_missed,
        } = std::mem::take(&mut *self.waiting());
        if letters_missed > 0 {
            events.push_back(Event::LettersMissed(letters_missed));
        }
        events
    }
}
