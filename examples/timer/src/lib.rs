//! Answers a request when its time has come, and many at a time.
//!
//! To wait for a moment, it makes a request to itself that it never answers: the end of
//! that request, `TimedOut`, is the moment. It needs leave to send to itself and to
//! hear itself.

use std::collections::HashMap;
use std::time::Duration;

use airssys_sdk::actor::*;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize)]
enum Message {
    /// Answer with the note, so many milliseconds from now.
    Remind {
        after_milliseconds: u32,
        note: String,
    },
    /// What it tells itself.
    Wait(u64),
}

/// Somebody who waits.
struct Reminder {
    number: u64,
    note: String,
    asker: Deferred,
}

struct Timer {
    own: Peer,
    last: u64,
    reminders: HashMap<RequestId, Reminder>,
    /// The requests to itself, open until their reminder is due.
    open: HashMap<u64, Deferred>,
}

#[component]
impl Timer {
    #[start]
    fn start(start: &Start) -> Result<Self, StartError> {
        Ok(Self {
            own: Peer::at(start.address.clone())?,
            last: 0,
            reminders: HashMap::new(),
            open: HashMap::new(),
        })
    }

    #[handler]
    fn handle(&mut self, message: Message, context: &Context) -> Result<(), Refusal> {
        match message {
            Message::Remind {
                after_milliseconds,
                note,
            } => {
                self.last += 1;
                let number = self.last;
                let asker = context.defer_reply()?;
                let after = Duration::from_millis(after_milliseconds.into());
                let request = self.own.request(&Message::Wait(number), after)?;
                let reminder = Reminder {
                    number,
                    note,
                    asker,
                };
                self.reminders.insert(request, reminder);
            }
            Message::Wait(_) if context.sender() != Some(self.own) => {
                return Err(Refusal::Unsupported("Wait is for itself".to_owned()));
            }
            Message::Wait(number) => {
                self.open.insert(number, context.defer_reply()?);
            }
        }
        Ok(())
    }

    #[callback]
    fn due(
        &mut self,
        request: RequestId,
        outcome: Result<Reply, SendError>,
    ) -> Result<(), SendError> {
        let Some(reminder) = self.reminders.remove(&request) else {
            return Ok(());
        };
        self.open.remove(&reminder.number);
        let answered = match outcome {
            Err(SendError::TimedOut) => reminder.asker.send(&reminder.note),
            Err(other) => reminder.asker.refuse(other),
            Ok(_) => reminder.asker.refuse("it answered itself"),
        };
        // Who asked may have given up meanwhile.
        match answered {
            Err(SendError::NoMessage) => Ok(()),
            other => other,
        }
    }
}
