//! One message to many.

use super::Broker;
use crate::actor::{Cell, Kind, Message, Refusal, Sent};
use std::sync::Arc;

/// Receivers of one broadcast at most.
pub const BROADCAST_MAX: usize = 1000;

impl Broker {
    /// Sends one message to many and waits for none of them; the caller sees to it that
    /// they are no more than [`BROADCAST_MAX`]. Gives the places of those that did not
    /// get it, with why.
    pub fn broadcast(
        &self,
        message: &Message,
        receivers: &[Result<Arc<Cell>, Refusal>],
        may_block: bool,
    ) -> Vec<(usize, Refusal)> {
        let refused = self
            .refuse_forked()
            .and_then(|()| self.check_payload(message.sender, message.codec, &message.payload))
            .err();
        // All are queued before the first runs, and share one turn of this thread.
        self.shared.scheduler.inline(may_block, || {
            let failed = receivers
                .iter()
                .enumerate()
                .filter_map(|(place, receiver)| {
                    let sent = match (&refused, receiver) {
                        (Some(why), _) | (None, Err(why)) => Err(why.clone()),
                        (None, Ok(cell)) => sent(cell, message.copy(Kind::Tell)),
                    };
                    sent.err().map(|why| (place, why))
                });
            failed.collect()
        })
    }
}

fn sent(cell: &Arc<Cell>, message: Message) -> Result<(), Refusal> {
    cell.reads(message.codec, false)?;
    match cell.route(message.sender, None).send(message) {
        Sent::Accepted => Ok(()),
        Sent::Full(_) => Err(cell.full()),
        Sent::Refused(_, why) => Err(why),
    }
}
