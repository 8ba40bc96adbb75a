//! Actors of plain Rust: what holds for every behaviour.

use super::*;
use crate::actor::{Answer, Behaviour, Handled, HandlerRefusal, Turn};
use crate::compile::CompileBounds;
use crate::engine::{Density, EngineOptions};
use crate::limits::Policy;
use airssys_core::mailbox::{Priority, WhenFull};
use std::any::Any;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::thread;
use std::time::Instant;

mod checks;

pub(super) const SOON: Duration = Duration::from_secs(10);

pub(super) fn broker() -> Arc<Broker> {
    let options = EngineOptions {
        density: Density::Standard,
        pool_instances: 1,
        instances_max: 1,
        cache_dir: None,
        cache_bytes_max: 0,
        compile: CompileBounds {
            component_bytes_max: 1 << 20,
            seconds_max: 10.0,
            memory_bytes_max: 1 << 30,
            processes_max: 1,
            queue_seconds_max: 10.0,
            worker: None,
        },
        policy: Policy {
            memory_bytes_ceiling: 1 << 30,
            call_seconds_ceiling: 60.0,
            fuel_ceiling: 1 << 40,
        },
    };
    Broker::new(&Engine::new(options).unwrap(), Box::new(|| {}))
}

/// A behaviour made of a function.
pub(super) struct Does<F>(pub(super) F);

impl<F: FnMut(&Message) -> Handled + Send + 'static> Behaviour for Does<F> {
    fn handle(&mut self, _turn: Turn<'_>, message: &Message) -> Handled {
        (self.0)(message)
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

pub(super) fn echo(message: &Message) -> Handled {
    Handled::Served(Answer {
        payload: message.payload.clone(),
        ..Answer::NONE
    })
}

pub(super) fn spawn(
    broker: &Arc<Broker>,
    name: &str,
    handle: impl FnMut(&Message) -> Handled + Send + 'static,
) -> Arc<Cell> {
    let cell = register(broker, name, MailboxLimits::default());
    assert!(cell.occupy(Box::new(Does(handle))).is_ok());
    cell
}

pub(super) fn register(broker: &Arc<Broker>, name: &str, limits: MailboxLimits) -> Arc<Cell> {
    broker
        .register(ComponentId::parse(name).unwrap(), limits)
        .unwrap()
}

pub(super) fn tell(payload: &[u8]) -> Message {
    Message::new(0, 0x55, Payload::copy(payload), Kind::Tell)
}

fn wait(asked: Asked) -> Outcome {
    let waiting = match asked {
        Asked::Ended(outcome) => return outcome,
        Asked::Waiting(waiting) => waiting,
    };
    let until = Instant::now() + SOON;
    loop {
        if let Some(outcome) = waiting.pending().take_or_wake(&thread::current()) {
            return outcome;
        }
        assert!(Instant::now() < until, "a caller hangs");
        thread::park_timeout(Duration::from_millis(50));
    }
}

pub(super) fn eventually(what: impl Fn() -> bool) {
    let until = Instant::now() + SOON;
    while !what() {
        assert!(Instant::now() < until);
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn an_idle_actor_answers_on_the_thread_that_asks() {
    let broker = broker();
    let here = thread::current().id();
    let cell = spawn(&broker, "echo", move |message| {
        assert_eq!(thread::current().id(), here);
        echo(message)
    });
    let outcome = wait(broker.ask(&cell, tell(b"hello"), SOON, true)).unwrap();
    assert_eq!(&*outcome.payload, b"hello");
    assert_eq!(outcome.codec, 0x55);
    assert_eq!(broker.shared.scheduler.workers(), 0);
}

#[test]
fn each_message_is_handled_once_alone_and_in_the_order_of_its_sender() {
    const SENDERS: u32 = 8;
    const EACH: u32 = 20_000;
    let broker = broker();
    let inside = AtomicUsize::new(0);
    let seen = Arc::new(Mutex::new(vec![0_u32; SENDERS as usize]));
    let handled = Arc::clone(&seen);
    let limits = MailboxLimits::new(100, 1 << 20, WhenFull::Block).unwrap();
    let cell = register(&broker, "count", limits);
    let behaviour = Does(move |message: &Message| {
        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
        let number =
            |at: usize| u32::from_le_bytes(message.payload[at..at + 4].try_into().unwrap());
        let last = &mut handled.lock().unwrap()[number(0) as usize];
        assert_eq!(*last, number(4));
        *last += 1;
        inside.fetch_sub(1, Ordering::SeqCst);
        Handled::Served(Answer::NONE)
    });
    assert!(cell.occupy(Box::new(behaviour)).is_ok());
    thread::scope(|scope| {
        for sender in 0..SENDERS {
            let (broker, cell) = (&broker, &cell);
            scope.spawn(move || {
                for number in 0..EACH {
                    let payload = [sender.to_le_bytes(), number.to_le_bytes()].concat();
                    if let Some(room) = broker.send(cell, tell(&payload), true).unwrap() {
                        while room.pending().take_or_wake(&thread::current()).is_none() {
                            thread::park_timeout(SOON);
                        }
                    }
                }
            });
        }
    });
    eventually(|| seen.lock().unwrap().iter().all(|last| *last == EACH));
    let counters = cell.counters();
    assert_eq!(counters.delivered, u64::from(SENDERS * EACH));
    assert_eq!(counters.messages, 0);
}

#[test]
fn a_failure_ends_its_request_and_keeps_the_rest_for_the_next_instance() {
    let broker = broker();
    let cell = spawn(&broker, "fragile", |message| {
        if &*message.payload == b"break" {
            return Handled::Ended(Exit::Broken("asked to".to_owned()));
        }
        echo(message)
    });
    let outcome = wait(broker.ask(&cell, tell(b"break"), SOON, true));
    assert!(
        matches!(outcome, Err(Refusal::Failed { .. })),
        "{outcome:?}"
    );
    assert_eq!(cell.status(), "failed");
    let asker = {
        let (broker, cell) = (Arc::clone(&broker), Arc::clone(&cell));
        thread::spawn(move || wait(broker.ask(&cell, tell(b"later"), SOON, true)))
    };
    eventually(|| cell.counters().messages == 1);
    assert_eq!(cell.occupy(Box::new(Does(echo))).ok(), Some(2));
    assert_eq!(&*asker.join().unwrap().unwrap().payload, b"later");
    let events = broker.take_events();
    assert!(matches!(
        &events[0],
        Event::Ended { incarnation: 1, exit, .. } if exit.to_string() == "asked to"
    ));
}

#[test]
fn stopping_ends_every_request() {
    let broker = broker();
    let (started, go) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicBool::new(false)),
    );
    let (begun, gate) = (Arc::clone(&started), Arc::clone(&go));
    let cell = spawn(&broker, "slow", move |message| {
        begun.store(true, Ordering::SeqCst);
        while !gate.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(1));
        }
        echo(message)
    });
    let askers: Vec<_> = (0..10)
        .map(|_| {
            let (broker, cell) = (Arc::clone(&broker), Arc::clone(&cell));
            thread::spawn(move || wait(broker.ask(&cell, tell(b"x"), SOON, true)))
        })
        .collect();
    eventually(|| started.load(Ordering::SeqCst) && cell.counters().messages == 9);
    cell.stop();
    assert_eq!(cell.status(), "stopping");
    go.store(true, Ordering::SeqCst);
    let ends: Vec<_> = askers
        .into_iter()
        .map(|asker| asker.join().unwrap())
        .collect();
    assert_eq!(ends.iter().filter(|end| end.is_ok()).count(), 1);
    for end in ends.iter().filter_map(|end| end.as_ref().err()) {
        assert!(matches!(end, Refusal::Stopped(_)), "{end}");
    }
    eventually(|| broker.find("slow").is_none());
    let after = wait(broker.ask(&cell, tell(b"x"), SOON, true));
    assert!(matches!(after, Err(Refusal::Stopped(_))));
}

#[test]
fn a_request_that_takes_too_long_times_out_and_its_reply_is_an_orphan() {
    let broker = broker();
    let go = Arc::new(AtomicBool::new(false));
    let gate = Arc::clone(&go);
    let cell = spawn(&broker, "slow", move |message| {
        while !gate.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(1));
        }
        echo(message)
    });
    // Handled elsewhere, so that asking finds it busy.
    assert!(matches!(cell.send(tell(b"first")), Sent::Accepted));
    let began = Instant::now();
    let timeout = Duration::from_millis(30);
    let pending = Pending::new(Arc::clone(&broker.orphans));
    let ask = Message::new(
        0,
        0x55,
        Payload::EMPTY,
        Kind::Ask(ReplyTo::new(Arc::clone(&pending))),
    );
    let timer = broker.deadlines.set(&pending, cell.name(), timeout);
    assert!(timer.is_some());
    assert!(matches!(cell.send(ask), Sent::Accepted));
    while pending.is_open() {
        thread::sleep(Duration::from_millis(1));
    }
    assert!(began.elapsed() >= timeout);
    assert!(began.elapsed() < timeout + Duration::from_millis(200));
    assert!(matches!(
        pending.take(),
        Some(Err(Refusal::TimedOut { .. }))
    ));
    go.store(true, Ordering::SeqCst);
    // It had not been begun, so it is not handled at all.
    eventually(|| cell.counters().delivered == 2);
    assert_eq!(broker.orphans(), 0);
}

#[test]
fn a_full_mailbox_does_what_its_policy_says() {
    let broker = broker();
    for (when_full, accepted) in [
        (WhenFull::Reject, 3),
        (WhenFull::DropNewest, 10),
        (WhenFull::DropOldest, 10),
    ] {
        let limits = MailboxLimits::new(3, 1 << 20, when_full).unwrap();
        let name = format!("full-{}", accepted + when_full as usize);
        let cell = register(&broker, &name, limits);
        let sent = (0..10_u8)
            .filter(|number| broker.try_send(&cell, tell(&[*number]), true).is_ok())
            .count();
        assert_eq!(sent, accepted, "{when_full:?}");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&seen);
        let behaviour = Does(move |message: &Message| {
            into.lock().unwrap().push(message.payload[0]);
            Handled::Served(Answer::NONE)
        });
        assert!(cell.occupy(Box::new(behaviour)).is_ok());
        eventually(|| seen.lock().unwrap().len() == 3);
        let kept = if when_full == WhenFull::DropOldest {
            [7, 8, 9]
        } else {
            [0, 1, 2]
        };
        assert_eq!(*seen.lock().unwrap(), kept);
    }
    assert_eq!(broker.letter_counters().posted, 14);
}

#[test]
fn urgent_messages_overtake_and_expired_ones_are_dead_letters() {
    let broker = broker();
    let cell = register(&broker, "lanes", MailboxLimits::default());
    for (payload, priority) in [
        (b"l", Priority::Low),
        (b"n", Priority::Normal),
        (b"h", Priority::High),
    ] {
        let message = Message {
            priority,
            ..tell(payload)
        };
        broker.try_send(&cell, message, true).unwrap();
    }
    let late = Message {
        expires_after: crate::actor::monotonic_nanoseconds(),
        ..tell(b"late")
    };
    broker.try_send(&cell, late, true).unwrap();
    thread::sleep(Duration::from_millis(1));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&seen);
    let behaviour = Does(move |message: &Message| {
        into.lock().unwrap().push(message.payload.to_vec());
        Handled::Refused(HandlerRefusal::Busy(1))
    });
    assert!(cell.occupy(Box::new(behaviour)).is_ok());
    eventually(|| broker.letter_counters().posted == 4);
    assert_eq!(*seen.lock().unwrap(), [b"h", b"n", b"l"]);
}

#[test]
fn a_handler_that_runs_long_holds_up_nobody_else() {
    let broker = broker();
    let go = Arc::new(AtomicBool::new(false));
    for number in 0..6 {
        let gate = Arc::clone(&go);
        let cell = spawn(&broker, &format!("stuck-{number}"), move |message| {
            while !gate.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(1));
            }
            echo(message)
        });
        assert!(matches!(cell.send(tell(b"x")), Sent::Accepted));
    }
    let done = Arc::new(AtomicBool::new(false));
    let say = Arc::clone(&done);
    let quick = spawn(&broker, "quick", move |message| {
        say.store(true, Ordering::SeqCst);
        echo(message)
    });
    let began = Instant::now();
    assert!(matches!(quick.send(tell(b"x")), Sent::Accepted));
    eventually(|| done.load(Ordering::SeqCst));
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
    go.store(true, Ordering::SeqCst);
}

#[test]
fn what_a_turn_sends_is_run_by_the_same_thread() {
    let broker = broker();
    let last = Arc::new(AtomicUsize::new(0));
    let sum = Arc::clone(&last);
    let second = spawn(&broker, "second", move |_| {
        sum.fetch_add(1, Ordering::SeqCst);
        Handled::Served(Answer::NONE)
    });
    let (to, through) = (Arc::clone(&second), Arc::downgrade(&broker));
    let first = spawn(&broker, "first", move |message| {
        let broker = through.upgrade().unwrap();
        broker.try_send(&to, tell(&message.payload), true).unwrap();
        Handled::Served(Answer::NONE)
    });
    for _ in 0..100 {
        assert!(wait(broker.ask(&first, tell(b"x"), SOON, true)).is_ok());
    }
    assert_eq!(last.load(Ordering::SeqCst), 100);
    assert_eq!(broker.shared.scheduler.workers(), 0);
}

#[test]
fn a_pool_sends_nothing_to_a_member_that_is_stopping() {
    let broker = broker();
    let (begun, begins) = std::sync::mpsc::channel::<()>();
    let (finish, finished) = std::sync::mpsc::channel::<()>();
    let stopping = spawn(&broker, "acme/pool/1", move |message| {
        begun.send(()).unwrap();
        let _ = finished.recv();
        echo(message)
    });
    let other = spawn(&broker, "acme/pool/2", echo);
    let members = vec![Arc::clone(&stopping), Arc::clone(&other)];
    let id = ComponentId::parse("acme/pool").unwrap();
    let front = broker
        .register_pool(id, members, crate::actor::Routing::RoundRobin)
        .unwrap();
    let running = broker.ask_queued(&stopping, tell(b""), SOON);
    begins.recv().unwrap();
    stopping.stop();
    assert_eq!(stopping.status(), "stopping");
    for _ in 0..10 {
        let asked = broker.ask(&front, tell(b"ping"), SOON, true);
        assert!(matches!(asked, Asked::Ended(Ok(_))));
    }
    assert_eq!(other.counters().delivered, 10);
    finish.send(()).unwrap();
    drop(running);
}

#[test]
fn a_batch_stops_at_the_first_that_is_not_accepted_in_any_mailbox() {
    let broker = broker();
    let limits = MailboxLimits::new(1, 1 << 20, WhenFull::Reject).unwrap();
    let members: Vec<_> = (1..=2)
        .map(|number| register(&broker, &format!("acme/pool/{number}"), limits))
        .collect();
    let id = ComponentId::parse("acme/pool").unwrap();
    let front = broker
        .register_pool(id, members.clone(), crate::actor::Routing::RoundRobin)
        .unwrap();
    // Neither has an instance, so each takes one and refuses the next.
    let messages = (0..6).map(|number| tell(&[number])).collect();
    let sending = broker.send_many(&front, messages, true).unwrap();
    let outcome = sending.ended().take();
    assert!(matches!(outcome, Some(Err(Refusal::MailboxFull { .. }))));
    let counters: Vec<_> = members.iter().map(|cell| cell.counters()).collect();
    let tried = |one: &airssys_core::mailbox::MailboxCounters| one.accepted + one.rejected;
    assert_eq!(counters.iter().map(tried).sum::<u64>(), 2);
}

#[test]
fn whoever_hears_that_a_message_made_way_is_run_although_the_sender_is_gone() {
    let broker = broker();
    let (begun, begins) = std::sync::mpsc::channel::<()>();
    let (finish, finished) = std::sync::mpsc::channel::<()>();
    let limits = MailboxLimits::new(1, 1 << 20, WhenFull::DropOldest).unwrap();
    let busy = register(&broker, "busy", limits);
    let blocked = move |message: &Message| {
        let _ = begun.send(());
        let _ = finished.recv();
        echo(message)
    };
    assert!(busy.occupy(Box::new(Does(blocked))).is_ok());
    let heard = spawn(&broker, "asker", echo);
    let running = broker.ask_queued(&busy, tell(b"first"), SOON);
    begins.recv().unwrap();
    let Asked::Waiting(displaced) = broker.ask_queued(&busy, tell(b"second"), SOON) else {
        panic!("it waits in the mailbox");
    };
    let asker = Arc::clone(&heard);
    displaced.pending().then(move |outcome| {
        assert!(matches!(outcome, Err(Refusal::Dropped(_))));
        assert!(matches!(asker.send(tell(b"it made way")), Sent::Accepted));
    });
    let sender = Arc::clone(&broker);
    let to = Arc::clone(&busy);
    thread::spawn(move || assert!(sender.send(&to, tell(b"third"), true).unwrap().is_none()))
        .join()
        .unwrap();
    eventually(|| heard.counters().delivered == 1);
    finish.send(()).unwrap();
    finish.send(()).unwrap();
    drop(running);
}
