//! Calls what the embedder supplies: the component that measures imports.

use acme::importer::host;
use exports::acme::importer::api::{Guest, LookupError};

wit_bindgen::generate!({ world: "importer", path: "wit" });

struct Component;

impl Guest for Component {
    fn call_many(times: u32) -> i64 {
        (0..times)
            .map(|round| i64::from(host::add(round.cast_signed(), 1)))
            .sum()
    }

    fn echo_many(data: Vec<u8>, times: u32) -> u64 {
        (0..times)
            .map(|_| host::echo_bytes(&data).len() as u64)
            .sum()
    }

    fn describe(name: String, age: u32) -> String {
        host::describe(&name, age)
    }

    fn look_up(key: String) -> Result<String, LookupError> {
        host::look_up(&key)
    }

    fn wait(milliseconds: u32) -> u32 {
        host::wait(milliseconds)
    }

    fn talk(name: String, lines: Vec<String>) -> (String, u32) {
        let session = host::Session::new(&name);
        let answers = lines.iter().map(|line| session.send(line)).sum();
        (session.name(), answers)
    }

    fn call_plain(value: u32) -> u32 {
        plain(value)
    }
}

export!(Component);
