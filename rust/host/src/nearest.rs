//! Names that were probably meant.

/// Slips that still count as one name: letters wrong, missing or too many.
const SLIPS_MAX: usize = 2;

/// The name among `offered` that is `wanted` but for a slip or two.
pub(crate) fn nearest<'a>(wanted: &str, offered: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    offered
        .filter_map(|name| Some((slips(wanted, name)?, name)))
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, name)| name)
}

/// How many slips make one name of the other, unless they are too many. Short
/// names may differ less: `add` is no slip of `sub`.
pub(crate) fn slips(left: &str, right: &str) -> Option<usize> {
    let (left, right) = (plain(left), plain(right));
    let most = SLIPS_MAX.min(left.len().min(right.len()) / 3);
    if left.len().abs_diff(right.len()) > most {
        return None;
    }
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (row, one) in left.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, other) in right.iter().enumerate() {
            let swapped = above[column] + usize::from(one != other);
            current.push(swapped.min(above[column + 1] + 1).min(current[column] + 1));
        }
        if current.iter().min().is_some_and(|least| *least > most) {
            return None;
        }
        above = current;
    }
    above.last().copied().filter(|slips| *slips <= most)
}

/// How names are compared: WIT and Python spell the same one differently.
fn plain(name: &str) -> Vec<char> {
    name.chars()
        .map(|letter| {
            if letter == '_' {
                '-'
            } else {
                letter.to_ascii_lowercase()
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_more_less_or_other_is_a_slip() {
        let offered = || ["get-random-bytes", "look_up", "add"].into_iter();
        assert_eq!(
            nearest("get-random-byte", offered()),
            Some("get-random-bytes")
        );
        assert_eq!(
            nearest("get-randon-bytes", offered()),
            Some("get-random-bytes")
        );
        assert_eq!(nearest("look-up", offered()), Some("look_up"));
        assert_eq!(nearest("ad", offered()), None);
        assert_eq!(nearest("sub", offered()), None);
        assert_eq!(nearest("describe", offered()), None);
    }
}
