//! Does several things at once: the component with async functions and WASI 0.3.

use acme::courier::host;
use exports::acme::courier::api::Guest;
use futures_util::future::join_all;
use std::cell::Cell;
use wasi::cli::{environment, exit, stderr, stdin, stdout};
use wasi::clocks::{monotonic_clock, system_clock};
use wasi::filesystem::preopens;
use wasi::random::{insecure, insecure_seed, random};
use wasi::sockets::ip_name_lookup::resolve_addresses;
use wasi::sockets::types::{IpAddressFamily, TcpSocket, UdpSocket};
use wit_bindgen::{FutureReader, StreamReader, StreamResult};

wit_bindgen::generate!({ world: "courier", path: "wit", generate_all });

const NANOSECONDS_PER_MILLISECOND: u64 = 1_000_000;

thread_local! {
    static COUNTED: Cell<u32> = const { Cell::new(0) };
}

struct Component;

impl Guest for Component {
    async fn shout(text: String) -> String {
        text.to_uppercase()
    }

    fn length(text: String) -> u32 {
        text.chars().count().try_into().unwrap_or(u32::MAX)
    }

    async fn fetch_all(keys: Vec<String>) -> Result<Vec<String>, String> {
        let answers = join_all(keys.into_iter().map(host::fetch)).await;
        answers.into_iter().collect()
    }

    fn look_up(key: String) -> u32 {
        host::look_up(&key)
    }

    async fn nap(milliseconds: u32) -> u64 {
        nap(milliseconds).await
    }

    async fn nap_together(milliseconds: u32, times: u32) -> u64 {
        let began = monotonic_clock::now();
        join_all((0..times).map(|_| nap(milliseconds))).await;
        monotonic_clock::now() - began
    }

    async fn print(lines: Vec<String>) {
        let (mut writer, reader) = wit_stream::new();
        let written = stdout::write_via_stream(reader);
        for line in lines {
            let rest = writer.write_all(format!("{line}\n").into_bytes()).await;
            assert!(rest.is_empty(), "standard output takes all");
        }
        drop(writer);
        written.await.expect("standard output does not fail");
    }

    async fn leave_behind(milliseconds: u32) {
        wit_bindgen::spawn_local(async move {
            loop {
                nap(milliseconds).await;
                COUNTED.set(COUNTED.get() + 1);
            }
        });
    }

    async fn counted() -> u32 {
        COUNTED.get()
    }

    async fn stream_to_self(data: Vec<u8>) -> u32 {
        let (mut writer, mut reader) = wit_stream::new::<u8>();
        wit_bindgen::spawn_local(async move {
            writer.write_all(data).await;
        });
        let mut sum = 0;
        loop {
            let (status, read) = reader.read(Vec::with_capacity(4)).await;
            sum += read.into_iter().map(u32::from).sum::<u32>();
            if matches!(status, StreamResult::Dropped | StreamResult::Cancelled) {
                return sum;
            }
        }
    }

    async fn survey() -> Vec<(String, String)> {
        let (input, _) = stdin::read_via_stream();
        let found = [
            ("arguments", format!("{:?}", environment::get_arguments())),
            (
                "environment",
                format!("{:?}", environment::get_environment()),
            ),
            ("input", format!("{:?}", input.collect().await)),
            ("directories", preopens::get_directories().len().to_string()),
            ("random", random::get_random_bytes(16).len().to_string()),
            (
                "random, too many",
                random::get_random_bytes(u64::MAX).len().to_string(),
            ),
            ("seconds", system_clock::now().seconds.to_string()),
            (
                "tcp",
                format!("{:?}", TcpSocket::create(IpAddressFamily::Ipv4).err()),
            ),
            (
                "udp",
                format!("{:?}", UdpSocket::create(IpAddressFamily::Ipv6).err()),
            ),
            (
                "name",
                format!("{:?}", resolve_addresses("localhost".to_owned()).await),
            ),
        ];
        // Two streams of random numbers are not the same one.
        assert_ne!(
            insecure::get_insecure_random_u64(),
            insecure_seed::get_insecure_seed().0
        );
        found.map(|(name, value)| (name.to_owned(), value)).into()
    }

    async fn leave(last_words: String, status: u8) {
        let (mut writer, reader) = wit_stream::new();
        let written = stderr::write_via_stream(reader);
        writer.write_all(last_words.into_bytes()).await;
        drop(writer);
        written.await.expect("standard error does not fail");
        exit::exit_with_code(status);
    }

    async fn total(mut data: StreamReader<u8>) -> u64 {
        let mut sum = 0;
        while let Some(byte) = data.next().await {
            sum += u64::from(byte);
        }
        sum
    }

    async fn later() -> FutureReader<String> {
        let (writer, reader) = wit_future::new(String::new);
        wit_bindgen::spawn_local(async move {
            let _ = writer.write("later".to_owned()).await;
        });
        reader
    }
}

async fn nap(milliseconds: u32) -> u64 {
    let began = monotonic_clock::now();
    monotonic_clock::wait_for(u64::from(milliseconds) * NANOSECONDS_PER_MILLISECOND).await;
    monotonic_clock::now() - began
}

export!(Component);
