//! A message that waits for room in a full mailbox.

use crate::actor::{Cell, Message, Pending, Refusal};
use std::sync::Arc;

/// A place in the line before a full mailbox. Dropped, the message is not sent, unless
/// it got in before.
pub struct Room {
    cell: Arc<Cell>,
    place: u64,
    pending: Arc<Pending>,
}

impl Room {
    /// Lines up; none if there was room by then.
    pub(super) fn line_up(cell: &Arc<Cell>, message: Message) -> Result<Option<Room>, Refusal> {
        let pending = Pending::new(Arc::default());
        let place = cell.wait_for_room(message, &pending);
        match pending.take() {
            Some(ended) => ended.map(|_| None),
            None => Ok(Some(Room {
                cell: Arc::clone(cell),
                place,
                pending,
            })),
        }
    }

    /// Ends when the message got in.
    pub fn pending(&self) -> &Arc<Pending> {
        &self.pending
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.pending.close();
        self.cell.withdraw(self.place);
    }
}
