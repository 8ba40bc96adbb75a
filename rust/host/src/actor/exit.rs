//! How an instance of an actor ends.

use crate::error::Error;
use crate::trap::{Failure, Family};
use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Why an instance ended.
#[derive(Debug)]
pub enum Exit {
    /// Somebody stopped it.
    Stopped,
    /// The instance failed in a call.
    Failed(Box<Failure>),
    /// `initialize` refused.
    InitializationFailed(String),
    /// It was interrupted where it waited.
    Interrupted,
    /// A handler of the embedder raised.
    Raised(Raised),
    /// A handler of the embedder ran past what it may.
    RanPast(Duration),
    /// It failed in some other way: the machine, a handler of the embedder.
    Broken(String),
}

impl Exit {
    /// The exit that an error of a call means.
    pub fn of(error: Error) -> Exit {
        match error {
            Error::Failed(failure) => Exit::Failed(failure),
            other => Exit::Broken(other.to_string()),
        }
    }

    /// `failure-kind` of the interface, or `stopped`.
    pub fn kind(&self) -> &'static str {
        match self {
            Exit::Stopped => "stopped",
            Exit::Failed(failure) => match failure.family {
                Family::Trapped => "trapped",
                Family::Timeout => "timed-out",
                Family::Fuel => "out-of-fuel",
                Family::Memory => "out-of-memory",
            },
            Exit::InitializationFailed(_) => "initialization-failed",
            Exit::Raised(_) => "exception",
            Exit::RanPast(_) => "timed-out",
            Exit::Interrupted | Exit::Broken(_) => "trapped",
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exit::Stopped => formatter.write_str("it was stopped"),
            Exit::Failed(failure) => {
                write!(formatter, "{} in {}", failure.kind, failure.export)
            }
            Exit::InitializationFailed(why) => write!(formatter, "initialize refused: {why}"),
            Exit::Interrupted => formatter.write_str("it was interrupted"),
            Exit::Raised(raised) => formatter.write_str(&raised.text),
            Exit::RanPast(most) => {
                write!(formatter, "the handler ran past {} s", most.as_secs_f64())
            }
            Exit::Broken(why) => formatter.write_str(why),
        }
    }
}

/// What a handler of the embedder raised.
pub struct Raised {
    /// For people.
    pub text: String,
    /// The exception, for whoever knows what it is.
    pub cause: Arc<dyn Any + Send + Sync>,
}

impl fmt::Debug for Raised {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Raised({:?})", self.text)
    }
}
