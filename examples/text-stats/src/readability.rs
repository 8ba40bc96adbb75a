//! The published formulas.

use crate::{Counts, Readability};

/// Readability by the counts; none without words.
pub fn readability(counts: &Counts) -> Option<Readability> {
    if counts.words == 0 {
        return None;
    }
    let words = number(counts.words);
    // A text whose words form no sentence is one sentence.
    let sentences = number(counts.sentences.max(1));
    let letters_per_word = number(counts.letters) / words;
    let syllables_per_word = number(counts.syllables) / words;
    let words_per_sentence = words / sentences;
    Some(Readability {
        flesch_reading_ease: 206.835 - 1.015 * words_per_sentence - 84.6 * syllables_per_word,
        flesch_kincaid_grade: 0.39 * words_per_sentence + 11.8 * syllables_per_word - 15.59,
        automated_readability_index: 4.71 * letters_per_word + 0.5 * words_per_sentence - 21.43,
        coleman_liau_index: 5.88 * letters_per_word - 29.6 * sentences / words - 15.8,
    })
}

/// Exact up to 2⁵³, far beyond any text.
#[allow(clippy::cast_precision_loss)]
fn number(count: u64) -> f64 {
    count as f64
}
