//! Several actors behind one name.

use super::{Broker, Unregistered};
use crate::actor::{Cell, Routing};
use airssys_core::address::ComponentId;
use airssys_core::mailbox::MailboxLimits;
use std::sync::Arc;

impl Broker {
    /// A name whose messages go to one of `members` each. It has no instance of its
    /// own, and stops when the last of them has.
    ///
    /// # Errors
    ///
    /// [`Unregistered`].
    pub fn register_pool(
        &self,
        id: ComponentId,
        members: Vec<Arc<Cell>>,
        routing: Routing,
    ) -> Result<Arc<Cell>, Unregistered> {
        let front = self.register(id, MailboxLimits::default())?;
        if let Some(route) = front.traffic() {
            for member in &members {
                member.set_route(Some(Arc::clone(&route)));
            }
        }
        front.stand_for(members, routing);
        Ok(front)
    }
}
