//! Which bytes stand for a value: CBOR, JSON, or what they are.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::cbor;
use super::errors::SendError;

/// The number of CBOR, which values are sent in unless wrapped otherwise.
pub const CBOR: u32 = 0x51;
/// The number of JSON.
pub const JSON: u32 = 0x0200;
/// The number of bytes that only their receiver can read.
pub const RAW: u32 = 0x55;

/// What typed handlers read, best first.
pub(super) const TYPED: &[u32] = &[CBOR, JSON];

/// What can be sent: anything that serde serializes, or one of the wrappers.
pub trait Body {
    /// The codec and the bytes; `codec` is what the other side wrote, or 0.
    ///
    /// # Errors
    ///
    /// [`SendError::InvalidArgument`] if the value cannot be written.
    fn encode(&self, codec: u32) -> Result<(u32, Cow<'_, [u8]>), SendError>;
}

/// What a reply can be read as: anything that serde deserializes, or `Raw<Vec<u8>>`.
pub trait FromBody: Sized {
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// [`SendError::CodecUnsupported`] or [`SendError::Malformed`].
    fn decode(codec: u32, payload: Vec<u8>) -> Result<Self, SendError>;
}

/// Bytes as they are, as a message or a reply.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Raw<T>(pub T);

/// A value that is sent in JSON.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Json<T>(pub T);

impl<T: Serialize + ?Sized> Body for T {
    fn encode(&self, codec: u32) -> Result<(u32, Cow<'_, [u8]>), SendError> {
        let codec = if codec == JSON { JSON } else { CBOR };
        let bytes = to_bytes(codec, self).map_err(SendError::InvalidArgument)?;
        Ok((codec, Cow::Owned(bytes)))
    }
}

impl<T: Serialize> Body for Json<T> {
    fn encode(&self, _codec: u32) -> Result<(u32, Cow<'_, [u8]>), SendError> {
        self.0.encode(JSON)
    }
}

impl<T: AsRef<[u8]>> Body for Raw<T> {
    fn encode(&self, _codec: u32) -> Result<(u32, Cow<'_, [u8]>), SendError> {
        Ok((RAW, Cow::Borrowed(self.0.as_ref())))
    }
}

impl<T: DeserializeOwned> FromBody for T {
    fn decode(codec: u32, payload: Vec<u8>) -> Result<Self, SendError> {
        match from_bytes(codec, &payload) {
            Some(read) => read.map_err(SendError::Malformed),
            None => Err(SendError::CodecUnsupported(TYPED.to_vec())),
        }
    }
}

impl FromBody for Raw<Vec<u8>> {
    fn decode(_codec: u32, payload: Vec<u8>) -> Result<Self, SendError> {
        Ok(Raw(payload))
    }
}

/// Writes a value in one of the codecs of [`TYPED`]; the error is for people.
pub(super) fn to_bytes<T: Serialize + ?Sized>(codec: u32, value: &T) -> Result<Vec<u8>, String> {
    if codec == JSON {
        return serde_json::to_vec(value).map_err(|error| error.to_string());
    }
    cbor::to_vec(value)
}

/// Reads a value; `None` if no such codec is read here. The error is for people.
pub(super) fn from_bytes<'de, T: Deserialize<'de>>(
    codec: u32,
    payload: &'de [u8],
) -> Option<Result<T, String>> {
    match codec {
        CBOR => Some(cbor::from_slice(payload).map_err(|error| error.to_string())),
        JSON => Some(serde_json::from_slice(payload).map_err(|error| error.to_string())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Body, CBOR, FromBody, JSON, Json, RAW, Raw};
    use crate::actor::SendError;

    #[test]
    fn a_value_goes_in_the_codec_of_the_other_side() {
        assert_eq!(
            [1, 2].encode(0).unwrap(),
            (CBOR, b"\x82\x01\x02"[..].into())
        );
        assert_eq!([1, 2].encode(JSON).unwrap(), (JSON, b"[1,2]"[..].into()));
        assert_eq!("x".encode(0x30_0701).unwrap().0, CBOR);
        assert_eq!(Json(&[1]).encode(CBOR).unwrap(), (JSON, b"[1]"[..].into()));
        assert_eq!(Raw(b"ab").encode(CBOR).unwrap(), (RAW, b"ab"[..].into()));
    }

    #[test]
    fn a_reply_is_read_in_its_own_codec() {
        assert_eq!(
            <[u8; 2]>::decode(CBOR, b"\x82\x01\x02".to_vec()).unwrap(),
            [1, 2]
        );
        assert_eq!(<[u8; 2]>::decode(JSON, b"[1,2]".to_vec()).unwrap(), [1, 2]);
        assert_eq!(
            Raw::decode(CBOR, b"\x01".to_vec()).unwrap(),
            Raw(b"\x01".to_vec())
        );
    }

    #[test]
    fn what_cannot_be_read_or_written_is_said() {
        let unread = u8::decode(RAW, b"x".to_vec()).unwrap_err();
        assert_eq!(unread, SendError::CodecUnsupported(vec![CBOR, JSON]));
        let broken = u8::decode(JSON, b"x".to_vec()).unwrap_err();
        assert!(matches!(broken, SendError::Malformed(why) if why.contains("line 1")));
        let keys = std::collections::BTreeMap::from([((1, 2), 3)]);
        assert!(matches!(
            Json(keys).encode(0),
            Err(SendError::InvalidArgument(_))
        ));
    }
}
