//! What can be wrong with an encoded value.

use std::fmt;

use super::Code;

/// What every function of this module returns; the error is boxed, so that the values stay small.
pub type Outcome<T> = Result<T, Box<CodecError>>;

/// Why bytes are no value of their codec, or a value has no form in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodecError {
    /// What is wrong.
    pub problem: Problem,
    /// The byte of the input at fault; none where there is no input.
    pub offset: Option<usize>,
    /// The place in the value, such as `orders[3].name`; empty at its root or where not known.
    pub path: String,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The input ends inside the codec prefix.
    #[error("the codec prefix is cut off")]
    PrefixTruncated,
    /// The codec prefix runs past its limit.
    #[error("the codec prefix is longer than 9 bytes")]
    PrefixTooLong,
    /// The codec prefix has a shorter form.
    #[error("the codec prefix is not in its shortest form")]
    PrefixNotMinimal,
    /// A number that no varint of 9 bytes can hold.
    #[error("{0:#x} is no codec number: it needs more than 63 bits")]
    CodeTooLarge(u64),
    /// A codec that only splits.
    #[error("no codec {0} is known here")]
    UnknownCodec(Code),
    /// A codec pair that is not turned into each other.
    #[error("{from} is not transcoded to {to}")]
    NotTranscoded {
        /// The codec of the input.
        from: Code,
        /// The codec that was asked for.
        to: Code,
    },
    /// The receiver reads no codec that the sender's value can be had in.
    #[error("the receiver does not read {sent}")]
    NotAccepted {
        /// The codec of the message.
        sent: Code,
        /// The codecs that would work.
        would_work: Vec<Code>,
    },
    /// The input ends inside a value.
    #[error("the {0} is cut off")]
    Truncated(&'static str),
    /// A length or count that the rest of the input cannot hold.
    #[error("{what} of {claimed} does not fit into the {left} bytes that are left")]
    LengthPastEnd {
        /// What has the length.
        what: &'static str,
        /// The length that it claims.
        claimed: u64,
        /// Bytes that are there for it.
        left: usize,
    },
    /// Bytes behind the value.
    #[error("{bytes} bytes stand behind the value")]
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// Nesting past the limit, or a value that holds itself.
    #[error("nesting is deeper than 1000")]
    TooDeep,
    /// Text that is not UTF-8.
    #[error("the text is not valid UTF-8")]
    InvalidUtf8,
    /// The same key twice in one map.
    #[error("a key stands twice in one map")]
    DuplicateKey,
    /// A break of the grammar.
    #[error("{0}")]
    Malformed(&'static str),
    /// A value that the other side's data model lacks.
    #[error("{what} has no form in {codec}")]
    NoForm {
        /// The value.
        what: String,
        /// The codec, or `Python`.
        codec: &'static str,
    },
    /// More output than was allowed.
    #[error("the result is longer than {bytes_max} bytes")]
    OutputTooLong {
        /// The bound.
        bytes_max: usize,
    },
    /// A description that is no schema, or a value that does not fit it.
    #[error("{0}")]
    Schema(String),
}

impl Problem {
    /// What to do about it.
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::UnknownCodec(_) => "split() gives the number and the body of any message".into(),
            Self::NotTranscoded { .. } => "only cbor and json are turned into each other".into(),
            Self::NotAccepted { would_work, .. } if would_work.is_empty() => {
                "the receiver declares no codec".into()
            }
            Self::NotAccepted { would_work, .. } => {
                let names: Vec<_> = would_work.iter().map(ToString::to_string).collect();
                format!("these would work: {}", names.join(", "))
            }
            Self::TooDeep => "a value that holds itself is endlessly deep".into(),
            Self::OutputTooLong { .. } => "raise bytes_max".into(),
            _ => return None,
        };
        Some(hint)
    }

    /// This problem at a byte of the input.
    #[cold]
    pub fn at(self, offset: usize) -> Box<CodecError> {
        Box::new(CodecError {
            problem: self,
            offset: Some(offset),
            path: String::new(),
        })
    }
}

impl From<Problem> for Box<CodecError> {
    #[cold]
    fn from(problem: Problem) -> Self {
        Self::new(CodecError {
            problem,
            offset: None,
            path: String::new(),
        })
    }
}

impl CodecError {
    /// The same, for an input that has `bytes` more in front.
    #[must_use]
    pub fn behind(mut self: Box<Self>, bytes: usize) -> Box<Self> {
        self.offset = self.offset.map(|offset| offset + bytes);
        self
    }

    /// The same, at this place of the value.
    #[must_use]
    pub fn within(mut self: Box<Self>, path: String) -> Box<Self> {
        self.path = path;
        self
    }
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)?;
        match (self.offset, self.path.as_str()) {
            (Some(offset), "") => write!(f, " (byte {offset})")?,
            (Some(offset), path) => write!(f, " (byte {offset}, at {path})")?,
            (None, "") => {}
            (None, path) => write!(f, " (at {path})")?,
        }
        match self.problem.hint() {
            Some(hint) => write!(f, "; hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for CodecError {}
