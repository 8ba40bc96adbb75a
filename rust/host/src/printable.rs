//! Words of a guest, made fit for people's eyes.

/// Characters kept of one text.
const CHARS_MAX: usize = 2_000;

/// Spells out what would drive a terminal or turn the direction of the line,
/// and cuts what is too long. Line breaks stay if `lines` says so.
pub(crate) fn printable(text: &str, lines: bool) -> String {
    let mut safe = String::with_capacity(text.len().min(CHARS_MAX));
    for character in text.chars().take(CHARS_MAX) {
        match character {
            '\'' | '"' | '\\' => safe.push(character),
            '\n' if lines => safe.push(character),
            other => safe.extend(other.escape_debug()),
        }
    }
    if text.chars().nth(CHARS_MAX).is_some() {
        safe.push('…');
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_drives_a_terminal_is_spelled_out() {
        assert_eq!(
            printable("a\x1b[2J\n\u{202e}b", false),
            "a\\u{1b}[2J\\n\\u{202e}b"
        );
    }

    #[test]
    fn quotes_and_letters_of_all_kinds_stay() {
        assert_eq!(
            printable("<&'static str>::größe \"x\"", false),
            "<&'static str>::größe \"x\""
        );
    }

    #[test]
    fn a_long_name_is_cut() {
        assert_eq!(
            printable(&"x".repeat(50_000), false).chars().count(),
            CHARS_MAX + 1
        );
    }
}
