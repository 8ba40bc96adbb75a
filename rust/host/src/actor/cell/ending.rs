//! How an actor, or its instance, is taken away.

use super::{Cell, Inner, Phase};
use crate::actor::message::Kind;
use crate::actor::refusal::Refusal;
use std::sync::{Arc, MutexGuard};

impl Cell {
    /// Stops it for good: at once if it is idle; else the running handler is
    /// interrupted, and its end is the actor's. Nobody handles what is left in the
    /// mailbox.
    pub fn stop(self: &Arc<Self>) {
        let mut inner = self.inner();
        if inner.stopping || inner.phase == Phase::Stopped {
            return;
        }
        inner.stopping = true;
        match inner.phase {
            Phase::Running | Phase::Away => {
                let interrupt = inner.interrupt.clone();
                drop(inner);
                if let Some(interrupt) = interrupt {
                    interrupt.interrupt();
                }
            }
            Phase::Vacant | Phase::Idle | Phase::Queued | Phase::Stopped => self.finish(inner),
        }
    }

    /// Takes its instance away: at once if it is idle, else the running handler is
    /// interrupted. The mailbox waits for another, and nobody is told of an end.
    pub fn retire(self: &Arc<Self>) {
        let mut inner = self.inner();
        match inner.phase {
            Phase::Idle | Phase::Queued => self.empty(inner),
            Phase::Running | Phase::Away => {
                inner.retiring = true;
                let interrupt = inner.interrupt.clone();
                drop(inner);
                if let Some(interrupt) = interrupt {
                    interrupt.interrupt();
                }
            }
            Phase::Vacant | Phase::Stopped => {}
        }
    }

    /// Takes its instance away when that has handled the message it has.
    pub fn retire_after_message(self: &Arc<Self>) {
        let mut inner = self.inner();
        match inner.phase {
            Phase::Idle | Phase::Queued => self.empty(inner),
            Phase::Running | Phase::Away => inner.retiring = true,
            Phase::Vacant | Phase::Stopped => {}
        }
    }

    pub(super) fn empty(self: &Arc<Self>, mut inner: MutexGuard<'_, Inner>) {
        inner.phase = Phase::Vacant;
        inner.interrupt = None;
        let incarnation = inner.incarnation;
        let behaviour = inner.behaviour.take();
        drop(inner);
        drop(behaviour);
        self.shared.observer.left(self, incarnation);
    }

    pub(super) fn finish(self: &Arc<Self>, mut inner: MutexGuard<'_, Inner>) {
        inner.phase = Phase::Stopped;
        inner.interrupt = None;
        let behaviour = inner.behaviour.take();
        let away = inner.away.take();
        let left = inner.mailbox.close();
        let waiters = inner.waiters.take();
        let incarnation = inner.incarnation;
        drop(inner);
        drop(behaviour);
        let why = || Refusal::Stopped(Arc::clone(&self.name));
        if let Some(message) = away {
            self.undelivered(*message, why());
        }
        for message in left.system.into_iter().chain(left.messages) {
            self.undelivered(message, why());
        }
        for message in left.waiting.into_iter().map(|waiting| waiting.message) {
            // Of what was only told, its sender hears below.
            if let Kind::Ask(reply_to) = message.kind {
                reply_to.end(Err(why()));
            }
        }
        for (_, reply_to) in waiters.map(|all| all.by_number).unwrap_or_default() {
            reply_to.end(Err(why()));
        }
        // And the one that may be in the making.
        self.shared.observer.left(self, incarnation);
        self.shared.observer.left(self, incarnation + 1);
        if let Some(tap) = self.tap() {
            tap.close();
        }
        self.shared.observer.stopped(self);
    }
}
