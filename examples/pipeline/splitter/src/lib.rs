//! Cuts a text into pieces of whole paragraphs, has analysers count them, and passes
//! the counts on to the reporter.
//!
//! A part of the text is answered when all its pieces are counted. A piece whose
//! analyser failed goes to the next one; its number keeps it from being counted twice.
//! An analyser that has stopped for good gets no more.

mod paragraphs;

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use airssys_sdk::actor::*;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Settings {
    /// Addresses of the analysers.
    analysers: Vec<String>,
    /// Address of the reporter.
    reporter: String,
    /// Whole paragraphs are put together up to this length.
    piece_bytes: usize,
    /// How long an analyser may take.
    timeout_milliseconds: u32,
    /// How often a piece is tried.
    attempts_max: u32,
}

#[derive(Deserialize)]
enum Message {
    /// The next part of the text, cut anywhere between characters.
    Part(String),
    /// The text ends here.
    End,
}

/// What it answers.
#[derive(Serialize)]
struct Progress {
    /// Pieces that are counted.
    pieces: u64,
    /// Pieces that were given out again, because an analyser failed.
    retries: u64,
}

struct Piece {
    number: u64,
    text: String,
    attempt: u32,
}

struct Splitter {
    settings: Settings,
    reporter: Peer,
    idle: VecDeque<Peer>,
    /// The paragraph that has no end yet.
    rest: String,
    waiting: VecDeque<Piece>,
    running: HashMap<RequestId, (Peer, Piece)>,
    askers: Vec<Deferred>,
    last: u64,
    progress: Progress,
}

/// What an analyser answers, as far as it is passed on.
#[derive(Deserialize)]
struct Report {
    counts: HashMap<String, u64>,
}

/// What the reporter is told.
#[derive(Serialize)]
enum Told {
    Piece {
        number: u64,
        counts: HashMap<String, u64>,
    },
}

#[component]
impl Splitter {
    #[start]
    fn start(start: &Start) -> Result<Self, StartError> {
        let settings: Settings = start.settings()?;
        if settings.analysers.is_empty() || settings.attempts_max == 0 {
            let why = "analysers and attempts_max: one at least";
            return Err(StartError::ConfigurationInvalid(why.to_owned()));
        }
        let analysers = settings.analysers.iter().map(|one| Peer::lookup(one));
        Ok(Self {
            idle: analysers.collect::<Result<_, _>>()?,
            reporter: Peer::lookup(&settings.reporter)?,
            settings,
            rest: String::new(),
            waiting: VecDeque::new(),
            running: HashMap::new(),
            askers: Vec::new(),
            last: 0,
            progress: Progress {
                pieces: 0,
                retries: 0,
            },
        })
    }

    #[handler]
    fn handle(&mut self, message: Message, context: &Context) -> Result<(), Refusal> {
        self.askers.push(context.defer_reply()?);
        let is_end = matches!(message, Message::End);
        if let Message::Part(text) = message {
            self.rest.push_str(&text);
        }
        let bytes = self.settings.piece_bytes;
        for text in paragraphs::take(&mut self.rest, bytes, is_end) {
            self.last += 1;
            self.waiting.push_back(Piece {
                number: self.last,
                text,
                attempt: 1,
            });
        }
        self.go_on();
        Ok(())
    }

    #[callback]
    fn counted(&mut self, request: RequestId, outcome: Result<Reply, SendError>) {
        if let Some((analyser, piece)) = self.running.remove(&request) {
            match outcome.and_then(Reply::value) {
                Ok(report) => {
                    self.idle.push_back(analyser);
                    self.report(piece, report);
                }
                Err(why) => self.failed(analyser, piece, &why),
            }
        }
        self.go_on();
    }

    /// Passes the counts of a piece on.
    fn report(&mut self, piece: Piece, report: Report) {
        let told = Told::Piece {
            number: piece.number,
            counts: report.counts,
        };
        match self.reporter.send(&told) {
            Ok(()) => self.progress.pieces += 1,
            Err(why) => self.refuse(format!("the reporter: {why}")),
        }
    }

    /// Gives pieces to analysers that are idle; answers when none is left.
    fn go_on(&mut self) {
        let timeout = Duration::from_millis(self.settings.timeout_milliseconds.into());
        while !self.waiting.is_empty() && !self.idle.is_empty() {
            let (Some(piece), Some(analyser)) = (self.waiting.pop_front(), self.idle.pop_front())
            else {
                break;
            };
            match analyser.request(&piece.text, timeout) {
                Ok(request) => drop(self.running.insert(request, (analyser, piece))),
                Err(why) => self.failed(analyser, piece, &why),
            }
        }
        if self.idle.is_empty() && self.running.is_empty() {
            self.waiting.clear();
            self.refuse("no analyser is left");
        }
        if self.waiting.is_empty() && self.running.is_empty() {
            for asker in self.askers.drain(..) {
                // Who asked may have given up meanwhile.
                drop(asker.send(&self.progress));
            }
        }
    }

    fn failed(&mut self, analyser: Peer, mut piece: Piece, why: &SendError) {
        if matches!(why, SendError::NotFound | SendError::Stopped) {
            return self.waiting.push_front(piece);
        }
        self.idle.push_back(analyser);
        if piece.attempt == self.settings.attempts_max {
            return self.refuse(format!("piece {}: {why}", piece.number));
        }
        piece.attempt += 1;
        self.progress.retries += 1;
        self.waiting.push_back(piece);
    }

    fn refuse(&mut self, why: impl Into<Refusal>) {
        let why = why.into();
        for asker in self.askers.drain(..) {
            drop(asker.refuse(why.clone()));
        }
    }
}
