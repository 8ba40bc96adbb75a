//! The claims of the mailbox's documentation; the model it must agree with is beside.

use airssys_core::mailbox::{
    BYTES_MAX_DEFAULT, MESSAGES_MAX_DEFAULT, Mailbox, MailboxLimits, MailboxLimitsError, Message,
    NEVER, Pop, Priority, Push, Refusal, Shed, WaitRefused, Waiting, WhenFull,
};
use proptest::prelude::*;

mod model;

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
