//! Dead letters against a list, and a flood of them.

use std::collections::HashSet;

use airssys_core::letters::{LETTERS_MAX_DEFAULT, Letters, Reason};
use airssys_core::mailbox::Message;
use proptest::prelude::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Note(usize);

impl Message for Note {
    fn bytes(&self) -> usize {
        self.0
    }
}

fn ids(letters: &Letters<Note>) -> Vec<u64> {
    letters.iter().map(|letter| letter.id).collect()
}

#[test]
fn a_letter_is_kept_with_its_reason_until_it_is_taken() {
    let mut letters = Letters::default();
    let id = letters.post(Note(10), Reason::ActorFailed, 77).unwrap();

    let letter = letters.get(id).unwrap();
    assert_eq!(
        (letter.reason, letter.at, letter.message),
        (Reason::ActorFailed, 77, Note(10))
    );
    assert_eq!(letters.take(id).unwrap().message, Note(10));
    assert_eq!((letters.take(id), letters.get(id)), (None, None));
    assert_eq!(letters.counters().bytes, 0);
}

#[test]
fn a_flood_keeps_the_newest_and_counts_the_rest() {
    let mut letters = Letters::default();
    for _ in 0..1_000_000 {
        letters.post(Note(100), Reason::Stopped, 0);
    }

    let kept = LETTERS_MAX_DEFAULT as u64;
    let counters = letters.counters();
    assert_eq!(counters.dropped, 1_000_000 - kept);
    assert_eq!(counters.posted_for(Reason::Stopped), 1_000_000);
    assert_eq!(counters.posted_for(Reason::Expired), 0);
    assert!(ids(&letters).into_iter().eq(1_000_001 - kept..=1_000_000));
}

#[test]
fn what_is_too_large_to_keep_drops_nothing_else() {
    let mut letters = Letters::new(10, 100);
    letters.post(Note(60), Reason::TooLarge, 0).unwrap();

    assert_eq!(letters.post(Note(101), Reason::TooLarge, 0), None);
    assert_eq!(letters.post(Note(usize::MAX), Reason::TooLarge, 0), None);
    assert_eq!(ids(&letters), [1]);
    assert_eq!(letters.post(Note(100), Reason::TooLarge, 0), Some(4));
    assert_eq!((ids(&letters), letters.counters().dropped), (vec![4], 3));
}

#[test]
fn no_room_at_all_keeps_none_and_counts_all() {
    let mut letters = Letters::new(0, 100);

    assert_eq!(letters.post(Note(0), Reason::Expired, 0), None);
    assert_eq!(
        (letters.counters().posted, letters.counters().dropped),
        (1, 1)
    );
}

#[test]
fn letters_of_one_reason_are_taken_together_oldest_first() {
    let mut letters = Letters::new(10, 100);
    for reason in [Reason::Stopped, Reason::Expired, Reason::Stopped] {
        letters.post(Note(1), reason, 0);
    }

    let taken = letters.take_all(|letter| letter.reason == Reason::Stopped);

    assert_eq!(
        taken.iter().map(|letter| letter.id).collect::<Vec<_>>(),
        [1, 3]
    );
    assert_eq!(ids(&letters), [2]);
    assert_eq!((letters.counters().bytes, letters.counters().taken), (1, 2));
}

#[test]
fn every_reason_has_a_name_and_a_number_of_its_own() {
    let names: HashSet<_> = Reason::ALL.map(Reason::as_str).into();
    assert_eq!(names.len(), Reason::ALL.len());
    for (number, reason) in Reason::ALL.into_iter().enumerate() {
        assert_eq!(reason as usize, number);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5000))]

    #[test]
    fn letters_are_a_bounded_list(
        letters_max in 0_usize..6,
        bytes_max in 0_usize..30,
        steps in prop::collection::vec((any::<bool>(), 0_usize..20, 1_u64..60), 0..60),
    ) {
        let mut letters = Letters::new(letters_max, bytes_max);
        let mut model: Vec<(u64, usize)> = vec![];
        let mut posted = 0;
        for (posts, bytes, id) in steps {
            if posts {
                posted += 1;
                model.push((posted, bytes));
                let too_many = |model: &[(u64, usize)]| {
                    model.len() > letters_max
                        || model.iter().map(|(_, bytes)| bytes).sum::<usize>() > bytes_max
                };
                if bytes > bytes_max || letters_max == 0 {
                    model.pop();
                }
                while too_many(&model) {
                    model.remove(0);
                }
                let kept = model.last().map(|(id, _)| *id).filter(|id| *id == posted);
                prop_assert_eq!(letters.post(Note(bytes), Reason::Dropped, 0), kept);
            } else {
                let index = model.iter().position(|(one, _)| *one == id);
                let taken = index.map(|index| model.remove(index).1);
                prop_assert_eq!(letters.take(id).map(|letter| letter.message.0), taken);
            }
            let counters = letters.counters();
            prop_assert!(ids(&letters).into_iter().eq(model.iter().map(|(id, _)| *id)));
            prop_assert_eq!(counters.bytes, model.iter().map(|(_, bytes)| bytes).sum::<usize>());
            prop_assert_eq!(counters.letters, model.len());
            prop_assert_eq!(counters.posted, counters.dropped + counters.taken + model.len() as u64);
        }
    }
}

#[test]
fn a_letter_that_is_put_back_is_what_it_was() {
    let mut letters = Letters::new(3, 100);
    for bytes in [10, 20, 30] {
        letters.post(Note(bytes), Reason::Stopped, 7);
    }
    let before = letters.counters();

    let letter = letters.take(2).unwrap();
    letters.put_back(letter);

    assert_eq!(ids(&letters), [1, 2, 3]);
    assert_eq!(letters.get(2).unwrap().message, Note(20));
    assert_eq!(letters.counters(), before);
}

#[test]
fn a_letter_whose_room_is_gone_is_dropped() {
    let mut letters = Letters::new(2, 100);
    for _ in 0..2 {
        letters.post(Note(40), Reason::Stopped, 0);
    }

    let letter = letters.take(1).unwrap();
    letters.post(Note(40), Reason::Stopped, 0);
    letters.put_back(letter);

    assert_eq!(ids(&letters), [2, 3]);
    let counters = letters.counters();
    assert_eq!((counters.bytes, counters.dropped), (80, 1));
    assert_eq!(
        counters.letters as u64 + counters.dropped + counters.taken,
        counters.posted
    );
}
