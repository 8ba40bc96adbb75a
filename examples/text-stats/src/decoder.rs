//! UTF-8 that comes in chunks, cut anywhere.

use crate::Error;

const BYTE_ORDER_MARK: char = '\u{feff}';

/// Turns chunks of bytes into text; keeps the bytes of a character that is not whole yet.
#[derive(Default)]
pub struct Decoder {
    /// The start of a character, at most three bytes.
    pending: Vec<u8>,
    /// Bytes taken so far, with those that are pending.
    taken: u64,
    started: bool,
}

impl Decoder {
    /// Adds the text of `chunk` to `text`.
    ///
    /// # Errors
    ///
    /// [`Error::NotUtf8`] with the offset in the whole text.
    pub fn decode(&mut self, chunk: &[u8], text: &mut String) -> Result<(), Error> {
        let rest = self.complete(chunk, text)?;
        let start = self.taken - self.pending.len() as u64;
        match std::str::from_utf8(rest) {
            Ok(whole) => self.push(whole, text),
            Err(error) => {
                let (valid, tail) = rest.split_at(error.valid_up_to());
                if error.error_len().is_some() {
                    return Err(Error::NotUtf8(start + valid.len() as u64));
                }
                self.pending.extend_from_slice(tail);
                self.push(&String::from_utf8_lossy(valid), text);
            }
        }
        self.taken += rest.len() as u64;
        Ok(())
    }

    /// Bytes of the whole text so far.
    pub fn bytes(&self) -> u64 {
        self.taken
    }

    /// Ends the text.
    ///
    /// # Errors
    ///
    /// [`Error::CutShort`] if a character is not whole.
    pub fn finish(&self) -> Result<(), Error> {
        if self.pending.is_empty() {
            return Ok(());
        }
        Err(Error::CutShort(self.taken - self.pending.len() as u64))
    }

    /// Completes the pending character from the start of `chunk`; gives what is left.
    fn complete<'a>(&mut self, chunk: &'a [u8], text: &mut String) -> Result<&'a [u8], Error> {
        let mut rest = chunk;
        while !self.pending.is_empty() {
            let Some((first, others)) = rest.split_first() else {
                break;
            };
            let start = self.taken - self.pending.len() as u64;
            self.pending.push(*first);
            let pending = std::mem::take(&mut self.pending);
            match std::str::from_utf8(&pending) {
                Ok(character) => self.push(character, text),
                Err(error) if error.error_len().is_none() => self.pending = pending,
                Err(_) => return Err(Error::NotUtf8(start)),
            }
            self.taken += 1;
            rest = others;
        }
        Ok(rest)
    }

    fn push(&mut self, decoded: &str, text: &mut String) {
        let decoded = match decoded.strip_prefix(BYTE_ORDER_MARK) {
            Some(behind) if !self.started => behind,
            _ => decoded,
        };
        self.started = self.started || self.taken > 0 || !decoded.is_empty();
        text.push_str(decoded);
    }
}
