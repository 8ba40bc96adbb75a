//! Counts one block of text after the other.

use unicode_segmentation::UnicodeSegmentation;

use crate::Counts;
use crate::syllables::syllables;

/// The counts of the blocks so far.
pub struct Tally {
    counts: Counts,
    /// Whether the last line has begun and has no end yet.
    in_line: bool,
}

impl Default for Tally {
    fn default() -> Self {
        let counts = Counts {
            bytes: 0,
            characters: 0,
            letters: 0,
            words: 0,
            sentences: 0,
            paragraphs: 0,
            lines: 0,
            syllables: 0,
            longest_word: 0,
        };
        Self {
            counts,
            in_line: false,
        }
    }
}

impl Tally {
    /// Adds a block: a paragraph with the blank lines behind it.
    pub fn add_block(&mut self, block: &str) {
        let words_before = self.counts.words;
        self.counts.characters += count(block.graphemes(true));
        self.add_lines(block);
        for word in block.unicode_words() {
            self.add_word(word);
        }
        if self.counts.words > words_before {
            self.counts.paragraphs += 1;
            // By the rules a line end ends the sentence; in wrapped text it does not.
            let flowing = block.replace("\r\n", " ").replace(['\n', '\r'], " ");
            self.counts.sentences += count(flowing.unicode_sentences());
        }
    }

    /// Ends the text.
    pub fn finish(&mut self, bytes: u64) -> Counts {
        self.counts.lines += u64::from(self.in_line);
        self.in_line = false;
        self.counts.bytes = bytes;
        self.counts
    }

    fn add_lines(&mut self, block: &str) {
        self.counts.lines += count(block.bytes().filter(|byte| *byte == b'\n'));
        if !block.is_empty() {
            self.in_line = !block.ends_with('\n');
        }
    }

    fn add_word(&mut self, word: &str) {
        self.counts.words += 1;
        self.counts.letters += count(word.chars().filter(|one| one.is_alphanumeric()));
        self.counts.syllables += u64::from(syllables(word));
        let length = u32::try_from(word.graphemes(true).count()).unwrap_or(u32::MAX);
        self.counts.longest_word = self.counts.longest_word.max(length);
    }
}

fn count(items: impl Iterator) -> u64 {
    items.fold(0, |sum, _| sum + 1)
}
