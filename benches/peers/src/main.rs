//! `airssys-bench-peers NAME`: one peer, driven over its standard input and output.
//!
//! Each peer is one actor on a runtime of one thread, and gets messages of 32 bytes. It counts
//! them, so a round cannot end before they are handled.

mod actix_actor;
mod kameo_actor;
mod ractor_actor;
mod tokio_channel;

use airssys_bench_driver::{Contestant, Result, serve};

/// What a message carries.
pub type Payload = [u8; 32];

/// Bytes that no peer can know beforehand.
pub fn payload() -> Payload {
    std::hint::black_box([7; 32])
}

fn main() -> Result<()> {
    let name = std::env::args().nth(1).unwrap_or_default();
    let mut contestant: Box<dyn Contestant> = match name.as_str() {
        "tokio" => Box::new(tokio_channel::Tokio::new()?),
        "kameo" => Box::new(kameo_actor::Kameo::new()?),
        "ractor" => Box::new(ractor_actor::Ractor::new()?),
        "actix" => Box::new(actix_actor::Actix::new()),
        _ => return Err("usage: airssys-bench-peers tokio|kameo|ractor|actix".into()),
    };
    serve(&mut *contestant)
}
