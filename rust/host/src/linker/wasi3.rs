//! WASI 0.3, each interface linked only when it is granted. Only concurrent
//! components can import it, so that every call that waits can be set aside.

use super::carried::Noted;
use super::wasi::{
    CLOCKS, ENVIRONMENT, FILESYSTEM, NETWORK, OUTPUT, RANDOM, Row, environment, row,
};
use crate::instance::StoreData;
use wasmtime_wasi::WasiView as _;
use wasmtime_wasi::cli::{WasiCli, WasiCliView as _};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView as _};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView as _};
use wasmtime_wasi::p3::bindings;
use wasmtime_wasi::random::WasiRandom;
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView as _};

macro_rules! clocks {
    ($name:literal, waits: $waits:literal, $module:ident) => {
        row!($name, clocks, CLOCKS, waits: $waits, |linker| {
            bindings::clocks::$module::add_to_linker::<StoreData, WasiClocks>(
                linker,
                StoreData::clocks,
            )
        })
    };
}

macro_rules! cli {
    ($name:literal, $field:ident, $hint:ident, waits: $waits:literal, $module:ident) => {
        row!($name, $field, $hint, waits: $waits, |linker| {
            bindings::cli::$module::add_to_linker::<StoreData, WasiCli>(linker, StoreData::cli)
        })
    };
}

macro_rules! filesystem {
    ($name:literal, waits: $waits:literal, $module:ident) => {
        row!($name, filesystem, FILESYSTEM, waits: $waits, |linker| {
            bindings::filesystem::$module::add_to_linker::<StoreData, WasiFilesystem>(
                linker,
                StoreData::filesystem,
            )
        })
    };
}

macro_rules! sockets {
    ($name:literal, $module:ident) => {
        row!($name, network, NETWORK, waits: true, |linker| {
            bindings::sockets::$module::add_to_linker::<StoreData, WasiSockets>(
                linker,
                StoreData::sockets,
            )
        })
    };
}

// Interfaces of types alone need nothing from the host and are not listed.
pub(super) static ROWS: &[Row] = &[
    clocks!("wasi:clocks/monotonic-clock", waits: true, monotonic_clock),
    clocks!("wasi:clocks/system-clock", waits: false, system_clock),
    row!("wasi:random/random", random, RANDOM, waits: false, |linker| {
        bindings::random::random::add_to_linker::<StoreData, Noted>(linker, StoreData::wasi_call)
    }),
    row!("wasi:random/insecure", random, RANDOM, waits: false, |linker| {
        bindings::random::insecure::add_to_linker::<StoreData, Noted>(linker, StoreData::wasi_call)
    }),
    row!("wasi:random/insecure-seed", random, RANDOM, waits: false, |linker| {
        bindings::random::insecure_seed::add_to_linker::<StoreData, WasiRandom>(linker, |data| {
            data.ctx().ctx.random()
        })
    }),
    cli!("wasi:cli/stdin", output, OUTPUT, waits: true, stdin),
    cli!("wasi:cli/stdout", output, OUTPUT, waits: true, stdout),
    cli!("wasi:cli/stderr", output, OUTPUT, waits: true, stderr),
    cli!("wasi:cli/terminal-input", output, OUTPUT, waits: false, terminal_input),
    cli!("wasi:cli/terminal-output", output, OUTPUT, waits: false, terminal_output),
    cli!("wasi:cli/terminal-stdin", output, OUTPUT, waits: false, terminal_stdin),
    cli!("wasi:cli/terminal-stdout", output, OUTPUT, waits: false, terminal_stdout),
    cli!("wasi:cli/terminal-stderr", output, OUTPUT, waits: false, terminal_stderr),
    cli!("wasi:cli/exit", output, OUTPUT, waits: false, exit),
    row!("wasi:cli/environment", environment, ENVIRONMENT, waits: false, |linker| {
        bindings::cli::environment::add_to_linker::<StoreData, WasiCli>(linker, environment)
    }),
    filesystem!("wasi:filesystem/preopens", waits: false, preopens),
    filesystem!("wasi:filesystem/types", waits: true, types),
    sockets!("wasi:sockets/types", types),
    sockets!("wasi:sockets/ip-name-lookup", ip_name_lookup),
];
