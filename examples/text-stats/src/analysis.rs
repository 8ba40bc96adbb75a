//! Cuts a text that comes in chunks into paragraphs, and counts each.

use crate::counts::Tally;
use crate::decoder::Decoder;
use crate::readability::readability;
use crate::{Error, Report};

/// The most text kept back while looking for the end of a paragraph, in bytes.
const BLOCK_BYTES_MAX: usize = 64 * 1024;

/// How much of a long chunk is decoded at a time, in bytes: bounds the text held.
const STEP_BYTES: usize = 64 * 1024;

/// A text's counts so far, and the paragraph that is not complete yet.
#[derive(Default)]
pub struct Analysis {
    decoder: Decoder,
    tally: Tally,
    text: String,
    /// How far `text` was searched for a blank line, so that no byte is searched twice.
    searched: usize,
    failure: Option<Error>,
}

impl Analysis {
    /// Adds the next bytes of the text.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<(), Error> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        for step in chunk.chunks(STEP_BYTES) {
            if let Err(error) = self.decoder.decode(step, &mut self.text) {
                self.failure = Some(error);
                return Err(error);
            }
            self.count_complete_blocks();
        }
        Ok(())
    }

    /// Ends the text; every further call gives an error.
    pub fn finish(&mut self) -> Result<Report, Error> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let ended = self.decoder.finish();
        self.failure = Some(ended.err().unwrap_or(Error::Finished));
        ended?;
        self.tally.add_block(&std::mem::take(&mut self.text));
        let counts = self.tally.finish(self.decoder.bytes());
        Ok(Report {
            counts,
            readability: readability(&counts),
        })
    }

    /// Counts every block whose end is known. Where a block ends depends on the text
    /// alone, not on how it was cut into chunks.
    fn count_complete_blocks(&mut self) {
        let mut start = 0;
        while let Some(end) = self.block_end(start) {
            self.tally.add_block(&self.text[start..end]);
            start = end;
            self.searched = end;
        }
        self.text.drain(..start);
        self.searched -= start;
    }

    /// The end of the block that begins at `start`, behind its blank line, or where the
    /// block has to be cut.
    fn block_end(&mut self, start: usize) -> Option<usize> {
        let limit = self.text.len().min(start + BLOCK_BYTES_MAX);
        let bytes = self.text.as_bytes();
        let mut from = self.searched.max(start);
        while let Some(found) = bytes[from..limit].iter().position(|byte| *byte == b'\n') {
            let behind = from + found + 1;
            let blank = bytes[behind..limit]
                .iter()
                .position(|byte| !b" \t\r".contains(byte));
            match blank {
                Some(next) if bytes[behind + next] == b'\n' => return Some(behind + next + 1),
                Some(next) => from = behind + next,
                // The line may still turn out to be blank.
                None => {
                    from = behind - 1;
                    break;
                }
            }
        }
        self.searched = if from < limit && bytes[from] == b'\n' {
            from
        } else {
            limit
        };
        (self.text.len() >= start + BLOCK_BYTES_MAX).then(|| cut(&self.text, start))
    }
}

/// Where to cut a block that is too long: behind its last space, or at a character.
fn cut(text: &str, start: usize) -> usize {
    let mut limit = start + BLOCK_BYTES_MAX;
    while !text.is_char_boundary(limit) {
        limit -= 1;
    }
    let space = text[start..limit]
        .char_indices()
        .rev()
        .find(|(_, one)| one.is_whitespace() && *one != '\r');
    space.map_or(limit, |(at, one)| start + at + one.len_utf8())
}
