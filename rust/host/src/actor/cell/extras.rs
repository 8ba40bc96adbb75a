//! What few actors have: members to route to, codecs they declared, a route for requests
//! to them, a limit for what they send, somebody who is told of what they are handed.
//!
//! A message looks here with one load, and most find nothing.

use super::Cell;
use crate::actor::message::monotonic_nanoseconds;
use crate::actor::refusal::Refusal;
use crate::broker::{Feed, Published, Route};
use airssys_core::multicodec::{self, Code, Problem, Route as Way};
use airssys_core::routing::{Pick, Pool};
use airssys_core::traffic::{RateLimit, TokenBucket};
use arc_swap::ArcSwapOption;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// What few actors have.
#[derive(Default)]
pub(super) struct Extras {
    members: OnceLock<Members>,
    codecs: OnceLock<Box<[Code]>>,
    route: ArcSwapOption<Route>,
    sending: OnceLock<(RateLimit, Mutex<TokenBucket>)>,
    tap: OnceLock<Arc<Feed<Published>>>,
}

/// How one of several members is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Routing {
    /// Each in turn.
    RoundRobin,
    /// Any.
    Random,
    /// The one with the fewest messages.
    LeastLoaded,
    /// The same one for the same key; without a key, for the same sender.
    Sticky,
}

/// The members behind one name.
struct Members {
    pool: Pool<Arc<Cell>>,
    routing: Routing,
    /// For random numbers.
    hasher: RandomState,
    picks: AtomicU64,
}

impl Members {
    fn pick(&self, sender: u64, key: Option<&[u8]>) -> Option<&Arc<Cell>> {
        let sender = sender.to_le_bytes();
        let sticky = Pick::Sticky(key.unwrap_or(&sender));
        let how = match self.routing {
            Routing::RoundRobin => Pick::RoundRobin,
            Routing::Random => self.any(),
            Routing::LeastLoaded => Pick::LeastLoaded,
            Routing::Sticky => sticky,
        };
        self.pool.pick(how, |member| member.load()).or_else(|| {
            // All are down: messages wait for those that come back. Not in turn: that
            // turn was taken above, and every other member would get none.
            let how = match self.routing {
                Routing::Sticky => sticky,
                _ => self.any(),
            };
            self.pool
                .pick(how, |member| (!member.is_over()).then_some(0))
        })
    }

    fn any(&self) -> Pick<'static> {
        let pick = self.picks.fetch_add(1, Ordering::Relaxed);
        Pick::Random(self.hasher.hash_one(pick))
    }
}

impl Cell {
    /// Has its messages go to one of `members` each. Once only.
    pub(crate) fn stand_for(&self, members: Vec<Arc<Cell>>, routing: Routing) {
        let names: Vec<_> = members.iter().map(|cell| Arc::clone(cell.name())).collect();
        let pool = Pool::new(names.iter().map(|name| &**name).zip(members));
        let members = Members {
            pool,
            routing,
            hasher: RandomState::new(),
            picks: AtomicU64::new(0),
        };
        let _ = self.extras().members.set(members);
    }

    /// Takes note of the codecs that its handler reads; the first to say so counts.
    pub fn declare(&self, codecs: impl IntoIterator<Item = u32>) {
        let codecs = codecs.into_iter().map(|code| Code(code.into()));
        let _ = self.extras().codecs.set(codecs.collect());
    }

    /// Has requests to it made by a route, or by none again.
    pub(crate) fn set_route(&self, route: Option<Arc<Route>>) {
        if route.is_some() || self.extras.get().is_some() {
            self.extras().route.store(route);
        }
    }

    /// How requests to it are made, if not as usual.
    #[inline]
    pub(crate) fn traffic(&self) -> Option<Arc<Route>> {
        let route = &self.extras.get()?.route;
        // Most have none: a look at the pointer tells so for less.
        if route.load().is_none() {
            return None;
        }
        route.load_full()
    }

    /// Whether it stands for others.
    #[inline]
    pub(crate) fn is_pool(&self) -> bool {
        let extras = self.extras.get();
        extras.is_some_and(|extras| extras.members.get().is_some())
    }

    /// Tells `feed` of what it is handed. Once only.
    pub(crate) fn set_tap(&self, feed: Arc<Feed<Published>>) {
        let _ = self.extras().tap.set(feed);
    }

    /// Who is told of what it is handed.
    pub(crate) fn tap(&self) -> Option<&Arc<Feed<Published>>> {
        self.extras.get()?.tap.get()
    }

    /// Limits what it sends. Once only.
    pub fn limit_sending(&self, limit: RateLimit) {
        let _ = self.extras().sending.set((limit, Mutex::default()));
    }

    /// Lets it send so many messages more, or none of them.
    ///
    /// # Errors
    ///
    /// [`Refusal::RateLimited`].
    #[inline]
    pub fn admit_sending(&self, messages: u32) -> Result<(), Refusal> {
        match self.extras.get().and_then(|extras| extras.sending.get()) {
            None => Ok(()),
            Some((limit, bucket)) => {
                let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
                let taken = bucket.take(messages, *limit, monotonic_nanoseconds());
                taken.map_err(|limited| {
                    Refusal::RateLimited(Duration::from_nanos(limited.retry_after_ns))
                })
            }
        }
    }

    /// Its members, if it stands for any.
    pub fn members(&self) -> Vec<Arc<Cell>> {
        let members = self.extras.get().and_then(|extras| extras.members.get());
        members.map_or_else(Vec::new, |members| {
            members.pool.members().cloned().collect()
        })
    }

    /// Who gets a message: a member where it stands for several, else itself.
    #[inline]
    pub fn route<'a>(self: &'a Arc<Self>, sender: u64, key: Option<&[u8]>) -> &'a Arc<Self> {
        match self.extras.get() {
            None => self,
            Some(extras) => self.route_by(extras, sender, key),
        }
    }

    #[cold]
    fn route_by<'a>(
        self: &'a Arc<Self>,
        extras: &'a Extras,
        sender: u64,
        key: Option<&[u8]>,
    ) -> &'a Arc<Self> {
        let Some(members) = extras.members.get() else {
            return self;
        };
        members.pick(sender, key).unwrap_or_else(|| {
            // Nobody is left, and nobody will come.
            self.stop();
            self
        })
    }

    /// The codec in which it takes a message of this one: the same, or another that
    /// the sender lets it be turned into.
    ///
    /// # Errors
    ///
    /// [`Refusal::CodecUnsupported`].
    #[inline]
    pub fn reads(&self, sent: u32, transcoding: bool) -> Result<Code, Refusal> {
        match self.extras.get() {
            None => Ok(Code(sent.into())),
            Some(extras) => self.negotiate(extras, Code(sent.into()), transcoding),
        }
    }

    #[cold]
    fn negotiate(&self, extras: &Extras, sent: Code, transcoding: bool) -> Result<Code, Refusal> {
        let Some(declared) = extras.codecs.get().filter(|codecs| !codecs.is_empty()) else {
            return Ok(sent);
        };
        match multicodec::negotiate(sent, declared, transcoding) {
            Ok(Way::AsIs) => Ok(sent),
            Ok(Way::Transcode(to)) => Ok(to),
            Err(error) => Err(Refusal::CodecUnsupported {
                actor: Arc::clone(&self.name),
                codecs: match &error.problem {
                    Problem::NotAccepted { would_work, .. } => would_work.clone(),
                    _ => Vec::new(),
                },
                why: error.to_string(),
            }),
        }
    }

    fn extras(&self) -> &Extras {
        self.extras.get_or_init(Box::default)
    }

    /// Messages that it has, or none if it has no instance to handle them.
    fn load(&self) -> Option<u64> {
        use super::Phase;
        let inner = self.inner();
        let busy = match inner.phase {
            _ if inner.stopping => return None,
            Phase::Vacant | Phase::Stopped => return None,
            // What it is queued for is in its mailbox, and counted there.
            Phase::Idle | Phase::Queued => false,
            Phase::Running | Phase::Away => true,
        };
        Some(u64::from(inner.mailbox.counters().messages) + u64::from(busy))
    }
}
