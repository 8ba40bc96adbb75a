//! Topics, dead letters and broadcasts, with actors of plain Rust.

use super::tests::{Does, SOON, broker, echo, eventually, register, spawn, tell};
use super::*;
use crate::actor::{Answer, Behaviour, Handled, HandlerRefusal};
use airssys_core::letters::Reason;
use airssys_core::mailbox::{Message as _, WhenFull};
use std::sync::Barrier;
use std::sync::atomic::AtomicUsize;
use std::thread;
use std::time::Instant;

type Seen = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// What notes the topics and payloads it gets.
fn noting(seen: &Seen) -> impl FnMut(&Message) -> Handled + Send + 'static {
    let seen = Arc::clone(seen);
    move |message| {
        let topic = match &message.kind {
            Kind::Published(topic) => topic.to_string(),
            _ => String::new(),
        };
        seen.lock().unwrap().push((topic, message.payload.to_vec()));
        Handled::Served(Answer::NONE)
    }
}

fn publish(broker: &Broker, topic: &str, payload: &[u8]) -> usize {
    broker
        .publish(
            &Message::new(0, 0x55, Payload::copy(payload), Kind::Tell),
            topic,
            true,
        )
        .unwrap()
}

fn feed_of(items_max: usize) -> Arc<Feed<Published>> {
    Feed::new(FeedLimits {
        items_max,
        bytes_max: usize::MAX,
        overflow: Overflow::Newest,
    })
}

fn full(messages_max: u32, when_full: WhenFull) -> MailboxLimits {
    MailboxLimits::new(messages_max, 1 << 20, when_full).unwrap()
}

#[test]
fn an_actor_gets_what_it_has_subscribed_to_in_order() {
    let broker = broker();
    let seen = Seen::default();
    let cell = spawn(&broker, "listener", noting(&seen));
    assert!(broker.subscribe(&cell, "orders.*").unwrap());
    assert!(!broker.subscribe(&cell, "orders.*").unwrap());
    assert!(broker.subscribe(&cell, "orders.#").unwrap());
    for number in 0..100_u8 {
        // Once, however many of its patterns match.
        assert_eq!(publish(&broker, "orders.new", &[number]), 1);
    }
    assert_eq!(publish(&broker, "invoices", b""), 0);
    assert!(broker.unsubscribe(&cell, "orders.#").unwrap());
    assert!(broker.unsubscribe(&cell, "orders.*").unwrap());
    assert!(!broker.unsubscribe(&cell, "orders.*").unwrap());
    assert_eq!(publish(&broker, "orders.new", b""), 0);
    let all: Vec<_> = (0..100_u8)
        .map(|number| ("orders.new".to_owned(), vec![number]))
        .collect();
    assert_eq!(*seen.lock().unwrap(), all);
}

#[test]
fn what_is_no_topic_or_pattern_is_refused() {
    let broker = broker();
    let cell = spawn(&broker, "listener", echo);
    let at = |refusal: Refusal| match refusal {
        Refusal::Topic(error) => error.problem.at(),
        other => panic!("{other}"),
    };
    let published = broker.publish(
        &Message::new(0, 0x55, Payload::EMPTY, Kind::Tell),
        "a.*",
        true,
    );
    assert_eq!(at(published.unwrap_err()), Some(2));
    assert_eq!(at(broker.subscribe(&cell, "a.#.b").unwrap_err()), Some(2));
    assert_eq!(at(broker.unsubscribe(&cell, "").unwrap_err()), None);
    let large = Payload::from(vec![0; MESSAGE_BYTES_MAX + 1]);
    assert!(matches!(
        broker.publish(&Message::new(0, 0x55, large, Kind::Tell), "a", true),
        Err(Refusal::TooLarge { .. })
    ));
    for number in 0..256 {
        broker.subscribe(&cell, &format!("n{number}")).unwrap();
    }
    assert!(matches!(
        broker.subscribe(&cell, "once-too-often"),
        Err(Refusal::Subscriptions(_))
    ));
}

#[test]
fn a_subscription_ends_with_its_instance_however_that_ends() {
    type End = fn(&Arc<Cell>);
    let broker = broker();
    let ends: [(&str, End); 3] = [
        ("fails", |cell| {
            drop(cell.send_here(tell(b"fail"), true));
        }),
        ("retires", Cell::retire),
        ("stops", Cell::stop),
    ];
    for (name, end) in ends {
        let cell = spawn(&broker, name, |message: &Message| {
            if &*message.payload == b"fail" {
                return Handled::Ended(Exit::Broken("on purpose".into()));
            }
            echo(message)
        });
        broker.subscribe(&cell, "a").unwrap();
        assert_eq!(publish(&broker, "a", b""), 1, "{name}");
        end(&cell);
        assert_eq!(publish(&broker, "a", b""), 0, "{name}");
        assert!(broker.topics.is_empty());
        if name == "stops" {
            let refused = broker.subscribe(&cell, "a");
            assert!(matches!(refused, Err(Refusal::Stopped(_))));
            assert!(broker.topics.is_empty());
            continue;
        }
        // The next one has none, until it subscribes while it is made.
        assert!(cell.occupy(Box::new(Does(echo))).is_ok());
        assert_eq!(publish(&broker, "a", b""), 0, "{name}");
        cell.retire();
        broker.subscribe(&cell, "a").unwrap();
        assert!(cell.occupy(Box::new(Does(echo))).is_ok());
        assert_eq!(publish(&broker, "a", b""), 1, "{name}");
        // One that never came to be leaves nothing.
        cell.retire();
        broker.subscribe(&cell, "a").unwrap();
        broker.forget_subscriptions(&cell);
        assert_eq!(publish(&broker, "a", b""), 0, "{name}");
    }
}

#[test]
fn a_full_mailbox_holds_no_publisher_up_and_loses_nothing_silently() {
    for (when_full, reason) in [
        (WhenFull::Block, Reason::MailboxFull),
        (WhenFull::Reject, Reason::MailboxFull),
        (WhenFull::DropNewest, Reason::Dropped),
        (WhenFull::DropOldest, Reason::Dropped),
    ] {
        let broker = broker();
        let seen = Seen::default();
        // It has no instance: what it gets waits.
        let slow = register(&broker, "slow", full(2, when_full));
        broker.subscribe(&slow, "a").unwrap();
        let quick = spawn(&broker, "quick", noting(&seen));
        broker.subscribe(&quick, "#").unwrap();
        let began = Instant::now();
        for number in 0..10_u8 {
            publish(&broker, "a", &[number]);
        }
        assert!(began.elapsed() < SOON);
        assert_eq!(seen.lock().unwrap().len(), 10);
        assert_eq!(slow.counters().messages, 2);
        let letters = broker.dead_letters();
        assert_eq!(letters.len(), 8, "{when_full:?}");
        for letter in &letters {
            assert_eq!(letter.reason, reason);
            assert_eq!(
                (&*letter.receiver, letter.topic.as_deref()),
                ("local/slow", Some("a"))
            );
        }
        // A letter goes back as what it was.
        let kept = Seen::default();
        assert!(slow.occupy(Box::new(Does(noting(&kept)))).is_ok());
        eventually(|| kept.lock().unwrap().len() == 2);
        let number = letters[3].number;
        assert!(matches!(broker.replay(number, true), Some(Ok(()))));
        assert!(broker.replay(number, true).is_none());
        eventually(|| kept.lock().unwrap().len() == 3);
        assert_eq!(
            kept.lock().unwrap()[2],
            ("a".to_owned(), letters[3].payload.to_vec())
        );
    }
}

#[test]
fn what_a_subscriber_does_not_read_is_a_dead_letter() {
    let broker = broker();
    let seen = Seen::default();
    let cell = spawn(&broker, "listener", noting(&seen));
    cell.declare([0x0200]);
    broker.subscribe(&cell, "orders").unwrap();
    let published = |codec: u32| {
        let message = Message::new(0, codec, Payload::copy(b"{}"), Kind::Tell);
        broker.publish(&message, "orders", true).unwrap()
    };
    assert_eq!(published(0x55), 0);
    assert_eq!(published(0x0200), 1);
    let read = vec![("orders".to_owned(), b"{}".to_vec())];
    assert_eq!(*seen.lock().unwrap(), read);
    let letters = broker.dead_letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].reason, Reason::CodecUnsupported);
    assert_eq!(letters[0].codec, 0x55);
}

#[test]
fn what_an_actor_is_handed_is_told_of_however_it_came() {
    let broker = broker();
    let cell = register(&broker, "watched", MailboxLimits::default());
    let feed = feed_of(3);
    broker.tap(&cell, Arc::clone(&feed));
    let mut handled = 0;
    let counting = move |message: &Message| {
        handled += 1;
        assert!(handled < 9);
        echo(message)
    };
    assert!(broker.occupy(&cell, Box::new(Does(counting))).is_ok());
    let asked = broker.ask(&cell, tell(b"asked"), SOON, true);
    assert!(matches!(asked, Asked::Ended(Ok(_))));
    assert!(broker.send(&cell, tell(b"told"), true).unwrap().is_none());
    broker.subscribe(&cell, "orders").unwrap();
    assert_eq!(publish(&broker, "orders", b"published"), 1);
    let told: Vec<_> = std::iter::from_fn(|| feed.take())
        .map(|one| (one.message.payload.to_vec(), one.asked))
        .collect();
    assert_eq!(
        told,
        [
            (b"asked".to_vec(), true),
            (b"told".to_vec(), false),
            (b"published".to_vec(), false)
        ]
    );
    // Somebody who does not listen costs the actor nothing but the copies that fit.
    for _ in 0..5 {
        assert!(broker.send(&cell, tell(b""), true).unwrap().is_none());
    }
    assert_eq!((feed.len(), feed.dropped()), (3, 2));
    assert_eq!(cell.counters().delivered, 8);
}

#[test]
fn a_closed_broker_keeps_no_thread_for_deadlines() {
    let broker = broker();
    let (held, release) = std::sync::mpsc::channel::<()>();
    let cell = spawn(&broker, "slow", move |message| {
        let _ = release.recv();
        echo(message)
    });
    let asked = broker.ask_queued(&cell, tell(b""), SOON);
    assert_eq!(broker.requests_open(), 1);
    assert!(broker.deadlines.is_watched());
    drop(held);
    drop(asked);
    assert_eq!(broker.requests_open(), 0);
    broker.close();
    eventually(|| !broker.deadlines.is_watched());
}

#[test]
fn a_handler_may_publish_to_itself_and_change_who_subscribes() {
    let broker = broker();
    let times = Arc::new(AtomicUsize::new(0));
    let (weak, counted) = (Arc::downgrade(&broker), Arc::clone(&times));
    let cell = register(&broker, "echo", MailboxLimits::default());
    let own = Arc::downgrade(&cell);
    let behaviour = Does(move |message: &Message| {
        let (Some(broker), Some(cell)) = (weak.upgrade(), own.upgrade()) else {
            return echo(message);
        };
        let time = counted.fetch_add(1, Ordering::Relaxed);
        broker
            .subscribe(&cell, &format!("n{}", time % 100))
            .unwrap();
        if time < 1000 {
            let payload = Payload::copy(b"again");
            let taken = broker.publish(
                &Message::new(cell.handle(), 0x55, payload, Kind::Tell),
                "loop",
                true,
            );
            assert_eq!(taken.unwrap(), 1);
        }
        echo(message)
    });
    assert!(cell.occupy(Box::new(behaviour)).is_ok());
    broker.subscribe(&cell, "loop").unwrap();
    publish(&broker, "loop", b"");
    eventually(|| times.load(Ordering::Relaxed) == 1001);
}

#[test]
fn who_stays_subscribed_gets_all_while_others_come_and_go() {
    const PUBLISHERS: u8 = 3;
    const EACH: usize = 3000;
    let broker = broker();
    let feed = feed_of((usize::from(PUBLISHERS) + 4) * EACH);
    let steady = broker.listen("load.#", Arc::clone(&feed)).unwrap();
    let barrier = Arc::new(Barrier::new(usize::from(PUBLISHERS) + 2));
    let mut threads = Vec::new();
    for publisher in 0..PUBLISHERS {
        let (broker, barrier) = (Arc::clone(&broker), Arc::clone(&barrier));
        threads.push(thread::spawn(move || {
            barrier.wait();
            for _ in 0..EACH {
                let topic = format!("load.n{publisher}");
                assert!(publish(&broker, &topic, &[publisher]) >= 1);
            }
        }));
    }
    for churner in 0..2 {
        let (broker, barrier) = (Arc::clone(&broker), Arc::clone(&barrier));
        threads.push(thread::spawn(move || {
            let topic = format!("load.c{churner}");
            barrier.wait();
            for _ in 0..EACH {
                let own = feed_of(2);
                let listening = broker.listen(&topic, Arc::clone(&own)).unwrap();
                assert_eq!(publish(&broker, &topic, b"c"), 2);
                drop(listening);
                assert_eq!(publish(&broker, &topic, b"c"), 1);
                assert_eq!(own.len(), 1);
            }
        }));
    }
    for thread in threads {
        thread.join().unwrap();
    }
    let mut from = [0; PUBLISHERS as usize];
    while let Some(published) = feed.take() {
        if let [publisher] = *published.message.payload
            && publisher < PUBLISHERS
        {
            from[usize::from(publisher)] += 1;
        }
    }
    assert_eq!(from, [EACH; PUBLISHERS as usize]);
    assert_eq!(feed.dropped(), 0);
    drop(steady);
    assert_eq!(publish(&broker, "load.n0", b""), 0);
    assert!(broker.topics.is_empty());
}

#[test]
fn a_listener_learns_who_published() {
    let broker = broker();
    let feed = feed_of(10);
    let listening = broker.listen("a", Arc::clone(&feed)).unwrap();
    let cell = spawn(&broker, "acme/teller", echo);
    let payload = || Payload::copy(b"x");
    assert_eq!(
        broker
            .publish(
                &Message::new(cell.handle(), 0x51, payload(), Kind::Tell),
                "a",
                true
            )
            .unwrap(),
        1
    );
    assert_eq!(
        broker
            .publish(&Message::new(0, 0x51, payload(), Kind::Tell), "a", true)
            .unwrap(),
        1
    );
    let names: Vec<_> = std::iter::from_fn(|| feed.take())
        .map(|published| published.sender)
        .collect();
    assert_eq!(names[0].as_deref(), Some("acme/teller"));
    assert_eq!(names[1], None);
    broker.close();
    assert!(feed.is_closed());
    assert!(matches!(
        broker.publish(&Message::new(0, 0x51, payload(), Kind::Tell), "a", true),
        Err(Refusal::Closing)
    ));
    drop(listening);
    assert!(matches!(broker.listen("a", feed), Err(Refusal::Closing)));
}

#[test]
fn a_letter_that_nobody_takes_stays_and_what_it_weighs_is_counted() {
    let broker = broker();
    let cell = spawn(&broker, "acme/refuser", |_: &Message| {
        Handled::Refused(HandlerRefusal::Refused("no".into()))
    });
    let sender = spawn(&broker, "acme/sender", echo);
    let mut message = tell(&[7; 1000]);
    message.sender = sender.handle();
    let bytes = message.bytes();
    drop(cell.send_here(message, true));
    let letter = broker.dead_letter(1).unwrap();
    assert_eq!(letter.sender.as_deref(), Some("acme/sender"));
    assert_eq!(letter.reason, Reason::HandlerFailed);
    assert!(broker.letter_counters().bytes > bytes);
    cell.stop();
    assert!(matches!(
        broker.replay(1, true),
        Some(Err(Refusal::NotFound(_)))
    ));
    assert_eq!(broker.dead_letter(1).unwrap().payload.len(), 1000);
    assert_eq!(broker.letter_counters().taken, 0);
    assert!(broker.discard(1) && !broker.discard(1));
    assert_eq!(
        (broker.discard_all(), broker.letter_counters().bytes),
        (0, 0)
    );
}

#[test]
fn dead_letters_are_bounded_whatever_their_size() {
    for size in [0, 46, 47, 5000, MESSAGE_BYTES_MAX] {
        let broker = broker();
        let cell = register(&broker, "slow", full(1, WhenFull::Reject));
        broker.subscribe(&cell, "a").unwrap();
        let payload = Payload::from(vec![0; size]);
        for _ in 0..2500 {
            broker
                .publish(
                    &Message::new(0, 0x55, payload.clone(), Kind::Tell),
                    "a",
                    true,
                )
                .unwrap();
        }
        let counters = broker.letter_counters();
        assert!(
            counters.letters <= 1000 && counters.bytes <= 16 << 20,
            "{size}"
        );
        assert_eq!(counters.letters as u64 + counters.dropped, counters.posted);
        assert!(counters.posted >= 2499);
    }
}

#[test]
fn a_broadcast_says_who_did_not_get_it() {
    let broker = broker();
    let seen = Seen::default();
    let one = spawn(&broker, "one", noting(&seen));
    let two = spawn(&broker, "two", noting(&seen));
    let crowded = register(&broker, "crowded", full(1, WhenFull::Block));
    assert!(broker.try_send(&crowded, tell(b"first"), true).is_ok());
    let gone = spawn(&broker, "gone", echo);
    gone.stop();
    let receivers = [
        Ok(one),
        Ok(crowded),
        Err(Refusal::NotFound("nobody".into())),
        Ok(gone),
        Ok(two),
    ];
    let failed = broker.broadcast(
        &Message::new(0, 0x55, Payload::copy(b"all"), Kind::Tell),
        &receivers,
        true,
    );
    let places: Vec<usize> = failed.iter().map(|(place, _)| *place).collect();
    assert_eq!(places, [1, 2, 3]);
    assert!(matches!(failed[0].1, Refusal::MailboxFull { .. }));
    assert!(matches!(failed[1].1, Refusal::NotFound(_)));
    assert!(matches!(failed[2].1, Refusal::Stopped(_)));
    eventually(|| seen.lock().unwrap().len() == 2);
    let large = Payload::from(vec![0; MESSAGE_BYTES_MAX + 1]);
    assert_eq!(
        broker
            .broadcast(&Message::new(0, 0x55, large, Kind::Tell), &receivers, true)
            .len(),
        5
    );
}

#[test]
fn a_wait_for_a_turn_that_is_taken_lets_nothing_else_run() {
    let broker = broker();
    let seen = Seen::default();
    let cell = spawn(&broker, "echo", noting(&seen));
    let held: Arc<Mutex<Option<Arc<Cell>>>> = Arc::default();
    let keep = Arc::clone(&held);
    let job = Kind::Job(Box::new(move |_, _: &mut dyn Behaviour| {
        Handled::Away(Box::new(move |cell| *keep.lock().unwrap() = Some(cell)))
    }));
    assert!(
        cell.send_system(Message::new(0, 0, Payload::EMPTY, job))
            .is_ok()
    );
    eventually(|| held.lock().unwrap().is_some());
    drop(cell.send_here(tell(b"later"), true));
    thread::sleep(Duration::from_millis(20));
    assert!(seen.lock().unwrap().is_empty());
    let back = held.lock().unwrap().take().unwrap();
    back.resume(Handled::Served(Answer::NONE));
    eventually(|| seen.lock().unwrap().len() == 1);
    assert_eq!(broker.letter_counters().posted, 0);
}
