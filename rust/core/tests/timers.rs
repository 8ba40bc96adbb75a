//! The timing wheel against a sorted map.

use std::collections::BTreeMap;

use airssys_core::timers::{TimerKey, Timers};
use proptest::prelude::*;

const HOUR_MS: u64 = 3_600_000;

fn fired(timers: &mut Timers<u32>, now_ms: u64) -> Vec<u32> {
    let mut fired = vec![];
    timers.advance(now_ms, &mut fired);
    fired
}

#[test]
fn a_timer_fires_at_its_millisecond_and_not_before() {
    for deadline in [
        1,
        63,
        64,
        65,
        4095,
        4096,
        4097,
        262_144,
        30 * HOUR_MS,
        u64::MAX,
    ] {
        let mut timers = Timers::new(10, 0);
        timers.insert(deadline, 7).unwrap();

        assert!(fired(&mut timers, deadline - 1).is_empty(), "{deadline}");
        assert_eq!(fired(&mut timers, deadline), [7], "{deadline}");
        assert!(timers.is_empty());
    }
}

#[test]
fn what_was_due_when_it_was_set_fires_next_even_if_no_time_passes() {
    let mut timers = Timers::new(10, 100);
    timers.insert(100, 1).unwrap();
    timers.insert(0, 2).unwrap();

    assert_eq!(timers.next_wake_ms(), Some(100));
    assert_eq!(fired(&mut timers, 100), [1, 2]);
    assert_eq!(timers.next_wake_ms(), None);
}

#[test]
fn time_never_goes_back() {
    let mut timers = Timers::new(10, 1000);
    timers.insert(1500, 1).unwrap();

    assert!(fired(&mut timers, 10).is_empty());
    assert_eq!(timers.now_ms(), 1000);
    assert_eq!(fired(&mut timers, 1500), [1]);
}

#[test]
fn the_end_of_time_is_a_time_like_others() {
    let mut timers = Timers::new(10, u64::MAX - 2);
    let last = timers.insert(u64::MAX, 1).unwrap();
    timers.insert(u64::MAX - 1, 2).unwrap();

    assert_eq!(timers.deadline_ms(last), Some(u64::MAX));
    assert_eq!(timers.next_wake_ms(), Some(u64::MAX - 1));
    assert_eq!(fired(&mut timers, u64::MAX), [2, 1]);
    timers.insert(u64::MAX, 3).unwrap();
    assert_eq!(fired(&mut timers, u64::MAX), [3]);
}

#[test]
fn a_cancelled_timer_is_gone_and_its_key_means_nothing_to_the_next() {
    let mut timers = Timers::new(1, 0);
    let first = timers.insert(5, 1).unwrap();

    assert_eq!(timers.insert(5, 2), Err(2));
    assert_eq!(timers.cancel(first), Some(1));
    let second = timers.insert(5, 3).unwrap();
    assert_eq!(timers.cancel(first), None);
    assert_eq!(fired(&mut timers, 5), [3]);
    assert_eq!(timers.cancel(second), None);
    assert_eq!(timers.deadline_ms(second), None);
}

#[test]
fn whoever_sleeps_until_the_next_wake_is_never_late_and_seldom_in_vain() {
    let deadline = 123 * HOUR_MS + 4567;
    let mut timers = Timers::new(10, 89);
    timers.insert(deadline, 1).unwrap();

    let mut wakes = 0;
    let mut seen = vec![];
    while let Some(wake_ms) = timers.next_wake_ms() {
        assert!(wake_ms <= deadline && wake_ms > timers.now_ms());
        timers.advance(wake_ms, &mut seen);
        wakes += 1;
    }
    assert_eq!((seen, timers.now_ms()), (vec![1], deadline));
    assert!(wakes <= 11, "{wakes}");
}

#[derive(Debug, Clone)]
enum Step {
    Insert(u64),
    Cancel(usize),
    Advance(u64),
    AdvanceToWake,
}

fn durations() -> impl Strategy<Value = u64> {
    prop_oneof![
        6 => 0_u64..200,
        3 => 0_u64..10_000,
        2 => 0..100 * HOUR_MS,
        1 => any::<u64>(),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        10 => durations().prop_map(Step::Insert),
        4 => (0_usize..60).prop_map(Step::Cancel),
        3 => durations().prop_map(Step::Advance),
        3 => Just(Step::AdvanceToWake),
    ];
    prop::collection::vec(step, 0..100)
}

#[derive(Default)]
struct Model {
    /// The timers that are set, by deadline and number.
    set: BTreeMap<(u64, u32), TimerKey>,
    keys: Vec<(TimerKey, u64)>,
}

impl Model {
    /// Deadlines and numbers of what is due, earliest first.
    fn due(&mut self, now_ms: u64) -> Vec<(u64, u32)> {
        let due: Vec<_> = self
            .set
            .range(..=(now_ms, u32::MAX))
            .map(|(at, _)| *at)
            .collect();
        for at in &due {
            self.set.remove(at);
        }
        due
    }
}

fn advance_both(timers: &mut Timers<u32>, model: &mut Model, set_late: &[u32], now_ms: u64) {
    let before = timers.now_ms();
    let got: Vec<(u64, u32)> = fired(timers, now_ms)
        .into_iter()
        .map(|number| (model.keys[number as usize].1, number))
        .collect();
    let in_time = got.iter().filter(|(_, number)| !set_late.contains(number));
    assert!(in_time.is_sorted_by_key(|(deadline, _)| *deadline));
    let mut sorted = got;
    sorted.sort_unstable();
    assert_eq!(sorted, model.due(now_ms.max(before)));
    assert_eq!(timers.now_ms(), now_ms.max(before));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn the_wheel_fires_what_a_sorted_map_would(start: u64, from_zero: bool, steps in steps()) {
        let mut timers = Timers::new(20, if from_zero { 0 } else { start });
        let mut model = Model::default();
        let mut set_late = vec![];
        for step in steps {
            let now_ms = timers.now_ms();
            match step {
                Step::Insert(after) => {
                    let deadline = now_ms.wrapping_add(after);
                    let number = u32::try_from(model.keys.len()).unwrap();
                    let set = timers.insert(deadline, number);
                    prop_assert_eq!(set.is_ok(), model.set.len() < 20);
                    if let Ok(key) = set {
                        model.keys.push((key, deadline));
                        model.set.insert((deadline, number), key);
                        if deadline <= now_ms {
                            set_late.push(number);
                        }
                    }
                }
                Step::Cancel(which) => {
                    if let Some(&(key, deadline)) = model.keys.get(which) {
                        let number = u32::try_from(which).unwrap();
                        let was_set = model.set.remove(&(deadline, number)).is_some();
                        prop_assert_eq!(timers.cancel(key), was_set.then_some(number));
                    }
                }
                Step::Advance(by) => {
                    advance_both(&mut timers, &mut model, &set_late, now_ms.saturating_add(by));
                }
                Step::AdvanceToWake => {
                    if let Some(wake_ms) = timers.next_wake_ms() {
                        advance_both(&mut timers, &mut model, &set_late, wake_ms);
                    }
                }
            }
            prop_assert_eq!(timers.len(), model.set.len());
            let first = model.set.keys().next().map(|(deadline, _)| *deadline);
            prop_assert_eq!(timers.next_wake_ms().is_some(), first.is_some());
            if let (Some(wake_ms), Some(first)) = (timers.next_wake_ms(), first) {
                prop_assert!(wake_ms <= first.max(timers.now_ms()));
            }
        }
    }
}
