//! The component: hands the interface's calls to the analysis.

mod analysis;
mod counts;
mod decoder;
mod readability;
mod syllables;

use std::cell::RefCell;

use airssys_sdk::component;
use exports::airssys::text_stats::analyser::{
    Counts, Error, Guest, GuestAnalysis, Readability, Report,
};

use crate::analysis::Analysis;

#[component(world = "text-stats")]
struct TextStats;

impl Guest for TextStats {
    type Analysis = Shared;

    fn analyse(text: Vec<u8>) -> Result<Report, Error> {
        let mut analysis = Analysis::default();
        analysis.feed(&text)?;
        analysis.finish()
    }
}

/// An analysis behind a handle: the interface's methods take `&self`.
struct Shared(RefCell<Analysis>);

impl GuestAnalysis for Shared {
    fn new() -> Self {
        Self(RefCell::default())
    }

    fn feed(&self, chunk: Vec<u8>) -> Result<(), Error> {
        self.0.borrow_mut().feed(&chunk)
    }

    fn finish(&self) -> Result<Report, Error> {
        self.0.borrow_mut().finish()
    }
}
