//! Dead letters: messages that nobody handled, with the reason, kept for a while.
//!
//! A [`Letters`] is bounded by letters and by bytes. When a letter more does not fit the oldest
//! are dropped and counted: a flood of dead letters costs memory once.
//!
//! Costs: posting is O(1) but for what it drops, taking one by its number O(log letters) to find
//! and O(letters) to close the gap.

use std::collections::VecDeque;

use crate::mailbox::Message;

/// Letters that are kept unless told otherwise.
pub const LETTERS_MAX_DEFAULT: usize = 1000;

/// Bytes of letters that are kept unless told otherwise.
pub const LETTER_BYTES_MAX_DEFAULT: usize = 16 << 20;

/// Why a message became a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Nobody has the address.
    UnknownReceiver,
    /// The receiver has stopped, or did with the message in its mailbox.
    Stopped,
    /// Its time was over before its turn.
    Expired,
    /// The mailbox was full, and its policy was to refuse.
    MailboxFull,
    /// The mailbox was full, and its policy was to drop this one.
    Dropped,
    /// The mailbox was full, and a newer message got the room.
    Displaced,
    /// It is larger than the host or the mailbox takes.
    TooLarge,
    /// It is not well formed in its codec.
    Malformed,
    /// The receiver does not read its codec.
    CodecUnsupported,
    /// The receiver trapped, or ran out of a limit, while it handled it.
    ActorFailed,
    /// The receiver's handler returned an error.
    HandlerFailed,
    /// It failed as often as it may be tried.
    AttemptsUsedUp,
    /// Its sender gave it up.
    Cancelled,
    /// Its route is cut after repeated failures.
    CircuitOpen,
    /// Its sender sent too much.
    RateLimited,
    /// A reply that nobody waits for.
    Orphaned,
}

impl Reason {
    /// All reasons, in the order of their numbers.
    pub const ALL: [Self; 16] = [
        Self::UnknownReceiver,
        Self::Stopped,
        Self::Expired,
        Self::MailboxFull,
        Self::Dropped,
        Self::Displaced,
        Self::TooLarge,
        Self::Malformed,
        Self::CodecUnsupported,
        Self::ActorFailed,
        Self::HandlerFailed,
        Self::AttemptsUsedUp,
        Self::Cancelled,
        Self::CircuitOpen,
        Self::RateLimited,
        Self::Orphaned,
    ];

    /// Its name in text, metrics and Python.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownReceiver => "unknown-receiver",
            Self::Stopped => "stopped",
            Self::Expired => "expired",
            Self::MailboxFull => "mailbox-full",
            Self::Dropped => "dropped",
            Self::Displaced => "displaced",
            Self::TooLarge => "too-large",
            Self::Malformed => "malformed",
            Self::CodecUnsupported => "codec-unsupported",
            Self::ActorFailed => "actor-failed",
            Self::HandlerFailed => "handler-failed",
            Self::AttemptsUsedUp => "attempts-used-up",
            Self::Cancelled => "cancelled",
            Self::CircuitOpen => "circuit-open",
            Self::RateLimited => "rate-limited",
            Self::Orphaned => "orphaned",
        }
    }
}

/// A message that nobody handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter<M> {
    /// Its number, from 1; a later letter has a higher one.
    pub id: u64,
    /// Why nobody handled it.
    pub reason: Reason,
    /// When that was, in nanoseconds of the owner's clock.
    pub at: u64,
    /// The message.
    pub message: M,
}

/// What happened so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LetterCounters {
    /// Letters that are kept now.
    pub letters: usize,
    /// Their bytes.
    pub bytes: usize,
    /// Letters posted.
    pub posted: u64,
    /// Letters dropped for want of room: the oldest, and those too large to keep at all.
    pub dropped: u64,
    /// Letters taken out again.
    pub taken: u64,
    by_reason: [u64; Reason::ALL.len()],
}

impl LetterCounters {
    /// Letters posted for this reason.
    pub fn posted_for(&self, reason: Reason) -> u64 {
        self.by_reason[reason as usize]
    }
}

/// The dead letters of a host; see the [module](self).
#[derive(Debug)]
pub struct Letters<M> {
    ring: VecDeque<Letter<M>>,
    counters: LetterCounters,
    kept_max: usize,
    bytes_max: usize,
}

impl<M> Default for Letters<M> {
    fn default() -> Self {
        Self::new(LETTERS_MAX_DEFAULT, LETTER_BYTES_MAX_DEFAULT)
    }
}

impl<M> Letters<M> {
    /// None yet, and at most `letters_max` with `bytes_max` together. 0 keeps none and counts
    /// all.
    pub fn new(letters_max: usize, bytes_max: usize) -> Self {
        Self {
            ring: VecDeque::new(),
            counters: LetterCounters::default(),
            kept_max: letters_max,
            bytes_max,
        }
    }

    /// A letter that is kept.
    pub fn get(&self, id: u64) -> Option<&Letter<M>> {
        self.ring.get(self.index_of(id)?)
    }

    /// The letters that are kept, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Letter<M>> {
        self.ring.iter()
    }

    /// What happened so far.
    pub fn counters(&self) -> LetterCounters {
        self.counters
    }

    fn index_of(&self, id: u64) -> Option<usize> {
        self.ring.binary_search_by_key(&id, |letter| letter.id).ok()
    }
}

impl<M: Message> Letters<M> {
    /// Keeps a message, at the price of the oldest. Returns its number, or none if it is larger
    /// than all letters together may be.
    pub fn post(&mut self, message: M, reason: Reason, now: u64) -> Option<u64> {
        self.counters.posted += 1;
        self.counters.by_reason[reason as usize] += 1;
        let id = self.counters.posted;
        let bytes = message.bytes();
        if bytes > self.bytes_max || self.kept_max == 0 {
            self.counters.dropped += 1;
            return None;
        }
        while self.ring.len() >= self.kept_max || self.counters.bytes > self.bytes_max - bytes {
            let oldest = self.ring.pop_front()?;
            self.forget(&oldest);
            self.counters.dropped += 1;
        }
        self.ring.push_back(Letter {
            id,
            reason,
            at: now,
            message,
        });
        self.counters.bytes += bytes;
        self.counters.letters = self.ring.len();
        Some(id)
    }

    /// Takes a letter out, to send its message again.
    pub fn take(&mut self, id: u64) -> Option<Letter<M>> {
        let letter = self.ring.remove(self.index_of(id)?)?;
        self.forget(&letter);
        self.counters.taken += 1;
        Some(letter)
    }

    /// Puts a letter back that was taken out, as it was; dropped, and counted, if its room is
    /// gone. O(letters).
    pub fn put_back(&mut self, letter: Letter<M>) {
        self.counters.taken = self.counters.taken.saturating_sub(1);
        let bytes = letter.message.bytes();
        let full = self.ring.len() >= self.kept_max
            || self.counters.bytes.saturating_add(bytes) > self.bytes_max;
        match self.ring.binary_search_by_key(&letter.id, |one| one.id) {
            Err(index) if !full => {
                self.ring.insert(index, letter);
                self.counters.bytes += bytes;
                self.counters.letters = self.ring.len();
            }
            _ => self.counters.dropped += 1,
        }
    }

    /// Takes out all letters that `wanted` says yes to, oldest first. O(letters).
    pub fn take_all(&mut self, wanted: impl Fn(&Letter<M>) -> bool) -> Vec<Letter<M>> {
        let (mut taken, mut kept) = (Vec::new(), VecDeque::new());
        for letter in std::mem::take(&mut self.ring) {
            if wanted(&letter) {
                taken.push(letter);
            } else {
                kept.push_back(letter);
            }
        }
        self.ring = kept;
        for letter in &taken {
            self.forget(letter);
        }
        self.counters.taken += taken.len() as u64;
        taken
    }

    fn forget(&mut self, letter: &Letter<M>) {
        self.counters.letters = self.ring.len();
        self.counters.bytes = self.counters.bytes.saturating_sub(letter.message.bytes());
    }
}
