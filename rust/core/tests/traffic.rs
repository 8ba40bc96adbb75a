//! Breaker, rate limit and retries: their tables, their laws, and the ends of time.

use airssys_core::traffic::{
    Breaker, BreakerSettings, BreakerState, CircuitOpen, Permit, RATE_PER_SECOND_MAX, RateLimit,
    RateLimited, RetryPolicy, TokenBucket,
};
use proptest::prelude::*;

const SECOND: u64 = 1_000_000_000;

/// Opens after 3 failures within 10 s for 5 s, and closes after 2 probes.
fn breaker() -> Breaker {
    Breaker::new(BreakerSettings::new(3, 10 * SECOND, 5 * SECOND, 2).unwrap())
}

fn fail(breaker: &mut Breaker, times: u32, now: u64) {
    for _ in 0..times {
        let permit = breaker.admit(now).unwrap();
        breaker.failed(permit, now);
    }
}

fn opened_at(now: u64) -> Breaker {
    let mut breaker = breaker();
    fail(&mut breaker, 3, now);
    assert_eq!(breaker.state(), BreakerState::Open);
    breaker
}

#[test]
fn as_many_failures_as_set_within_the_window_open_it() {
    let mut breaker = breaker();
    fail(&mut breaker, 2, 0);
    assert_eq!(breaker.state(), BreakerState::Closed);
    fail(&mut breaker, 1, 10 * SECOND - 1);
    assert_eq!(breaker.state(), BreakerState::Open);
    assert_eq!(breaker.opened(), 1);
}

#[test]
fn failures_further_apart_than_the_window_do_not() {
    let mut breaker = breaker();
    for number in 0..1000 {
        fail(&mut breaker, 2, number * 10 * SECOND);
        assert_eq!(breaker.state(), BreakerState::Closed);
    }
}

#[test]
fn an_open_breaker_says_when_to_try_again() {
    let mut breaker = opened_at(SECOND);

    for (now, retry_after_ns) in [(SECOND, 5 * SECOND), (6 * SECOND - 1, 1)] {
        assert_eq!(breaker.admit(now), Err(CircuitOpen { retry_after_ns }));
    }
    assert!(breaker.admit(6 * SECOND).is_ok());
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
}

#[test]
fn as_many_probes_as_set_close_it_and_one_failure_opens_it_again() {
    let mut breaker = opened_at(0);
    let probes = [5, 6].map(|second| breaker.admit(second * SECOND).unwrap());
    let denied = CircuitOpen {
        retry_after_ns: 3 * SECOND,
    };
    assert_eq!(breaker.admit(7 * SECOND), Err(denied));

    let mut failing = breaker.clone();
    breaker.succeeded(probes[0]);
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    breaker.succeeded(probes[1]);
    assert_eq!(breaker.state(), BreakerState::Closed);

    failing.succeeded(probes[0]);
    failing.failed(probes[1], 8 * SECOND);
    assert_eq!((failing.state(), failing.opened()), (BreakerState::Open, 2));
    assert!(failing.admit(13 * SECOND - 1).is_err());
}

#[test]
fn a_result_from_before_changes_nothing() {
    let mut breaker = breaker();
    let slow: Vec<Permit> = (0..9).map(|_| breaker.admit(0).unwrap()).collect();
    fail(&mut breaker, 3, 0);
    let probe = breaker.admit(5 * SECOND).unwrap();

    for permit in slow {
        breaker.succeeded(permit);
        breaker.failed(permit, 5 * SECOND);
        breaker.abandoned(permit);
    }

    assert_eq!(
        (breaker.state(), breaker.opened()),
        (BreakerState::HalfOpen, 1)
    );
    breaker.succeeded(probe);
    let second = breaker.admit(5 * SECOND).unwrap();
    breaker.succeeded(second);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn probes_that_nobody_reports_on_do_not_cut_the_route_for_ever() {
    let mut breaker = opened_at(0);
    let given_up = breaker.admit(5 * SECOND).unwrap();
    let lost = breaker.admit(5 * SECOND).unwrap();
    assert!(breaker.admit(5 * SECOND).is_err());

    breaker.abandoned(given_up);
    let replaced = breaker.admit(5 * SECOND);
    assert!(replaced.is_ok() && breaker.admit(5 * SECOND).is_err());
    assert!(breaker.admit(10 * SECOND).is_ok());
    breaker.failed(lost, 10 * SECOND);
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
}

#[test]
fn settings_out_of_their_range_are_refused_by_name() {
    let settings = |failures, window, cool_down, probes| {
        BreakerSettings::new(failures, window, cool_down, probes).map_err(|error| error.name)
    };
    assert_eq!(settings(0, 1, 1, 1), Err("failures"));
    assert_eq!(settings(1001, 1, 1, 1), Err("failures"));
    assert_eq!(settings(1, 0, 1, 1), Err("the window"));
    assert_eq!(settings(1, 1, 0, 1), Err("the cool-down"));
    assert_eq!(settings(1, 1, 1, 0), Err("probes"));
    assert!(settings(1000, u64::MAX, u64::MAX, 1000).is_ok());
    let limit = |rate, burst| RateLimit::new(rate, burst).map_err(|error| error.name);
    assert_eq!(limit(0, 1), Err("the rate"));
    assert_eq!(limit(RATE_PER_SECOND_MAX + 1, 1), Err("the rate"));
    assert_eq!(limit(1, 0), Err("the burst"));
    assert!(limit(1, u32::MAX).is_ok());
    let retry = |attempts, first, longest, factor, jitter| {
        RetryPolicy::new(attempts, first, longest, factor, jitter).map_err(|error| error.name)
    };
    assert_eq!(retry(0, 1, 1, 1.0, 0.0), Err("attempts"));
    assert_eq!(retry(1, 2, 1, 1.0, 0.0), Err("the longest wait"));
    for factor in [0.9, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(retry(1, 1, 1, factor, 0.0), Err("the factor"));
    }
    for jitter in [-0.1, 1.1, f64::NAN] {
        assert_eq!(retry(1, 1, 1, 1.0, jitter), Err("the jitter"));
    }
}

#[test]
fn a_burst_goes_through_at_once_and_then_the_rate() {
    let limit = RateLimit::new(10, 3).unwrap();
    let mut bucket = TokenBucket::default();
    let now = 7 * SECOND;

    for _ in 0..3 {
        assert_eq!(bucket.take(1, limit, now), Ok(()));
    }
    let refused = Err(RateLimited {
        retry_after_ns: SECOND / 10,
    });
    assert_eq!(bucket.take(1, limit, now), refused);
    assert!(bucket.take(1, limit, now + SECOND / 10 - 1).is_err());
    assert_eq!(bucket.take(1, limit, now + SECOND / 10), Ok(()));
    assert_eq!(bucket.take(3, limit, now + SECOND), Ok(()));
}

#[test]
fn more_than_a_burst_is_never_accepted_and_costs_nothing() {
    let limit = RateLimit::new(10, 3).unwrap();
    let mut bucket = TokenBucket::default();

    let never = Err(RateLimited {
        retry_after_ns: u64::MAX,
    });
    assert_eq!(bucket.take(4, limit, SECOND), never);
    assert_eq!(bucket.take(u32::MAX, limit, SECOND), never);
    assert_eq!(bucket.take(3, limit, SECOND), Ok(()));
}

#[test]
fn a_clock_that_stands_at_its_end_or_goes_back_lets_no_more_through() {
    let limit = RateLimit::new(10, 3).unwrap();
    let mut at_the_end = TokenBucket::default();
    assert!(at_the_end.take(1, limit, u64::MAX).is_err());
    let mut ahead = TokenBucket::default();
    ahead.take(3, limit, 100 * SECOND).unwrap();
    assert!(ahead.take(1, limit, 0).is_err());

    let mut breaker = opened_at(u64::MAX);
    let denied = CircuitOpen {
        retry_after_ns: 5 * SECOND,
    };
    assert_eq!(breaker.admit(u64::MAX), Err(denied));
    assert_eq!(breaker.admit(0), Err(denied));
}

#[test]
fn waits_grow_to_the_longest_and_end_with_the_attempts() {
    let policy = RetryPolicy::new(8, SECOND, 10 * SECOND, 2.0, 0.0).unwrap();
    let waits: Vec<_> = (1..=8)
        .map(|attempts| policy.wait_ns(attempts, 7))
        .collect();

    let seconds = [1, 2, 4, 8, 10, 10, 10].map(|seconds| Some(seconds * SECOND));
    assert_eq!(waits[..7], seconds);
    assert_eq!(waits[7], None);
}

#[test]
fn jitter_takes_off_up_to_its_part() {
    let policy = RetryPolicy::new(2, SECOND, SECOND, 2.0, 0.5).unwrap();

    assert_eq!(policy.wait_ns(1, 0), Some(SECOND));
    let least = policy.wait_ns(1, u64::MAX).unwrap();
    assert!((SECOND / 2..SECOND / 2 + 2).contains(&least), "{least}");
}

/// The breaker of the table, with every failure remembered for ever.
struct Model {
    failures: Vec<u64>,
    open_since: Option<u64>,
    probing_since: Option<u64>,
    begun: u32,
    succeeded: u32,
    epoch: u64,
}

impl Model {
    fn admit(&mut self, now: u64) -> Option<u64> {
        let waits = self.open_since.or(self.probing_since);
        if waits.is_some_and(|since| now - since >= 5) {
            (self.open_since, self.probing_since) = (None, Some(now));
            (self.begun, self.succeeded) = (0, 0);
            self.epoch += 1;
        }
        let through = match (self.open_since, self.probing_since) {
            (Some(_), _) => false,
            (None, Some(_)) => self.begun < 2,
            (None, None) => true,
        };
        self.begun += u32::from(through);
        through.then_some(self.epoch)
    }

    fn report(&mut self, epoch: u64, ok: bool, now: u64) {
        if epoch != self.epoch || self.open_since.is_some() {
            return;
        }
        if ok {
            self.succeeded += 1;
            if self.probing_since.is_some() && self.succeeded == 2 {
                self.probing_since = None;
                self.failures.clear();
                self.epoch += 1;
            }
            return;
        }
        self.failures.push(now);
        let recent = self.failures.iter().filter(|&&at| now - at < 10).count();
        if self.probing_since.is_some() || recent >= 3 {
            (self.open_since, self.probing_since) = (Some(now), None);
            self.epoch += 1;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn the_breaker_does_what_its_table_says(
        steps in prop::collection::vec((0_u64..4, 0_usize..5, any::<bool>()), 0..80),
    ) {
        let settings = BreakerSettings::new(3, 10, 5, 2).unwrap();
        let mut breaker = Breaker::new(settings);
        let mut model = Model {
            failures: vec![],
            open_since: None,
            probing_since: None,
            begun: 0,
            succeeded: 0,
            epoch: 0,
        };
        let mut calls: Vec<(Permit, u64)> = vec![];
        let mut now = 0;
        for (sleeps, which, ok) in steps {
            now += sleeps;
            if which < calls.len() {
                let (permit, epoch) = calls.swap_remove(which);
                if ok {
                    breaker.succeeded(permit);
                } else {
                    breaker.failed(permit, now);
                }
                model.report(epoch, ok, now);
            } else {
                let admitted = breaker.admit(now);
                let expected = model.admit(now);
                prop_assert_eq!(admitted.is_ok(), expected.is_some());
                calls.extend(admitted.ok().zip(expected));
            }
            let expected = match (model.open_since, model.probing_since) {
                (Some(_), _) => BreakerState::Open,
                (None, Some(_)) => BreakerState::HalfOpen,
                (None, None) => BreakerState::Closed,
            };
            prop_assert_eq!(breaker.state(), expected);
        }
    }

    #[test]
    fn no_stretch_of_time_sees_more_than_the_burst_and_the_rate(
        per_second in 1_u32..2000,
        burst in 1_u32..20,
        steps in prop::collection::vec((0_u64..50_000_000, 1_u32..4), 1..200),
    ) {
        let limit = RateLimit::new(per_second, burst).unwrap();
        let mut bucket = TokenBucket::default();
        let mut now = 0;
        let mut accepted: Vec<(u64, u64)> = vec![];
        for (sleeps, messages) in steps {
            now += sleeps;
            let before = bucket;
            match bucket.take(messages, limit, now) {
                Ok(()) => accepted.push((now, u64::from(messages))),
                Err(RateLimited { retry_after_ns }) => {
                    prop_assert_eq!(before, bucket);
                    prop_assert!(messages > burst || retry_after_ns < u64::MAX);
                    if messages <= burst {
                        let (mut early, mut late) = (bucket, bucket);
                        prop_assert!(early.take(messages, limit, now + retry_after_ns - 1).is_err());
                        prop_assert!(late.take(messages, limit, now + retry_after_ns).is_ok());
                    }
                }
            }
        }
        for (index, (from, _)) in accepted.iter().enumerate() {
            let mut sum = 0;
            for (to, messages) in &accepted[index..] {
                sum += messages;
                let allowed = u64::from(burst) + (to - from) * u64::from(per_second) / SECOND;
                prop_assert!(sum <= allowed + 1, "{} messages in {} ns", sum, to - from);
            }
        }
    }

    #[test]
    fn no_wait_is_longer_than_the_longest(
        attempts: u32,
        random: u64,
        first: u64,
        more: u64,
        factor in 1.0_f64..1e300,
        jitter in 0.0_f64..=1.0,
    ) {
        let longest = first.saturating_add(more);
        let policy = RetryPolicy::new(u32::MAX, first, longest, factor, jitter).unwrap();
        let wait = policy.wait_ns(attempts, random);
        prop_assert!(wait.is_none_or(|wait| wait <= longest));
        prop_assert_eq!(wait.is_none(), attempts == u32::MAX);
    }
}
