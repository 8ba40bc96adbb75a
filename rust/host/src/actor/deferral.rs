//! A request that its handler answers after it has returned.

use super::refusal::Refusal;
use super::reply::{Outcome, ReplyTo};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Joins the duty to answer, which the actor has until its handler returns, to the
/// answer, which may come before that or after. Dropped, it ends as cancelled.
#[derive(Debug, Default)]
pub struct Deferral(Mutex<State>);

#[derive(Debug, Default)]
enum State {
    /// Neither is here.
    #[default]
    Open,
    /// The answer came first.
    Answered(Outcome),
    /// The duty came first.
    Owed(ReplyTo),
    /// Both were.
    Settled,
}

impl Deferral {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over the duty.
    pub fn accept(&self, reply_to: ReplyTo) {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Settled) {
            State::Open => *state = State::Owed(reply_to),
            State::Answered(outcome) => {
                drop(state);
                reply_to.end(outcome);
            }
            // It was taken over before: the newcomer is given up, outside of the lock.
            settled @ (State::Owed(_) | State::Settled) => {
                *state = settled;
                drop(state);
                drop(reply_to);
            }
        }
    }

    /// Answers. Says whether that was the first answer, and in time.
    pub fn answer(&self, outcome: Outcome) -> bool {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Settled) {
            State::Open => {
                *state = State::Answered(outcome);
                true
            }
            State::Owed(reply_to) => {
                drop(state);
                reply_to.end(outcome)
            }
            answered @ (State::Answered(_) | State::Settled) => {
                *state = answered;
                false
            }
        }
    }

    /// Gives the request up, if it was not answered.
    pub fn give_up(&self) {
        self.answer(Err(Refusal::Cancelled));
    }
}

#[cfg(test)]
mod tests {
    use super::super::payload::Payload;
    use super::super::reply::{Pending, Reply};
    use super::*;
    use std::sync::Arc;

    fn reply() -> Reply {
        Reply {
            codec: 0x51,
            payload: Payload::copy(b"yes"),
            receipt: None,
        }
    }

    #[test]
    fn the_answer_may_come_before_the_duty_or_after() {
        for answer_first in [true, false] {
            let pending = Pending::new(Arc::default());
            let deferral = Deferral::default();
            let duty = ReplyTo::new(Arc::clone(&pending));
            if answer_first {
                assert!(deferral.answer(Ok(reply())));
                deferral.accept(duty);
            } else {
                deferral.accept(duty);
                assert!(deferral.answer(Ok(reply())));
            }
            assert!(!deferral.answer(Ok(reply())), "only once");
            assert!(pending.take().is_some_and(|outcome| outcome.is_ok()));
        }
    }

    #[test]
    fn whoever_lets_go_of_it_cancels() {
        let pending = Pending::new(Arc::default());
        let deferral = Deferral::default();
        deferral.accept(ReplyTo::new(Arc::clone(&pending)));
        drop(deferral);
        assert!(matches!(pending.take(), Some(Err(Refusal::Cancelled))));
    }

    #[test]
    fn an_answer_that_is_too_late_says_so() {
        let pending = Pending::new(Arc::default());
        let deferral = Deferral::default();
        deferral.accept(ReplyTo::new(Arc::clone(&pending)));
        pending.close();
        assert!(!deferral.answer(Ok(reply())));
    }
}
