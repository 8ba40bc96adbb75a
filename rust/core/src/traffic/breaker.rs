//! The circuit breaker of a route.
//!
//! | state | lets through | goes to |
//! |---|---|---|
//! | closed | everything | open, when `failures` fall within `window` |
//! | open | nothing | half-open, when `cool_down` is over |
//! | half-open | `probes` calls | closed, when all of them succeed; open, when one fails |
//!
//! A result counts only in the state that its call was let through in, so a slow call from
//! before does not close or open anything. Probes that nobody reports on are given up after
//! another `cool_down`, and new ones are let through. (Nygard, "Release It!", 2007.)

use std::collections::VecDeque;

use super::{SettingInvalid, require};

/// Failures that a breaker can be told to wait for at most: it remembers the time of each.
const FAILURES_MAX: u32 = 1000;

/// When a breaker opens and closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerSettings {
    failures: u32,
    window_ns: u64,
    cool_down_ns: u64,
    probes: u32,
}

impl Default for BreakerSettings {
    /// Five failures within 10 s open it for 5 s; one probe decides.
    fn default() -> Self {
        Self {
            failures: 5,
            window_ns: 10_000_000_000,
            cool_down_ns: 5_000_000_000,
            probes: 1,
        }
    }
}

impl BreakerSettings {
    /// Opens after `failures` (1–1000) within `window_ns`, probes after `cool_down_ns`, and closes
    /// after `probes` (1–1000) successes.
    ///
    /// # Errors
    ///
    /// [`SettingInvalid`] names what is out of its range.
    pub fn new(
        failures: u32,
        window_ns: u64,
        cool_down_ns: u64,
        probes: u32,
    ) -> Result<Self, SettingInvalid> {
        let counts = 1..=FAILURES_MAX;
        require(counts.contains(&failures), "failures", "1 to 1000")?;
        require(window_ns > 0, "the window", "longer than nothing")?;
        require(cool_down_ns > 0, "the cool-down", "longer than nothing")?;
        require(counts.contains(&probes), "probes", "1 to 1000")?;
        Ok(Self {
            failures,
            window_ns,
            cool_down_ns,
            probes,
        })
    }
}

/// What a breaker lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BreakerState {
    /// Everything.
    Closed,
    /// Nothing.
    Open,
    /// A few calls, to see.
    HalfOpen,
}

/// Leave for one call; its result is reported with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "the breaker learns from what becomes of the call"]
pub struct Permit {
    epoch: u64,
}

/// The route is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the route is cut after repeated failures, try again in {} ms", retry_after_ns.div_ceil(1_000_000))]
pub struct CircuitOpen {
    /// Nanoseconds until a call may be let through.
    pub retry_after_ns: u64,
}

/// The breaker of one route. A route without failures allocates nothing.
#[derive(Debug, Clone)]
pub struct Breaker {
    settings: BreakerSettings,
    state: State,
    /// Counts the states so far.
    epoch: u64,
    /// How often it opened.
    opened: u64,
}

#[derive(Debug, Clone)]
enum State {
    /// With the times of the last failures.
    Closed(VecDeque<u64>),
    Open {
        since: u64,
    },
    HalfOpen {
        since: u64,
        begun: u32,
        succeeded: u32,
    },
}

impl Breaker {
    /// A closed breaker.
    pub fn new(settings: BreakerSettings) -> Self {
        Self {
            settings,
            state: State::Closed(VecDeque::new()),
            epoch: 0,
            opened: 0,
        }
    }

    /// Lets a call through, or says when to try again.
    ///
    /// # Errors
    ///
    /// [`CircuitOpen`] if the route is cut, or is being probed already.
    #[inline]
    pub fn admit(&mut self, now: u64) -> Result<Permit, CircuitOpen> {
        if let State::Closed(_) = self.state {
            return Ok(Permit { epoch: self.epoch });
        }
        self.probe(now)
    }

    /// Learns that a call succeeded.
    #[inline]
    pub fn succeeded(&mut self, permit: Permit) {
        if permit.epoch != self.epoch {
            return;
        }
        if let State::HalfOpen { succeeded, .. } = &mut self.state {
            *succeeded += 1;
            if *succeeded >= self.settings.probes {
                self.enter(State::Closed(VecDeque::new()));
            }
        }
    }

    /// Learns that a call failed.
    pub fn failed(&mut self, permit: Permit, now: u64) {
        if permit.epoch != self.epoch {
            return;
        }
        let opens = match &mut self.state {
            State::Closed(failures) => {
                let window_ns = self.settings.window_ns;
                while failures
                    .front()
                    .is_some_and(|&at| now.saturating_sub(at) >= window_ns)
                {
                    failures.pop_front();
                }
                failures.push_back(now);
                failures.len() >= self.settings.failures as usize
            }
            State::HalfOpen { .. } => true,
            State::Open { .. } => false,
        };
        if opens {
            self.opened += 1;
            self.enter(State::Open { since: now });
        }
    }

    /// Learns that nobody will say what became of a call, so that another may be tried.
    pub fn abandoned(&mut self, permit: Permit) {
        if permit.epoch != self.epoch {
            return;
        }
        if let State::HalfOpen { begun, .. } = &mut self.state {
            *begun = begun.saturating_sub(1);
        }
    }

    /// What it lets through. An open breaker becomes half-open with the first call after its
    /// cool-down.
    pub fn state(&self) -> BreakerState {
        match self.state {
            State::Closed(_) => BreakerState::Closed,
            State::Open { .. } => BreakerState::Open,
            State::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// How often it opened.
    pub fn opened(&self) -> u64 {
        self.opened
    }

    #[cold]
    fn probe(&mut self, now: u64) -> Result<Permit, CircuitOpen> {
        let cool_down_ns = self.settings.cool_down_ns;
        let (since, is_open) = match self.state {
            State::Open { since } => (since, true),
            State::HalfOpen { since, .. } => (since, false),
            State::Closed(_) => return Ok(Permit { epoch: self.epoch }),
        };
        let waited_ns = now.saturating_sub(since);
        if waited_ns >= cool_down_ns {
            self.enter(State::HalfOpen {
                since: now,
                begun: 1,
                succeeded: 0,
            });
            return Ok(Permit { epoch: self.epoch });
        }
        match &mut self.state {
            State::HalfOpen { begun, .. } if !is_open && *begun < self.settings.probes => {
                *begun += 1;
                Ok(Permit { epoch: self.epoch })
            }
            _ => Err(CircuitOpen {
                retry_after_ns: cool_down_ns - waited_ns,
            }),
        }
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.epoch += 1;
    }
}
