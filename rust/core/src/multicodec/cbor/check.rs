//! Whether bytes are one well-formed value.

use super::super::{DEPTH_MAX, Outcome, Problem};
use super::read::{Item, Owed, Reader};

/// A container that is not complete yet.
enum Open {
    /// So many items are missing.
    Definite(u64),
    /// An array up to the break.
    Array,
    /// A map up to the break, and whether a value comes next.
    Map { value_next: bool },
}

/// Checks that `body` is one well-formed CBOR value and nothing else.
///
/// # Errors
///
/// If it is not well formed (RFC 8949, 5.1 and Appendix C), holds text that is not UTF-8,
/// nests deeper than [`DEPTH_MAX`], or has bytes behind the value.
pub fn check(body: &[u8]) -> Outcome<()> {
    let mut reader = Reader::new(body);
    let mut open: Vec<Open> = Vec::new();
    let mut owed = Owed::default();
    loop {
        let start = reader.offset();
        let item = reader.item()?;
        if item != Item::Break && matches!(open.last(), Some(Open::Definite(_))) {
            owed.paid(1);
        }
        let missing = match item {
            Item::Break => {
                end(&mut open, &mut owed, start)?;
                None
            }
            Item::Array(None) => Some((Open::Array, 1)),
            Item::Map(None) => Some((Open::Map { value_next: false }, 1)),
            Item::Array(Some(items)) => Some((Open::Definite(items), items)),
            Item::Map(Some(pairs)) => {
                let items = pairs.saturating_mul(2);
                Some((Open::Definite(items), items))
            }
            Item::Tag(_) => Some((Open::Definite(1), 1)),
            _ => {
                text(item, &mut reader, start)?;
                None
            }
        };
        if let Some((container, items)) = missing {
            if open.len() == DEPTH_MAX {
                return Err(Problem::TooDeep.at(start));
            }
            owed.claim(items, "a container", &reader)?;
            open.push(container);
            if items > 0 {
                continue;
            }
            open.pop();
        }
        if complete(&mut open) {
            return reader.end();
        }
    }
}

fn text(item: Item<'_>, reader: &mut Reader<'_>, start: usize) -> Outcome<()> {
    match item {
        Item::Text(bytes) if std::str::from_utf8(bytes).is_err() => {
            Err(Problem::InvalidUtf8.at(start))
        }
        Item::ByteChunks | Item::TextChunks => {
            skip_chunks(matches!(item, Item::TextChunks), reader)
        }
        _ => Ok(()),
    }
}

fn skip_chunks(is_text: bool, reader: &mut Reader<'_>) -> Outcome<()> {
    // Only to be looked at; what is joined is thrown away.
    reader.chunks(is_text, &mut Vec::new())
}

fn end(open: &mut Vec<Open>, owed: &mut Owed, start: usize) -> Outcome<()> {
    match open.pop() {
        Some(Open::Array | Open::Map { value_next: false }) => {
            owed.paid(1);
            Ok(())
        }
        Some(Open::Map { .. }) => Err(Problem::Malformed("a key has no value").at(start)),
        _ => Err(Problem::Malformed("a break ends nothing").at(start)),
    }
}

/// Counts an item that is complete, and the containers that it completes; whether that
/// was all.
fn complete(open: &mut Vec<Open>) -> bool {
    loop {
        match open.last_mut() {
            None => return true,
            Some(Open::Array) => return false,
            Some(Open::Map { value_next }) => {
                *value_next = !*value_next;
                return false;
            }
            Some(Open::Definite(missing)) => {
                *missing -= 1;
                if *missing > 0 {
                    return false;
                }
                open.pop();
            }
        }
    }
}
