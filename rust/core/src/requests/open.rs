//! The open requests.

use super::links::{Entry, Heads, NONE, Side};
use super::{End, Key, Party, Request, RequestCounters, Unanswerable};
use crate::address::{Handle, Incarnation};
use crate::slab::{Age, Slab};

/// How many ends of one slot are remembered, at [`END_BITS`] each.
const ENDS_KEPT: u64 = 16;
const END_BITS: u32 = 4;

/// Every request that is still open; see the [module](super).
#[derive(Debug)]
pub struct Requests<T> {
    pub(super) slab: Slab<Entry<T>>,
    pub(super) heads: Heads,
    /// How the last requests of each slot ended, the latest in the lowest bits.
    ends: Vec<u64>,
    counters: RequestCounters,
}

impl<T> Requests<T> {
    /// None yet, and at most `open_max` at a time.
    pub fn new(open_max: usize) -> Self {
        Self {
            slab: Slab::new(open_max),
            heads: Heads::default(),
            ends: Vec::new(),
            counters: RequestCounters::default(),
        }
    }

    /// Opens a request. Handles must come from the host, never from a guest: the tables grow with
    /// the largest.
    ///
    /// # Errors
    ///
    /// The request itself, if as many are open as may be.
    #[inline]
    pub fn open(&mut self, request: Request<T>) -> Result<Key, Request<T>> {
        let key = self
            .slab
            .insert(Entry::new(request))
            .map_err(|entry| entry.request)?;
        self.heads.link(&mut self.slab, key.index());
        let counters = &mut self.counters;
        counters.opened += 1;
        counters.open = self.slab.len();
        counters.open_peak = counters.open_peak.max(counters.open);
        Ok(key)
    }

    /// The request, if it is still open.
    #[inline]
    pub fn get(&self, key: Key) -> Option<&Request<T>> {
        Some(&self.slab.get(key)?.request)
    }

    /// Binds a request to the incarnation that takes its message out of the mailbox.
    ///
    /// # Errors
    ///
    /// [`Unanswerable`] if it has ended: then the message need not be handled.
    #[inline]
    pub fn serve(&mut self, key: Key, incarnation: Incarnation) -> Result<(), Unanswerable> {
        match self.slab.get_mut(key) {
            Some(entry) => {
                entry.request.served_by = Some(incarnation);
                Ok(())
            }
            None => Err(self.fate(key)),
        }
    }

    /// Ends a request with the answer of `from`, and returns it, so that its requester is told.
    ///
    /// # Errors
    ///
    /// [`Unanswerable`] if it is not open, or `from` is not who has it; it is counted.
    #[inline]
    pub fn answer(&mut self, key: Key, from: Party) -> Result<Request<T>, Unanswerable> {
        let refused = match self.slab.get(key) {
            None => self.fate(key),
            Some(entry) if entry.request.responder != from.handle => Unanswerable::WrongParty,
            Some(entry) if entry.request.served_by != Some(from.incarnation) => {
                Unanswerable::WrongIncarnation
            }
            Some(_) => return self.end(key, End::Answered).ok_or(Unanswerable::Unknown),
        };
        self.count(refused);
        Err(refused)
    }

    /// Ends a request because `by`, who made it, gives it up.
    ///
    /// # Errors
    ///
    /// [`Unanswerable`] if it is not open, or not by `by`. Nothing is counted: giving up what has
    /// just ended is nobody's fault.
    pub fn cancel(&mut self, key: Key, by: Party) -> Result<Request<T>, Unanswerable> {
        match self.slab.get(key) {
            None => Err(self.fate(key)),
            Some(entry) if entry.request.requester.handle != by.handle => {
                Err(Unanswerable::WrongParty)
            }
            Some(entry) if entry.request.requester != by => Err(Unanswerable::WrongIncarnation),
            Some(_) => self.end(key, End::Cancelled).ok_or(Unanswerable::Unknown),
        }
    }

    /// Ends a request for a reason of the host's, such as its time. None if it has ended already.
    #[inline]
    pub fn end(&mut self, key: Key, end: End) -> Option<Request<T>> {
        let entry = self.slab.remove(key)?;
        self.heads.unlink(&mut self.slab, &entry);
        self.remember(key, end);
        let counters = &mut self.counters;
        counters.open = self.slab.len();
        match end {
            End::Answered => counters.answered += 1,
            End::TimedOut => counters.timed_out += 1,
            End::Cancelled => counters.cancelled += 1,
            End::Failed => counters.failed += 1,
        }
        Some(entry.request)
    }

    /// Ends everything that an actor was asked, for it stopped, and appends it to `ended`.
    pub fn fail_asked_of(&mut self, responder: Handle, ended: &mut Vec<(Key, Request<T>)>) {
        let all = |request: &Request<T>| request.responder == responder;
        self.end_list(responder, Side::Asked, End::Failed, all, ended);
    }

    /// Ends everything that one life of an actor has in hand, for it failed, and appends it to
    /// `ended`. What still waits in the mailbox stays, for the next life.
    pub fn fail_served_by(&mut self, party: Party, ended: &mut Vec<(Key, Request<T>)>) {
        let its = |request: &Request<T>| {
            request.responder == party.handle && request.served_by == Some(party.incarnation)
        };
        self.end_list(party.handle, Side::Asked, End::Failed, its, ended);
    }

    /// Ends everything that an actor asked, for it stopped or failed, and appends it to `ended`.
    pub fn cancel_made_by(&mut self, requester: Handle, ended: &mut Vec<(Key, Request<T>)>) {
        let all = |request: &Request<T>| request.requester.handle == requester;
        self.end_list(requester, Side::Made, End::Cancelled, all, ended);
    }

    /// Requests that are open.
    pub fn len(&self) -> usize {
        self.slab.len()
    }

    /// Whether none is open.
    pub fn is_empty(&self) -> bool {
        self.slab.is_empty()
    }

    /// What happened so far.
    pub fn counters(&self) -> RequestCounters {
        self.counters
    }

    /// The open requests, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &Request<T>)> {
        self.slab.iter().map(|(key, entry)| (key, &entry.request))
    }

    fn end_list(
        &mut self,
        actor: Handle,
        side: Side,
        end: End,
        wanted: impl Fn(&Request<T>) -> bool,
        ended: &mut Vec<(Key, Request<T>)>,
    ) {
        let mut index = self.heads.first(actor, side);
        while index != NONE {
            let Some((key, entry)) = self.slab.at(index) else {
                return;
            };
            index = entry.next(side);
            if wanted(&entry.request) {
                ended.extend(self.end(key, end).map(|request| (key, request)));
            }
        }
    }

    /// Why a key that is not open is not.
    #[cold]
    fn fate(&self, key: Key) -> Unanswerable {
        match self.slab.age(key) {
            Age::Ended(since) if since < ENDS_KEPT => {
                let shift = END_BITS * u32::try_from(since).unwrap_or(0);
                let ends = self.ends.get(key.index() as usize).copied().unwrap_or(0);
                end_of(ends >> shift).map_or(Unanswerable::Forgotten, Unanswerable::Ended)
            }
            Age::Ended(_) => Unanswerable::Forgotten,
            Age::Live | Age::Never => Unanswerable::Unknown,
        }
    }

    fn remember(&mut self, key: Key, end: End) {
        let index = key.index() as usize;
        if index >= self.ends.len() {
            self.ends.resize(self.slab.slots(), 0);
        }
        self.ends[index] = self.ends[index] << END_BITS | number_of(end);
    }

    fn count(&mut self, refused: Unanswerable) {
        let counters = &mut self.counters;
        match refused {
            Unanswerable::WrongParty => counters.wrong_party += 1,
            Unanswerable::WrongIncarnation => counters.wrong_incarnation += 1,
            Unanswerable::Ended(End::Answered) => counters.twice += 1,
            Unanswerable::Ended(_) | Unanswerable::Forgotten => counters.late += 1,
            Unanswerable::Unknown => counters.unknown += 1,
        }
    }
}

const fn number_of(end: End) -> u64 {
    match end {
        End::Answered => 1,
        End::TimedOut => 2,
        End::Cancelled => 3,
        End::Failed => 4,
    }
}

const fn end_of(ends: u64) -> Option<End> {
    match ends & ((1 << END_BITS) - 1) {
        1 => Some(End::Answered),
        2 => Some(End::TimedOut),
        3 => Some(End::Cancelled),
        4 => Some(End::Failed),
        _ => None,
    }
}
