//! Counts the primes of a range with the help of the workers that its settings name.
//!
//! It never waits: it cuts the range, keeps one piece with each worker, and answers when
//! the last piece has come back. A piece whose worker failed goes to the next one; a
//! worker that has stopped for good gets no more.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use airssys_sdk::actor::*;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Settings {
    /// Addresses of the workers.
    workers: Vec<String>,
    /// How much one worker gets at a time.
    piece: u64,
    /// How long it may take.
    timeout_milliseconds: u32,
    /// How often a piece is tried.
    attempts_max: u32,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
struct Range {
    start: u64,
    end: u64,
}

/// What it answers.
#[derive(Default, Serialize)]
struct Counted {
    primes: u64,
    pieces: u64,
    /// Pieces that were given out again, because a worker failed.
    retries: u64,
}

/// A request that is being worked on.
struct Job {
    asker: Deferred,
    counted: Counted,
    /// Pieces that have not come back.
    left: u64,
}

#[derive(Clone, Copy)]
struct Piece {
    job: u64,
    range: Range,
    attempt: u32,
}

struct Dispatcher {
    settings: Settings,
    idle: VecDeque<Peer>,
    waiting: VecDeque<Piece>,
    running: HashMap<RequestId, (Peer, Piece)>,
    jobs: HashMap<u64, Job>,
    last_job: u64,
}

/// Pieces of one job, at most: they are kept in memory.
const PIECES_MAX: u64 = 10_000;

#[component]
impl Dispatcher {
    #[start]
    fn start(start: &Start) -> Result<Self, StartError> {
        let settings: Settings = start.settings()?;
        if settings.workers.is_empty() || settings.piece == 0 || settings.attempts_max == 0 {
            let why = "workers, piece and attempts_max: one at least";
            return Err(StartError::ConfigurationInvalid(why.to_owned()));
        }
        let workers: Result<_, _> = settings
            .workers
            .iter()
            .map(|one| Peer::lookup(one))
            .collect();
        Ok(Self {
            idle: workers?,
            settings,
            waiting: VecDeque::new(),
            running: HashMap::new(),
            jobs: HashMap::new(),
            last_job: 0,
        })
    }

    #[handler]
    fn handle(&mut self, range: Range, context: &Context) -> Result<(), Refusal> {
        let length = range.end.saturating_sub(range.start);
        let pieces = length.div_ceil(self.settings.piece).max(1);
        if pieces > PIECES_MAX {
            return Err(Refusal::Refused(format!("more than {PIECES_MAX} pieces")));
        }
        self.last_job += 1;
        let job = self.last_job;
        for number in 0..pieces {
            let start = range.start + number * self.settings.piece;
            let end = range.end.min(start.saturating_add(self.settings.piece));
            let range = Range { start, end };
            self.waiting.push_back(Piece {
                job,
                range,
                attempt: 1,
            });
        }
        let asked = Job {
            asker: context.defer_reply()?,
            counted: Counted::default(),
            left: pieces,
        };
        self.jobs.insert(job, asked);
        self.give_out();
        Ok(())
    }

    #[callback]
    fn came_back(&mut self, request: RequestId, outcome: Result<Reply, SendError>) {
        if let Some((worker, piece)) = self.running.remove(&request) {
            match outcome.and_then(Reply::value) {
                Ok(primes) => {
                    self.idle.push_back(worker);
                    self.done(piece, primes);
                }
                Err(why) => self.failed(worker, piece, why),
            }
        }
        self.give_out();
    }

    /// Gives the pieces that wait to workers that are idle.
    fn give_out(&mut self) {
        let timeout = Duration::from_millis(self.settings.timeout_milliseconds.into());
        while let Some(piece) = self.next() {
            let Some(worker) = self.idle.pop_front() else {
                self.waiting.push_front(piece);
                break;
            };
            match worker.request(&piece.range, timeout) {
                Ok(request) => drop(self.running.insert(request, (worker, piece))),
                Err(why) => self.failed(worker, piece, why),
            }
        }
        if self.idle.is_empty() && self.running.is_empty() {
            for (_, job) in self.jobs.drain() {
                drop(job.asker.refuse("no worker is left"));
            }
        }
    }

    /// The next piece of a job that somebody still waits for.
    fn next(&mut self) -> Option<Piece> {
        while let Some(piece) = self.waiting.pop_front() {
            if self.jobs.contains_key(&piece.job) {
                return Some(piece);
            }
        }
        None
    }

    fn done(&mut self, piece: Piece, primes: u64) {
        let Some(job) = self.jobs.get_mut(&piece.job) else {
            return;
        };
        job.counted.primes += primes;
        job.counted.pieces += 1;
        job.counted.retries += u64::from(piece.attempt - 1);
        job.left -= 1;
        if job.left > 0 {
            return;
        }
        if let Some(job) = self.jobs.remove(&piece.job) {
            // Who asked may have given up meanwhile.
            drop(job.asker.send(&job.counted));
        }
    }

    fn failed(&mut self, worker: Peer, mut piece: Piece, why: SendError) {
        if matches!(why, SendError::NotFound | SendError::Stopped) {
            return self.waiting.push_front(piece);
        }
        self.idle.push_back(worker);
        if piece.attempt < self.settings.attempts_max {
            piece.attempt += 1;
            self.waiting.push_back(piece);
        } else if let Some(job) = self.jobs.remove(&piece.job) {
            drop(job.asker.refuse(why));
        }
    }
}
