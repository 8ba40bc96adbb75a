//! The mailbox against a model that has no cleverness, and the claims of its documentation.

use airssys_core::mailbox::{
    BYTES_MAX_DEFAULT, Left, MESSAGES_MAX_DEFAULT, Mailbox, MailboxLimits, MailboxLimitsError,
    Message, NEVER, Pop, Priority, Push, Refusal, Shed, WaitRefused, Waiting, WhenFull,
};
use proptest::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Note {
    id: u32,
    sender: u8,
    bytes: usize,
    priority: Priority,
    expires_after: u64,
}

impl Message for Note {
    fn bytes(&self) -> usize {
        self.bytes
    }

    fn priority(&self) -> Priority {
        self.priority
    }

    fn expires_after(&self) -> u64 {
        self.expires_after
    }
}

fn note(id: u32) -> Note {
    Note {
        id,
        sender: 0,
        bytes: 1,
        priority: Priority::Normal,
        expires_after: NEVER,
    }
}

fn mailbox(messages_max: u32, when_full: WhenFull) -> Mailbox<Note> {
    Mailbox::new(MailboxLimits::new(messages_max, 1000, when_full).unwrap())
}

fn fill(mailbox: &mut Mailbox<Note>, notes: impl IntoIterator<Item = Note>) {
    for note in notes {
        assert_eq!(mailbox.push(note, 0), Push::Accepted);
    }
}

fn drain(mailbox: &mut Mailbox<Note>) -> Vec<u32> {
    let (mut ready, mut expired) = (Vec::new(), Vec::new());
    mailbox.drain_into(&mut ready, &mut expired, usize::MAX, 0);
    assert!(expired.is_empty());
    ready.into_iter().map(|note| note.id).collect()
}

/// The mailbox as one would write it without caring what it costs.
struct Model {
    limits: MailboxLimits,
    system: Vec<Note>,
    queue: Vec<Note>,
    waiting: Vec<Waiting<Note>>,
    closed: bool,
}

impl Model {
    fn has_room(&self, note: &Note) -> bool {
        let bytes: usize = self.queue.iter().map(|note| note.bytes).sum();
        self.queue.len() < self.limits.messages_max() as usize
            && bytes + note.bytes <= self.limits.bytes_max()
    }

    fn first_of(&self, lane: Priority) -> Option<usize> {
        self.queue.iter().position(|note| note.priority == lane)
    }

    fn pop(&mut self, now: u64) -> Pop<Note> {
        if !self.system.is_empty() {
            return Pop::Message(self.system.remove(0));
        }
        for lane in [Priority::High, Priority::Normal, Priority::Low] {
            if let Some(index) = self.first_of(lane) {
                let note = self.queue.remove(index);
                return if now > note.expires_after {
                    Pop::Expired(note)
                } else {
                    Pop::Message(note)
                };
            }
        }
        Pop::Empty
    }

    fn push(&mut self, note: Note, now: u64) -> Push<Note> {
        let refused = |why, message, shed| Push::Refused { why, message, shed };
        if self.closed {
            return refused(Refusal::Closed, note, vec![]);
        }
        if note.bytes > self.limits.bytes_max() {
            return refused(Refusal::TooLarge, note, vec![]);
        }
        if self.waiting.is_empty() && self.has_room(&note) {
            self.queue.push(note);
            return Push::Accepted;
        }
        let mut shed = vec![];
        if self.waiting.is_empty() {
            self.shed(&note, now, &mut shed);
            if self.has_room(&note) {
                self.queue.push(note);
                return Push::AcceptedShedding(shed);
            }
        }
        let why = match self.limits.when_full() {
            WhenFull::Block => Refusal::Full,
            WhenFull::Reject => Refusal::Rejected,
            WhenFull::DropNewest | WhenFull::DropOldest => Refusal::Dropped,
        };
        refused(why, note, shed)
    }

    fn shed(&mut self, newcomer: &Note, now: u64, shed: &mut Vec<Shed<Note>>) {
        let lanes = [Priority::Low, Priority::Normal, Priority::High];
        for lane in lanes {
            while let Some(index) = self.first_of(lane) {
                if self.has_room(newcomer) || now <= self.queue[index].expires_after {
                    break;
                }
                shed.push(Shed::Expired(self.queue.remove(index)));
            }
        }
        if self.limits.when_full() != WhenFull::DropOldest {
            return;
        }
        let before = self.queue.clone();
        let mut displaced = vec![];
        while !self.has_room(newcomer) {
            let victim = lanes
                .into_iter()
                .filter(|&lane| lane <= newcomer.priority)
                .find_map(|lane| self.first_of(lane));
            let Some(index) = victim else {
                self.queue = before;
                return;
            };
            displaced.push(Shed::Displaced(self.queue.remove(index)));
        }
        shed.append(&mut displaced);
    }

    fn wait(&mut self, waiter: u64, message: Note) -> Result<(), WaitRefused<Note>> {
        if self.closed {
            return Err(WaitRefused::Closed(message));
        }
        if message.bytes > self.limits.bytes_max() {
            return Err(WaitRefused::TooLarge(message));
        }
        if self.waiting.len() >= self.limits.waiting_max() as usize {
            return Err(WaitRefused::Crowded(message));
        }
        self.waiting.push(Waiting { waiter, message });
        Ok(())
    }

    fn admit(&mut self) -> Option<u64> {
        if !self.has_room(&self.waiting.first()?.message) {
            return None;
        }
        let Waiting { waiter, message } = self.waiting.remove(0);
        self.queue.push(message);
        Some(waiter)
    }

    fn withdraw(&mut self, waiter: u64) -> Option<Note> {
        let index = self.waiting.iter().position(|one| one.waiter == waiter)?;
        Some(self.waiting.remove(index).message)
    }

    fn close(&mut self) -> Left<Note> {
        self.closed = true;
        let mut messages = vec![];
        for lane in [Priority::High, Priority::Normal, Priority::Low] {
            messages.extend(
                self.queue
                    .iter()
                    .filter(|note| note.priority == lane)
                    .cloned(),
            );
        }
        self.queue.clear();
        Left {
            system: std::mem::take(&mut self.system),
            messages,
            waiting: std::mem::take(&mut self.waiting),
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Push(Note),
    PushSystem(Note),
    Pop,
    Drain(usize),
    Wait(u64, Note),
    Admit,
    Withdraw(u64),
    Release,
    Sleep(u64),
    Close,
}

fn notes() -> impl Strategy<Value = Note> {
    let priority = prop_oneof![
        2 => Just(Priority::Normal),
        1 => Just(Priority::High),
        1 => Just(Priority::Low),
    ];
    let expires_after = prop_oneof![3 => Just(NEVER), 2 => 0_u64..40];
    (any::<u32>(), 0_u8..3, 0_usize..14, priority, expires_after).prop_map(
        |(id, sender, bytes, priority, expires_after)| Note {
            id,
            sender,
            bytes,
            priority,
            expires_after,
        },
    )
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        30 => notes().prop_map(Step::Push),
        2 => notes().prop_map(Step::PushSystem),
        12 => Just(Step::Pop),
        3 => (0_usize..5).prop_map(Step::Drain),
        5 => (0_u64..4, notes()).prop_map(|(waiter, note)| Step::Wait(waiter, note)),
        5 => Just(Step::Admit),
        1 => (0_u64..4).prop_map(Step::Withdraw),
        1 => Just(Step::Release),
        5 => (0_u64..9).prop_map(Step::Sleep),
        1 => Just(Step::Close),
    ];
    prop::collection::vec(step, 0..80)
}

fn limits() -> impl Strategy<Value = MailboxLimits> {
    let when_full = prop::sample::select(vec![
        WhenFull::Block,
        WhenFull::Reject,
        WhenFull::DropNewest,
        WhenFull::DropOldest,
    ]);
    (1_u32..7, 1_usize..40, when_full, 0_u32..3).prop_map(
        |(messages, bytes, when_full, waiting)| {
            MailboxLimits::new(messages, bytes, when_full)
                .unwrap()
                .with_waiting_max(waiting)
        },
    )
}

/// Does one step to both and compares what they say.
fn step_both(mailbox: &mut Mailbox<Note>, model: &mut Model, step: Step, now: u64) {
    match step {
        Step::Push(note) => assert_eq!(mailbox.push(note.clone(), now), model.push(note, now)),
        Step::PushSystem(note) => {
            if mailbox.push_system(note.clone()).is_ok() {
                assert!(!model.closed);
                model.system.push(note);
            } else {
                assert!(model.closed);
            }
        }
        Step::Pop => assert_eq!(mailbox.pop(now), model.pop(now)),
        Step::Drain(max) => drain_both(mailbox, model, max, now),
        Step::Wait(waiter, note) => {
            assert_eq!(mailbox.wait(waiter, note.clone()), model.wait(waiter, note));
        }
        Step::Admit => assert_eq!(mailbox.admit(), model.admit()),
        Step::Withdraw(waiter) => assert_eq!(mailbox.withdraw(waiter), model.withdraw(waiter)),
        Step::Release => mailbox.release(),
        Step::Sleep(_) => {}
        Step::Close => assert_eq!(mailbox.close(), model.close()),
    }
}

fn drain_both(mailbox: &mut Mailbox<Note>, model: &mut Model, max: usize, now: u64) {
    let (mut ready, mut expired) = (vec![], vec![]);
    let taken = mailbox.drain_into(&mut ready, &mut expired, max, now);
    assert_eq!(taken, ready.len() + expired.len());
    let (mut expected_ready, mut expected_expired) = (vec![], vec![]);
    for _ in 0..max {
        match model.pop(now) {
            Pop::Empty => break,
            Pop::Message(note) => expected_ready.push(note),
            Pop::Expired(note) => expected_expired.push(note),
        }
    }
    assert_eq!((ready, expired), (expected_ready, expected_expired));
}

fn assert_agree(mailbox: &Mailbox<Note>, model: &Model) {
    let counters = mailbox.counters();
    let bytes: usize = model.queue.iter().map(|note| note.bytes).sum();
    assert_eq!(counters.messages as usize, model.queue.len());
    assert_eq!(counters.bytes, bytes);
    let waiting = model.queue.len() + model.system.len();
    assert_eq!((mailbox.len(), mailbox.is_empty()), (waiting, waiting == 0));
    assert_eq!(mailbox.has_system(), !model.system.is_empty());
    assert_eq!(mailbox.waiting(), model.waiting.len());
    assert_eq!(mailbox.is_closed(), model.closed);
    assert!(counters.messages <= model.limits.messages_max());
    assert!(counters.bytes <= model.limits.bytes_max());
    assert!(counters.messages_peak >= counters.messages);
    assert!(counters.bytes_peak >= counters.bytes);
    assert_eq!(
        counters.accepted,
        counters.delivered
            + counters.expired
            + counters.displaced
            + counters.left
            + u64::from(counters.messages)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn the_mailbox_does_what_the_model_does(limits in limits(), steps in steps()) {
        let mut mailbox = Mailbox::new(limits);
        let mut model = Model {
            limits,
            system: vec![],
            queue: vec![],
            waiting: vec![],
            closed: false,
        };
        let mut now = 0;
        for step in steps {
            if let Step::Sleep(nanoseconds) = step {
                now += nanoseconds;
            }
            step_both(&mut mailbox, &mut model, step, now);
            assert_agree(&mailbox, &model);
        }
    }
}

proptest! {
    #[test]
    fn one_sender_and_priority_is_handled_in_the_order_sent(
        notes in prop::collection::vec(notes(), 0..200),
        pops in prop::collection::vec(any::<bool>(), 0..200),
    ) {
        let mut mailbox = mailbox(20, WhenFull::DropOldest);
        let mut delivered = vec![];
        for (number, (mut note, pop)) in notes.into_iter().zip(pops).enumerate() {
            note.id = u32::try_from(number).unwrap();
            let _ = mailbox.push(note, 0);
            if pop && let Pop::Message(note) = mailbox.pop(0) {
                delivered.push(note);
            }
        }
        delivered.extend(mailbox.close().messages);
        for earlier in 0..delivered.len() {
            for later in earlier + 1..delivered.len() {
                let (first, second) = (&delivered[earlier], &delivered[later]);
                if (first.sender, first.priority) == (second.sender, second.priority) {
                    prop_assert!(first.id < second.id);
                }
            }
        }
    }
}

#[test]
fn lanes_reorder_and_system_messages_overtake() {
    let mut mailbox = mailbox(10, WhenFull::Reject);
    let urgent = |id, priority| Note {
        priority,
        ..note(id)
    };
    fill(
        &mut mailbox,
        [
            urgent(1, Priority::Low),
            urgent(2, Priority::Normal),
            urgent(3, Priority::High),
            urgent(4, Priority::Normal),
            urgent(5, Priority::High),
        ],
    );
    mailbox.push_system(note(6)).unwrap();

    assert_eq!(drain(&mut mailbox), [6, 3, 5, 2, 4, 1]);
}

#[test]
fn a_flood_neither_sheds_nor_refuses_a_system_message() {
    for when_full in [
        WhenFull::Block,
        WhenFull::Reject,
        WhenFull::DropNewest,
        WhenFull::DropOldest,
    ] {
        let mut mailbox = mailbox(2, when_full);
        fill(&mut mailbox, [note(1), note(2)]);
        for id in 0..100 {
            mailbox.push_system(note(1000 + id)).unwrap();
            let _ = mailbox.push(note(id), 0);
        }

        assert_eq!(mailbox.counters().messages, 2);
        let handled = drain(&mut mailbox);
        assert_eq!(handled[..100], (1000..1100).collect::<Vec<_>>());
    }
}

#[test]
fn a_full_mailbox_does_what_its_policy_says() {
    let refused = |why| Push::Refused {
        why,
        message: note(3),
        shed: vec![],
    };
    let table = [
        (WhenFull::Block, refused(Refusal::Full), [1, 2]),
        (WhenFull::Reject, refused(Refusal::Rejected), [1, 2]),
        (WhenFull::DropNewest, refused(Refusal::Dropped), [1, 2]),
        (
            WhenFull::DropOldest,
            Push::AcceptedShedding(vec![Shed::Displaced(note(1))]),
            [2, 3],
        ),
    ];
    for (when_full, expected, left) in table {
        let mut mailbox = mailbox(2, when_full);
        fill(&mut mailbox, [note(1), note(2)]);

        assert_eq!(mailbox.push(note(3), 0), expected, "{when_full:?}");
        assert_eq!(drain(&mut mailbox), left, "{when_full:?}");
    }
}

#[test]
fn nothing_is_displaced_for_a_less_urgent_message() {
    let mut mailbox = mailbox(1, WhenFull::DropOldest);
    let high = Note {
        priority: Priority::High,
        ..note(1)
    };
    fill(&mut mailbox, [high]);

    let Push::Refused { why, message, shed } = mailbox.push(note(2), 0) else {
        panic!("it displaced a more urgent one");
    };
    assert_eq!((why, message.id, shed), (Refusal::Dropped, 2, vec![]));
}

#[test]
fn expired_messages_make_way_before_the_policy_is_asked() {
    let mut mailbox = mailbox(1, WhenFull::Reject);
    let short = Note {
        expires_after: 5,
        ..note(1)
    };
    fill(&mut mailbox, [short.clone()]);

    assert!(matches!(
        mailbox.push(note(2), 5),
        Push::Refused {
            why: Refusal::Rejected,
            ..
        }
    ));
    assert_eq!(
        mailbox.push(note(2), 6),
        Push::AcceptedShedding(vec![Shed::Expired(short)])
    );
}

#[test]
fn what_keeps_for_ever_outlives_the_last_nanosecond() {
    let mut mailbox = mailbox(2, WhenFull::Reject);
    let last = Note {
        expires_after: u64::MAX - 1,
        ..note(2)
    };
    fill(&mut mailbox, [note(1), last.clone()]);

    assert_eq!(mailbox.pop(u64::MAX), Pop::Message(note(1)));
    assert_eq!(mailbox.pop(u64::MAX), Pop::Expired(last));
}

#[test]
fn a_message_larger_than_the_bound_never_waits_for_room_that_cannot_come() {
    let mut mailbox = mailbox(2, WhenFull::Block);
    let huge = |id| Note {
        bytes: usize::MAX,
        ..note(id)
    };

    assert!(matches!(
        mailbox.push(huge(1), 0),
        Push::Refused {
            why: Refusal::TooLarge,
            ..
        }
    ));
    assert_eq!(
        mailbox.wait(7, huge(2)),
        Err(WaitRefused::TooLarge(huge(2)))
    );
    assert_eq!(mailbox.counters().rejected, 2);
}

#[test]
fn nobody_passes_those_who_wait_for_room() {
    let mut mailbox = mailbox(1, WhenFull::Block);
    fill(&mut mailbox, [note(1)]);
    assert!(matches!(
        mailbox.push(note(2), 0),
        Push::Refused {
            why: Refusal::Full,
            ..
        }
    ));
    mailbox.wait(7, note(2)).unwrap();
    assert_eq!(mailbox.admit(), None);
    assert_eq!(mailbox.pop(0), Pop::Message(note(1)));

    assert!(matches!(
        mailbox.push(note(3), 0),
        Push::Refused {
            why: Refusal::Full,
            ..
        }
    ));
    assert_eq!(mailbox.admit(), Some(7));
    assert_eq!(mailbox.pop(0), Pop::Message(note(2)));
}

#[test]
fn as_many_wait_as_may_and_one_who_gave_up_is_forgotten() {
    let limits = MailboxLimits::new(1, 9, WhenFull::Block)
        .unwrap()
        .with_waiting_max(1);
    let mut mailbox = Mailbox::new(limits);
    fill(&mut mailbox, [note(1)]);
    mailbox.wait(7, note(2)).unwrap();

    assert_eq!(mailbox.wait(8, note(3)), Err(WaitRefused::Crowded(note(3))));
    assert_eq!(mailbox.withdraw(7), Some(note(2)));
    assert_eq!(mailbox.withdraw(7), None);
    assert_eq!(drain(&mut mailbox), [1]);
    assert_eq!(mailbox.admit(), None);
}

#[test]
fn closing_hands_everything_back_and_takes_nothing_more() {
    let mut mailbox = mailbox(1, WhenFull::Block);
    fill(&mut mailbox, [note(1)]);
    mailbox.push_system(note(2)).unwrap();
    mailbox.wait(7, note(3)).unwrap();

    let left = mailbox.close();

    assert_eq!((left.system, left.messages), (vec![note(2)], vec![note(1)]));
    assert_eq!(
        left.waiting,
        [Waiting {
            waiter: 7,
            message: note(3)
        }]
    );
    assert_eq!(mailbox.slots(), 0);
    assert!(matches!(
        mailbox.push(note(4), 0),
        Push::Refused {
            why: Refusal::Closed,
            ..
        }
    ));
    assert_eq!(mailbox.push_system(note(5)), Err(note(5)));
    assert_eq!(mailbox.wait(7, note(6)), Err(WaitRefused::Closed(note(6))));
    assert_eq!(mailbox.close().messages, []);
}

#[test]
fn an_unused_mailbox_costs_less_than_two_hundred_bytes_and_no_heap() {
    let mailbox = mailbox(1000, WhenFull::Block);

    assert_eq!(mailbox.slots(), 0);
    assert!(
        size_of::<Mailbox<Note>>() < 200,
        "{}",
        size_of::<Mailbox<Note>>()
    );
}

#[test]
fn the_memory_of_a_burst_is_given_back_when_it_is_over() {
    let limits = MailboxLimits::new(10_000, 1 << 20, WhenFull::Block).unwrap();
    let mut mailbox = Mailbox::new(limits);
    let lanes = [Priority::Low, Priority::Normal, Priority::High];
    for id in 0..9000 {
        let priority = lanes[id as usize % 3];
        fill(
            &mut mailbox,
            [Note {
                priority,
                ..note(id)
            }],
        );
    }
    assert!(mailbox.slots() >= 9000);

    drain(&mut mailbox);

    assert!(mailbox.slots() <= 3 * 16, "{}", mailbox.slots());
    mailbox.release();
    assert_eq!(mailbox.slots(), 0);
}

#[test]
fn limits_that_take_nothing_are_refused() {
    let block = WhenFull::Block;

    assert_eq!(
        MailboxLimits::new(0, 1, block),
        Err(MailboxLimitsError::NoMessages)
    );
    assert_eq!(
        MailboxLimits::new(1, 0, block),
        Err(MailboxLimitsError::NoBytes)
    );
    let limits = MailboxLimits::default();
    assert_eq!(limits.messages_max(), MESSAGES_MAX_DEFAULT);
    assert_eq!(limits.bytes_max(), BYTES_MAX_DEFAULT);
    assert_eq!(limits.when_full(), WhenFull::Block);
}
