//! Cuts a text behind blank lines, so that no paragraph is cut.

/// Takes whole paragraphs off the front of `text`, put together up to `bytes`, or all of
/// it at its end.
pub fn take(text: &mut String, bytes: usize, is_end: bool) -> Vec<String> {
    let mut pieces = Vec::new();
    let (mut start, mut end) = (0, 0);
    while let Some(length) = paragraph(&text[end..]) {
        if end > start && end + length - start > bytes {
            pieces.push(text[start..end].to_owned());
            start = end;
        }
        end += length;
    }
    if is_end {
        end = text.len();
    }
    if end > start {
        pieces.push(text[start..end].to_owned());
    }
    text.drain(..end);
    pieces
}

/// The length of the paragraph that `text` begins with and of the blank line behind it;
/// none if its end is not in sight.
fn paragraph(text: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(found) = text[from..].find('\n') {
        let behind = from + found + 1;
        let blank = text[behind..].find(|one| !matches!(one, ' ' | '\t' | '\r'));
        match blank {
            Some(next) if text[behind + next..].starts_with('\n') => {
                return Some(behind + next + 1);
            }
            Some(next) => from = behind + next,
            None => return None,
        }
    }
    None
}
