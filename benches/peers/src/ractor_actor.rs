//! ractor: an actor, by reference; its mailbox has no bound.

use crate::{Payload, payload};
use airssys_bench_driver::{Contestant, Done, Result};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, call, cast};
use tokio::runtime::{Builder, Runtime};

/// Messages sent before the actor has its turn: as many as the bounded mailboxes hold.
const MESSAGES_MAX: u64 = 1000;

struct Counter;

enum Message {
    Tell(Payload),
    Ask(Payload, RpcReplyPort<Payload>),
    Count(RpcReplyPort<u64>),
}

impl Actor for Counter {
    type Msg = Message;
    type State = u64;
    type Arguments = ();

    async fn pre_start(
        &self,
        _: ActorRef<Message>,
        (): (),
    ) -> std::result::Result<u64, ActorProcessingErr> {
        Ok(0)
    }

    async fn handle(
        &self,
        _: ActorRef<Message>,
        message: Message,
        handled: &mut u64,
    ) -> std::result::Result<(), ActorProcessingErr> {
        match message {
            Message::Tell(payload) => {
                std::hint::black_box(payload);
                *handled += 1;
            }
            Message::Ask(payload, reply) => {
                *handled += 1;
                reply.send(payload)?;
            }
            Message::Count(reply) => reply.send(*handled)?,
        }
        Ok(())
    }
}

/// An actor of ractor.
pub struct Ractor {
    runtime: Runtime,
    actor: ActorRef<Message>,
}

impl Ractor {
    /// Starts it.
    pub fn new() -> Result<Ractor> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (actor, _) = runtime.block_on(Counter::spawn(None, Counter, ()))?;
        Ok(Ractor { runtime, actor })
    }
}

async fn count(actor: &ActorRef<Message>) -> Result<u64> {
    Ok(call!(actor, Message::Count)?)
}

async fn tell(actor: &ActorRef<Message>, times: u64) -> Result<()> {
    for sent in 1..=times {
        cast!(actor, Message::Tell(payload()))?;
        if sent % MESSAGES_MAX == 0 {
            tokio::task::yield_now().await;
        }
    }
    count(actor).await?;
    Ok(())
}

async fn ask(actor: &ActorRef<Message>, times: u64) -> Result<()> {
    for _ in 0..times {
        std::hint::black_box(call!(actor, Message::Ask, payload())?);
    }
    Ok(())
}

impl Contestant for Ractor {
    fn run(&mut self, operation: &str, times: u64) -> Result<Done> {
        match operation {
            "tell" => self.runtime.block_on(tell(&self.actor, times))?,
            "ask" => self.runtime.block_on(ask(&self.actor, times))?,
            _ => return Err(format!("ractor has no {operation}").into()),
        }
        Ok(Done::messages(times))
    }

    fn handled(&mut self) -> Result<u64> {
        self.runtime.block_on(count(&self.actor))
    }
}
