//! The numbers of codecs.

use std::fmt;

/// The number of a codec in the multicodec table; any number can be carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(pub u64);

impl Code {
    /// Concise Binary Object Representation, RFC 8949.
    pub const CBOR: Self = Self(0x51);
    /// Bytes that nobody describes.
    pub const RAW: Self = Self(0x55);
    /// Protocol Buffers.
    pub const PROTOBUF: Self = Self(0x50);
    /// The CBOR of `MerkleDAG` nodes.
    pub const DAG_CBOR: Self = Self(0x71);
    /// JSON, RFC 8259.
    pub const JSON: Self = Self(0x0200);
    /// `MessagePack`.
    pub const MESSAGEPACK: Self = Self(0x0201);
    /// Borsh, which has no number of its own: ours is of the range for private use.
    pub const BORSH: Self = Self(0x0030_0701);

    /// The codecs that have a name here.
    pub const NAMED: [(Self, &'static str); 7] = [
        (Self::CBOR, "cbor"),
        (Self::JSON, "json"),
        (Self::BORSH, "borsh"),
        (Self::RAW, "raw"),
        (Self::MESSAGEPACK, "messagepack"),
        (Self::PROTOBUF, "protobuf"),
        (Self::DAG_CBOR, "dag-cbor"),
    ];

    /// Its name, if it has one here.
    pub fn name(self) -> Option<&'static str> {
        let named = Self::NAMED.iter().find(|(code, _)| *code == self);
        named.map(|(_, name)| *name)
    }

    /// The codec of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        let named = Self::NAMED.iter().find(|(_, known)| *known == name);
        named.map(|(code, _)| *code)
    }

    /// Whether its bodies are carried as bytes that only the two ends understand.
    pub fn is_opaque(self) -> bool {
        matches!(
            self,
            Self::RAW | Self::MESSAGEPACK | Self::PROTOBUF | Self::DAG_CBOR
        )
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{:#x}", self.0),
        }
    }
}
