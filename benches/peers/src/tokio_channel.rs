//! tokio: a task behind an mpsc channel, replies through oneshot channels.

use crate::{Payload, payload};
use airssys_bench_driver::{Contestant, Done, Result};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};

/// As many as an actor's mailbox holds by default.
const MESSAGES_MAX: usize = 1000;

enum Message {
    Tell(Payload),
    Ask(Payload, oneshot::Sender<Payload>),
    Count(oneshot::Sender<u64>),
}

async fn actor(mut mailbox: mpsc::Receiver<Message>) {
    let mut handled = 0;
    while let Some(message) = mailbox.recv().await {
        match message {
            Message::Tell(payload) => {
                std::hint::black_box(payload);
                handled += 1;
            }
            Message::Ask(payload, reply) => {
                handled += 1;
                // Whoever asked waits, or the bench is over.
                let _ = reply.send(payload);
            }
            Message::Count(reply) => {
                let _ = reply.send(handled);
            }
        }
    }
}

/// A task with a channel.
pub struct Tokio {
    runtime: Runtime,
    mailbox: mpsc::Sender<Message>,
}

impl Tokio {
    /// Starts it.
    pub fn new() -> Result<Tokio> {
        let runtime = Builder::new_current_thread().build()?;
        let (mailbox, receiver) = mpsc::channel(MESSAGES_MAX);
        runtime.spawn(actor(receiver));
        Ok(Tokio { runtime, mailbox })
    }
}

async fn count(mailbox: &mpsc::Sender<Message>) -> Result<u64> {
    let (reply, answer) = oneshot::channel();
    mailbox.send(Message::Count(reply)).await?;
    Ok(answer.await?)
}

async fn tell(mailbox: &mpsc::Sender<Message>, times: u64) -> Result<()> {
    for _ in 0..times {
        mailbox.send(Message::Tell(payload())).await?;
    }
    count(mailbox).await?;
    Ok(())
}

async fn ask(mailbox: &mpsc::Sender<Message>, times: u64) -> Result<()> {
    for _ in 0..times {
        let (reply, answer) = oneshot::channel();
        mailbox.send(Message::Ask(payload(), reply)).await?;
        std::hint::black_box(answer.await?);
    }
    Ok(())
}

impl Contestant for Tokio {
    fn run(&mut self, operation: &str, times: u64) -> Result<Done> {
        match operation {
            "tell" => self.runtime.block_on(tell(&self.mailbox, times))?,
            "ask" => self.runtime.block_on(ask(&self.mailbox, times))?,
            _ => return Err(format!("tokio has no {operation}").into()),
        }
        Ok(Done::messages(times))
    }

    fn handled(&mut self) -> Result<u64> {
        self.runtime.block_on(count(&self.mailbox))
    }
}
