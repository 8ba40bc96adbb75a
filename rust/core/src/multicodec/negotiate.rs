//! Which codec a receiver gets a message in.

use super::{Code, Outcome, Problem};

/// How a message goes to its receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// The receiver reads what was sent.
    AsIs,
    /// The receiver reads this codec, which the message is turned into.
    Transcode(Code),
}

/// Decides how a message in `sent` goes to a receiver that declares `declared`.
///
/// What the receiver reads goes as it is. Otherwise CBOR and JSON are turned into each
/// other, if the receiver accepts that.
///
/// # Errors
///
/// [`Problem::NotAccepted`], which names the codecs that would work.
pub fn negotiate(sent: Code, declared: &[Code], accepts_transcoding: bool) -> Outcome<Route> {
    if declared.contains(&sent) {
        return Ok(Route::AsIs);
    }
    match other(sent) {
        Some(to) if accepts_transcoding && declared.contains(&to) => Ok(Route::Transcode(to)),
        _ => Err(Problem::NotAccepted {
            sent,
            would_work: would_work(declared, accepts_transcoding),
        }
        .into()),
    }
}

/// The codec that this one is transcoded to.
pub(super) fn other(code: Code) -> Option<Code> {
    match code {
        Code::CBOR => Some(Code::JSON),
        Code::JSON => Some(Code::CBOR),
        _ => None,
    }
}

fn would_work(declared: &[Code], accepts_transcoding: bool) -> Vec<Code> {
    let mut codes = Vec::with_capacity(declared.len() + 1);
    let also = declared.iter().filter_map(|code| other(*code));
    let also = also.filter(|_| accepts_transcoding);
    for code in declared.iter().copied().chain(also) {
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    codes
}
