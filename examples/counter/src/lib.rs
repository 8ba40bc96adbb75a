//! Counts, and tells what became of the incarnation before.
//!
//! A crash takes the count along: the supervisor starts the next incarnation anew.

use airssys_sdk::actor::*;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
enum Command {
    Add(u64),
    Read,
    /// Divides the count. Nobody looks for a zero here, which is a panic.
    Share(u64),
}

#[derive(Clone, Serialize)]
struct Counter {
    count: u64,
    incarnation: u64,
    /// Why there is not the first incarnation any more.
    predecessor: Option<String>,
}

#[component]
impl Counter {
    #[start]
    fn start(start: &Start) -> Self {
        let predecessor = match &start.reason {
            Reason::Restarted(restart) => Some(format!(
                "{:?}, restart {} of {}: {}",
                restart.failure, restart.attempt, restart.attempts_max, restart.detail
            )),
            Reason::Updated(version) => Some(format!("updated from {version}")),
            Reason::First => None,
        };
        Self {
            count: 0,
            incarnation: start.incarnation,
            predecessor,
        }
    }

    #[handler]
    fn handle(&mut self, command: Command) -> Result<Counter, Refusal> {
        match command {
            Command::Add(number) => {
                let sum = self.count.checked_add(number);
                self.count = sum.ok_or_else(|| Refusal::Refused("too much".to_owned()))?;
            }
            Command::Read => {}
            Command::Share(among) => self.count /= among,
        }
        Ok(self.clone())
    }
}
