//! Where a message stands in a distributed trace: the `traceparent` of W3C Trace Context.

use core::fmt;

/// A place in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The trace.
    pub id: u128,
    /// The span that caused the message.
    pub span: u64,
    /// Whether the trace is recorded.
    pub sampled: bool,
}

/// Bytes of version 00.
const LENGTH: usize = 55;

impl Trace {
    /// Reads a `traceparent`; `None` if it is none. One of a later version may have more
    /// at its end, which says nothing here.
    pub fn parse(text: &str) -> Option<Trace> {
        let version = hex(text.get(..2)?, 2)?;
        let more = text.get(LENGTH..)?;
        if version == 0xff || !(more.is_empty() || version > 0 && more.starts_with('-')) {
            return None;
        }
        let mut fields = text.get(3..LENGTH)?.split('-');
        let id = hex(fields.next()?, 32)?;
        let span = u64::try_from(hex(fields.next()?, 16)?).ok()?;
        let flags = hex(fields.next()?, 2)?;
        let whole = text.as_bytes()[2] == b'-' && fields.next().is_none();
        (whole && id != 0 && span != 0).then_some(Trace {
            id,
            span,
            sampled: flags & 1 == 1,
        })
    }
}

/// Lower-case digits alone, as the specification has it.
fn hex(digits: &str, length: usize) -> Option<u128> {
    let plain = digits
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if digits.len() != length || !plain {
        return None;
    }
    u128::from_str_radix(digits, 16).ok()
}

impl fmt::Display for Trace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = u8::from(self.sampled);
        write!(
            formatter,
            "00-{:032x}-{:016x}-{flags:02x}",
            self.id, self.span
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Trace;

    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn the_example_of_the_specification_comes_out_as_it_went_in() {
        let trace = Trace::parse(EXAMPLE);

        assert_eq!(
            trace,
            Some(Trace {
                id: 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736,
                span: 0x00f0_67aa_0ba9_02b7,
                sampled: true
            })
        );
        assert_eq!(
            trace.map(|trace| trace.to_string()).as_deref(),
            Some(EXAMPLE)
        );
    }

    #[test]
    fn flags_other_than_sampled_are_not_passed_on() {
        let trace = Trace::parse(&format!("{}fe", &EXAMPLE[..53]));

        assert_eq!(trace.map(|trace| trace.sampled), Some(false));
    }

    #[test]
    fn a_later_version_may_have_more() {
        assert!(Trace::parse(&format!("cc{}-more", &EXAMPLE[2..])).is_some());
        assert!(Trace::parse(&format!("cc{}more", &EXAMPLE[2..])).is_none());
        assert!(Trace::parse(&format!("{EXAMPLE}-more")).is_none());
        assert!(Trace::parse(&format!("ff{}", &EXAMPLE[2..])).is_none());
    }

    #[test]
    fn what_is_none_is_refused() {
        let zero_trace = EXAMPLE.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32));
        let zero_span = EXAMPLE.replace("00f067aa0ba902b7", &"0".repeat(16));
        let upper = EXAMPLE.to_uppercase();
        let wrong = EXAMPLE.replacen('-', "_", 1);
        let sign = EXAMPLE.replace("00f067aa", "+0f067aa");
        let wide = EXAMPLE.replace("4bf9", "4bf\u{e9}");
        for text in [
            "",
            "00",
            &zero_trace,
            &zero_span,
            &upper,
            &wrong,
            &sign,
            &wide,
        ] {
            assert_eq!(Trace::parse(text), None, "{text}");
        }
        for end in 0..EXAMPLE.len() {
            assert_eq!(Trace::parse(&EXAMPLE[..end]), None);
        }
    }
}
