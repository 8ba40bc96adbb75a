//! Open requests against a map, forged numbers included, and the claims of the documentation.

use std::collections::{BTreeSet, HashMap};

use airssys_core::address::{Handle, Incarnation};
use airssys_core::requests::{
    Cycle, End, Key, Party, Request, RequestId, Requests, Seal, Unanswerable, WAITS_MAX_DEFAULT,
};
use proptest::prelude::*;

/// A handle as the table of names would give out: generation 1 in the slot `index`.
fn actor(index: u32) -> Handle {
    Handle::from_u64((1 << 24) | u64::from(index))
}

fn party(index: u32, incarnation: u64) -> Party {
    Party {
        handle: actor(index),
        incarnation: Incarnation(incarnation),
    }
}

fn request(requester: u32, responder: u32) -> Request<u32> {
    Request {
        requester: party(requester, 1),
        responder: actor(responder),
        served_by: Some(Incarnation(1)),
        blocking: true,
        value: 7,
    }
}

#[test]
fn an_answer_from_who_was_asked_ends_the_request_once() {
    let mut requests = Requests::new(10);
    let key = requests.open(request(1, 2)).unwrap();

    assert_eq!(requests.answer(key, party(2, 1)), Ok(request(1, 2)));

    let twice = Unanswerable::Ended(End::Answered);
    assert_eq!(requests.answer(key, party(2, 1)), Err(twice));
    let counters = requests.counters();
    assert_eq!(
        (counters.answered, counters.twice, counters.open),
        (1, 1, 0)
    );
}

#[test]
fn nobody_else_and_no_other_incarnation_can_answer_or_cancel() {
    let mut requests = Requests::new(10);
    let key = requests.open(request(1, 2)).unwrap();
    let next_life_of_slot = Party {
        handle: Handle::from_u64((2 << 24) | 2),
        incarnation: Incarnation(1),
    };
    for (from, refused) in [
        (party(3, 1), Unanswerable::WrongParty),
        (party(1, 1), Unanswerable::WrongParty),
        (next_life_of_slot, Unanswerable::WrongParty),
        (party(2, 2), Unanswerable::WrongIncarnation),
        (party(2, 0), Unanswerable::WrongIncarnation),
    ] {
        assert_eq!(requests.answer(key, from), Err(refused));
    }
    for (by, refused) in [
        (party(2, 1), Unanswerable::WrongParty),
        (party(1, 2), Unanswerable::WrongIncarnation),
    ] {
        assert_eq!(requests.cancel(key, by), Err(refused));
    }

    assert_eq!(requests.get(key), Some(&request(1, 2)));
    let counters = requests.counters();
    assert_eq!((counters.wrong_party, counters.wrong_incarnation), (3, 2));
    assert_eq!(requests.cancel(key, party(1, 1)), Ok(request(1, 2)));
}

#[test]
fn who_has_not_taken_the_message_cannot_answer_it() {
    let mut requests = Requests::new(10);
    let waits = Request {
        served_by: None,
        ..request(1, 2)
    };
    let key = requests.open(waits).unwrap();

    let refused = Err(Unanswerable::WrongIncarnation);
    assert_eq!(requests.answer(key, party(2, 1)), refused);
    requests.serve(key, Incarnation(2)).unwrap();
    assert_eq!(requests.answer(key, party(2, 1)), refused);
    assert!(requests.answer(key, party(2, 2)).is_ok());
}

#[test]
fn a_late_answer_learns_how_the_request_ended_even_when_its_slot_has_served_others() {
    let mut requests = Requests::new(1);
    let ends = [End::Answered, End::TimedOut, End::Cancelled, End::Failed];
    let keys: Vec<_> = ends
        .into_iter()
        .cycle()
        .take(17)
        .map(|end| {
            let key = requests.open(request(1, 2)).unwrap();
            requests.end(key, end).unwrap();
            (key, end)
        })
        .collect();

    let (oldest, remembered) = keys.split_first().unwrap();
    assert_eq!(
        requests.answer(oldest.0, party(2, 1)),
        Err(Unanswerable::Forgotten)
    );
    for &(key, end) in remembered {
        assert_eq!(
            requests.answer(key, party(2, 1)),
            Err(Unanswerable::Ended(end))
        );
        assert_eq!(
            requests.serve(key, Incarnation(1)),
            Err(Unanswerable::Ended(end))
        );
    }
    let counters = requests.counters();
    assert_eq!((counters.twice, counters.late), (4, 13));
}

#[test]
fn what_waits_in_the_mailbox_survives_the_life_that_failed() {
    let mut requests = Requests::new(10);
    let in_hand = requests.open(request(1, 2)).unwrap();
    let waits = requests
        .open(Request {
            served_by: None,
            ..request(1, 2)
        })
        .unwrap();
    let elsewhere = requests.open(request(1, 3)).unwrap();
    let mut ended = vec![];

    requests.fail_served_by(party(2, 1), &mut ended);

    assert_eq!(ended, [(in_hand, request(1, 2))]);
    assert!(requests.get(waits).is_some() && requests.get(elsewhere).is_some());
    ended.clear();
    requests.fail_asked_of(actor(2), &mut ended);
    assert_eq!(
        ended.iter().map(|(key, _)| *key).collect::<Vec<_>>(),
        [waits]
    );
    requests.cancel_made_by(actor(1), &mut ended);
    assert_eq!(ended.last(), Some(&(elsewhere, request(1, 3))));
    assert!(requests.is_empty());
}

#[test]
fn no_more_are_open_than_may_be() {
    let mut requests = Requests::new(2);
    let first = requests.open(request(1, 2)).unwrap();
    requests.open(request(1, 2)).unwrap();

    assert_eq!(requests.open(request(3, 4)), Err(request(3, 4)));
    requests.end(first, End::TimedOut).unwrap();
    assert!(requests.open(request(3, 4)).is_ok());
    assert_eq!(requests.counters().open_peak, 2);
}

#[test]
fn a_circle_names_its_members_from_the_one_that_would_close_it() {
    let mut requests = Requests::new(10);
    requests.open(request(2, 3)).unwrap();
    requests.open(request(2, 4)).unwrap();
    requests.open(request(4, 5)).unwrap();

    let check = |a, b| requests.check_wait(actor(a), actor(b), WAITS_MAX_DEFAULT);
    let circle = |members: &[u32]| {
        Err(Cycle {
            members: members.iter().copied().map(actor).collect(),
        })
    };
    assert_eq!(check(5, 2), circle(&[5, 2, 4]));
    assert_eq!(check(3, 2), circle(&[3, 2]));
    assert_eq!(check(1, 1), circle(&[1]));
    assert_eq!(check(1, 2), Ok(()));
    assert_eq!(check(3, 5), Ok(()));
    let embedder = Handle::EMBEDDER;
    assert_eq!(requests.check_wait(embedder, actor(2), 10), Ok(()));
}

#[test]
fn one_that_does_not_wait_closes_no_circle() {
    let mut requests = Requests::new(10);
    requests
        .open(Request {
            blocking: false,
            ..request(2, 1)
        })
        .unwrap();

    assert_eq!(requests.check_wait(actor(1), actor(2), 10), Ok(()));
}

#[test]
fn a_search_for_circles_is_bounded() {
    let mut requests = Requests::new(200_000);
    for index in 1..100_000 {
        requests.open(request(index, index + 1)).unwrap();
    }
    for _ in 0..50_000 {
        let does_not_wait = Request {
            blocking: false,
            ..request(100_000, 7)
        };
        requests.open(does_not_wait).unwrap();
    }
    let closes = |waits_max| requests.check_wait(actor(100_000), actor(1), waits_max);

    assert_eq!(closes(99_998), Ok(()));
    assert_eq!(closes(99_999).unwrap_err().members.len(), 100_000);
    assert_eq!(requests.check_wait(actor(3), actor(100_000), 1000), Ok(()));
}

#[derive(Debug, Clone)]
enum Step {
    Open(Request<u32>),
    Serve(usize, u64),
    Answer(usize, Party),
    Cancel(usize, Party),
    End(usize, End),
    Forge(u64, Party),
    FailAskedOf(u32),
    FailServedBy(Party),
    CancelMadeBy(u32),
}

fn parties() -> impl Strategy<Value = Party> {
    (0_u32..4, 1_u64..3).prop_map(|(index, incarnation)| party(index, incarnation))
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ends = prop::sample::select(vec![
        End::Answered,
        End::TimedOut,
        End::Cancelled,
        End::Failed,
    ]);
    let opened = (
        parties(),
        0_u32..4,
        prop::option::of(1_u64..3),
        any::<bool>(),
        any::<u32>(),
    )
        .prop_map(
            |(requester, responder, served_by, blocking, value)| Request {
                requester,
                responder: actor(responder),
                served_by: served_by.map(Incarnation),
                blocking,
                value,
            },
        );
    let which = || 0_usize..60;
    let step = prop_oneof![
        12 => opened.prop_map(Step::Open),
        4 => (which(), 1_u64..3).prop_map(|(which, life)| Step::Serve(which, life)),
        8 => (which(), parties()).prop_map(|(which, from)| Step::Answer(which, from)),
        4 => (which(), parties()).prop_map(|(which, by)| Step::Cancel(which, by)),
        3 => (which(), ends).prop_map(|(which, end)| Step::End(which, end)),
        3 => (any::<u64>(), parties()).prop_map(|(number, from)| Step::Forge(number, from)),
        1 => (0_u32..4).prop_map(Step::FailAskedOf),
        1 => parties().prop_map(Step::FailServedBy),
        1 => (0_u32..4).prop_map(Step::CancelMadeBy),
    ];
    prop::collection::vec(step, 0..100)
}

/// The same in a map that forgets nothing.
#[derive(Default)]
struct Model {
    keys: Vec<Key>,
    open: HashMap<Key, Request<u32>>,
    ended: HashMap<Key, End>,
}

impl Model {
    fn key(&self, which: usize) -> Option<Key> {
        self.keys.get(which).copied()
    }

    fn end(&mut self, key: Key, end: End) -> Request<u32> {
        self.ended.insert(key, end);
        self.open.remove(&key).unwrap()
    }

    fn end_all(
        &mut self,
        end: End,
        wanted: impl Fn(&Request<u32>) -> bool,
    ) -> Vec<(Key, Request<u32>)> {
        let keys = self.open.iter().filter(|(_, request)| wanted(request));
        let mut keys: Vec<Key> = keys.map(|(key, _)| *key).collect();
        keys.sort();
        keys.into_iter()
            .map(|key| (key, self.end(key, end)))
            .collect()
    }

    fn answer(&mut self, key: Key, from: Party) -> Result<Request<u32>, Unanswerable> {
        let Some(request) = self.open.get(&key) else {
            return Err(self.fate(key));
        };
        if request.responder != from.handle {
            return Err(Unanswerable::WrongParty);
        }
        if request.served_by != Some(from.incarnation) {
            return Err(Unanswerable::WrongIncarnation);
        }
        Ok(self.end(key, End::Answered))
    }

    fn cancel(&mut self, key: Key, by: Party) -> Result<Request<u32>, Unanswerable> {
        let Some(request) = self.open.get(&key) else {
            return Err(self.fate(key));
        };
        if request.requester.handle != by.handle {
            return Err(Unanswerable::WrongParty);
        }
        if request.requester != by {
            return Err(Unanswerable::WrongIncarnation);
        }
        Ok(self.end(key, End::Cancelled))
    }

    fn fate(&self, key: Key) -> Unanswerable {
        self.ended
            .get(&key)
            .map_or(Unanswerable::Unknown, |&end| Unanswerable::Ended(end))
    }
}

/// What the slab forgets after sixteen uses of a slot counts as what it was.
fn agrees<T: PartialEq>(ours: &Result<T, Unanswerable>, model: &Result<T, Unanswerable>) -> bool {
    match (ours, model) {
        (Err(Unanswerable::Forgotten), Err(Unanswerable::Ended(_))) => true,
        _ => ours == model,
    }
}

fn step_both(requests: &mut Requests<u32>, model: &mut Model, step: Step) {
    let mut ended = vec![];
    let expected = match step {
        Step::Open(request) => {
            let opened = requests.open(request);
            assert_eq!(opened.is_ok(), model.open.len() < OPEN_MAX);
            if let Ok(key) = opened {
                assert!(!model.keys.contains(&key));
                model.keys.push(key);
                model.open.insert(key, request);
            }
            vec![]
        }
        Step::FailAskedOf(index) => {
            requests.fail_asked_of(actor(index), &mut ended);
            model.end_all(End::Failed, |one| one.responder == actor(index))
        }
        Step::FailServedBy(party) => {
            requests.fail_served_by(party, &mut ended);
            model.end_all(End::Failed, |one| {
                one.responder == party.handle && one.served_by == Some(party.incarnation)
            })
        }
        Step::CancelMadeBy(index) => {
            requests.cancel_made_by(actor(index), &mut ended);
            model.end_all(End::Cancelled, |one| one.requester.handle == actor(index))
        }
        one => {
            step_one(requests, model, &one);
            vec![]
        }
    };
    ended.sort_by_key(|(key, _)| *key);
    assert_eq!(ended, expected);
}

/// The steps about one request.
fn step_one(requests: &mut Requests<u32>, model: &mut Model, step: &Step) {
    let which = match step {
        Step::Forge(number, _) => Some(Key::from_u64(*number)),
        Step::Serve(which, _)
        | Step::Answer(which, _)
        | Step::Cancel(which, _)
        | Step::End(which, _) => model.key(*which),
        _ => None,
    };
    let Some(key) = which else {
        return;
    };
    match *step {
        Step::Serve(_, life) => {
            let served = requests.serve(key, Incarnation(life)).is_ok();
            assert_eq!(served, model.open.contains_key(&key));
            if let Some(request) = model.open.get_mut(&key) {
                request.served_by = Some(Incarnation(life));
            }
        }
        Step::Answer(_, from) | Step::Forge(_, from) => {
            assert!(agrees(
                &requests.answer(key, from),
                &model.answer(key, from)
            ));
        }
        Step::Cancel(_, by) => {
            assert!(agrees(&requests.cancel(key, by), &model.cancel(key, by)));
        }
        Step::End(_, end) => {
            let open = model.open.contains_key(&key);
            assert_eq!(requests.end(key, end), open.then(|| model.end(key, end)));
        }
        _ => {}
    }
}

/// Whether `from` reaches `to` over blocking requests.
fn reaches(model: &Model, from: Handle, to: Handle) -> bool {
    let mut seen = BTreeSet::from([from]);
    loop {
        let next: Vec<Handle> = model
            .open
            .values()
            .filter(|one| one.blocking && seen.contains(&one.requester.handle))
            .map(|one| one.responder)
            .filter(|responder| !seen.contains(responder))
            .collect();
        if next.is_empty() {
            return seen.contains(&to);
        }
        seen.extend(next);
    }
}

const OPEN_MAX: usize = 12;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn requests_are_a_map_whose_entries_only_their_parties_touch(steps in steps()) {
        let mut requests = Requests::new(OPEN_MAX);
        let mut model = Model::default();
        for step in steps {
            step_both(&mut requests, &mut model, step);
            let counters = requests.counters();
            prop_assert_eq!(requests.len(), model.open.len());
            prop_assert_eq!(requests.iter().count(), model.open.len());
            prop_assert_eq!(
                counters.opened,
                counters.answered + counters.timed_out + counters.cancelled + counters.failed
                    + counters.open as u64
            );
        }
        for (a, b) in (0..4).flat_map(|a| (0..4).map(move |b| (actor(a), actor(b)))) {
            let circle = requests.check_wait(a, b, WAITS_MAX_DEFAULT);
            prop_assert_eq!(circle.is_err(), reaches(&model, b, a));
            let members = circle.err().map_or_else(Vec::new, |cycle| cycle.members);
            for (waiter, next) in members.iter().zip(members.iter().skip(1)).skip(1) {
                prop_assert!(model.open.values().any(
                    |one| one.blocking && one.requester.handle == *waiter && one.responder == *next
                ));
            }
        }
    }
}

proptest! {
    #[test]
    fn a_guessed_number_finds_no_request(secret: [u32; 4], guesses: Vec<u64>) {
        let seal = Seal::new(secret);
        let mut requests = Requests::new(1000);
        let ids: Vec<RequestId> = (0..1000)
            .map(|_| seal.seal(requests.open(request(1, 2)).unwrap()))
            .collect();
        let near = ids.iter().flat_map(|id| [id.0.wrapping_add(1), id.0 ^ (1 << 24)]);
        for guess in near.chain(guesses).chain([0, 1, u64::MAX]) {
            let key = seal.unseal(RequestId(guess));
            prop_assert!(ids.contains(&RequestId(guess)) || requests.get(key).is_none());
        }
    }
}
