//! Turns of an actor: messages handled one after the other, and what becomes of each.

use super::{Cell, Inner, Phase, Ran, Turned, tell};
use crate::actor::behaviour::{Answer, Behaviour, Departure, Handled, Turn};
use crate::actor::exit::Exit;
use crate::actor::message::{Kind, Message, coarse_unix_nanoseconds};
use crate::actor::refusal::{HandlerRefusal, Refusal};
use crate::actor::schedule::Budget;
use airssys_core::mailbox::Pop;
use std::sync::{Arc, MutexGuard};

impl Cell {
    /// Runs its handler until the mailbox is empty or the budget used up. Does
    /// nothing unless the actor was queued.
    pub(in crate::actor) fn run(self: &Arc<Self>, budget: &mut Budget) -> Ran {
        let mut inner = self.inner();
        if inner.phase != Phase::Queued {
            return Ran::Done;
        }
        let Some(mut behaviour) = inner.behaviour.take() else {
            return Ran::Done;
        };
        inner.phase = Phase::Running;
        loop {
            if inner.stopping || inner.retiring || budget.is_used_up() {
                return self.rest(inner, behaviour);
            }
            let now = inner.now();
            let (message, expired) = match inner.mailbox.pop(now) {
                Pop::Empty => return self.rest(inner, behaviour),
                Pop::Message(message) => (message, false),
                Pop::Expired(message) => (message, true),
            };
            inner.expiring -= u32::from(message.expires());
            let admitted = inner.admit();
            drop(inner);
            tell(admitted);
            budget.spend();
            if expired {
                self.undelivered(message, Refusal::Expired(Arc::clone(&self.name)));
            } else if !message.is_given_up() {
                match self.turn(&mut *behaviour, message, budget.may_block()) {
                    Turned::Served => {}
                    Turned::Ended(exit, message) => {
                        let why = self.vacate(behaviour, exit);
                        self.undelivered(message, why);
                        return Ran::Done;
                    }
                    Turned::Left(departure, message) => {
                        self.leave(behaviour, departure, message);
                        return Ran::Done;
                    }
                }
            }
            inner = self.inner();
        }
    }

    /// Handles a message that never was in the mailbox.
    #[inline]
    pub(super) fn handle_now(
        self: &Arc<Self>,
        mut behaviour: Box<dyn Behaviour>,
        mut message: Message,
        may_block: bool,
    ) {
        message.accepted_unix_ns = coarse_unix_nanoseconds();
        match self.turn(&mut *behaviour, message, may_block) {
            Turned::Served => self.go_on(behaviour),
            Turned::Ended(exit, message) => {
                let why = self.vacate(behaviour, exit);
                self.undelivered(message, why);
            }
            Turned::Left(departure, message) => self.leave(behaviour, departure, message),
        }
    }

    /// One message, handled.
    #[inline]
    pub(super) fn turn(
        self: &Arc<Self>,
        behaviour: &mut dyn Behaviour,
        mut message: Message,
        may_block: bool,
    ) -> Turned {
        let turn = Turn {
            cell: self,
            may_block,
            asked: matches!(message.kind, Kind::Ask(_)),
        };
        let handled = if let Kind::Job(_) = message.kind {
            match std::mem::replace(&mut message.kind, Kind::Tell) {
                Kind::Job(job) => job(turn, behaviour),
                _ => Handled::Served(Answer::NONE),
            }
        } else {
            behaviour.handle(turn, &message)
        };
        match handled {
            Handled::Ended(exit) => Turned::Ended(exit, message),
            Handled::Away(departure) => Turned::Left(departure, message),
            handled => {
                self.settle(message, handled);
                Turned::Served
            }
        }
    }

    /// Gives whoever asked what came of it.
    #[inline]
    pub(super) fn settle(self: &Arc<Self>, mut message: Message, handled: Handled) {
        let kind = std::mem::replace(&mut message.kind, Kind::Tell);
        match (kind, handled) {
            (Kind::Ask(reply_to), Handled::Served(answer)) => {
                reply_to.end(self.reply(answer, message.codec));
            }
            (Kind::Ask(reply_to), Handled::Deferred(deferral)) => deferral.accept(reply_to),
            (Kind::Ask(reply_to), Handled::Refused(why)) => {
                reply_to.end(Err(self.handler_refused(why)));
            }
            (kind, Handled::Refused(why)) => {
                message.kind = kind;
                self.undelivered(message, self.handler_refused(why));
            }
            (
                _,
                Handled::Served(_) | Handled::Deferred(_) | Handled::Ended(_) | Handled::Away(_),
            ) => {}
        }
    }

    pub(super) fn handler_refused(&self, why: HandlerRefusal) -> Refusal {
        Refusal::Refused {
            actor: Arc::clone(&self.name),
            why,
        }
    }

    /// Ends a run: the handler goes back, and the actor on if it has more to do.
    #[inline]
    pub(super) fn rest(
        self: &Arc<Self>,
        mut inner: MutexGuard<'_, Inner>,
        behaviour: Box<dyn Behaviour>,
    ) -> Ran {
        inner.behaviour = Some(behaviour);
        if inner.stopping {
            self.finish(inner);
            return Ran::Done;
        }
        if inner.retiring {
            self.empty(inner);
            return Ran::Done;
        }
        if inner.mailbox.is_empty() {
            inner.phase = Phase::Idle;
            return Ran::Done;
        }
        inner.phase = Phase::Queued;
        Ran::More
    }

    /// Ends a run whose handler goes on elsewhere.
    pub(super) fn leave(
        self: &Arc<Self>,
        behaviour: Box<dyn Behaviour>,
        departure: Departure,
        message: Message,
    ) {
        let mut inner = self.inner();
        inner.behaviour = Some(behaviour);
        inner.away = Some(Box::new(message));
        inner.phase = Phase::Away;
        drop(inner);
        departure(Arc::clone(self));
    }

    /// The handler that was away has come to an end.
    pub fn resume(self: &Arc<Self>, handled: Handled) {
        if self.come_back(handled) {
            self.shared.scheduler.schedule(Arc::clone(self));
        }
    }

    /// The same; what the actor has to do next begins on this thread.
    pub fn resume_here(self: &Arc<Self>, handled: Handled, may_block: bool) {
        if self.come_back(handled) {
            self.shared.scheduler.run_here(Arc::clone(self), may_block);
        }
    }

    /// Says whether the actor became runnable.
    fn come_back(self: &Arc<Self>, handled: Handled) -> bool {
        let mut inner = self.inner();
        if inner.phase != Phase::Away {
            return false;
        }
        let Some(message) = inner.away.take().map(|message| *message) else {
            return false;
        };
        match handled {
            Handled::Ended(exit) => {
                let behaviour = inner.behaviour.take();
                drop(inner);
                let why = self.vacate(behaviour, exit);
                self.undelivered(message, why);
                false
            }
            Handled::Away(departure) => {
                inner.away = Some(Box::new(message));
                drop(inner);
                departure(Arc::clone(self));
                false
            }
            handled => {
                inner.phase = Phase::Idle;
                let goes = inner.stopping || inner.retiring;
                let woken = !goes && inner.wake_if_any();
                if inner.stopping {
                    self.finish(inner);
                } else if inner.retiring {
                    self.empty(inner);
                } else {
                    drop(inner);
                }
                self.settle(message, handled);
                woken
            }
        }
    }

    /// The instance has ended: the mailbox waits for another. Gives what its
    /// askers are told.
    pub(super) fn vacate(
        self: &Arc<Self>,
        behaviour: impl Into<Option<Box<dyn Behaviour>>>,
        exit: Exit,
    ) -> Refusal {
        let exit = Arc::new(exit);
        let mut inner = self.inner();
        inner.phase = Phase::Vacant;
        inner.interrupt = None;
        let incarnation = inner.incarnation;
        let wanted = inner.stopping || inner.retiring;
        if inner.stopping {
            self.finish(inner);
        } else {
            drop(inner);
        }
        drop(behaviour.into());
        self.shared.observer.left(self, incarnation);
        if !wanted {
            self.shared.observer.ended(self, incarnation, &exit);
        }
        Refusal::Failed {
            actor: Arc::clone(&self.name),
            exit,
        }
    }
}
