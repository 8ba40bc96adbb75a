//! What interrupting guests costs, kernel by kernel.

use crate::bare::{self, Interruption, Live, Ticker};
use crate::measure::{Contestant, compare_precisely};
use crate::{Result, guests, ours};
use serde_json::Value;

/// Each kernel with the size of one run, some milliseconds long: long enough
/// that ticks pass in it.
const KERNELS: [(&str, u32); 4] = [
    ("fib", 27),
    ("arithmetic", 2_000_000),
    ("memory", 3_000_000),
    ("hash", 2_000_000),
];

/// Nanoseconds of one run of each kernel, under each kind of interruption.
///
/// # Errors
///
/// Whatever a contestant failed with.
pub fn compare_all() -> Result<Value> {
    KERNELS
        .iter()
        .map(|&(name, size)| Ok((name.to_owned(), one(name, size)?)))
        .collect()
}

fn one(name: &str, size: u32) -> Result<Value> {
    let text = guests::written("kernels")?;
    let engine = ours::engine(None)?;
    let component = engine.load("kernels", &text)?;
    let target = ours::target(&component, name)?;
    let with_epochs = ours::instance(&component, false, ours::no_imports())?;
    let with_fuel = ours::instance(&component, true, ours::no_imports())?;
    let (epochs, _epoch_ticker) = bare(Interruption::Epochs)?;
    let (fuel, _fuel_ticker) = bare(Interruption::Fuel)?;
    let (free, _) = bare(Interruption::None)?;
    let expected = ours::call::<ours::Kernel>(&with_epochs, target, (size,))?.0;

    compare_precisely(vec![
        // First: what it takes is what the others are held against.
        contestant("bare_epochs", epochs, name, size, expected)?,
        Contestant::new("ours_epochs", 1, |_| {
            agree(
                ours::call::<ours::Kernel>(&with_epochs, target, (size,))?.0,
                expected,
            )
        }),
        contestant("bare", free, name, size, expected)?,
        Contestant::new("ours_fuel", 1, |_| {
            agree(
                ours::call::<ours::Kernel>(&with_fuel, target, (size,))?.0,
                expected,
            )
        }),
        contestant("bare_fuel", fuel, name, size, expected)?,
    ])
}

fn bare(interruption: Interruption) -> Result<(Live, Option<Ticker>)> {
    let engine = bare::engine(interruption)?;
    let live = Live::new(&engine, &guests::written("kernels")?, interruption)?;
    let ticks = interruption != Interruption::None;
    Ok((live, ticks.then(|| Ticker::start(&engine))))
}

fn contestant(
    called: &'static str,
    mut live: Live,
    kernel: &str,
    size: u32,
    expected: u64,
) -> Result<Contestant<'static>> {
    let function = live.function::<(u32,), (u64,)>(None, kernel)?;
    Ok(Contestant::new(called, 1, move |_| {
        agree(function.call(&mut live.store, (size,))?.0, expected)
    }))
}

// The proof that a kernel ran, and ran whole.
fn agree(sum: u64, expected: u64) -> Result<()> {
    if sum == expected {
        return Ok(());
    }
    Err(format!("a kernel gave {sum}, not {expected}").into())
}
