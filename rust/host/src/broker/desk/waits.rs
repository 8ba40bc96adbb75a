//! An actor whose handler waits for another.

use crate::actor::{Cell, Outcome, Pending};
use crate::broker::Broker;
use crate::messaging::MessagingError;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Waits that a search for a circle looks at; a longer chain is left to its deadlines.
const CHAIN_MAX: usize = 1000;

/// Says whom an actor waits for, until it is dropped.
pub(super) struct Waits(Arc<Cell>);

impl Waits {
    /// Notes it, unless that would close a circle of actors that wait for each other.
    ///
    /// Noted first and looked at then: of two that would close a circle at the same
    /// time, at least one sees it.
    pub(super) fn begin(
        broker: &Broker,
        who: &Arc<Cell>,
        on: &Cell,
    ) -> Result<Waits, MessagingError> {
        who.wait_for(on.handle());
        let waits = Waits(Arc::clone(who));
        if on.handle() == who.handle() || is_waited_for(broker, who.handle(), on.waits_for()) {
            return Err(MessagingError::Cycle);
        }
        Ok(waits)
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.wait_for(0);
    }
}

#[inline]
fn is_waited_for(broker: &Broker, who: u64, mut next: u64) -> bool {
    for _ in 0..CHAIN_MAX {
        if next == 0 {
            return false;
        }
        if next == who {
            return true;
        }
        next = broker.by_handle(next).map_or(0, |cell| cell.waits_for());
    }
    false
}

/// The end of a request, awaited.
pub(super) struct Awaited(pub(super) Arc<Pending>);

impl Future for Awaited {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        match self.0.take_or_poll(context.waker()) {
            Some(outcome) => Poll::Ready(outcome),
            None => Poll::Pending,
        }
    }
}
