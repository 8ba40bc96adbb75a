//! kameo: an actor with a bounded mailbox, by reference.

use crate::{Payload, payload};
use airssys_bench_driver::{Contestant, Done, Result};
use kameo::Actor;
use kameo::actor::{ActorRef, Spawn};
use kameo::mailbox;
use kameo::message::{Context, Message};
use tokio::runtime::{Builder, Runtime};

/// As many as an actor's mailbox holds by default.
const MESSAGES_MAX: usize = 1000;

#[derive(Actor)]
struct Counter {
    handled: u64,
}

struct Tell(Payload);
struct Ask(Payload);
struct Count;

impl Message<Tell> for Counter {
    type Reply = ();

    async fn handle(&mut self, message: Tell, _: &mut Context<Self, ()>) {
        std::hint::black_box(message.0);
        self.handled += 1;
    }
}

impl Message<Ask> for Counter {
    type Reply = Payload;

    async fn handle(&mut self, message: Ask, _: &mut Context<Self, Payload>) -> Payload {
        self.handled += 1;
        message.0
    }
}

impl Message<Count> for Counter {
    type Reply = u64;

    async fn handle(&mut self, _: Count, _: &mut Context<Self, u64>) -> u64 {
        self.handled
    }
}

/// An actor of kameo.
pub struct Kameo {
    runtime: Runtime,
    actor: ActorRef<Counter>,
}

impl Kameo {
    /// Starts it.
    pub fn new() -> Result<Kameo> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let actor = runtime.block_on(async {
            Counter::spawn_with_mailbox(Counter { handled: 0 }, mailbox::bounded(MESSAGES_MAX))
        });
        Ok(Kameo { runtime, actor })
    }
}

async fn tell(actor: &ActorRef<Counter>, times: u64) -> Result<()> {
    for _ in 0..times {
        actor.tell(Tell(payload())).send().await?;
    }
    actor.ask(Count).send().await?;
    Ok(())
}

async fn ask(actor: &ActorRef<Counter>, times: u64) -> Result<()> {
    for _ in 0..times {
        std::hint::black_box(actor.ask(Ask(payload())).send().await?);
    }
    Ok(())
}

impl Contestant for Kameo {
    fn run(&mut self, operation: &str, times: u64) -> Result<Done> {
        match operation {
            "tell" => self.runtime.block_on(tell(&self.actor, times))?,
            "ask" => self.runtime.block_on(ask(&self.actor, times))?,
            _ => return Err(format!("kameo has no {operation}").into()),
        }
        Ok(Done::messages(times))
    }

    fn handled(&mut self) -> Result<u64> {
        Ok(self
            .runtime
            .block_on(async { self.actor.ask(Count).send().await })?)
    }
}
