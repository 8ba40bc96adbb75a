//! Which open requests an actor made, and which it was asked: two lists through the slab.
//!
//! An entry is in the list of its requester and in that of its responder; both are doubly linked,
//! so an entry leaves in O(1) without being searched.

use super::Request;
use crate::address::Handle;
use crate::slab::Slab;

/// The end of a list.
pub(super) const NONE: u32 = u32::MAX;

/// A request in its two lists.
#[derive(Debug)]
pub(super) struct Entry<T> {
    pub(super) request: Request<T>,
    links: [Link; 2],
}

#[derive(Debug, Clone, Copy)]
struct Link {
    next: u32,
    previous: u32,
}

/// Which of the two lists of an actor.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side {
    /// What it asked.
    Made,
    /// What it was asked.
    Asked,
}

/// The first entries of the lists of each actor, by the index of its handle.
#[derive(Debug, Default)]
pub(super) struct Heads(Vec<[u32; 2]>);

impl<T> Entry<T> {
    pub(super) fn new(request: Request<T>) -> Self {
        let alone = Link {
            next: NONE,
            previous: NONE,
        };
        Self {
            request,
            links: [alone; 2],
        }
    }

    pub(super) fn next(&self, side: Side) -> u32 {
        self.links[side as usize].next
    }

    fn owner(&self, side: Side) -> Handle {
        match side {
            Side::Made => self.request.requester.handle,
            Side::Asked => self.request.responder,
        }
    }
}

impl Heads {
    /// The first entry of a list of an actor, or [`NONE`].
    #[inline]
    pub(super) fn first(&self, actor: Handle, side: Side) -> u32 {
        self.0
            .get(actor.index() as usize)
            .map_or(NONE, |heads| heads[side as usize])
    }

    /// Puts the entry in the slot `index` before all others of both its lists.
    #[inline]
    pub(super) fn link<T>(&mut self, slab: &mut Slab<Entry<T>>, index: u32) {
        for side in [Side::Made, Side::Asked] {
            let Some(entry) = slab.at_mut(index) else {
                return;
            };
            let head = self.head(entry.owner(side), side);
            let next = std::mem::replace(head, index);
            entry.links[side as usize].next = next;
            if let Some(after) = slab.at_mut(next) {
                after.links[side as usize].previous = index;
            }
        }
    }

    /// Takes an entry that has just left the slab out of both its lists.
    #[inline]
    pub(super) fn unlink<T>(&mut self, slab: &mut Slab<Entry<T>>, entry: &Entry<T>) {
        for side in [Side::Made, Side::Asked] {
            let Link { next, previous } = entry.links[side as usize];
            match slab.at_mut(previous) {
                Some(before) => before.links[side as usize].next = next,
                None => *self.head(entry.owner(side), side) = next,
            }
            if let Some(after) = slab.at_mut(next) {
                after.links[side as usize].previous = previous;
            }
        }
    }

    #[inline]
    fn head(&mut self, actor: Handle, side: Side) -> &mut u32 {
        let index = actor.index() as usize;
        if index >= self.0.len() {
            self.0.resize(index + 1, [NONE; 2]);
        }
        &mut self.0[index][side as usize]
    }
}
