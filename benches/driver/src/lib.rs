//! One side of a comparison, in a process of its own, driven over its standard input and
//! output: what `worker.py` is for sides in Python.
//!
//! Each line in is a JSON object `{"operation"}`, each line out `{"nanoseconds"}` of one
//! operation in one round, or `{"calls", "made"}` for `finish`.

use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

/// Whatever ended a bench: nothing here recovers.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
/// A result of a bench.
pub type Result<T> = std::result::Result<T, Failure>;

/// How long one round of one operation lasts.
const ROUND: Duration = Duration::from_millis(30);

/// What a round did.
#[derive(Clone, Copy)]
pub struct Done {
    /// Operations that share its time.
    pub operations: u64,
    /// Messages that handlers must have counted by its end.
    pub messages: u64,
    /// Time they took, if that is not all the time of the round.
    pub took: Option<Duration>,
}

impl Done {
    /// As many messages as operations.
    pub fn messages(count: u64) -> Done {
        Done {
            operations: count,
            messages: count,
            took: None,
        }
    }
}

/// A side of a comparison.
pub trait Contestant {
    /// Runs an operation at least so many times, and returns when its messages are handled.
    ///
    /// # Errors
    ///
    /// If there is no such operation, or it failed.
    fn run(&mut self, operation: &str, times: u64) -> Result<Done>;

    /// Messages that its handlers counted since it was made.
    ///
    /// # Errors
    ///
    /// If they do not say.
    fn handled(&mut self) -> Result<u64>;
}

/// Runs what is asked for until the input ends.
///
/// # Errors
///
/// What the contestant failed with, or a line that is none.
pub fn serve(contestant: &mut dyn Contestant) -> Result<()> {
    let mut rounds = Rounds {
        contestant,
        times: HashMap::new(),
        made: 0,
    };
    let mut output = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let wanted: Value = serde_json::from_str(&line?)?;
        let operation = wanted["operation"].as_str().ok_or("no operation")?;
        let answer = match operation {
            "finish" => json!({ "calls": rounds.contestant.handled()?, "made": rounds.made }),
            operation => json!({ "nanoseconds": rounds.round(operation)? }),
        };
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

struct Rounds<'a> {
    contestant: &'a mut dyn Contestant,
    /// How often each operation is run in a round.
    times: HashMap<String, u64>,
    made: u64,
}

impl Rounds<'_> {
    /// Nanoseconds of one operation.
    fn round(&mut self, operation: &str) -> Result<f64> {
        let times = match self.times.get(operation) {
            Some(times) => *times,
            None => self.enough(operation)?,
        };
        self.run(operation, times)
            .map(|(nanoseconds, _)| nanoseconds)
    }

    fn enough(&mut self, operation: &str) -> Result<u64> {
        let mut times = 1;
        let each = loop {
            let (each, took) = self.run(operation, times)?;
            if took >= ROUND / 4 {
                break each;
            }
            times *= 2;
        };
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a positive number of operations, far below 2^52"
        )]
        let times = (ROUND.as_secs_f64() * 1e9 / each).max(1.0) as u64;
        self.times.insert(operation.to_owned(), times);
        Ok(times)
    }

    fn run(&mut self, operation: &str, times: u64) -> Result<(f64, Duration)> {
        let began = Instant::now();
        let done = self.contestant.run(operation, times)?;
        let took = done.took.unwrap_or_else(|| began.elapsed());
        self.made += done.messages;
        #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
        let each = took.as_secs_f64() * 1e9 / done.operations as f64;
        Ok((each, took))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sleeper {
        handled: u64,
    }

    impl Contestant for Sleeper {
        fn run(&mut self, operation: &str, times: u64) -> Result<Done> {
            if operation != "sleep" {
                return Err("no such operation".into());
            }
            for _ in 0..times {
                std::thread::sleep(Duration::from_micros(200));
            }
            self.handled += times;
            Ok(Done::messages(times))
        }

        fn handled(&mut self) -> Result<u64> {
            Ok(self.handled)
        }
    }

    #[test]
    fn a_round_lasts_long_enough_and_each_of_its_operations_is_counted() -> Result<()> {
        let mut sleeper = Sleeper { handled: 0 };
        let mut rounds = Rounds {
            contestant: &mut sleeper,
            times: HashMap::new(),
            made: 0,
        };
        let began = Instant::now();
        let each = rounds.round("sleep")?;
        assert!(each >= 200_000.0);
        assert!(began.elapsed() >= ROUND / 2);
        assert_eq!(rounds.contestant.handled()?, rounds.made);
        assert!(rounds.round("wake").is_err());
        Ok(())
    }
}
