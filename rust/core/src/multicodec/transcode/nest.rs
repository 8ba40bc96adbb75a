//! What is open while one codec is turned into the other.

use std::ops::Range;

use super::super::{CodecError, Path, Problem, Step};

/// Keys that are compared with each other one by one; more are sorted first.
const FEW_KEYS: usize = 12;

/// How long the output may become.
#[derive(Clone, Copy)]
pub(super) struct Bound {
    end: usize,
    bytes_max: usize,
}

impl Bound {
    pub(super) fn new(start: usize, bytes_max: usize) -> Self {
        let end = start.saturating_add(bytes_max);
        Self { end, bytes_max }
    }

    /// Refuses output of `length` bytes and `more` to come, if that is too much.
    #[inline]
    pub(super) fn check(self, length: usize, more: usize) -> Result<(), Problem> {
        if length.saturating_add(more) <= self.end {
            return Ok(());
        }
        let bytes_max = self.bytes_max;
        Err(Problem::OutputTooLong { bytes_max })
    }
}

/// A container that is being written.
pub(super) struct Level {
    /// Whether it is a map.
    pub(super) is_map: bool,
    /// Whether a key was written whose value comes next.
    pub(super) value_next: bool,
    /// Items or pairs begun so far.
    pub(super) begun: usize,
    /// Items that still come, keys and values each; none if a break ends them.
    pub(super) missing: Option<u64>,
    /// Where its keys start in [`Nest::keys`].
    keys_from: usize,
}

/// The containers that are open, and where the keys of their maps stand in the output.
#[derive(Default)]
pub(super) struct Nest {
    pub(super) levels: Vec<Level>,
    keys: Vec<Range<usize>>,
}

impl Nest {
    pub(super) fn open(&mut self, is_map: bool, missing: Option<u64>) {
        self.levels.push(Level {
            is_map,
            value_next: false,
            begun: 0,
            missing,
            keys_from: self.keys.len(),
        });
    }

    /// Notes where the key stands that was just written.
    pub(super) fn key(&mut self, written: Range<usize>) {
        self.keys.push(written);
        if let Some(level) = self.levels.last_mut() {
            level.value_next = true;
        }
    }

    /// Counts an item of a list, or a pair of a map by its key.
    pub(super) fn begin(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.begun += 1;
        }
    }

    /// Counts an item, unless it is the value under a key that was counted.
    pub(super) fn begin_item(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.begun += usize::from(!level.is_map);
        }
    }

    /// Notes that a value is complete.
    pub(super) fn complete(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.value_next = false;
        }
    }

    /// Closes the innermost container, if no key of it stands twice.
    pub(super) fn close(&mut self, out: &[u8]) -> Result<(), Problem> {
        // Whoever closes has opened before.
        let Some(level) = self.levels.pop() else {
            return Ok(());
        };
        let keys = &mut self.keys[level.keys_from..];
        let twice = any_twice(keys, out);
        self.keys.truncate(level.keys_from);
        if twice {
            return Err(Problem::DuplicateKey);
        }
        Ok(())
    }

    /// Adds the place in the value to an error; `text` reads a key out of the output.
    #[cold]
    pub(super) fn place(
        &self,
        error: Box<CodecError>,
        out: &[u8],
        text: impl Fn(&[u8]) -> String,
    ) -> Box<CodecError> {
        let keys: Vec<Option<String>> = (0..self.levels.len())
            .map(|depth| self.last_key(depth).map(|key| text(&out[key])))
            .collect();
        let steps: Vec<Step<'_>> = self
            .levels
            .iter()
            .zip(&keys)
            .filter_map(|(level, key)| match key {
                Some(key) if level.value_next => Some(Step::Key(key)),
                _ if level.is_map => None,
                _ => level.begun.checked_sub(1).map(Step::Index),
            })
            .collect();
        error.within(Path::of(&steps))
    }

    fn last_key(&self, depth: usize) -> Option<Range<usize>> {
        let start = self.levels[depth].keys_from;
        let next = self.levels.get(depth + 1);
        let end = next.map_or(self.keys.len(), |next| next.keys_from);
        self.keys[start..end].last().cloned()
    }
}

fn any_twice(keys: &mut [Range<usize>], out: &[u8]) -> bool {
    let of = |key: &Range<usize>| &out[key.clone()];
    if keys.len() > FEW_KEYS {
        keys.sort_unstable_by(|one, other| of(one).cmp(of(other)));
        return keys.windows(2).any(|pair| of(&pair[0]) == of(&pair[1]));
    }
    let mut keys = &*keys;
    while let [key, others @ ..] = keys {
        if others.iter().any(|other| of(other) == of(key)) {
            return true;
        }
        keys = others;
    }
    false
}
