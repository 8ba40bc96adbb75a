//! How an instance of an actor ends.

use crate::error::Error;
use crate::trap::{Failure, Family};
use std::fmt;

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
            Exit::Broken(why) => formatter.write_str(why),
        }
    }
}
