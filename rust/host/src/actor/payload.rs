//! The bytes of a message.

use bytes::Bytes;
use std::fmt;
use std::ops::Deref;

/// Payloads up to this many bytes live in the message itself: no allocation, no
/// reference count.
const INLINE_BYTES: usize = 39;

/// Bytes that many may hold and nobody changes.
#[derive(Clone)]
pub struct Payload(Repr);

// A message is moved several times on its way. Behind a tag of one byte the rest would
// be moved from an odd place, in other pieces than it was stored in, and each move
// would wait for the last.
#[derive(Clone)]
#[repr(u64)]
enum Repr {
    Inline { bytes: [u8; INLINE_BYTES], len: u8 },
    Shared(Bytes),
}

impl Payload {
    /// No bytes.
    pub const EMPTY: Payload = Payload(Repr::Inline {
        len: 0,
        bytes: [0; INLINE_BYTES],
    });

    /// A copy of `bytes`.
    #[inline]
    pub fn copy(bytes: &[u8]) -> Payload {
        match u8::try_from(bytes.len()) {
            Ok(len) if bytes.len() <= INLINE_BYTES => {
                let mut inline = [0; INLINE_BYTES];
                inline[..bytes.len()].copy_from_slice(bytes);
                Payload(Repr::Inline { len, bytes: inline })
            }
            _ => Payload(Repr::Shared(Bytes::copy_from_slice(bytes))),
        }
    }

    /// Bytes on the heap that it costs to keep, with the message they are in.
    pub fn weight(&self) -> usize {
        match &self.0 {
            Repr::Inline { .. } => 0,
            Repr::Shared(bytes) => bytes.len(),
        }
    }
}

impl From<Vec<u8>> for Payload {
    #[inline]
    fn from(bytes: Vec<u8>) -> Payload {
        if bytes.len() <= INLINE_BYTES {
            return Payload::copy(&bytes);
        }
        Payload(Repr::Shared(bytes.into()))
    }
}

impl Deref for Payload {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline { len, bytes } => &bytes[..usize::from(*len)],
            Repr::Shared(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Payload({} bytes)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_gives_back_what_it_was_given() {
        for len in [
            0,
            1,
            INLINE_BYTES - 1,
            INLINE_BYTES,
            INLINE_BYTES + 1,
            70_000,
        ] {
            let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(len).collect();
            assert_eq!(&*Payload::copy(&bytes), &bytes[..]);
            assert_eq!(&*Payload::from(bytes.clone()), &bytes[..]);
            assert_eq!(&*Payload::copy(&bytes).clone(), &bytes[..]);
        }
        assert!(Payload::EMPTY.is_empty());
    }

    #[test]
    fn it_is_no_larger_than_it_must_be() {
        assert!(size_of::<Payload>() <= 48);
    }
}
