//! An estimate of a word's syllables, made for English.

/// Vowels of Latin script; `y` is one wherever it stands.
const VOWELS: &str = "aeiouyàáâãäåæèéêëìíîïòóôõöøùúûüýÿœ";

/// Groups of vowels, less a silent ending, and at least one.
pub fn syllables(word: &str) -> u32 {
    let word: Vec<char> = word.chars().flat_map(char::to_lowercase).collect();
    let mut groups = 0;
    let mut in_group = false;
    for letter in word.iter().filter(|letter| !is_accent(**letter)) {
        let vowel = is_vowel(*letter);
        groups += u32::from(vowel && !in_group);
        in_group = vowel;
    }
    groups
        .saturating_sub(u32::from(has_silent_ending(&word)))
        .max(1)
}

/// `make`, `makes` and `walked` end in an `e` that is not heard; `table`, `wanted` and
/// `see` in one that is, or that is part of a longer vowel.
fn has_silent_ending(word: &[char]) -> bool {
    match word {
        [.., before, 'l', 'e'] if !is_vowel(*before) => false,
        [.., before, 'e'] => !is_vowel(*before),
        [.., before, 'e', 'd'] => !is_vowel(*before) && !matches!(before, 't' | 'd'),
        [.., before, 'e', 's'] => !is_vowel(*before) && !is_hissing(*before),
        _ => false,
    }
}

/// After these the plural's `e` is heard: `boxes`, `pages`, `wishes`.
fn is_hissing(letter: char) -> bool {
    matches!(letter, 's' | 'x' | 'z' | 'c' | 'g' | 'h')
}

fn is_vowel(letter: char) -> bool {
    VOWELS.contains(letter)
}

/// A combining mark behind its letter: it neither starts nor ends a group.
fn is_accent(letter: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&letter)
}
