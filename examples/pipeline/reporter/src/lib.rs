//! Adds up the counts of the pieces of a text, and gives the sums when it is asked.
//!
//! A piece that is told twice counts once: who tells it need not know whether the first
//! time was heard.

use std::collections::HashSet;

use airssys_sdk::actor::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Default, Deserialize, Serialize)]
struct Counts {
    bytes: u64,
    characters: u64,
    letters: u64,
    words: u64,
    sentences: u64,
    paragraphs: u64,
    lines: u64,
    syllables: u64,
    longest_word: u32,
}

#[derive(Deserialize)]
enum Message {
    /// The counts of one piece, by its number.
    Piece { number: u64, counts: Counts },
    /// What is there so far?
    Sums,
    /// Another text begins.
    Begin,
}

/// What it answers.
#[derive(Serialize)]
struct Sums {
    pieces: usize,
    counts: Counts,
}

#[derive(Default)]
struct Reporter {
    pieces: HashSet<u64>,
    sums: Counts,
}

#[component]
impl Reporter {
    #[handler]
    fn handle(&mut self, message: Message) -> Sums {
        match message {
            Message::Piece { number, counts } if self.pieces.insert(number) => {
                self.sums.add(&counts);
            }
            Message::Piece { .. } | Message::Sums => {}
            Message::Begin => *self = Self::default(),
        }
        Sums {
            pieces: self.pieces.len(),
            counts: self.sums,
        }
    }
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.bytes += other.bytes;
        self.characters += other.characters;
        self.letters += other.letters;
        self.words += other.words;
        self.sentences += other.sentences;
        self.paragraphs += other.paragraphs;
        self.lines += other.lines;
        self.syllables += other.syllables;
        self.longest_word = self.longest_word.max(other.longest_word);
    }
}
