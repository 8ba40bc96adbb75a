//! WASI 0.2, each interface linked only when it is granted; and what it shares
//! with WASI 0.3.

use super::carried::Noted;
use super::{Output, wasi3};
use crate::instance::StoreData;
use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi::cli::{WasiCli, WasiCliCtxView, WasiCliView as _};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView as _};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView as _};
use wasmtime_wasi::p2::bindings;
use wasmtime_wasi::random::WasiRandom;
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView as _};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// Random bytes a guest may ask for at once.
const RANDOM_BYTES_MAX: u64 = 64 * 1024;
/// Host-side handles (streams, pollables) of one instance.
const TABLE_ENTRIES_MAX: usize = 4_096;

/// What of WASI an instance gets. Everything else is not linked at all.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is an interface family of its own"
)]
pub struct Grant {
    /// `wasi:clocks`.
    pub clocks: bool,
    /// `wasi:random`.
    pub random: bool,
    /// Captured standard output and error, an empty standard input, `exit`.
    pub output: bool,
    /// `wasi:cli/environment` with exactly these variables.
    pub environment: Option<Vec<(String, String)>>,
    /// `wasi:filesystem` without any directory in it.
    pub empty_filesystem: bool,
    /// `wasi:sockets` without any address it may use.
    pub empty_network: bool,
}

/// Which interfaces a grant links; the part of it that the linker depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is an interface family of its own"
)]
pub(crate) struct Linked {
    pub(super) clocks: bool,
    pub(super) random: bool,
    pub(super) output: bool,
    pub(super) environment: bool,
    pub(super) filesystem: bool,
    pub(super) network: bool,
}

impl Grant {
    /// Grants nothing.
    pub fn nothing() -> Grant {
        Grant {
            clocks: false,
            random: false,
            output: false,
            environment: None,
            empty_filesystem: false,
            empty_network: false,
        }
    }

    pub(crate) fn linked(&self) -> Linked {
        Linked {
            clocks: self.clocks,
            random: self.random,
            output: self.output,
            environment: self.environment.is_some(),
            filesystem: self.empty_filesystem,
            network: self.empty_network,
        }
    }
}

/// The WASI side of a store.
pub(crate) struct WasiState {
    pub(super) ctx: WasiCtx,
    pub(super) table: ResourceTable,
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
    /// Bytes of the environment, all of which each look at it carries.
    environment_bytes: usize,
    carried_bytes: u64,
    /// Of what was written, that whose carrying was taken note of.
    written_bytes_taken: u64,
}

impl WasiState {
    pub(crate) fn new(grant: &Grant) -> WasiState {
        let (stdout, stderr) = (Output::default(), Output::default());
        let mut builder = WasiCtx::builder();
        builder
            .stdout(stdout.clone())
            .stderr(stderr.clone())
            .max_random_size(RANDOM_BYTES_MAX)
            .allow_blocking_current_thread(false)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .envs(grant.environment.as_deref().unwrap_or_default());
        let mut table = ResourceTable::new();
        table.set_max_capacity(TABLE_ENTRIES_MAX);
        WasiState {
            ctx: builder.build(),
            table,
            stdout,
            stderr,
            environment_bytes: grant
                .environment
                .iter()
                .flatten()
                .map(|(name, value)| name.len() + value.len())
                .sum(),
            carried_bytes: 0,
            written_bytes_taken: 0,
        }
    }

    /// Notes bytes that a call carried.
    pub(super) fn note(&mut self, bytes: usize) {
        self.carried_bytes += bytes as u64;
    }

    /// Bytes carried, written ones included, since they were last taken.
    pub(crate) fn carried(&self) -> u64 {
        self.carried_bytes + (self.written_bytes() - self.written_bytes_taken)
    }

    /// Takes them.
    pub(crate) fn take_carried(&mut self) -> u64 {
        let carried = self.carried();
        self.carried_bytes = 0;
        self.written_bytes_taken = self.written_bytes();
        carried
    }

    fn written_bytes(&self) -> u64 {
        self.stdout.written_bytes() + self.stderr.written_bytes()
    }
}

impl WasiView for StoreData {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        // Each host function asks for its data once.
        let state = self.wasi_call();
        WasiCtxView {
            ctx: &mut state.ctx,
            table: &mut state.table,
        }
    }
}

// All of it is carried at each look.
pub(super) fn environment(data: &mut StoreData) -> WasiCliCtxView<'_> {
    let state = data.wasi_call();
    state.note(state.environment_bytes);
    WasiCliCtxView {
        ctx: state.ctx.cli(),
        table: &mut state.table,
    }
}

struct HasTable;

impl HasData for HasTable {
    type Data<'a> = &'a mut ResourceTable;
}

/// Links one interface.
pub(super) type Add = fn(&mut Linker<StoreData>) -> wasmtime::Result<()>;

/// What the host knows of an interface.
pub(super) enum Lookup {
    /// Link it so; a guest that calls it may have to wait.
    Granted { add: Add, waits: bool },
    /// It exists, and this grant would give it.
    NotGranted { hint: &'static str },
    /// The host does not offer it.
    Unknown,
}

/// One interface of a table: name, who grants it, whether it waits, how.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) granted: fn(&Linked) -> bool,
    pub(super) hint: &'static str,
    pub(super) waits: bool,
    pub(super) add: Add,
}

/// Finds `interface` (with its version) in the table of that version. A draft of
/// WASI 0.3 has a hyphen in its version and types of its own.
pub(super) fn lookup(interface: &str, linked: &Linked) -> Lookup {
    let Some((name, version)) = interface.split_once('@') else {
        return Lookup::Unknown;
    };
    let rows = match version {
        _ if version.starts_with("0.2.") => ROWS,
        _ if version.starts_with("0.3.") && !version.contains('-') => wasi3::ROWS,
        _ => return Lookup::Unknown,
    };
    match rows.iter().find(|row| row.name == name) {
        Some(row) if (row.granted)(linked) => Lookup::Granted {
            add: row.add,
            waits: row.waits,
        },
        Some(row) => Lookup::NotGranted { hint: row.hint },
        None => Lookup::Unknown,
    }
}

pub(super) const CLOCKS: &str = "Grant(clocks=True)";
pub(super) const RANDOM: &str = "Grant(random=True)";
pub(super) const OUTPUT: &str = "Grant(output=True)";
pub(super) const ENVIRONMENT: &str =
    "Grant(environment=[...names]); an empty list gives an empty environment";
pub(super) const FILESYSTEM: &str = "Grant(filesystem_read=[...]); an empty list gives a filesystem with \
                          nothing in it, the only one this version can give";
pub(super) const NETWORK: &str = "Grant(network=[...]); an empty list gives sockets that reach nobody, the \
                       only ones this version can give";

macro_rules! row {
    ($name:literal, $field:ident, $hint:ident, waits: $waits:literal, $add:expr) => {
        Row {
            name: $name,
            granted: |linked| linked.$field,
            hint: $hint,
            waits: $waits,
            add: $add,
        }
    };
}

pub(super) use row;

/// `wasi:io` only works on handles that other interfaces give, so it is always
/// there; it is what makes a guest wait.
macro_rules! plumbing {
    ($name:literal, waits: $waits:literal, $module:ident) => {
        plumbing!($name, waits: $waits, $module, HasTable, |data| data.ctx().table)
    };
    ($name:literal, waits: $waits:literal, $module:ident, $data:ty, $getter:expr) => {
        Row {
            name: $name,
            granted: |_| true,
            hint: "",
            waits: $waits,
            add: |linker| {
                wasmtime_wasi_io::bindings::wasi::io::$module::add_to_linker::<StoreData, $data>(
                    linker, $getter,
                )
            },
        }
    };
}

macro_rules! cli {
    ($name:literal, $field:ident, $hint:ident, $module:ident) => {
        row!($name, $field, $hint, waits: false, |linker| {
            bindings::cli::$module::add_to_linker::<StoreData, WasiCli>(linker, StoreData::cli)
        })
    };
}

macro_rules! sockets {
    ($name:literal, waits: $waits:literal, $module:ident) => {
        row!($name, network, NETWORK, waits: $waits, |linker| {
            bindings::sockets::$module::add_to_linker::<StoreData, WasiSockets>(
                linker,
                StoreData::sockets,
            )
        })
    };
}

static ROWS: &[Row] = &[
    plumbing!("wasi:io/error", waits: false, error),
    plumbing!("wasi:io/poll", waits: true, poll, Noted, StoreData::wasi_call),
    plumbing!("wasi:io/streams", waits: true, streams),
    row!("wasi:clocks/wall-clock", clocks, CLOCKS, waits: false, |linker| {
        bindings::clocks::wall_clock::add_to_linker::<StoreData, WasiClocks>(
            linker,
            StoreData::clocks,
        )
    }),
    row!("wasi:clocks/monotonic-clock", clocks, CLOCKS, waits: false, |linker| {
        bindings::clocks::monotonic_clock::add_to_linker::<StoreData, WasiClocks>(
            linker,
            StoreData::clocks,
        )
    }),
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
    cli!("wasi:cli/stdin", output, OUTPUT, stdin),
    cli!("wasi:cli/stdout", output, OUTPUT, stdout),
    cli!("wasi:cli/stderr", output, OUTPUT, stderr),
    cli!("wasi:cli/terminal-input", output, OUTPUT, terminal_input),
    cli!("wasi:cli/terminal-output", output, OUTPUT, terminal_output),
    cli!("wasi:cli/terminal-stdin", output, OUTPUT, terminal_stdin),
    cli!("wasi:cli/terminal-stdout", output, OUTPUT, terminal_stdout),
    cli!("wasi:cli/terminal-stderr", output, OUTPUT, terminal_stderr),
    cli!("wasi:cli/exit", output, OUTPUT, exit),
    row!("wasi:cli/environment", environment, ENVIRONMENT, waits: false, |linker| {
        bindings::cli::environment::add_to_linker::<StoreData, WasiCli>(linker, environment)
    }),
    row!("wasi:filesystem/preopens", filesystem, FILESYSTEM, waits: false, |linker| {
        bindings::filesystem::preopens::add_to_linker::<StoreData, WasiFilesystem>(
            linker,
            StoreData::filesystem,
        )
    }),
    row!("wasi:filesystem/types", filesystem, FILESYSTEM, waits: true, |linker| {
        bindings::filesystem::types::add_to_linker::<StoreData, WasiFilesystem>(
            linker,
            StoreData::filesystem,
        )
    }),
    row!("wasi:sockets/network", network, NETWORK, waits: false, |linker| {
        let options = bindings::LinkOptions::default();
        bindings::sockets::network::add_to_linker::<StoreData, WasiSockets>(
            linker,
            &(&options).into(),
            StoreData::sockets,
        )
    }),
    sockets!("wasi:sockets/instance-network", waits: false, instance_network),
    sockets!("wasi:sockets/ip-name-lookup", waits: false, ip_name_lookup),
    sockets!("wasi:sockets/tcp", waits: true, tcp),
    sockets!("wasi:sockets/tcp-create-socket", waits: false, tcp_create_socket),
    sockets!("wasi:sockets/udp", waits: true, udp),
    sockets!("wasi:sockets/udp-create-socket", waits: true, udp_create_socket),
];
