//! A monotonic clock cheap enough to be read twice in every call.
//!
//! Reading the processor's time stamp counter takes 10 ns, the system clock 25.
//! The counter is used where the kernel itself keeps time by it, which proves
//! that it runs at one speed on all cores; elsewhere the system clock is.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A point in time, in ticks of an unknown but constant length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticks(u64);

#[derive(Debug)]
struct Clock {
    counter: bool,
    origin: Instant,
    origin_ticks: u64,
}

static CLOCK: OnceLock<Clock> = OnceLock::new();
/// Shortest time over which the counter's speed is measured.
const MEASURE: Duration = Duration::from_millis(2);

/// Starts the clock: its speed is measured from here on.
pub(super) fn start() {
    clock();
}

fn clock() -> &'static Clock {
    CLOCK.get_or_init(|| {
        let counter = kernel_trusts_counter();
        let origin = Instant::now();
        let origin_ticks = if counter { counter_now() } else { 0 };
        Clock {
            counter,
            origin,
            origin_ticks,
        }
    })
}

/// How long it is measured before its speed is taken as known.
const KEEP: Duration = Duration::from_secs(1);

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn kernel_trusts_counter() -> bool {
    const SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    std::fs::read_to_string(SOURCE).is_ok_and(|source| source.trim() == "tsc")
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
fn kernel_trusts_counter() -> bool {
    false
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn counter_now() -> u64 {
    // SAFETY: every x86-64 processor has the instruction.
    unsafe { core::arch::x86_64::_rdtsc() }
}

#[cfg(not(target_arch = "x86_64"))]
fn counter_now() -> u64 {
    0
}

impl Ticks {
    /// Now.
    #[inline]
    pub(crate) fn now() -> Ticks {
        let clock = clock();
        if clock.counter {
            return Ticks(counter_now());
        }
        Ticks(nanoseconds(clock.origin.elapsed()))
    }

    /// Ticks since `earlier`.
    #[inline]
    pub(crate) fn since(self, earlier: Ticks) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// How long a number of ticks is.
pub(crate) fn duration(ticks: u64) -> Duration {
    let clock = clock();
    if !clock.counter {
        return Duration::from_nanos(ticks);
    }
    let (elapsed, elapsed_ticks) = measured(clock);
    let nanoseconds = u128::from(ticks) * elapsed / elapsed_ticks;
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
}

/// How many ticks a duration lasts.
pub(crate) fn ticks(duration: Duration) -> u64 {
    let clock = clock();
    if !clock.counter {
        return nanoseconds(duration);
    }
    let (elapsed, elapsed_ticks) = measured(clock);
    u64::try_from(duration.as_nanos() * elapsed_ticks / elapsed).unwrap_or(u64::MAX)
}

// The longer the engine has lived, the better its speed is known: after 2 ms to
// one part in ten thousand, after a second to one in a million. Then it is kept.
fn measured(clock: &Clock) -> (u128, u128) {
    static KEPT: OnceLock<(u128, u128)> = OnceLock::new();
    if let Some(kept) = KEPT.get() {
        return *kept;
    }
    loop {
        let elapsed = clock.origin.elapsed();
        let elapsed_ticks = counter_now().saturating_sub(clock.origin_ticks);
        if elapsed >= MEASURE && elapsed_ticks > 0 {
            let measured = (elapsed.as_nanos(), elapsed_ticks.into());
            return if elapsed < KEEP {
                measured
            } else {
                *KEPT.get_or_init(|| measured)
            };
        }
        std::thread::sleep(MEASURE.saturating_sub(elapsed));
    }
}

// 64 bits of nanoseconds last for 584 years.
#[allow(
    clippy::cast_possible_truncation,
    reason = "no process lives that long"
)]
fn nanoseconds(duration: Duration) -> u64 {
    duration.as_nanos() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_agrees_with_the_system_clock() {
        start();
        let (began, began_ticks) = (Instant::now(), Ticks::now());
        std::thread::sleep(Duration::from_millis(50));
        let ours = duration(Ticks::now().since(began_ticks)).as_secs_f64();
        let theirs = began.elapsed().as_secs_f64();
        assert!(
            (ours / theirs - 1.0).abs() < 0.01,
            "{ours} against {theirs}"
        );
    }

    #[test]
    fn durations_survive_the_way_to_ticks_and_back() {
        let second = duration(ticks(Duration::from_secs(1))).as_secs_f64();
        assert!((second - 1.0).abs() < 0.01, "{second}");
    }
}
