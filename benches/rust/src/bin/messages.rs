//! `messages GUEST.wasm`: actors of the host, driven over standard input and output.
//!
//! One actor of plain Rust and one whose messages a component handles, both found by name for
//! each message. They count what they handle.

use airssys_bench::ours;
use airssys_bench_driver::{Contestant, Done, Result, serve};
use airssys_core::mailbox::{MailboxLimits, WhenFull};
use airssys_host::actor::{
    Answer, Behaviour, Cell, EMBEDDER, Guest, Handled, Kind, Message, Payload, Pending, Reply, Turn,
};
use airssys_host::broker::{Asked, Broker};
use airssys_host::{Component, Engine};
use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

const NATIVE: &str = "bench/native";
const GUEST: &str = "bench/guest";
const FRAGILE: &str = "bench/fragile";
/// Answered with the count, which it does not grow.
const COUNT: &[u8] = b"#";
const TRAP: &[u8] = b"!";
/// Bytes, without a form.
const RAW: u32 = 0x55;
/// Messages in a batch: as many as an actor handles in one turn.
const BATCH: u64 = 64;
const TIMEOUT: Duration = Duration::from_secs(5);

fn main() -> Result<()> {
    if ours::served_as_compile_worker()? {
        return Ok(());
    }
    let guest = std::env::args_os()
        .nth(1)
        .ok_or("usage: messages GUEST.wasm")?;
    serve(&mut Actors::new(&std::fs::read(guest)?)?)
}

/// An actor of plain Rust that answers with what it was sent.
struct Counter {
    handled: u64,
}

impl Behaviour for Counter {
    fn handle(&mut self, _turn: Turn<'_>, message: &Message) -> Handled {
        let payload = if &*message.payload == COUNT {
            Payload::copy(&self.handled.to_le_bytes())
        } else {
            self.handled += 1;
            message.payload.clone()
        };
        Handled::Served(Answer {
            payload,
            ..Answer::NONE
        })
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

/// The actors of one host.
struct Actors {
    broker: Arc<Broker>,
    component: Arc<Component>,
    _engine: Engine,
    /// Restarts of the fragile one.
    restarts: u64,
}

impl Actors {
    fn new(guest: &[u8]) -> Result<Actors> {
        let engine = ours::engine(None)?;
        let actors = Actors {
            broker: Broker::new(&engine, Box::new(|| {})),
            component: engine.load("guest", guest)?,
            _engine: engine,
            restarts: 0,
        };
        let native = actors.register(NATIVE)?;
        occupy(&native, Box::new(Counter { handled: 0 }))?;
        for name in [GUEST, FRAGILE] {
            let cell = actors.register(name)?;
            occupy(&cell, actors.instance()?)?;
        }
        Ok(actors)
    }

    fn register(&self, name: &str) -> Result<Arc<Cell>> {
        let limits = MailboxLimits::default();
        // Where a batch finds no room, it waits for some.
        let limits =
            MailboxLimits::new(limits.messages_max(), limits.bytes_max(), WhenFull::Block)?;
        Ok(self.broker.register(name.parse()?, limits)?)
    }

    fn instance(&self) -> Result<Box<dyn Behaviour>> {
        let instance = ours::instance(&self.component, false, ours::no_imports())?;
        Ok(Box::new(Guest::new(instance, None)?))
    }

    fn find(&self, name: &str) -> Result<Arc<Cell>> {
        Ok(self.broker.find(std::hint::black_box(name)).ok_or("gone")?)
    }

    /// One after the other.
    fn tell(&self, name: &str, times: u64) -> Result<Done> {
        for _ in 0..times {
            let cell = self.find(name)?;
            if let Some(room) = self.broker.send(&cell, message(), true)? {
                wait(room.pending())?;
            }
        }
        self.handle_all(name)?;
        Ok(Done::messages(times))
    }

    fn ask(&self, name: &str, times: u64) -> Result<Done> {
        for _ in 0..times {
            let cell = self.find(name)?;
            let reply = ended(self.broker.ask(&cell, message(), TIMEOUT, true))?;
            assert_eq!(reply.payload.len(), PAYLOAD.len());
        }
        Ok(Done::messages(times))
    }

    /// As an event loop asks, which nothing may hold up: on a stack that can be left.
    fn ask_aside(&self, times: u64) -> Result<Done> {
        for _ in 0..times {
            let cell = self.find(GUEST)?;
            ended(self.broker.ask(&cell, message(), TIMEOUT, false))?;
        }
        Ok(Done::messages(times))
    }

    /// Batches that are queued as a whole, and handled as a whole.
    fn flood(&self, name: &str, times: u64) -> Result<Done> {
        let batches = times.div_ceil(BATCH);
        for _ in 0..batches {
            let cell = self.find(name)?;
            let messages = (0..BATCH).map(|_| message()).collect();
            let sending = self.broker.send_many(&cell, messages, true)?;
            wait(sending.ended())?;
        }
        self.handle_all(name)?;
        Ok(Done::messages(batches * BATCH))
    }

    /// A trap, another instance in its place, and its first answer; the time from the trap
    /// on, or only from when it was told of.
    fn restart(&mut self, times: u64, with_the_trap: bool) -> Result<Done> {
        let cell = self.find(FRAGILE)?;
        let mut took = Duration::ZERO;
        for _ in 0..times {
            let trapped = Instant::now();
            let trap = Message::new(EMBEDDER, RAW, Payload::copy(TRAP), Kind::Tell);
            if ended(self.broker.ask(&cell, trap, TIMEOUT, true)).is_ok() {
                return Err("it answered instead of trapping".into());
            }
            let told = Instant::now();
            occupy(&cell, self.instance()?)?;
            ended(self.broker.ask(&cell, message(), TIMEOUT, true))?;
            took += if with_the_trap { trapped } else { told }.elapsed();
            self.broker.take_events();
        }
        self.restarts += times;
        if cell.incarnation() != self.restarts + 1 {
            return Err(format!("{} restarts gave {}", self.restarts, cell.incarnation()).into());
        }
        Ok(Done {
            operations: times,
            messages: 0,
            took: Some(took),
        })
    }

    /// Returns once all that was sent is handled: an actor that lost the core in the middle of
    /// its turn is a worker's from then on.
    fn handle_all(&self, name: &str) -> Result<()> {
        self.count(name).map(drop)
    }

    /// How many messages it has handled; a guest says so in 4 bytes.
    fn count(&self, name: &str) -> Result<u64> {
        let cell = self.find(name)?;
        let count = Message::new(EMBEDDER, RAW, Payload::copy(COUNT), Kind::Tell);
        let reply = ended(self.broker.ask(&cell, count, TIMEOUT, true))?;
        let mut bytes = [0; 8];
        bytes[..reply.payload.len()].copy_from_slice(&reply.payload);
        Ok(u64::from_le_bytes(bytes))
    }
}

impl Contestant for Actors {
    fn run(&mut self, operation: &str, times: u64) -> Result<Done> {
        match operation {
            "tell" => self.tell(NATIVE, times),
            "ask" => self.ask(NATIVE, times),
            "flood" => self.flood(NATIVE, times),
            "guest_tell" => self.tell(GUEST, times),
            "guest_ask" => self.ask(GUEST, times),
            "guest_flood" => self.flood(GUEST, times),
            "guest_ask_aside" => self.ask_aside(times),
            "restart" => self.restart(times, false),
            "trap_and_restart" => self.restart(times, true),
            _ => Err(format!("there is no {operation}").into()),
        }
    }

    fn handled(&mut self) -> Result<u64> {
        Ok(self.count(NATIVE)? + self.count(GUEST)?)
    }
}

const PAYLOAD: [u8; 32] = [7; 32];

fn message() -> Message {
    let payload = Payload::copy(&std::hint::black_box(PAYLOAD));
    Message::new(EMBEDDER, RAW, payload, Kind::Tell)
}

fn occupy(cell: &Arc<Cell>, behaviour: Box<dyn Behaviour>) -> Result<u64> {
    cell.occupy(behaviour)
        .map_err(|_| "the actor has an instance, or has stopped".into())
}

fn ended(asked: Asked) -> Result<Reply> {
    match asked {
        Asked::Ended(outcome) => Ok(outcome?),
        Asked::Waiting(waiting) => wait(waiting.pending()),
    }
}

fn wait(pending: &Pending) -> Result<Reply> {
    loop {
        if let Some(outcome) = pending.take_or_wake(&std::thread::current()) {
            return Ok(outcome?);
        }
        std::thread::park_timeout(TIMEOUT);
    }
}
