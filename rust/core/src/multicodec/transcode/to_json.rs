//! CBOR into JSON, in one pass.

use super::super::cbor::{Item, Owed, Reader};
use super::super::{CodecError, DEPTH_MAX, Outcome, Problem, json};
use super::nest::{Bound, Nest};

struct Writer<'a, 'o> {
    reader: Reader<'a>,
    owed: Owed,
    nest: Nest,
    out: &'o mut Vec<u8>,
    bound: Bound,
}

pub(super) fn write(body: &[u8], bound: Bound, out: &mut Vec<u8>) -> Outcome<()> {
    let mut writer = Writer {
        reader: Reader::new(body),
        owed: Owed::default(),
        nest: Nest::default(),
        out,
        bound,
    };
    writer.value().map_err(|error| writer.place(error))
}

impl Writer<'_, '_> {
    fn value(&mut self) -> Outcome<()> {
        loop {
            let start = self.reader.offset();
            let item = self.reader.item()?;
            let opened = self.item(item, start)?;
            let bounded = self.bound.check(self.out.len(), 0);
            bounded.map_err(|problem| problem.at(start))?;
            if !opened && self.complete()? {
                return self.reader.end();
            }
        }
    }

    /// Writes one item; whether it is a container with something in it.
    fn item(&mut self, item: Item<'_>, start: usize) -> Outcome<bool> {
        if item == Item::Break {
            return self.end_indefinite(start).map(|()| false);
        }
        if self
            .nest
            .levels
            .last()
            .is_some_and(|level| level.missing.is_some())
        {
            self.owed.paid(1);
        }
        if self.separate() {
            return self.key(item, start).map(|()| true);
        }
        match item {
            Item::Array(items) => return self.open(false, items, start),
            Item::Map(pairs) => return self.open(true, pairs, start),
            _ => self.scalar(item, start)?,
        }
        Ok(false)
    }

    /// Writes what stands between the last item and this one; whether this one is a key.
    fn separate(&mut self) -> bool {
        let Some(level) = self.nest.levels.last_mut() else {
            return false;
        };
        if level.is_map && level.value_next {
            return false;
        }
        if level.begun > 0 {
            self.out.push(b',');
        }
        level.begun += 1;
        level.is_map
    }

    fn key(&mut self, item: Item<'_>, start: usize) -> Outcome<()> {
        let from = self.out.len();
        match item {
            Item::Text(_) | Item::TextChunks => self.scalar(item, start)?,
            _ => return Err(no_form(&format!("{} as a key", called(item))).at(start)),
        }
        self.nest.key(from..self.out.len());
        self.count_down();
        self.out.push(b':');
        Ok(())
    }

    fn open(&mut self, is_map: bool, count: Option<u64>, start: usize) -> Outcome<bool> {
        if self.nest.levels.len() == DEPTH_MAX {
            return Err(Problem::TooDeep.at(start));
        }
        let items = count.map(|count| count.saturating_mul(1 + u64::from(is_map)));
        self.owed
            .claim(items.unwrap_or(1), "a container", &self.reader)?;
        self.out.push(if is_map { b'{' } else { b'[' });
        self.nest.open(is_map, items);
        if items == Some(0) {
            self.close(start)?;
            return Ok(false);
        }
        Ok(true)
    }

    fn scalar(&mut self, item: Item<'_>, start: usize) -> Outcome<()> {
        match item {
            Item::Unsigned(value) => json::integer(self.out, value),
            Item::Negative(value) => json::integer(self.out, -1 - i128::from(value)),
            Item::Float(value) if value.is_finite() => json::finite(self.out, value),
            Item::Text(text) => self.text(text, start)?,
            Item::TextChunks => {
                let mut text = Vec::new();
                self.reader.chunks(true, &mut text)?;
                self.text(&text, start)?;
            }
            Item::Bool(true) => self.out.extend_from_slice(b"true"),
            Item::Bool(false) => self.out.extend_from_slice(b"false"),
            Item::Null => self.out.extend_from_slice(b"null"),
            _ => return Err(no_form(called(item)).at(start)),
        }
        Ok(())
    }

    fn text(&mut self, text: &[u8], start: usize) -> Outcome<()> {
        let bounded = self.bound.check(self.out.len(), text.len());
        bounded.map_err(|problem| problem.at(start))?;
        let text = std::str::from_utf8(text).map_err(|_| Problem::InvalidUtf8.at(start))?;
        json::text(self.out, text);
        Ok(())
    }

    fn end_indefinite(&mut self, start: usize) -> Outcome<()> {
        match self.nest.levels.last() {
            Some(level) if level.missing.is_none() && !level.value_next => {
                self.owed.paid(1);
                self.close(start)
            }
            Some(level) if level.missing.is_none() => {
                Err(Problem::Malformed("a key has no value").at(start))
            }
            _ => Err(Problem::Malformed("a break ends nothing").at(start)),
        }
    }

    fn close(&mut self, start: usize) -> Outcome<()> {
        let is_map = self.nest.levels.last().is_some_and(|level| level.is_map);
        self.nest
            .close(self.out)
            .and_then(|()| self.bound.check(self.out.len(), 1))
            .map_err(|problem| problem.at(start))?;
        self.out.push(if is_map { b'}' } else { b']' });
        Ok(())
    }

    /// Counts an item that is complete, and the containers that it completes; whether
    /// that was all.
    fn complete(&mut self) -> Outcome<bool> {
        loop {
            if self.nest.levels.is_empty() {
                return Ok(true);
            }
            self.nest.complete();
            if self.count_down() != Some(0) {
                return Ok(false);
            }
            self.close(self.reader.offset())?;
        }
    }

    /// Counts an item of a container with a given length; how many are missing now.
    fn count_down(&mut self) -> Option<u64> {
        let missing = self.nest.levels.last_mut()?.missing.as_mut()?;
        *missing -= 1;
        Some(*missing)
    }

    #[cold]
    fn place(&self, error: Box<CodecError>) -> Box<CodecError> {
        self.nest.place(error, self.out, |key| {
            let mut text = Vec::new();
            let raw = std::str::from_utf8(key).unwrap_or_default();
            let raw = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"'));
            let raw = raw.unwrap_or_default();
            json::Text { raw, escaped: true }.unescape(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        })
    }
}

fn called(item: Item<'_>) -> &'static str {
    match item {
        Item::Bytes(_) | Item::ByteChunks => "a byte string",
        Item::Float(value) if value.is_nan() => "NaN",
        Item::Float(value) if value.is_infinite() => "an infinity",
        Item::Float(_) => "a float",
        Item::Unsigned(_) | Item::Negative(_) => "an integer",
        Item::Tag(_) => "a tagged value",
        Item::Array(_) => "an array",
        Item::Map(_) => "a map",
        Item::Undefined => "undefined",
        Item::Bool(_) => "a truth value",
        Item::Null => "null",
        Item::Simple(_) => "a simple value",
        Item::Text(_) | Item::TextChunks | Item::Break => "text",
    }
}

#[cold]
fn no_form(what: &str) -> Problem {
    Problem::NoForm {
        what: what.to_owned(),
        codec: "json",
    }
}
