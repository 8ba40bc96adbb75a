//! Requests to an actor with a route: retried where that may help, and cut off while
//! it keeps failing.
//!
//! An attempt is a request of its own. Whoever asked waits for another one, which ends
//! with the last attempt; giving that up gives up the attempt.

use super::{Asked, Broker, Waiting};
use crate::actor::{
    Cell, HandlerRefusal, Kind, Message, Outcome, Payload, Pending, Refusal, monotonic_nanoseconds,
};
use airssys_core::address::ComponentId;
use airssys_core::mailbox::Priority;
use airssys_core::trace::Trace;
use airssys_core::traffic::{Breaker, BreakerSettings, Permit, RetryPolicy};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How requests to one actor are made.
#[derive(Clone, Copy, Debug)]
pub struct RouteRules {
    /// When they are tried again.
    pub retry: Option<RetryPolicy>,
    /// When they are cut off.
    pub breaker: Option<BreakerSettings>,
    /// Whether handling one twice does no harm.
    pub idempotent: bool,
}

/// The same, at work.
pub struct Route {
    retry: Option<RetryPolicy>,
    breaker: Option<Mutex<Breaker>>,
    idempotent: bool,
    /// For random numbers.
    hasher: RandomState,
    draws: AtomicU64,
}

impl Route {
    /// A route whose breaker is closed.
    pub fn new(rules: RouteRules) -> Arc<Route> {
        Arc::new(Route {
            retry: rules.retry,
            breaker: rules
                .breaker
                .map(|settings| Mutex::new(Breaker::new(settings))),
            idempotent: rules.idempotent,
            hasher: RandomState::new(),
            draws: AtomicU64::new(0),
        })
    }

    fn breaker(&self) -> Option<MutexGuard<'_, Breaker>> {
        let breaker = self.breaker.as_ref()?;
        Some(breaker.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn admit(&self, actor: &Arc<str>) -> Result<Option<Permit>, Refusal> {
        let Some(mut breaker) = self.breaker() else {
            return Ok(None);
        };
        let admitted = breaker.admit(monotonic_nanoseconds());
        admitted.map(Some).map_err(|open| Refusal::CircuitOpen {
            actor: Arc::clone(actor),
            retry_after: Duration::from_nanos(open.retry_after_ns),
        })
    }

    fn note(&self, permit: Option<Permit>, outcome: &Outcome) {
        let (Some(mut breaker), Some(permit)) = (self.breaker(), permit) else {
            return;
        };
        match verdict(outcome) {
            Verdict::Served => breaker.succeeded(permit),
            Verdict::Failed => breaker.failed(permit, monotonic_nanoseconds()),
            Verdict::Untried => breaker.abandoned(permit),
        }
    }

    fn abandon(&self, permit: Option<Permit>) {
        if let (Some(mut breaker), Some(permit)) = (self.breaker(), permit) {
            breaker.abandoned(permit);
        }
    }

    /// How long to wait before the next attempt, if there is to be one.
    fn wait(&self, why: &Refusal, attempts: u32) -> Option<Duration> {
        let least = self.may_help(why)?;
        let draw = self.draws.fetch_add(1, Ordering::Relaxed);
        let wait_ns = self.retry?.wait_ns(attempts, self.hasher.hash_one(draw))?;
        Some(Duration::from_nanos(wait_ns).max(least))
    }

    /// Whether trying again may help, and after which time at the earliest. What may
    /// have been handled is only tried again if that does no harm.
    fn may_help(&self, why: &Refusal) -> Option<Duration> {
        match why {
            Refusal::Refused {
                why: HandlerRefusal::Busy(milliseconds),
                ..
            } => Some(Duration::from_millis((*milliseconds).into())),
            Refusal::MailboxFull { .. } | Refusal::Dropped(_) => Some(Duration::ZERO),
            Refusal::Failed { .. }
            | Refusal::Refused {
                why: HandlerRefusal::Failed(_),
                ..
            } => self.idempotent.then_some(Duration::ZERO),
            Refusal::NotFound(_)
            | Refusal::Stopped(_)
            | Refusal::TooLarge { .. }
            | Refusal::NeverFits { .. }
            | Refusal::Forked
            | Refusal::Malformed(_)
            | Refusal::CodecUnsupported { .. }
            | Refusal::CircuitOpen { .. }
            | Refusal::RateLimited(_)
            | Refusal::TimedOut { .. }
            | Refusal::Refused { .. }
            | Refusal::Cancelled
            | Refusal::Expired(_)
            | Refusal::Topic(_)
            | Refusal::Subscriptions(_)
            | Refusal::Closing => None,
        }
    }
}

/// The routes of one host, by the name of the actor they lead to.
#[derive(Default)]
pub(super) struct Routes(Mutex<HashMap<Arc<str>, Arc<Route>>>);

impl Routes {
    fn by_name(&self) -> MutexGuard<'_, HashMap<Arc<str>, Arc<Route>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a new actor the route that was made for its name.
    pub(super) fn apply(&self, cell: &Cell) {
        if let Some(route) = self.by_name().get(cell.name()) {
            cell.set_route(Some(Arc::clone(route)));
        }
    }
}

impl Broker {
    /// Has requests to the actor of a name made by these rules, or as usual again; also
    /// if it comes later. Guests that hold a member of a pool go by them too.
    pub fn set_route(&self, id: &ComponentId, rules: Option<RouteRules>) {
        let name: Arc<str> = id.written().into();
        let route = rules.map(Route::new);
        let mut by_name = self.routes.by_name();
        match &route {
            Some(route) => by_name.insert(Arc::clone(&name), Arc::clone(route)),
            None => by_name.remove(&name),
        };
        drop(by_name);
        if let Some(cell) = self.find(&name) {
            for member in cell.members() {
                member.set_route(route.clone());
            }
            cell.set_route(route);
        }
    }
}

/// What the end of an attempt says of the actor.
enum Verdict {
    /// It serves: it replied, or its handler refused this one message.
    Served,
    /// It could not serve, whoever asked.
    Failed,
    /// Nothing: no handler saw the message.
    Untried,
}

fn verdict(outcome: &Outcome) -> Verdict {
    let Err(why) = outcome else {
        return Verdict::Served;
    };
    match why {
        Refusal::Failed { .. }
        | Refusal::TimedOut { .. }
        | Refusal::MailboxFull { .. }
        | Refusal::Stopped(_)
        | Refusal::Refused {
            why: HandlerRefusal::Failed(_),
            ..
        } => Verdict::Failed,
        Refusal::Refused { .. } => Verdict::Served,
        Refusal::NotFound(_)
        | Refusal::TooLarge { .. }
        | Refusal::NeverFits { .. }
        | Refusal::Forked
        | Refusal::Malformed(_)
        | Refusal::CodecUnsupported { .. }
        | Refusal::CircuitOpen { .. }
        | Refusal::RateLimited(_)
        | Refusal::Cancelled
        | Refusal::Expired(_)
        | Refusal::Dropped(_)
        | Refusal::Topic(_)
        | Refusal::Subscriptions(_)
        | Refusal::Closing => Verdict::Untried,
    }
}

/// One request, through all its attempts.
pub(super) struct Attempts {
    broker: Arc<Broker>,
    route: Arc<Route>,
    cell: Arc<Cell>,
    sender: u64,
    codec: u32,
    priority: Priority,
    payload: Payload,
    trace: Option<Arc<Trace>>,
    /// All the time there is; an attempt has what is left of it.
    timeout: Duration,
    /// Nanoseconds of the monotonic clock.
    deadline: u64,
    asked: Arc<Pending>,
    begun: AtomicU32,
    /// The attempt that is out, or the wait for the next.
    current: Mutex<Option<(Waiting, Option<Permit>)>>,
}

impl Broker {
    /// Asks by a route.
    #[cold]
    pub(super) fn ask_by(
        self: &Arc<Self>,
        route: Arc<Route>,
        cell: &Arc<Cell>,
        message: &Message,
        timeout: Duration,
    ) -> Asked {
        let timeout_ns = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        let asked = Pending::new(Arc::clone(&self.orphans));
        let attempts = Arc::new(Attempts {
            broker: Arc::clone(self),
            route,
            cell: Arc::clone(cell),
            sender: message.sender,
            codec: message.codec,
            priority: message.priority,
            payload: message.payload.clone(),
            trace: message.trace.clone(),
            timeout,
            deadline: monotonic_nanoseconds().saturating_add(timeout_ns),
            asked: Arc::clone(&asked),
            begun: AtomicU32::new(0),
            current: Mutex::new(None),
        });
        attempts.begin(None, true);
        if let Some(outcome) = asked.take() {
            return Asked::Ended(outcome);
        }
        Asked::Waiting(Waiting {
            pending: asked,
            timer: None,
            broker: Arc::clone(self),
            attempts: Some(attempts),
        })
    }
}

impl Attempts {
    fn current(&self) -> MutexGuard<'_, Option<(Waiting, Option<Permit>)>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives up what is out.
    pub(super) fn give_up(&self) {
        let current = self.current().take();
        if let Some((waiting, permit)) = current {
            drop(waiting);
            self.route.abandon(permit);
        }
    }

    fn left(&self) -> Duration {
        Duration::from_nanos(self.deadline.saturating_sub(monotonic_nanoseconds()))
    }

    /// Tries once more; `before` is how the attempt before ended.
    fn begin(self: &Arc<Self>, before: Option<Outcome>, here: bool) {
        let permit = match self.route.admit(self.cell.name()) {
            Ok(permit) => permit,
            Err(cut) => {
                // How it failed says more than that it is cut off now.
                self.asked.end(before.unwrap_or(Err(cut)));
                return;
            }
        };
        self.begun.fetch_add(1, Ordering::Relaxed);
        let payload = self.payload.clone();
        let mut message = Message::new(self.sender, self.codec, payload, Kind::Tell);
        message.priority = self.priority;
        message.trace.clone_from(&self.trace);
        let asked = if here {
            self.broker
                .ask_once(&self.cell, message, self.left(), false)
        } else {
            // The thread of a timer is nobody's to hold up.
            self.broker.queue(&self.cell, message, self.left())
        };
        match asked {
            Asked::Ended(outcome) => self.ended(permit, outcome),
            Asked::Waiting(waiting) => {
                let attempts = Arc::clone(self);
                self.wait_for(waiting, permit, move |outcome| {
                    attempts.ended(permit, outcome);
                });
            }
        }
    }

    fn wait_for(
        &self,
        waiting: Waiting,
        permit: Option<Permit>,
        then: impl FnOnce(Outcome) + Send + 'static,
    ) {
        let pending = Arc::clone(waiting.pending());
        *self.current() = Some((waiting, permit));
        if !self.asked.is_open() {
            // Whoever asked went before there was anything to give up.
            return self.give_up();
        }
        pending.then(then);
    }

    fn ended(self: &Arc<Self>, permit: Option<Permit>, outcome: Outcome) {
        let current = self.current().take();
        drop(current);
        self.route.note(permit, &outcome);
        let attempts = self.begun.load(Ordering::Relaxed);
        let wait = match &outcome {
            Ok(_) => None,
            Err(why) => self.route.wait(why, attempts),
        };
        match wait {
            Some(wait) if wait < self.left() => self.begin_after(wait, outcome),
            _ => {
                self.asked.end(self.told(outcome));
            }
        }
    }

    /// The time that was asked for, not what of it was left for the last attempt.
    fn told(&self, outcome: Outcome) -> Outcome {
        match outcome {
            Err(Refusal::TimedOut { actor, .. }) => Err(Refusal::TimedOut {
                actor,
                after: self.timeout,
            }),
            other => other,
        }
    }

    fn begin_after(self: &Arc<Self>, wait: Duration, before: Outcome) {
        let pause = Pending::new(Arc::default());
        let waiting = Waiting {
            timer: self.broker.deadlines.set(&pause, self.cell.name(), wait),
            pending: pause,
            broker: Arc::clone(&self.broker),
            attempts: None,
        };
        let attempts = Arc::clone(self);
        self.wait_for(waiting, None, move |_| {
            attempts.begin(Some(before), false);
        });
    }
}
