//! The rings behind a mailbox.

use std::collections::VecDeque;

use super::{Message, Priority, Waiting};

/// A ring that was larger than this is cut down when it runs empty, in slots.
const KEPT_SLOTS_MAX: usize = 64;

/// What it is cut down to, in slots: enough for the next few messages.
const KEPT_SLOTS: usize = 16;

/// All lanes of a mailbox. Most actors only ever use the normal one, so the others are made when
/// they are first needed.
#[derive(Debug)]
pub(super) struct Lanes<M> {
    normal: VecDeque<M>,
    side: Option<Box<Side<M>>>,
}

#[derive(Debug)]
struct Side<M> {
    system: VecDeque<M>,
    high: Weighed<M>,
    low: Weighed<M>,
    waiting: VecDeque<Waiting<M>>,
}

/// A lane that knows its bytes. The normal lane need not: its bytes are the rest.
#[derive(Debug)]
struct Weighed<M> {
    ring: VecDeque<M>,
    bytes: usize,
}

impl<M> Default for Lanes<M> {
    fn default() -> Self {
        Self {
            normal: VecDeque::new(),
            side: None,
        }
    }
}

impl<M> Default for Side<M> {
    fn default() -> Self {
        Self {
            system: VecDeque::new(),
            high: Weighed::default(),
            low: Weighed::default(),
            waiting: VecDeque::new(),
        }
    }
}

impl<M> Default for Weighed<M> {
    fn default() -> Self {
        Self {
            ring: VecDeque::new(),
            bytes: 0,
        }
    }
}

impl<M: Message> Lanes<M> {
    #[inline]
    pub(super) fn push(&mut self, priority: Priority, message: M, bytes: usize) {
        if priority == Priority::Normal {
            self.normal.push_back(message);
        } else {
            self.push_aside(priority, message, bytes);
        }
    }

    fn push_aside(&mut self, priority: Priority, message: M, bytes: usize) {
        let side = self.side.get_or_insert_default();
        let lane = if priority == Priority::High {
            &mut side.high
        } else {
            &mut side.low
        };
        lane.bytes += bytes;
        lane.ring.push_back(message);
    }

    pub(super) fn push_system(&mut self, message: M) {
        self.side.get_or_insert_default().system.push_back(message);
    }

    #[inline]
    pub(super) fn pop_system(&mut self) -> Option<M> {
        take(&mut self.side.as_mut()?.system)
    }

    /// Takes the next message that is not of the system.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<M> {
        match &mut self.side {
            None => take(&mut self.normal),
            Some(side) => side
                .high
                .take()
                .or_else(|| take(&mut self.normal))
                .or_else(|| side.low.take()),
        }
    }

    /// Takes the oldest message of the lowest lane that is not above `newcomer`.
    pub(super) fn pop_least(&mut self, newcomer: Priority) -> Option<M> {
        [Priority::Low, Priority::Normal, Priority::High]
            .into_iter()
            .filter(|&lane| lane <= newcomer)
            .find_map(|lane| self.pop_if(lane, |_| true))
    }

    /// Takes the first message of a lane if `over` says so.
    pub(super) fn pop_if(&mut self, lane: Priority, over: impl Fn(&M) -> bool) -> Option<M> {
        if !over(self.iter(lane).next()?) {
            return None;
        }
        match (lane, &mut self.side) {
            (Priority::Normal, _) => take(&mut self.normal),
            (Priority::High, Some(side)) => side.high.take(),
            (Priority::Low, Some(side)) => side.low.take(),
            (_, None) => None,
        }
    }

    /// The bytes in the lanes above `newcomer`; `bytes` are those in all lanes.
    pub(super) fn bytes_above(&self, newcomer: Priority, bytes: usize) -> usize {
        let side = self.side.as_deref();
        match newcomer {
            Priority::High => 0,
            Priority::Normal => side.map_or(0, |side| side.high.bytes),
            Priority::Low => bytes - side.map_or(0, |side| side.low.bytes),
        }
    }

    /// The messages of one lane, first to last.
    pub(super) fn iter(&self, lane: Priority) -> impl Iterator<Item = &M> {
        let ring = match lane {
            Priority::Normal => Some(&self.normal),
            Priority::High => self.side.as_ref().map(|side| &side.high.ring),
            Priority::Low => self.side.as_ref().map(|side| &side.low.ring),
        };
        ring.into_iter().flatten()
    }

    pub(super) fn system_len(&self) -> usize {
        self.side.as_ref().map_or(0, |side| side.system.len())
    }

    pub(super) fn waiting_len(&self) -> usize {
        self.side.as_ref().map_or(0, |side| side.waiting.len())
    }

    pub(super) fn wait(&mut self, waiting: Waiting<M>) {
        self.side.get_or_insert_default().waiting.push_back(waiting);
    }

    pub(super) fn first_waiting(&self) -> Option<&Waiting<M>> {
        self.side.as_ref()?.waiting.front()
    }

    pub(super) fn pop_waiting(&mut self) -> Option<Waiting<M>> {
        take(&mut self.side.as_mut()?.waiting)
    }

    pub(super) fn withdraw(&mut self, waiter: u64) -> Option<Waiting<M>> {
        let waiting = &mut self.side.as_mut()?.waiting;
        let index = waiting.iter().position(|one| one.waiter == waiter)?;
        waiting.remove(index)
    }

    /// Gives back the memory of empty rings.
    pub(super) fn release(&mut self) {
        self.normal.shrink_to_fit();
        if let Some(side) = &mut self.side {
            side.system.shrink_to_fit();
            side.high.ring.shrink_to_fit();
            side.low.ring.shrink_to_fit();
            side.waiting.shrink_to_fit();
            if side.is_empty() {
                self.side = None;
            }
        }
    }

    /// Slots that hold memory now, in all lanes.
    pub(super) fn slots(&self) -> usize {
        self.normal.capacity()
            + self.side.as_ref().map_or(0, |side| {
                side.system.capacity()
                    + side.high.ring.capacity()
                    + side.low.ring.capacity()
                    + side.waiting.capacity()
            })
    }
}

impl<M: Message> Weighed<M> {
    fn take(&mut self) -> Option<M> {
        let message = take(&mut self.ring)?;
        self.bytes = self.bytes.saturating_sub(message.bytes());
        Some(message)
    }
}

impl<M> Side<M> {
    fn is_empty(&self) -> bool {
        self.system.is_empty()
            && self.high.ring.is_empty()
            && self.low.ring.is_empty()
            && self.waiting.is_empty()
    }
}

/// Takes the first element, and gives back the memory of a ring that a burst had made large.
#[inline]
fn take<T>(ring: &mut VecDeque<T>) -> Option<T> {
    let first = ring.pop_front()?;
    if ring.is_empty() && ring.capacity() > KEPT_SLOTS_MAX {
        ring.shrink_to(KEPT_SLOTS);
    }
    Some(first)
}
