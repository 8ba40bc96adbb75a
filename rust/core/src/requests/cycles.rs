//! Whether waiting would close a circle.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use foldhash::fast::RandomState;

use super::links::{NONE, Side};
use super::{Request, Requests};
use crate::address::Handle;

/// Open requests that a search looks at unless told otherwise. A longer chain is left to its deadline.
pub const WAITS_MAX_DEFAULT: usize = 1000;

/// A circle of actors, each of which would wait for the next, and the last for the first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("waiting would close a circle of {} that wait for each other", members.len())]
pub struct Cycle {
    /// Its members. The first is the one that wants to wait.
    pub members: Vec<Handle>,
}

impl<T> Requests<T> {
    /// Returns if `requester` may wait for `responder` without closing a circle of blocking
    /// requests.
    ///
    /// Looks at no more than `waits_max` requests; past that it returns too, and the deadline of
    /// the request is what ends it. O(1) if the responder waits for nobody.
    ///
    /// # Errors
    ///
    /// [`Cycle`] with the members of the circle.
    #[inline]
    pub fn check_wait(
        &self,
        requester: Handle,
        responder: Handle,
        waits_max: usize,
    ) -> Result<(), Cycle> {
        // Nobody can wait for the embedder, for nobody can ask it.
        if requester == Handle::EMBEDDER {
            return Ok(());
        }
        if requester == responder {
            let members = vec![requester];
            return Err(Cycle { members });
        }
        if self.heads.first(responder, Side::Made) == NONE {
            return Ok(());
        }
        self.search(requester, responder, waits_max)
    }

    fn search(&self, requester: Handle, responder: Handle, waits_max: usize) -> Result<(), Cycle> {
        // Each actor that was reached, and who waits for it.
        let mut waiters: HashMap<Handle, Handle, RandomState> = HashMap::default();
        waiters.insert(responder, requester);
        let mut left_to_visit = vec![responder];
        let mut walked = 0;
        while let Some(actor) = left_to_visit.pop() {
            for request in self.made_by(actor) {
                walked += 1;
                if walked > waits_max {
                    return Ok(());
                }
                let next = request.responder;
                if !request.blocking || request.requester.handle != actor {
                    continue;
                }
                if next == requester {
                    return Err(circle(&waiters, requester, actor));
                }
                if let Entry::Vacant(place) = waiters.entry(next) {
                    place.insert(actor);
                    left_to_visit.push(next);
                }
            }
        }
        Ok(())
    }

    /// The open requests in the list of an actor.
    fn made_by(&self, actor: Handle) -> impl Iterator<Item = &Request<T>> {
        let mut index = self.heads.first(actor, Side::Made);
        std::iter::from_fn(move || {
            let (_, entry) = self.slab.at(index)?;
            index = entry.next(Side::Made);
            Some(&entry.request)
        })
    }
}

/// The way back from the last member to the first, turned around.
fn circle(
    waiters: &HashMap<Handle, Handle, RandomState>,
    requester: Handle,
    last: Handle,
) -> Cycle {
    let mut members = vec![last];
    while let Some(&waiter) = members.last().and_then(|member| waiters.get(member)) {
        members.push(waiter);
        if waiter == requester {
            break;
        }
    }
    members.reverse();
    Cycle { members }
}
