//! The table of names against a map, and pools against what they promise.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use airssys_core::address::{ComponentId, Handle};
use airssys_core::routing::{NameError, NameTable, Names, Pick, Pool};
use proptest::prelude::*;

fn id(number: u32) -> ComponentId {
    ComponentId::new("acme", "worker", &number.to_string()).unwrap()
}

fn found(table: &NameTable<u32>, text: &str) -> Option<u32> {
    table.find(text).map(|entry| entry.slot)
}

#[test]
fn a_name_is_found_as_people_write_it() {
    let mut names = Names::new(10);
    names.insert("resizer".parse().unwrap(), |_| 1).unwrap();
    names
        .insert("acme/resizer".parse().unwrap(), |_| 2)
        .unwrap();
    names
        .insert("acme/resizer/blue".parse().unwrap(), |_| 3)
        .unwrap();
    names
        .insert("local/resizer/blue".parse().unwrap(), |_| 4)
        .unwrap();
    let table = names.table();

    for (text, slot) in [
        ("resizer", Some(1)),
        ("local/resizer", Some(1)),
        ("local/resizer/0", Some(1)),
        ("acme/resizer", Some(2)),
        ("acme/resizer/0", Some(2)),
        ("acme/resizer/blue", Some(3)),
        ("acme/resizer/red", None),
        ("acme/resizer/blue/", None),
        ("resizer/0", None),
        ("resizer/blue", None),
        ("local/local/0", None),
        ("local/resizer/blue", Some(4)),
        ("local/resizer/blue/0", None),
        ("/resizer", None),
        ("resizer/", None),
        ("local/resizer/", None),
        ("/0", None),
        ("local/", None),
        ("local//0", None),
        ("acme//resizer", None),
        ("", None),
        ("/", None),
        ("//", None),
        ("Resizer", None),
        ("resizer\0", None),
        ("rés", None),
    ] {
        assert_eq!(found(&table, text), slot, "{text:?}");
    }
    for bytes in [180, 185, 186, 187, 194, 195, 1 << 20] {
        assert_eq!(found(&table, &"a".repeat(bytes)), None);
        assert_eq!(found(&table, &"a/".repeat(bytes)), None);
    }
}

#[test]
fn a_name_is_taken_until_it_is_freed_and_its_handle_never_comes_back() {
    let mut names = Names::new(1);
    let first = names.insert(id(1), |_| ()).unwrap().handle;

    let taken = NameError::Taken {
        id: id(1),
        handle: first,
    };
    assert_eq!(names.insert(id(1), |_| ()).unwrap_err(), taken);
    let full = NameError::Full { names: 1 };
    assert_eq!(names.insert(id(2), |_| ()).unwrap_err(), full);

    let mut handles = HashSet::from([first, Handle::EMBEDDER]);
    for _ in 0..100 {
        let last = names.table().iter().next().unwrap().handle;
        assert!(names.remove(last).is_some() && names.remove(last).is_none());
        assert!(names.table().by_handle(last).is_none());
        assert!(handles.insert(names.insert(id(1), |_| ()).unwrap().handle));
    }
}

#[test]
fn a_handle_that_was_not_given_out_finds_nothing() {
    let mut names = Names::new(10);
    let handle = names.insert(id(1), |_| ()).unwrap().handle;
    let table = names.table();

    let near = handle.as_u64();
    for number in [
        0,
        1,
        near - 1,
        near + 1,
        near ^ (1 << 24),
        near << 1,
        u64::MAX,
    ] {
        assert!(
            table.by_handle(Handle::from_u64(number)).is_none(),
            "{number:#x}"
        );
    }
    assert_eq!(table.by_handle(handle).unwrap().id, id(1));
}

#[test]
fn a_version_that_was_handed_out_never_changes() {
    let mut names = Names::new(1000);
    for number in 0..100 {
        names.insert(id(number), |_| number).unwrap();
    }
    let old = names.table();
    let kept: Vec<_> = old.iter().map(Arc::clone).collect();

    for entry in &kept[..50] {
        names.remove(entry.handle).unwrap();
    }
    names.insert(id(1000), |_| 1000).unwrap();

    assert_eq!((old.len(), names.table().len()), (100, 51));
    assert!(kept.iter().all(|entry| old.get(&entry.id).is_some()));
    assert!(old.get(&id(1000)).is_none());
}

/// Texts near the borders of what may be left out.
fn written() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec!["local", "loc", "0", "abc", "00", ""]);
    prop::collection::vec(part, 1..5).prop_map(|parts| parts.join("/"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_text_finds_the_address_that_it_reads_as_and_no_other(
        inserted in prop::collection::vec(written(), 1..30),
        texts in prop::collection::vec(written(), 1..30),
    ) {
        let mut names = Names::new(100);
        let mut ids = HashSet::new();
        for id in inserted.iter().filter_map(|text| ComponentId::parse(text).ok()) {
            prop_assert_eq!(names.insert(id.clone(), |_| ()).is_ok(), ids.insert(id));
        }
        for text in texts {
            let expected = ComponentId::parse(&text).ok().filter(|id| ids.contains(id));
            let found = names.table().find(&text).map(|entry| entry.id.clone());
            prop_assert_eq!(found, expected, "{:?}", text);
        }
    }

    #[test]
    fn the_table_is_a_map(
        steps in prop::collection::vec((any::<bool>(), 0_u32..40, any::<bool>()), 0..200),
    ) {
        let mut names = Names::new(30);
        let mut model: HashMap<ComponentId, (Handle, usize)> = HashMap::new();
        let mut versions = vec![];
        for (step, (inserts, number, publishes)) in steps.into_iter().enumerate() {
            if inserts {
                let inserted = names.insert(id(number), |_| step);
                let expected = model.len() < 30 && !model.contains_key(&id(number));
                prop_assert_eq!(inserted.is_ok(), expected);
                if let Ok(entry) = inserted {
                    model.insert(id(number), (entry.handle, step));
                }
            } else if let Some((handle, slot)) = model.remove(&id(number)) {
                prop_assert_eq!(names.remove(handle).map(|entry| entry.slot), Some(slot));
            }
            if publishes {
                versions.push((names.table(), model.clone()));
            }
        }
        versions.push((names.table(), model));
        for (table, model) in versions {
            prop_assert_eq!(table.len(), model.len());
            prop_assert_eq!(table.is_empty(), model.is_empty());
            prop_assert_eq!(table.iter().count(), model.len());
            for number in 0..40 {
                let expected = model.get(&id(number)).copied();
                let entry = table.get(&id(number)).map(|entry| (entry.handle, entry.slot));
                prop_assert_eq!(entry, expected);
                if let Some((handle, slot)) = expected {
                    prop_assert_eq!(table.by_handle(handle).map(|entry| entry.slot), Some(slot));
                }
            }
        }
    }
}

fn pool(names: &[String]) -> Pool<usize> {
    Pool::new(names.iter().map(String::as_str).zip(0..))
}

fn workers(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("acme/worker/{number}"))
        .collect()
}

const EVENLY: fn(&usize) -> Option<u64> = |_| Some(0);

#[test]
fn round_robin_gives_each_its_turn_and_passes_over_who_is_out() {
    let pool = pool(&workers(3));
    let turns: Vec<_> = (0..6)
        .map(|_| pool.pick(Pick::RoundRobin, EVENLY).copied())
        .collect();
    assert_eq!(turns, [0, 1, 2, 0, 1, 2].map(Some));

    let without_one = |member: &usize| (*member != 1).then_some(0);
    for _ in 0..6 {
        assert_ne!(pool.pick(Pick::RoundRobin, without_one), Some(&1));
    }
}

#[test]
fn least_loaded_takes_the_least_and_equals_in_turn() {
    let pool = pool(&workers(4));
    let load = |member: &usize| [Some(3), Some(1), None, Some(1)][*member];

    let chosen: HashSet<_> = (0..4).map(|_| pool.pick(Pick::LeastLoaded, load)).collect();

    assert_eq!(chosen, HashSet::from([Some(&1), Some(&3)]));
}

#[test]
fn a_pool_without_anybody_to_choose_chooses_nobody() {
    let nobody = pool(&[]);
    let all_out = pool(&workers(3));
    for how in [
        Pick::RoundRobin,
        Pick::Random(7),
        Pick::LeastLoaded,
        Pick::Sticky(b"key"),
    ] {
        assert_eq!(nobody.pick(how, EVENLY), None);
        assert_eq!(all_out.pick(how, |_| None), None);
    }
}

#[test]
fn random_and_sticky_spread_evenly() {
    let pool = pool(&workers(8));
    let mut random = [0_u32; 8];
    let mut out_of_three = [0_u32; 8];
    let mut sticky = [0_u32; 8];
    for number in 0..80_000_u64 {
        let dice = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        random[*pool.pick(Pick::Random(dice), EVENLY).unwrap()] += 1;
        let three = |member: &usize| (*member < 3).then_some(0);
        out_of_three[*pool.pick(Pick::Random(dice), three).unwrap()] += 1;
        let key = format!("customer-{number}");
        sticky[*pool.pick(Pick::Sticky(key.as_bytes()), EVENLY).unwrap()] += 1;
    }
    assert!(
        random
            .iter()
            .chain(&sticky)
            .all(|count| (9_500..10_500).contains(count))
    );
    assert!(
        out_of_three[..3]
            .iter()
            .all(|count| (25_500..27_900).contains(count)),
        "{out_of_three:?}"
    );
}

#[test]
fn sticky_places_are_the_same_in_every_process() {
    let pool = pool(&workers(5));
    let place = |key: &str| *pool.pick(Pick::Sticky(key.as_bytes()), EVENLY).unwrap();

    // Were these to change, two hosts of different versions would disagree about a key.
    // The places are those that a second implementation, in Python, gives.
    let places = ["", "a", "customer-7", "ключ"].map(place);
    assert_eq!(places, [2, 0, 2, 4]);
}

proptest! {
    #[test]
    fn a_member_that_leaves_gives_up_its_own_keys_and_no_others(
        count in 2_usize..12,
        leaver: prop::sample::Index,
        keys in prop::collection::vec(any::<Vec<u8>>(), 1..50),
    ) {
        let names = workers(count);
        let leaver = leaver.index(count);
        let all = pool(&names);
        let rest: Vec<_> = names.iter().enumerate().filter(|(index, _)| *index != leaver).collect();
        let fewer = Pool::new(rest.iter().map(|(index, name)| (name.as_str(), *index)));
        for key in &keys {
            let before = *all.pick(Pick::Sticky(key), EVENLY).unwrap();
            let after = *fewer.pick(Pick::Sticky(key), EVENLY).unwrap();
            prop_assert!(before == after || before == leaver);
            let passed_over = all.pick(Pick::Sticky(key), |member| (*member != leaver).then_some(0));
            prop_assert_eq!(passed_over, Some(&after));
        }
    }
}
