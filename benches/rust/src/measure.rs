//! Rounds in ABBA order: whatever the machine does meanwhile, it does to all.

use crate::Result;
use serde_json::{Value, json};
use std::time::Instant;

/// Rounds of each contestant; the first warms up and is not counted.
const ROUNDS: usize = 16;
/// Rounds where one percent decides.
const ROUNDS_PRECISE: usize = 61;

/// One side of a comparison.
pub struct Contestant<'a> {
    name: &'static str,
    operations: u64,
    run: Box<dyn FnMut(u64) -> Result<()> + 'a>,
}

impl<'a> Contestant<'a> {
    /// `run` does its work the number of times it is given.
    pub fn new(
        name: &'static str,
        operations: u64,
        run: impl FnMut(u64) -> Result<()> + 'a,
    ) -> Self {
        Self {
            name,
            operations,
            run: Box::new(run),
        }
    }

    fn round(&mut self) -> Result<f64> {
        let began = Instant::now();
        (self.run)(self.operations)?;
        #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
        let operations = self.operations as f64;
        Ok(began.elapsed().as_secs_f64() * 1e9 / operations)
    }
}

/// Runs all of them in turn and gives nanoseconds per operation by name, and the
/// median of each one's share of the first one's time in the same round.
///
/// # Errors
///
/// Whatever a contestant failed with.
pub fn compare(contestants: Vec<Contestant<'_>>) -> Result<Value> {
    compare_rounds(contestants, ROUNDS)
}

/// As [`compare`], with so many rounds that one percent can be seen.
///
/// # Errors
///
/// Whatever a contestant failed with.
pub fn compare_precisely(contestants: Vec<Contestant<'_>>) -> Result<Value> {
    compare_rounds(contestants, ROUNDS_PRECISE)
}

fn compare_rounds(mut contestants: Vec<Contestant<'_>>, rounds: usize) -> Result<Value> {
    let mut samples = vec![Vec::with_capacity(rounds); contestants.len()];
    let mut order: Vec<usize> = (0..contestants.len()).collect();
    for round in 0..rounds {
        for &index in &order {
            let nanoseconds = contestants[index].round()?;
            if round > 0 {
                samples[index].push(nanoseconds);
            }
        }
        order.reverse();
    }
    let first = samples[0].clone();
    let named = contestants.iter().zip(samples);
    Ok(named
        .map(|(contestant, samples)| (contestant.name.to_owned(), summary(samples, &first)))
        .collect())
}

fn summary(mut samples: Vec<f64>, first: &[f64]) -> Value {
    let mut shares: Vec<_> = samples
        .iter()
        .zip(first)
        .map(|(one, first)| one / first)
        .collect();
    shares.sort_by(f64::total_cmp);
    samples.sort_by(f64::total_cmp);
    json!({
        "min": samples[0],
        "median": samples[samples.len() / 2],
        "share_of_first": shares[shares.len() / 2],
    })
}
