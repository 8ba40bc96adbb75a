//! What an incarnation is told when it starts and stops.

use serde::Deserialize;

use super::bindings::exports::airssys::core::lifecycle as wit;
use super::codec::{CBOR, JSON, from_bytes};
use super::errors::StartError;
use super::messaging::Address;

/// What a new incarnation knows.
#[derive(Clone, Debug)]
pub struct Start {
    /// The actor's address.
    pub address: Address,
    /// Which incarnation this is; grows with each restart and each change of version.
    pub incarnation: u64,
    /// Why it starts.
    pub reason: Reason,
    /// What the host lets it use.
    pub limits: Limits,
    /// The environment variables that were granted, sorted by name.
    pub environment: Vec<(String, String)>,
    settings: Option<(u32, Vec<u8>)>,
}

/// Why an incarnation starts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reason {
    /// For the first time, or after a clean stop.
    First,
    /// The supervisor restarts it.
    Restarted(Restart),
    /// It takes over from another version, this one.
    Updated(String),
}

/// What became of the incarnation before.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Restart {
    /// How it ended.
    pub failure: Failure,
    /// The same for people: the trap, and the function that was running.
    pub detail: String,
    /// Which restart of the current window this is, from 1.
    pub attempt: u32,
    /// How many the window allows before the supervisor gives up.
    pub attempts_max: u32,
}

/// How an incarnation ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Failure {
    /// By a trap: a panic is one.
    Trapped,
    /// A call ran past its time.
    TimedOut,
    /// A call used up its fuel.
    OutOfFuel,
    /// It wanted more memory than it may have.
    OutOfMemory,
    /// Its start failed.
    StartFailed,
    /// It was found unhealthy.
    Unhealthy,
    /// A sibling failed, and they are restarted together.
    SiblingFailed,
}

/// What the host lets one incarnation use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Bytes over all memories and tables.
    pub memory_bytes_max: u64,
    /// Milliseconds of one call, waiting included.
    pub call_milliseconds_max: u32,
    /// Fuel of one call; none if it is not metered.
    pub fuel_max: Option<u64>,
}

/// Why an incarnation stops.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StopReason {
    /// Somebody stopped the actor.
    Stopped,
    /// Another version takes over.
    Updated,
    /// The supervisor restarts it.
    Restarted,
    /// The host is closing.
    HostClosing,
}

/// How an actor says it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Health {
    /// Serves as it should.
    Healthy,
    /// Serves, but slower or with less.
    Degraded,
    /// Cannot serve; the supervisor may restart it.
    Unhealthy,
    /// Cannot tell yet.
    Unknown,
}

impl Start {
    /// Whether the embedder gave settings.
    pub fn has_settings(&self) -> bool {
        self.settings.is_some()
    }

    /// Reads the settings that the embedder gave, in CBOR or JSON.
    ///
    /// # Errors
    ///
    /// [`StartError::ConfigurationInvalid`] if there are none, or they are not a `T`.
    pub fn settings<'de, T: Deserialize<'de>>(&'de self) -> Result<T, StartError> {
        let invalid = StartError::ConfigurationInvalid;
        let Some((codec, payload)) = &self.settings else {
            return Err(invalid("settings: there are none".to_owned()));
        };
        match from_bytes(*codec, payload) {
            Some(read) => read.map_err(|why| invalid(format!("settings: {why}"))),
            None => Err(invalid(format!(
                "settings: codec {codec:#x}; {CBOR:#x} and {JSON:#x} are read"
            ))),
        }
    }

    /// The settings as they came; none if there are none.
    pub fn settings_bytes(&self) -> Option<&[u8]> {
        self.settings.as_ref().map(|(_, payload)| &payload[..])
    }
}

impl From<wit::ComponentConfig> for Start {
    fn from(config: wit::ComponentConfig) -> Self {
        Self {
            address: config.id.into(),
            incarnation: config.incarnation,
            reason: config.reason.into(),
            limits: Limits {
                memory_bytes_max: config.limits.memory_bytes_max,
                call_milliseconds_max: config.limits.call_milliseconds_max,
                fuel_max: config.limits.fuel_max,
            },
            environment: config.environment,
            settings: config.settings.map(|given| (given.codec, given.payload)),
        }
    }
}

impl From<wit::StartReason> for Reason {
    fn from(reason: wit::StartReason) -> Self {
        match reason {
            wit::StartReason::First => Self::First,
            wit::StartReason::Updated(version) => Self::Updated(version),
            wit::StartReason::Restarted(restart) => Self::Restarted(Restart {
                failure: restart.failure.into(),
                detail: restart.detail,
                attempt: restart.attempt,
                attempts_max: restart.attempts_max,
            }),
        }
    }
}

impl From<wit::FailureKind> for Failure {
    fn from(kind: wit::FailureKind) -> Self {
        match kind {
            wit::FailureKind::Trapped => Self::Trapped,
            wit::FailureKind::TimedOut => Self::TimedOut,
            wit::FailureKind::OutOfFuel => Self::OutOfFuel,
            wit::FailureKind::OutOfMemory => Self::OutOfMemory,
            wit::FailureKind::InitializationFailed => Self::StartFailed,
            wit::FailureKind::Unhealthy => Self::Unhealthy,
            wit::FailureKind::SiblingFailed => Self::SiblingFailed,
        }
    }
}

impl From<wit::ShutdownReason> for StopReason {
    fn from(reason: wit::ShutdownReason) -> Self {
        match reason {
            wit::ShutdownReason::Stopped => Self::Stopped,
            wit::ShutdownReason::Updated => Self::Updated,
            wit::ShutdownReason::Restarted => Self::Restarted,
            wit::ShutdownReason::HostClosing => Self::HostClosing,
        }
    }
}

impl From<Health> for wit::HealthStatus {
    fn from(health: Health) -> Self {
        match health {
            Health::Healthy => Self::Healthy,
            Health::Degraded => Self::Degraded,
            Health::Unhealthy => Self::Unhealthy,
            Health::Unknown => Self::Unknown,
        }
    }
}
