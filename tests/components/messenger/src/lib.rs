//! Does with messages what it is told: every function of the SDK's messaging, by name.

use std::collections::BTreeMap;
use std::time::Duration;

use airssys_sdk::actor::*;
use serde::{Deserialize, Serialize};

const TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Clone, Deserialize, Serialize)]
enum Command {
    /// Give back what was noted so far.
    Notes,
    /// Note a text.
    Note(String),
    /// Tell about the message itself.
    Describe,
    /// Tell what the start was told.
    Started,
    /// Ask a peer for its notes.
    Ask(String),
    /// Ask in JSON, and in bytes that it does not read.
    AskOtherwise(String),
    /// Ask for notes and take them for a number.
    AskWrongly(String),
    /// Send a note, urgently.
    Urge(String, String),
    /// Send a note to all.
    Broadcast(Vec<String>, String),
    /// Make a request; its end is noted.
    Request(String, u32),
    /// Make a request and give it up.
    Cancel(String),
    Publish(String, String),
    Subscribe(String),
    Unsubscribe(String),
    /// Keep the asker waiting.
    Defer,
    /// Answer who waits, or refuse.
    Answer(Option<String>),
    /// Let go of who waits.
    Forget,
    Sicken,
}

#[derive(Deserialize)]
struct Settings<'a> {
    greeting: &'a str,
}

struct Messenger {
    notes: Vec<String>,
    started: BTreeMap<String, String>,
    waiting: Vec<Deferred>,
    health: Health,
}

#[component]
impl Messenger {
    #[start]
    fn start(start: &Start) -> Result<Self, StartError> {
        let mut started = BTreeMap::from([
            ("address".to_owned(), start.address.to_string()),
            ("incarnation".to_owned(), start.incarnation.to_string()),
            ("reason".to_owned(), format!("{:?}", start.reason)),
            (
                "memory".to_owned(),
                start.limits.memory_bytes_max.to_string(),
            ),
        ]);
        if start.has_settings() {
            let settings: Settings<'_> = start.settings()?;
            started.insert("greeting".to_owned(), settings.greeting.to_owned());
        }
        Ok(Self {
            notes: Vec::new(),
            started,
            waiting: Vec::new(),
            health: Health::Healthy,
        })
    }

    #[handler]
    fn handle(&mut self, command: Command, context: &Context) -> Result<Vec<String>, Refusal> {
        match command {
            Command::Notes => {}
            Command::Note(text) => self.notes.push(self.received(&text, context)?),
            Command::Describe => return describe(context),
            Command::Started => {
                let pairs = self.started.iter();
                return Ok(pairs.map(|(key, value)| format!("{key}={value}")).collect());
            }
            Command::Sicken => self.health = Health::Unhealthy,
            Command::Defer => self.waiting.push(context.defer_reply()?),
            Command::Answer(text) => {
                for asker in self.waiting.drain(..) {
                    match &text {
                        Some(text) => asker.send(&[text])?,
                        None => asker.refuse(Refusal::Busy(250))?,
                    }
                }
            }
            Command::Forget => self.waiting.clear(),
            other => self.speak(other)?,
        }
        Ok(self.notes.clone())
    }

    #[callback]
    fn ended(&mut self, _request: RequestId, outcome: Result<Reply, SendError>) {
        self.notes
            .push(match outcome.and_then(Reply::value::<Vec<String>>) {
                Ok(notes) => format!("ended with {notes:?}"),
                Err(why) => format!("ended: {why:?}"),
            });
    }

    #[stop]
    fn stop(&mut self, reason: StopReason) -> Result<(), String> {
        Err(format!("stopped at {} notes: {reason:?}", self.notes.len()))
    }

    #[health]
    fn health(&self) -> Health {
        self.health
    }

    fn received(&self, text: &str, context: &Context) -> Result<String, SendError> {
        match context.envelope()?.kind {
            MessageKind::Published(topic) => Ok(format!("{topic}: {text}")),
            MessageKind::Tell | MessageKind::Ask => Ok(text.to_owned()),
        }
    }

    fn speak(&mut self, command: Command) -> Result<(), SendError> {
        match command {
            Command::Ask(whom) => {
                let notes: Vec<String> = Peer::lookup(&whom)?.ask(&Command::Notes, TIMEOUT)?;
                self.notes.push(format!("{whom} noted {notes:?}"));
            }
            Command::AskOtherwise(whom) => {
                let peer = Peer::lookup(&whom)?;
                let Raw(json): Raw<Vec<u8>> = peer.ask(&Json(Command::Notes), TIMEOUT)?;
                self.notes.push(String::from_utf8_lossy(&json).into_owned());
                let refused = peer.ask::<_, ()>(&Raw("notes"), TIMEOUT);
                self.notes.push(format!("{refused:?}"));
            }
            Command::AskWrongly(whom) => {
                let _: u8 = Peer::lookup(&whom)?.ask(&Command::Notes, TIMEOUT)?;
            }
            Command::Urge(whom, note) => {
                let options = SendOptions {
                    priority: Priority::High,
                    time_to_live: Some(TIMEOUT),
                };
                Peer::lookup(&whom)?.send_with(&Command::Note(note), options)?;
            }
            Command::Broadcast(whom, note) => {
                let peers: Result<Vec<_>, _> = whom.iter().map(|one| Peer::lookup(one)).collect();
                let failed = broadcast(&peers?, &Command::Note(note))?;
                self.notes.push(format!("{} failed", failed.len()));
            }
            Command::Request(whom, milliseconds) => {
                let timeout = Duration::from_millis(milliseconds.into());
                Peer::lookup(&whom)?.request(&Command::Defer, timeout)?;
            }
            Command::Cancel(whom) => {
                let request = Peer::lookup(&whom)?.request(&Command::Defer, TIMEOUT)?;
                request.cancel()?;
                self.notes.push(format!("{:?}", request.cancel()));
            }
            Command::Publish(topic, note) => publish(&topic, &Command::Note(note))?,
            Command::Subscribe(pattern) => subscribe(&pattern)?,
            Command::Unsubscribe(pattern) => unsubscribe(&pattern)?,
            _ => {}
        }
        Ok(())
    }
}

fn describe(context: &Context) -> Result<Vec<String>, Refusal> {
    let envelope = context.envelope()?;
    let sender = context.sender().map(Peer::address).transpose()?;
    if sender != envelope.sender {
        return Err("two senders".into());
    }
    Ok(vec![
        format!("{:?}", envelope.kind),
        format!("{:?}", sender.map(|address| address.to_string())),
        format!("{:?}", envelope.priority),
        format!("{:#x}", context.codec()),
        format!("{:?}", envelope.remaining.is_some()),
        own_address()?.to_string(),
    ])
}
