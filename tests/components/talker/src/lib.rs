//! An actor that does what its messages say: each function of
//! `airssys:core/messaging` is a command in plain words.

mod commands;

use std::cell::RefCell;

wit_bindgen::generate!({
    path: "../../../wit/core",
    world: "component",
    generate_all,
});

use airssys::core::messaging::{self, DeferredReply};
use airssys::core::types::{Encoded, HealthStatus};
use exports::airssys::core::lifecycle::{
    ComponentConfig, ComponentError, ComponentMetadata, ExecutionError, Guest, MessageError,
    MessagingError, ShutdownReason,
};

/// Multicodec number of bytes that only the parties can read.
const RAW: u32 = 0x55;

/// Replies that are longer are not noted word by word.
const LONG: usize = 1000;

#[derive(Default)]
struct State {
    notes: Vec<String>,
    kept: Vec<DeferredReply>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

fn note(text: String) {
    STATE.with_borrow_mut(|state| state.notes.push(text));
}

struct Talker;

impl Guest for Talker {
    fn initialize(config: ComponentConfig) -> Result<(), ComponentError> {
        note(format!("{:?}", config.reason));
        let settings = config.settings.map(|settings| settings.payload);
        let settings = String::from_utf8(settings.unwrap_or_default()).unwrap_or_default();
        for pattern in settings.split_whitespace() {
            messaging::subscribe(pattern)
                .map_err(|error| ComponentError::ConfigurationInvalid(format!("{error:?}")))?;
        }
        Ok(())
    }

    fn execute(operation: String, _: u32, _: Vec<u8>) -> Result<Vec<u8>, ExecutionError> {
        Err(ExecutionError::UnknownOperation(operation))
    }

    fn handle_message(sender: u64, codec: u32, payload: Vec<u8>) -> Result<Vec<u8>, MessageError> {
        let text = String::from_utf8(payload)
            .map_err(|error| MessageError::Malformed(error.to_string()))?;
        commands::run(sender, codec, &text)
    }

    fn handle_callback(
        request: u64,
        outcome: Result<Encoded, MessagingError>,
    ) -> Result<(), ComponentError> {
        note(match outcome {
            Ok(reply) if reply.payload.starts_with(b"do ") => {
                let command = String::from_utf8_lossy(&reply.payload[3..]).into_owned();
                format!("{request}={:?}", commands::run(0, RAW, &command))
            }
            Ok(reply) if reply.payload.len() > LONG => format!("{request}=long"),
            Ok(reply) => format!("{request}={}", String::from_utf8_lossy(&reply.payload)),
            Err(MessagingError::Refused(MessageError::Refused(why))) if why == "fail" => {
                return Err(ComponentError::Internal("as it was told".to_owned()));
            }
            Err(error) => format!("{request}={error:?}"),
        });
        Ok(())
    }

    fn metadata() -> ComponentMetadata {
        ComponentMetadata {
            name: "talker".to_owned(),
            version: "1.0.0".to_owned(),
            description: "Does what its messages say.".to_owned(),
            authors: Vec::new(),
            license: "Apache-2.0".to_owned(),
            operations: Vec::new(),
            codecs: vec![RAW],
            stateful: false,
            memory: None,
        }
    }

    fn health() -> HealthStatus {
        HealthStatus::Healthy
    }

    fn shutdown(_: ShutdownReason) -> Result<(), ComponentError> {
        Ok(())
    }
}

export!(Talker);
