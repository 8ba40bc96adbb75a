//! The native half of `aw.Host`: actors by name, and what happens to them.

use super::actor::Actor;
use super::body;
use super::home;
use super::letter::DeadLetter;
use super::messages::Messages;
use super::named;
use super::pattern;
use super::traffic;
use crate::codec::Borsh;
use crate::error::{Error, Result};
use crate::runtime::{Engine, exit, gil};
use airssys_core::address::ComponentId;
use airssys_core::mailbox::{MailboxLimits, WhenFull};
use airssys_host as host;
use airssys_host::actor::Refusal;
use airssys_host::actor::Routing;
use airssys_host::broker::{BROADCAST_MAX, Event};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::sync::Arc;

/// The actors of one host.
#[pyclass(frozen, module = "airssys_wasm._native.broker", name = "Broker")]
pub struct Broker {
    host: Arc<host::broker::Broker>,
}

/// Name of the event, actor, incarnation or letter, kind, detail.
type Told = (&'static str, String, u64, String, String);

#[expect(
    clippy::too_many_arguments,
    reason = "options by name, which Python passes one by one"
)]
#[pymethods]
impl Broker {
    #[new]
    fn new(engine: &Engine, wake: Py<PyAny>) -> Broker {
        let wake = move || {
            // A handler that ran on this thread may have given the GIL up.
            gil::resume();
            // Once the interpreter ends, nobody reads events any more.
            let _ = exit::attach_aside(|py| {
                if let Err(error) = wake.call0(py) {
                    error.write_unraisable(py, None);
                }
            });
        };
        Broker {
            host: host::broker::Broker::new(engine.host(), Box::new(wake)),
        }
    }

    #[pyo3(signature = (name, *, messages_max, bytes_max, when_full, receive=vec![]))]
    fn register(
        &self,
        name: &str,
        messages_max: u32,
        bytes_max: usize,
        when_full: &str,
        receive: Vec<String>,
    ) -> Result<Actor> {
        let hears = pattern::addresses(&receive)?;
        let when_full = match when_full {
            "block" => WhenFull::Block,
            "reject" => WhenFull::Reject,
            "drop-newest" => WhenFull::DropNewest,
            "drop-oldest" => WhenFull::DropOldest,
            other => {
                return Err(PyValueError::new_err(format!(
                    "when_full: {other:?} is no policy; \
                     hint: \"block\", \"reject\", \"drop-newest\" or \"drop-oldest\""
                ))
                .into());
            }
        };
        let id =
            ComponentId::parse(name).map_err(|error| PyValueError::new_err(error.to_string()))?;
        let limits = MailboxLimits::new(messages_max, bytes_max, when_full)
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        let cell = self
            .host
            .register(id, limits)
            .map_err(Error::Unregistered)?;
        cell.set_hears(hears.into());
        Ok(Actor::new(cell, Arc::clone(&self.host)))
    }

    /// A name that stands for several actors.
    #[pyo3(signature = (name, members, routing, *, receive=vec![]))]
    fn register_pool(
        &self,
        name: &str,
        members: Vec<PyRef<'_, Actor>>,
        routing: &str,
        receive: Vec<String>,
    ) -> Result<Actor> {
        let hears = pattern::addresses(&receive)?;
        let routing = match routing {
            "round-robin" => Routing::RoundRobin,
            "random" => Routing::Random,
            "least-loaded" => Routing::LeastLoaded,
            "sticky" => Routing::Sticky,
            other => {
                return Err(PyValueError::new_err(format!(
                    "routing: {other:?} is none; \
                     hint: \"round-robin\", \"random\", \"least-loaded\" or \"sticky\""
                ))
                .into());
            }
        };
        let id =
            ComponentId::parse(name).map_err(|error| PyValueError::new_err(error.to_string()))?;
        let members = members.iter().map(|member| Arc::clone(member.cell()));
        let front = self.host.register_pool(id, members.collect(), routing);
        let front = front.map_err(Error::Unregistered)?;
        front.set_hears(hears.into());
        Ok(Actor::new(front, Arc::clone(&self.host)))
    }

    /// How requests to the actor of a name are made; figures as `traffic` takes them.
    #[pyo3(signature = (name, *, retry=None, breaker=None, idempotent=false))]
    fn set_route(
        &self,
        #[pyo3(from_py_with = named::address)] name: &str,
        retry: Option<(u32, f64, f64, f64, f64)>,
        breaker: Option<(u32, f64, f64, u32)>,
        idempotent: bool,
    ) -> Result<()> {
        let id =
            ComponentId::parse(name).map_err(|error| PyValueError::new_err(error.to_string()))?;
        let rules = traffic::rules(retry, breaker, idempotent)?;
        self.host.set_route(&id, rules);
        Ok(())
    }

    fn find(&self, name: &str) -> Option<Actor> {
        let cell = self.host.find(name)?;
        Some(Actor::new(cell, Arc::clone(&self.host)))
    }

    #[getter]
    fn names(&self) -> Vec<String> {
        let actors = self.host.actors();
        actors.iter().map(|cell| cell.name().to_string()).collect()
    }

    #[getter]
    fn orphans(&self) -> u64 {
        self.host.orphans()
    }

    /// Fails in a process that was forked since the host was made.
    fn refuse_forked(&self) -> Result<()> {
        self.host.refuse_forked().map_err(Error::Refusal)
    }

    /// Says that this thread runs the loop of a host, and nothing else until its end.
    #[staticmethod]
    fn make_home() {
        home::make();
    }

    /// Fails on a thread that does.
    #[staticmethod]
    fn refuse_home() -> Result<()> {
        home::refuse()
    }

    #[getter]
    fn requests_open(&self) -> usize {
        self.host.requests_open()
    }

    #[getter]
    fn denials(&self) -> u64 {
        self.host.denials()
    }

    fn take_events(&self) -> Vec<Told> {
        self.host.take_events().into_iter().map(told).collect()
    }

    #[pyo3(signature = (topic, value, *, codec="cbor", schema=None, trace=None, may_block=false))]
    fn publish(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = named::topic)] topic: &str,
        value: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = named::codec)] codec: &str,
        #[pyo3(from_py_with = named::schema)] schema: Option<&Bound<'_, Borsh>>,
        #[pyo3(from_py_with = named::trace)] trace: Option<&str>,
        may_block: bool,
    ) -> Result<usize> {
        let message = body::message(value, codec, schema, trace)?;
        let publish = || self.host.publish(&message, topic, may_block);
        Actor::here(py, publish)?.map_err(Error::Refusal)
    }

    #[pyo3(signature = (pattern, *, messages_max, bytes_max, when_full))]
    fn subscribe(
        &self,
        #[pyo3(from_py_with = named::topic_pattern)] pattern: &str,
        messages_max: usize,
        bytes_max: usize,
        #[pyo3(from_py_with = named::overflow)] when_full: &str,
    ) -> Result<Messages> {
        Messages::new(&self.host, pattern, messages_max, bytes_max, when_full)
    }

    /// Sends one message to many; gives those that did not get it, with why.
    #[pyo3(signature = (names, value, *, codec="cbor", schema=None, trace=None, may_block=false))]
    fn broadcast(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = named::addresses)] names: Vec<String>,
        value: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = named::codec)] codec: &str,
        #[pyo3(from_py_with = named::schema)] schema: Option<&Bound<'_, Borsh>>,
        #[pyo3(from_py_with = named::trace)] trace: Option<&str>,
        may_block: bool,
    ) -> Result<Vec<(String, PyErr)>> {
        if names.len() > BROADCAST_MAX {
            let why = format!(
                "{} receivers are too many; hint: at most {BROADCAST_MAX}, or publish",
                names.len()
            );
            return Err(named::mismatch("names", &why).into());
        }
        let message = body::message(value, codec, schema, trace)?;
        let find = |name: &String| {
            let missing = || Refusal::NotFound(name.as_str().into());
            self.host.find(name).ok_or_else(missing)
        };
        let receivers: Vec<_> = names.iter().map(find).collect();
        let failed = Actor::here(py, || self.host.broadcast(&message, &receivers, may_block))?;
        let told = |(place, why): (usize, Refusal)| {
            let name = names.get(place).cloned().unwrap_or_default();
            (name, PyErr::from(Error::Refusal(why)))
        };
        Ok(failed.into_iter().map(told).collect())
    }

    #[getter]
    fn dead_letters(&self) -> Vec<DeadLetter> {
        let letters = self.host.dead_letters();
        letters.into_iter().map(DeadLetter::new).collect()
    }

    fn dead_letter(&self, number: u64) -> Option<DeadLetter> {
        self.host.dead_letter(number).map(DeadLetter::new)
    }

    #[getter]
    fn dead_letter_counters(&self) -> (usize, usize, u64, u64, u64) {
        let counters = self.host.letter_counters();
        (
            counters.letters,
            counters.bytes,
            counters.posted,
            counters.dropped,
            counters.taken,
        )
    }

    /// Sends it once more; says whether there was such a letter.
    #[pyo3(signature = (number, *, may_block=false))]
    fn replay(&self, py: Python<'_>, number: u64, may_block: bool) -> Result<bool> {
        let replayed = Actor::here(py, || self.host.replay(number, may_block))?;
        replayed.map_or(Ok(false), |sent| {
            sent.map(|()| true).map_err(Error::Refusal)
        })
    }

    fn discard(&self, number: u64) -> bool {
        self.host.discard(number)
    }

    fn discard_all(&self) -> usize {
        self.host.discard_all()
    }

    fn close(&self, py: Python<'_>) -> Result<()> {
        exit::detached(py, || self.host.close())
    }
}

fn told(event: Event) -> Told {
    match event {
        Event::Ended {
            actor,
            incarnation,
            exit,
        } => (
            "ended",
            actor.to_string(),
            incarnation,
            exit.kind().to_owned(),
            exit.to_string(),
        ),
        Event::Stopped { actor } => (
            "stopped",
            actor.to_string(),
            0,
            String::new(),
            String::new(),
        ),
        Event::DeadLetter { actor, letter, why } => (
            "dead-letter",
            actor.to_string(),
            letter.unwrap_or(0),
            why.reason().as_str().to_owned(),
            why.to_string(),
        ),
        Event::Denied { actor, denied } => (
            "denied",
            actor.to_string(),
            u64::from(denied.by_receiver),
            denied.action.to_owned(),
            denied.resource,
        ),
        Event::LettersMissed(letters) => (
            "letters-missed",
            String::new(),
            letters,
            String::new(),
            String::new(),
        ),
    }
}
