//! Counts a piece of text: the analysis of `text-stats`, as an actor.
//!
//! Its files are included, because a component cannot link another one.

#[path = "../../../text-stats/src/analysis.rs"]
mod analysis;
#[path = "../../../text-stats/src/counts.rs"]
mod counts;
#[path = "../../../text-stats/src/decoder.rs"]
mod decoder;
#[path = "../../../text-stats/src/readability.rs"]
mod readability;
#[path = "../../../text-stats/src/syllables.rs"]
mod syllables;

use airssys_sdk::actor::*;
use serde::{Deserialize, Serialize};

use crate::analysis::Analysis;

#[derive(Clone, Copy, Serialize)]
struct Counts {
    bytes: u64,
    characters: u64,
    letters: u64,
    words: u64,
    sentences: u64,
    paragraphs: u64,
    lines: u64,
    syllables: u64,
    longest_word: u32,
}

#[derive(Clone, Copy, Serialize)]
struct Readability {
    flesch_reading_ease: f64,
    flesch_kincaid_grade: f64,
    automated_readability_index: f64,
    coleman_liau_index: f64,
}

/// What it answers.
#[derive(Clone, Copy, Serialize)]
struct Report {
    counts: Counts,
    /// None where there are no words.
    readability: Option<Readability>,
}

#[derive(Clone, Copy)]
enum Error {
    NotUtf8(u64),
    CutShort(u64),
    Finished,
}

/// Made to fail, once, to see what the others do then.
#[derive(Deserialize)]
struct Settings {
    /// The piece that the first incarnation fails at, from 1.
    fail_at_piece: u64,
    /// Which one of a pool fails, as the last part of its address; each if none is named.
    #[serde(default)]
    instance: Option<String>,
}

struct Analyser {
    pieces: u64,
    fail_at_piece: Option<u64>,
}

#[component]
impl Analyser {
    #[start]
    fn start(start: &Start) -> Result<Self, StartError> {
        let first = start.reason == Reason::First && start.has_settings();
        let settings: Option<Settings> = first.then(|| start.settings()).transpose()?;
        let meant = settings.filter(|settings| {
            let instance = settings.instance.as_ref();
            instance.is_none_or(|instance| *instance == start.address.instance)
        });
        Ok(Self {
            pieces: 0,
            fail_at_piece: meant.map(|settings| settings.fail_at_piece),
        })
    }

    #[handler]
    fn handle(&mut self, text: &str) -> Result<Report, Refusal> {
        self.pieces += 1;
        assert_ne!(Some(self.pieces), self.fail_at_piece, "made to fail here");
        let mut analysis = Analysis::default();
        let fed = analysis.feed(text.as_bytes());
        fed.and_then(|()| analysis.finish())
            .map_err(|error| match error {
                Error::NotUtf8(at) | Error::CutShort(at) => {
                    Refusal::Malformed(format!("no UTF-8 at byte {at}"))
                }
                Error::Finished => Refusal::Failed("it is finished".to_owned()),
            })
    }
}
