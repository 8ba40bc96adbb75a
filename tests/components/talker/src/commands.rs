//! What the words of a message do.

use super::airssys::core::errors::{MessageError, MessagingError};
use super::airssys::core::messaging::{self, Priority, SendOptions};
use super::airssys::core::types::ComponentId;
use super::{RAW, STATE, note};

/// Does it, and gives what came of it as text.
pub fn run(sender: u64, codec: u32, text: &str) -> Result<Vec<u8>, MessageError> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let done = match word {
        "echo" => Ok(rest.to_owned()),
        "note" => {
            note(rest.to_owned());
            Ok(String::new())
        }
        "notes" => Ok(STATE.with_borrow(|state| state.notes.join("|"))),
        "sender" => Ok(sender.to_string()),
        "trap" => panic!("as it was told"),
        "loop" => loop {
            std::hint::black_box(codec);
        },
        "refuse" => return Err(MessageError::Refused(rest.to_owned())),
        "busy" => return Err(MessageError::Busy(7)),
        _ => talk(word, rest),
    };
    Ok(done
        .unwrap_or_else(|error| format!("error: {error:?}"))
        .into_bytes())
}

fn talk(word: &str, rest: &str) -> Result<String, MessagingError> {
    match word {
        "ask" => {
            let (target, timeout, body) = request(rest)?;
            let reply = messaging::ask(target, RAW, body.as_bytes(), timeout)?;
            Ok(String::from_utf8_lossy(&reply.payload).into_owned())
        }
        "ask-twice" => {
            let (target, timeout, body) = request(rest)?;
            messaging::ask(target, RAW, body.as_bytes(), timeout)?;
            let reply = messaging::ask(target, RAW, body.as_bytes(), timeout)?;
            Ok(String::from_utf8_lossy(&reply.payload).into_owned())
        }
        "request" => {
            let (target, timeout, body) = request(rest)?;
            let number = messaging::request(target, RAW, body.as_bytes(), timeout)?;
            Ok(number.to_string())
        }
        "request-many" => {
            let (target, times, body) = request(rest)?;
            let mut refused = 0;
            for _ in 0..times {
                let made = messaging::request(target, RAW, body.as_bytes(), 60_000);
                refused += u32::from(made.is_err());
            }
            Ok(refused.to_string())
        }
        // The replies come while it waits for whoever answers at the gate.
        "request-many-and-wait" => {
            let (target, times, body) = request(rest)?;
            for _ in 0..times {
                messaging::request(target, RAW, body.as_bytes(), 60_000)?;
            }
            let gate = lookup("acme/gate")?;
            messaging::ask(gate, RAW, b"defer", 60_000)?;
            done(Ok(()))
        }
        "cancel" => done(messaging::cancel_request(number(rest)?)),
        "send" => {
            let (target, body) = addressed(rest)?;
            done(messaging::send(target, RAW, body.as_bytes()))
        }
        "send-many" => {
            let (target, times, body) = request(rest)?;
            for _ in 0..times {
                messaging::send(target, RAW, body.as_bytes())?;
            }
            done(Ok(()))
        }
        "send-bytes" => {
            let (target, size) = addressed(rest)?;
            let bytes = vec![0; usize::try_from(number(size)?).unwrap_or_default()];
            done(messaging::send(target, RAW, &bytes))
        }
        "send-handle" => {
            let (handle, body) = rest.split_once(' ').unwrap_or((rest, ""));
            done(messaging::send(number(handle)?, RAW, body.as_bytes()))
        }
        "urgent" => {
            let (target, body) = addressed(rest)?;
            let how = SendOptions {
                priority: Priority::High,
                time_to_live_milliseconds: None,
            };
            done(messaging::send_with(target, RAW, body.as_bytes(), how))
        }
        "brief" => {
            let (target, milliseconds, body) = request(rest)?;
            let how = SendOptions {
                priority: Priority::Normal,
                time_to_live_milliseconds: Some(milliseconds),
            };
            done(messaging::send_with(target, RAW, body.as_bytes(), how))
        }
        "broadcast" => broadcast(rest),
        "publish" => {
            let (topic, body) = rest.split_once(' ').unwrap_or((rest, ""));
            done(messaging::publish(topic, RAW, body.as_bytes()))
        }
        "subscribe" => done(messaging::subscribe(rest)),
        "unsubscribe" => done(messaging::unsubscribe(rest)),
        _ => about(word, rest),
    }
}

/// What is about the message itself.
fn about(word: &str, rest: &str) -> Result<String, MessagingError> {
    match word {
        "own" => messaging::own_id().map(|id| text(&id)),
        "lookup" => lookup(rest).map(|handle| handle.to_string()),
        "id-of" => messaging::id_of(number(rest)?).map(|id| text(&id)),
        "envelope" => {
            let envelope = messaging::current_envelope()?;
            Ok(format!(
                "{:?} from {} codec {:#x} {:?} left {:?} numbered {} sent {}",
                envelope.kind,
                envelope.sender.as_ref().map_or("nobody".to_owned(), text),
                envelope.codec,
                envelope.priority,
                envelope.remaining_milliseconds,
                envelope.correlation == Some(envelope.id),
                envelope.sent_unix_nanoseconds,
            ))
        }
        "trace" => Ok(messaging::current_envelope()?
            .trace
            .map_or("none".to_owned(), |trace| {
                let id = format!("{:016x}{:016x}", trace.trace_id_high, trace.trace_id_low);
                let flags = u8::from(trace.sampled);
                format!("00-{id}-{:016x}-{flags:02x}", trace.span_id)
            })),
        "codec" => {
            messaging::set_reply_codec(u32::try_from(number(rest)?).unwrap_or_default())?;
            Ok("{}".to_owned())
        }
        "defer" => {
            let kept = messaging::defer_reply()?;
            STATE.with_borrow_mut(|state| state.kept.push(kept));
            Ok("not this".to_owned())
        }
        "defer-twice" => {
            let kept = messaging::defer_reply()?;
            let again = messaging::defer_reply();
            kept.send(RAW, format!("{:?}", again.err()).as_bytes())?;
            Ok(String::new())
        }
        "defer-and-trap" => {
            let kept = messaging::defer_reply()?;
            STATE.with_borrow_mut(|state| state.kept.push(kept));
            panic!("as it was told")
        }
        "answer" => {
            let kept = STATE.with_borrow_mut(|state| state.kept.pop());
            let kept = kept.ok_or(MessagingError::NoMessage)?;
            kept.send(RAW, rest.as_bytes())?;
            let again = kept.send(RAW, rest.as_bytes());
            Ok(format!("{:?}", again.err()))
        }
        "answer-bytes" => {
            let kept = STATE.with_borrow_mut(|state| state.kept.pop());
            let kept = kept.ok_or(MessagingError::NoMessage)?;
            let bytes = vec![0; usize::try_from(number(rest)?).unwrap_or_default()];
            let first = kept.send(RAW, &bytes);
            done(first.or_else(|error| kept.send(RAW, format!("{error:?}").as_bytes())))
        }
        "decline" => {
            let kept = STATE.with_borrow_mut(|state| state.kept.pop());
            let kept = kept.ok_or(MessagingError::NoMessage)?;
            done(kept.refuse(&MessageError::Refused(rest.to_owned())))
        }
        "forget" => {
            let kept = STATE.with_borrow_mut(|state| state.kept.pop());
            kept.map(drop).ok_or(MessagingError::NoMessage)?;
            done(Ok(()))
        }
        _ => Ok(format!("no command {word:?}")),
    }
}

fn broadcast(rest: &str) -> Result<String, MessagingError> {
    let (names, body) = rest.split_once(' ').unwrap_or((rest, ""));
    let targets: Result<Vec<_>, _> = names.split(',').map(lookup_or_number).collect();
    let failed = messaging::broadcast(&targets?, RAW, body.as_bytes())?;
    let failed: Vec<_> = failed
        .iter()
        .map(|one| format!("{:?}", one.error))
        .collect();
    Ok(failed.join(","))
}

fn lookup_or_number(name: &str) -> Result<u64, MessagingError> {
    name.parse().or_else(|_| lookup(name))
}

fn done(result: Result<(), MessagingError>) -> Result<String, MessagingError> {
    result.map(|()| "done".to_owned())
}

fn request(rest: &str) -> Result<(u64, u32, &str), MessagingError> {
    let (target, rest) = addressed(rest)?;
    let (timeout, body) = rest.split_once(' ').unwrap_or((rest, ""));
    Ok((
        target,
        u32::try_from(number(timeout)?).unwrap_or(u32::MAX),
        body,
    ))
}

fn addressed(rest: &str) -> Result<(u64, &str), MessagingError> {
    let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    Ok((lookup(name)?, rest))
}

fn lookup(name: &str) -> Result<u64, MessagingError> {
    let mut parts = name.split('/');
    let mut part = |otherwise: &str| parts.next().unwrap_or(otherwise).to_owned();
    messaging::lookup(&ComponentId {
        namespace: part(""),
        name: part(""),
        instance: part("0"),
    })
}

fn number(text: &str) -> Result<u64, MessagingError> {
    text.parse()
        .map_err(|_| MessagingError::InvalidArgument(format!("{text:?} is no number")))
}

fn text(id: &ComponentId) -> String {
    format!("{}/{}/{}", id.namespace, id.name, id.instance)
}
