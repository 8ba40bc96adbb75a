//! actix: an actor with a bounded mailbox, by reference.

use crate::{Payload, payload};
use actix::{Actor, Addr, Context, Handler, MailboxError, Message, System, SystemRunner};
use airssys_bench_driver::{Contestant, Done, Result};

/// As many as an actor's mailbox holds by default.
const MESSAGES_MAX: u64 = 1000;

struct Counter {
    handled: u64,
}

impl Actor for Counter {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        context.set_mailbox_capacity(usize::try_from(MESSAGES_MAX).unwrap_or(usize::MAX));
    }
}

struct Tell(Payload);
struct Ask(Payload);
struct Count;

impl Message for Tell {
    type Result = ();
}

impl Message for Ask {
    type Result = std::result::Result<Payload, MailboxError>;
}

impl Message for Count {
    type Result = u64;
}

impl Handler<Tell> for Counter {
    type Result = ();

    fn handle(&mut self, message: Tell, _: &mut Context<Self>) {
        std::hint::black_box(message.0);
        self.handled += 1;
    }
}

impl Handler<Ask> for Counter {
    type Result = std::result::Result<Payload, MailboxError>;

    fn handle(&mut self, message: Ask, _: &mut Context<Self>) -> Self::Result {
        self.handled += 1;
        Ok(message.0)
    }
}

impl Handler<Count> for Counter {
    type Result = u64;

    fn handle(&mut self, _: Count, _: &mut Context<Self>) -> u64 {
        self.handled
    }
}

/// An actor of actix.
pub struct Actix {
    system: SystemRunner,
    actor: Addr<Counter>,
}

impl Actix {
    /// Starts it.
    pub fn new() -> Actix {
        let system = System::new();
        let actor = system.block_on(async { Counter { handled: 0 }.start() });
        Actix { system, actor }
    }
}

async fn tell(actor: &Addr<Counter>, times: u64) -> Result<()> {
    for sent in 1..=times {
        // Past its bound, as the quickest way is; the actor has its turn before it is reached.
        actor.do_send(Tell(payload()));
        if sent % MESSAGES_MAX == 0 {
            tokio::task::yield_now().await;
        }
    }
    actor.send(Count).await?;
    Ok(())
}

async fn ask(actor: &Addr<Counter>, times: u64) -> Result<()> {
    for _ in 0..times {
        std::hint::black_box(actor.send(Ask(payload())).await??);
    }
    Ok(())
}

impl Contestant for Actix {
    fn run(&mut self, operation: &str, times: u64) -> Result<Done> {
        match operation {
            "tell" => self.system.block_on(tell(&self.actor, times))?,
            "ask" => self.system.block_on(ask(&self.actor, times))?,
            _ => return Err(format!("actix has no {operation}").into()),
        }
        Ok(Done::messages(times))
    }

    fn handled(&mut self) -> Result<u64> {
        Ok(self.system.block_on(self.actor.send(Count))?)
    }
}
