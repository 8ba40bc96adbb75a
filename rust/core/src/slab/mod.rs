//! Values under numbers that are never used twice.
//!
//! A [`Key`] is 24 bits of index and 40 bits of generation. A slot whose generations are used up
//! retires, so an old key can never meet a new value: with ten million insertions a second into
//! one slot that takes thirty hours, and costs one of sixteen million slots.

/// Slots a slab may have at most: as many as an index can name.
pub const SLOTS_MAX: usize = 1 << INDEX_BITS;

const INDEX_BITS: u32 = 24;
const GENERATION_MAX: u64 = (1 << (u64::BITS - INDEX_BITS)) - 1;

/// No slot: the end of a list.
const NONE: u32 = u32::MAX;

/// The number of a value. 0 is never one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(u64);

impl Key {
    const fn new(index: u32, generation: u64) -> Self {
        Self(generation << INDEX_BITS | index as u64)
    }

    /// The key behind a number that came back from outside; it need not exist.
    pub const fn from_u64(number: u64) -> Self {
        Self(number)
    }

    /// The key as a number.
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// Which slot: small and dense, below [`SLOTS_MAX`].
    #[expect(clippy::cast_possible_truncation, reason = "an index has 24 bits")]
    #[inline]
    pub const fn index(self) -> u32 {
        (self.0 & (SLOTS_MAX as u64 - 1)) as u32
    }

    /// Which use of the slot, from 1.
    #[inline]
    pub const fn generation(self) -> u64 {
        self.0 >> INDEX_BITS
    }
}

#[derive(Debug, Clone)]
struct Slot<T> {
    /// Of the value inside, or, in a free slot, of the next one.
    generation: u64,
    content: Content<T>,
}

#[derive(Debug, Clone)]
enum Content<T> {
    Value(T),
    /// Free, with the next free slot.
    Free(u32),
    /// Never to be used again.
    Retired,
}

/// A bounded set of values under [`Key`]s: insert, look up and remove in O(1).
///
/// Its memory follows the most values it ever held at once.
#[derive(Debug, Clone)]
pub struct Slab<T> {
    slots: Vec<Slot<T>>,
    free: u32,
    len: usize,
    len_max: usize,
}

impl<T> Slab<T> {
    /// An empty slab for at most `len_max` values. It allocates nothing.
    pub const fn new(len_max: usize) -> Self {
        Self {
            slots: Vec::new(),
            free: NONE,
            len: 0,
            len_max,
        }
    }

    /// Keeps a value and returns its key.
    ///
    /// # Errors
    ///
    /// The value itself, if the slab holds as many as it may.
    #[inline]
    pub fn insert(&mut self, value: T) -> Result<Key, T> {
        if self.len >= self.len_max {
            return Err(value);
        }
        let index = self.free;
        let Some(slot) = self.slots.get_mut(index as usize) else {
            return self.grow(value);
        };
        // What the free list names is free.
        if let Content::Free(next) = slot.content {
            self.free = next;
        }
        slot.content = Content::Value(value);
        self.len += 1;
        Ok(Key::new(index, slot.generation))
    }

    /// Makes a slot for the value.
    fn grow(&mut self, value: T) -> Result<Key, T> {
        let index = match u32::try_from(self.slots.len()) {
            Ok(index) if (index as usize) < SLOTS_MAX => index,
            _ => return Err(value),
        };
        self.slots.push(Slot {
            generation: 1,
            content: Content::Value(value),
        });
        self.len += 1;
        Ok(Key::new(index, 1))
    }

    /// The value under `key`, if it is still there.
    #[inline]
    pub fn get(&self, key: Key) -> Option<&T> {
        self.slot(key)?.content.value()
    }

    /// The value under `key`, to change it.
    #[inline]
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let slot = self.slots.get_mut(key.index() as usize)?;
        match &mut slot.content {
            Content::Value(value) if slot.generation == key.generation() => Some(value),
            _ => None,
        }
    }

    /// Takes the value under `key` out, if it is still there.
    #[inline]
    pub fn remove(&mut self, key: Key) -> Option<T> {
        let slot = self.slots.get_mut(key.index() as usize)?;
        if slot.generation != key.generation() || !matches!(slot.content, Content::Value(_)) {
            return None;
        }
        let free = if slot.generation < GENERATION_MAX {
            slot.generation += 1;
            Content::Free(std::mem::replace(&mut self.free, key.index()))
        } else {
            Content::Retired
        };
        self.len -= 1;
        std::mem::replace(&mut slot.content, free).into_value()
    }

    /// How far a key is from the use of its slot: see [`Age`].
    pub fn age(&self, key: Key) -> Age {
        let Some(slot) = self.slots.get(key.index() as usize) else {
            return Age::Never;
        };
        let generation = key.generation();
        let ended = match slot.content {
            Content::Value(_) if slot.generation == generation => return Age::Live,
            Content::Value(_) | Content::Free(_) => slot.generation - 1,
            Content::Retired => slot.generation,
        };
        if generation == 0 || generation > ended {
            return Age::Never;
        }
        Age::Ended(ended - generation)
    }

    /// The value in the slot `index`, with its key.
    #[inline]
    pub fn at(&self, index: u32) -> Option<(Key, &T)> {
        let slot = self.slots.get(index as usize)?;
        Some((Key::new(index, slot.generation), slot.content.value()?))
    }

    /// The value in the slot `index`, to change it.
    #[inline]
    pub fn at_mut(&mut self, index: u32) -> Option<&mut T> {
        match &mut self.slots.get_mut(index as usize)?.content {
            Content::Value(value) => Some(value),
            Content::Free(_) | Content::Retired => None,
        }
    }

    /// All values with their keys.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        (0_u32..).zip(&self.slots).filter_map(|(index, slot)| {
            Some((Key::new(index, slot.generation), slot.content.value()?))
        })
    }

    /// Values inside.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is inside.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Slots made so far, retired ones included.
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    fn slot(&self, key: Key) -> Option<&Slot<T>> {
        let slot = self.slots.get(key.index() as usize)?;
        (slot.generation == key.generation()).then_some(slot)
    }
}

/// What became of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// Its value is there.
    Live,
    /// Its value was taken out; that many others were since, from the same slot.
    Ended(u64),
    /// It was never given out.
    Never,
}

impl<T> Content<T> {
    fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Free(_) | Self::Retired => None,
        }
    }

    fn into_value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Free(_) | Self::Retired => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[test]
    fn a_slot_whose_generations_are_used_up_retires() {
        let mut slab = Slab::new(10);
        let first = slab.insert('a').unwrap();
        slab.slots[0].generation = GENERATION_MAX;
        let last = Key::new(0, GENERATION_MAX);

        assert_eq!(slab.remove(last), Some('a'));
        let next = slab.insert('b').unwrap();

        assert_eq!((next.index(), next.generation()), (1, 1));
        assert_eq!(slab.get(last), None);
        assert_eq!(slab.remove(last), None);
        assert_eq!(slab.age(last), Age::Ended(0));
        assert_eq!(slab.age(first), Age::Ended(GENERATION_MAX - 1));
        assert_eq!((slab.len(), slab.slots()), (1, 2));
    }

    #[test]
    fn no_number_that_was_not_given_out_finds_anything() {
        let mut slab = Slab::new(10);
        let key = slab.insert('a').unwrap();

        for number in [0, 1, key.as_u64() + 1, key.as_u64() << 1, u64::MAX] {
            assert_eq!(slab.age(Key::from_u64(number)), Age::Never, "{number:#x}");
            assert_eq!(slab.get(Key::from_u64(number)), None);
            assert_eq!(slab.remove(Key::from_u64(number)), None);
        }
    }

    proptest! {
        #[test]
        fn a_slab_is_a_map_that_never_uses_a_key_twice(
            steps in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>()), 0..200),
            len_max in 0_usize..20,
        ) {
            let mut slab = Slab::new(len_max);
            let mut model = HashMap::new();
            let mut keys: Vec<Key> = vec![];
            for (number, (inserts, which)) in steps.into_iter().enumerate() {
                if inserts {
                    let Ok(key) = slab.insert(number) else {
                        prop_assert_eq!(model.len(), len_max);
                        continue;
                    };
                    prop_assert!(!keys.contains(&key) && key.as_u64() != 0);
                    keys.push(key);
                    model.insert(key, number);
                } else if !keys.is_empty() {
                    let key = keys[which.index(keys.len())];
                    prop_assert_eq!(slab.remove(key), model.remove(&key));
                }
                prop_assert_eq!(slab.len(), model.len());
                for key in &keys {
                    prop_assert_eq!(slab.get(*key), model.get(key));
                    prop_assert_eq!(slab.age(*key) == Age::Live, model.contains_key(key));
                    prop_assert_ne!(slab.age(*key), Age::Never);
                }
            }
            prop_assert_eq!(slab.iter().count(), model.len());
        }
    }
}
