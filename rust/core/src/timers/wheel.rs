//! The wheel.
//!
//! A timer stands on the level of the highest 6-bit digit in which its deadline differs from the
//! wheel's time, in the slot of its deadline's digit. So a level holds only slots ahead of the
//! time, the first deadline is in the first slot of the lowest level in use, and when the time
//! reaches a slot its timers move to lower levels, or fire.

use super::TimerKey;
use crate::slab::Slab;

const DIGIT_BITS: u32 = 6;
const SLOTS: u32 = 1 << DIGIT_BITS;
const LEVELS: u32 = u64::BITS.div_ceil(DIGIT_BITS);

/// The list of timers that were set for a time that had come already.
const DUE: u32 = LEVELS * SLOTS;

/// The end of a list.
const NONE: u32 = u32::MAX;

/// A set of deadlines; see the [module](super).
#[derive(Debug)]
pub struct Timers<T> {
    slab: Slab<Timer<T>>,
    lists: Box<[List]>,
    /// For each level, which slots hold timers.
    occupied: [u64; LEVELS as usize],
    now_ms: u64,
}

#[derive(Debug)]
struct Timer<T> {
    deadline_ms: u64,
    list: u32,
    next: u32,
    previous: u32,
    value: T,
}

#[derive(Debug, Clone, Copy)]
struct List {
    first: u32,
    last: u32,
}

const EMPTY: List = List {
    first: NONE,
    last: NONE,
};

impl<T> Timers<T> {
    /// No timers yet and at most `timers_max`, at the time `now_ms`.
    pub fn new(timers_max: usize, now_ms: u64) -> Self {
        Self {
            slab: Slab::new(timers_max),
            lists: vec![EMPTY; DUE as usize + 1].into(),
            occupied: [0; LEVELS as usize],
            now_ms,
        }
    }

    /// Sets a timer. A deadline that has passed fires with the next [`advance`](Self::advance).
    ///
    /// # Errors
    ///
    /// The value itself, if as many timers are set as may be.
    #[inline]
    pub fn insert(&mut self, deadline_ms: u64, value: T) -> Result<TimerKey, T> {
        let list = self.list_for(deadline_ms);
        let timer = Timer {
            deadline_ms,
            list,
            next: NONE,
            previous: NONE,
            value,
        };
        let key = self.slab.insert(timer).map_err(|timer| timer.value)?;
        self.link(key.index(), list);
        Ok(TimerKey(key))
    }

    /// Takes a timer back, if it has not fired.
    #[inline]
    pub fn cancel(&mut self, key: TimerKey) -> Option<T> {
        let timer = self.slab.remove(key.0)?;
        self.unlink(&timer);
        Some(timer.value)
    }

    /// Moves the time to `now_ms` and appends what is due by then to `fired`, earliest deadline
    /// first, and those of one millisecond in no particular order. The time never goes back.
    pub fn advance(&mut self, now_ms: u64, fired: &mut Vec<T>) {
        self.fire(DUE, fired);
        while let Some((level, slot, starts_ms)) = self.next_slot() {
            if starts_ms > now_ms {
                break;
            }
            self.now_ms = starts_ms;
            let list = list_of(level, slot);
            if level == 0 {
                self.fire(list, fired);
            } else {
                self.move_down(list);
                self.fire(DUE, fired);
            }
        }
        self.now_ms = self.now_ms.max(now_ms);
    }

    /// The earliest time at which [`advance`](Self::advance) has something to do; none if no
    /// timer is set. It is never after the first deadline, but may be before it: whoever sleeps
    /// until then, advances and asks again, meets every deadline and wakes in vain at most ten
    /// times for one.
    #[inline]
    pub fn next_wake_ms(&self) -> Option<u64> {
        if self.lists[DUE as usize].first != NONE {
            return Some(self.now_ms);
        }
        self.next_slot().map(|(_, _, starts_ms)| starts_ms)
    }

    /// When a timer fires, if it is still set.
    pub fn deadline_ms(&self, key: TimerKey) -> Option<u64> {
        Some(self.slab.get(key.0)?.deadline_ms)
    }

    /// The time it was advanced to.
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Timers that are set.
    pub fn len(&self) -> usize {
        self.slab.len()
    }

    /// Whether none is set.
    pub fn is_empty(&self) -> bool {
        self.slab.is_empty()
    }

    #[inline]
    fn list_for(&self, deadline_ms: u64) -> u32 {
        if deadline_ms <= self.now_ms {
            return DUE;
        }
        let differing = u64::BITS - 1 - (deadline_ms ^ self.now_ms).leading_zeros();
        let level = differing / DIGIT_BITS;
        list_of(level, digit(deadline_ms, level))
    }

    /// The first slot in use, and the time at which the wheel reaches it.
    #[inline]
    fn next_slot(&self) -> Option<(u32, u32, u64)> {
        let (level, &occupied) = (0_u32..)
            .zip(&self.occupied)
            .find(|&(_, &occupied)| occupied != 0)?;
        let slot = occupied.trailing_zeros();
        let shift = level * DIGIT_BITS;
        // The digits above the level are those of the time, those below it are 0.
        let above = self.now_ms.checked_shr(shift + DIGIT_BITS).unwrap_or(0);
        let above = above.checked_shl(shift + DIGIT_BITS).unwrap_or(0);
        Some((level, slot, above | u64::from(slot) << shift))
    }

    /// Takes out all timers of a list and hands out their values, first to last.
    fn fire(&mut self, list: u32, fired: &mut Vec<T>) {
        let mut index = self.empty(list);
        while let Some((key, timer)) = self.slab.at(index) {
            index = timer.next;
            fired.extend(self.slab.remove(key).map(|timer| timer.value));
        }
    }

    /// Puts all timers of a list where they belong at the time it is now.
    fn move_down(&mut self, list: u32) {
        let mut index = self.empty(list);
        while let Some((_, timer)) = self.slab.at(index) {
            let next = timer.next;
            let list = self.list_for(timer.deadline_ms);
            self.link(index, list);
            index = next;
        }
    }

    /// Makes a list empty and returns its first timer.
    fn empty(&mut self, list: u32) -> u32 {
        self.set_occupied(list, false);
        std::mem::replace(&mut self.lists[list as usize], EMPTY).first
    }

    /// Puts a timer at the end of a list.
    #[inline]
    fn link(&mut self, index: u32, list: u32) {
        let previous = std::mem::replace(&mut self.lists[list as usize].last, index);
        if let Some(before) = self.slab.at_mut(previous) {
            before.next = index;
        } else {
            self.lists[list as usize].first = index;
            self.set_occupied(list, true);
        }
        if let Some(timer) = self.slab.at_mut(index) {
            timer.list = list;
            timer.next = NONE;
            timer.previous = previous;
        }
    }

    #[inline]
    fn unlink(&mut self, timer: &Timer<T>) {
        let list = timer.list as usize;
        match self.slab.at_mut(timer.previous) {
            Some(before) => before.next = timer.next,
            None => self.lists[list].first = timer.next,
        }
        match self.slab.at_mut(timer.next) {
            Some(after) => after.previous = timer.previous,
            None => self.lists[list].last = timer.previous,
        }
        if self.lists[list].first == NONE {
            self.set_occupied(timer.list, false);
        }
    }

    #[inline]
    fn set_occupied(&mut self, list: u32, occupied: bool) {
        // The list of what is due belongs to no level.
        let Some(level) = self.occupied.get_mut((list / SLOTS) as usize) else {
            return;
        };
        let bit = 1 << (list % SLOTS);
        if occupied {
            *level |= bit;
        } else {
            *level &= !bit;
        }
    }
}

const fn list_of(level: u32, slot: u32) -> u32 {
    level * SLOTS + slot
}

#[expect(clippy::cast_possible_truncation, reason = "a digit has 6 bits")]
const fn digit(time_ms: u64, level: u32) -> u32 {
    ((time_ms >> (level * DIGIT_BITS)) & (SLOTS as u64 - 1)) as u32
}
