//! What is looked at before a message is sent, batches, and pools.

use super::*;
use crate::actor::Routing;

const CBOR: u32 = 0x51;
const JSON: u32 = 0x0200;

fn message(sender: u64, codec: u32, payload: &[u8]) -> Message {
    Message::new(sender, codec, Payload::copy(payload), Kind::Tell)
}

#[test]
fn what_an_actor_sends_must_be_what_its_codec_says() {
    let broker = broker();
    let cell = spawn(&broker, "echo", echo);
    let ask = |sender, codec, payload: &[u8]| {
        let message = message(sender, codec, payload);
        wait(broker.ask(&cell, message, SOON, true))
    };
    for (codec, malformed) in [
        (CBOR, &b"\xff"[..]),
        (CBOR, b""),
        (CBOR, b"\x01\x02"),
        (CBOR, b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff"),
        (JSON, b"{"),
        (JSON, b"\xff"),
    ] {
        assert!(matches!(
            ask(7, codec, malformed),
            Err(Refusal::Malformed(_))
        ));
        let sent = broker.try_send(&cell, message(7, codec, malformed), true);
        assert!(matches!(sent, Err(Refusal::Malformed(_))));
    }
    assert!(ask(7, CBOR, b"\x01").is_ok());
    assert!(ask(7, JSON, b"[1]").is_ok());
    // What carries anything, and what nobody here reads.
    assert!(ask(7, 0x55, b"\xff").is_ok());
    assert!(ask(7, 0x1234, b"\xff").is_ok());
    let nested = [b'['].repeat(100_000);
    assert!(matches!(ask(7, JSON, &nested), Err(Refusal::Malformed(_))));
}

#[test]
fn what_is_not_read_is_refused_with_what_is() {
    let broker = broker();
    let cell = spawn(&broker, "echo", echo);
    cell.declare([JSON]);
    let refused = broker.try_send(&cell, message(0, CBOR, b"\x01"), true);
    match refused {
        Err(Refusal::CodecUnsupported { codecs, .. }) => assert_eq!(codecs, [Code::JSON]),
        other => panic!("{other:?}"),
    }
    assert!(broker.try_send(&cell, message(0, JSON, b"1"), true).is_ok());
    assert_eq!(cell.reads(CBOR, true).unwrap(), Code::JSON);
    assert!(cell.reads(0x55, true).is_err());
}

#[test]
fn a_batch_is_asked_in_order_and_ends_as_one() {
    let broker = broker();
    let limits = MailboxLimits::new(3, 1 << 20, WhenFull::Block).unwrap();
    let cell = register(&broker, "echo", limits);
    let batch = broker.ask_many(&cell, (0..100).map(|n| tell(&[n])).collect(), SOON, true);
    let batch = batch.unwrap();
    assert!(batch.ended().is_open());
    assert!(cell.occupy(Box::new(Does(echo))).is_ok());
    eventually(|| !batch.ended().is_open());
    let replies: Vec<_> = batch
        .take()
        .into_iter()
        .map(|one| one.unwrap().payload[0])
        .collect();
    assert_eq!(replies, (0..100).collect::<Vec<u8>>());
}

#[test]
fn a_batch_that_nobody_waits_for_is_not_handled() {
    let broker = broker();
    let cell = register(&broker, "late", MailboxLimits::default());
    let batch = broker.ask_many(&cell, (0..10).map(|n| tell(&[n])).collect(), SOON, true);
    drop(batch);
    let handled = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&handled);
    let does = Does(move |message: &Message| {
        counter.fetch_add(1, Ordering::SeqCst);
        echo(message)
    });
    assert!(cell.occupy(Box::new(does)).is_ok());
    assert!(wait(broker.ask(&cell, tell(b"x"), SOON, true)).is_ok());
    assert_eq!(handled.load(Ordering::SeqCst), 1);
}

#[test]
fn a_pool_passes_over_who_is_down() {
    let broker = broker();
    let members: Vec<_> = (1..=3)
        .map(|number| {
            spawn(&broker, &format!("acme/pool/{number}"), move |_| {
                Handled::Served(Answer {
                    payload: Payload::copy(&[number]),
                    ..Answer::NONE
                })
            })
        })
        .collect();
    let id = ComponentId::parse("acme/pool").unwrap();
    let front = broker
        .register_pool(id, members.clone(), Routing::RoundRobin)
        .unwrap();
    let ask = || {
        let outcome = wait(broker.ask(&front, tell(b"x"), SOON, true));
        outcome.map(|reply| reply.payload[0])
    };
    let mut served: Vec<_> = (0..3).map(|_| ask().unwrap()).collect();
    served.sort_unstable();
    assert_eq!(served, [1, 2, 3]);
    members[0].retire();
    members[2].stop();
    for _ in 0..5 {
        assert_eq!(ask().unwrap(), 2);
    }
    members[0].stop();
    members[1].stop();
    assert!(matches!(ask(), Err(Refusal::Stopped(_))));
    assert!(broker.find("acme/pool").is_none());
}
