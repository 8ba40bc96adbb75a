//! Prints, as JSON, what the host costs beside the bare `wasmtime` crate.
//!
//! `ratios HEAVY.wasm`: the argument is a large component, to compile.

use airssys_bench::bare::{self, Interruption, Live};
use airssys_bench::guests::{ECHO_API, IMPORTER_API, IMPORTER_HOST};
use airssys_bench::measure::{Contestant, compare, compare_precisely};
use airssys_bench::{Result, guests, kernels, ours};
use airssys_host::Instance;
use airssys_host::instance::Typed;
use airssys_host::linker::Supply;
use airssys_host::wasmtime::Store;
use airssys_host::wasmtime::component::{Component, Linker};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

const CALLS: u64 = 20_000;
const SPAWNS: u64 = 2_000;
const HOST_CALLS: u32 = 200_000;

fn main() -> Result<()> {
    if ours::served_as_compile_worker()? {
        return Ok(());
    }
    let heavy = std::env::args_os()
        .nth(1)
        .ok_or("usage: ratios HEAVY.wasm")?;
    check_likeness()?;
    let figures = json!({
        "scalar": scalar()?,
        "echo": { "1024": echo(1024)?, "65536": echo(65536)? },
        "spawn": spawn()?,
        "host_function": host_function()?,
        "call_async": call_async()?,
        "compile": compile(Path::new(&heavy))?,
        "kernels": kernels::compare_all()?,
    });
    println!("{figures}");
    Ok(())
}

/// Ratios mean something only if both sides run the same code.
fn check_likeness() -> Result<()> {
    let cache = std::env::temp_dir().join(format!("airssys-bench-{}", std::process::id()));
    let checked = compare_code(&cache);
    std::fs::remove_dir_all(&cache)?;
    checked
}

fn compare_code(cache: &Path) -> Result<()> {
    let guest = guests::prebuilt("words")?;
    ours::engine(Some(cache))?.load("words", &guest)?;
    let entry = std::fs::read_dir(cache)?
        .filter_map(std::result::Result::ok)
        .find(|entry| {
            entry
                .path()
                .extension()
                .is_some_and(|suffix| suffix == "cwasm")
        })
        .ok_or("the host kept no compiled code")?;
    let cached = std::fs::read(entry.path())?;
    bare::same_code(&bare::engine(Interruption::Epochs)?, &guest, &cached)
}

fn scalar() -> Result<Value> {
    let guest = guests::prebuilt("echo")?;
    let component = ours::engine(None)?.load("echo", &guest)?;
    let instance = ours::instance(&component, false, ours::no_imports())?;
    let add = ours::target(&component, &format!("{ECHO_API}#add"))?;
    let calls = ours::target(&component, &format!("{ECHO_API}#calls"))?;
    let engine = bare::engine(Interruption::Epochs)?;
    let mut live = Live::new(&engine, &guest, Interruption::Epochs)?;
    let bare_add = live.function::<(i32, i32), (i32,)>(Some(ECHO_API), "add")?;
    let bare_calls = live.function::<(), (u64,)>(Some(ECHO_API), "calls")?;
    let figures = compare_precisely(vec![
        Contestant::new("ours", CALLS, |times| {
            for _ in 0..times {
                ours::call::<ours::Add>(&instance, add, (1, 2))?;
            }
            Ok(())
        }),
        Contestant::new("bare", CALLS, |times| {
            for _ in 0..times {
                bare_add.call(&mut live.store, (1, 2))?;
            }
            Ok(())
        }),
    ])?;
    let ran = ours::call::<ours::Calls>(&instance, calls, ())?.0;
    same_count(ran, bare_calls.call(&mut live.store, ())?.0)?;
    Ok(figures)
}

fn echo(bytes: usize) -> Result<Value> {
    let guest = guests::prebuilt("echo")?;
    let data = vec![7_u8; bytes];
    let component = ours::engine(None)?.load("echo", &guest)?;
    let instance = ours::instance(&component, false, ours::no_imports())?;
    let echo = ours::target(&component, &format!("{ECHO_API}#echo-bytes"))?;
    let calls = ours::target(&component, &format!("{ECHO_API}#calls"))?;
    let engine = bare::engine(Interruption::Epochs)?;
    let mut live = Live::new(&engine, &guest, Interruption::Epochs)?;
    let bare_echo = live.function::<(&[u8],), (Vec<u8>,)>(Some(ECHO_API), "echo-bytes")?;
    let bare_calls = live.function::<(), (u64,)>(Some(ECHO_API), "calls")?;
    let figures = compare_precisely(vec![
        Contestant::new("ours", CALLS / 8, |times| {
            for _ in 0..times {
                let (back,) = ours::call::<ours::Echo>(&instance, echo, (&data,))?;
                assert_eq!(back.len(), bytes);
            }
            Ok(())
        }),
        Contestant::new("bare", CALLS / 8, |times| {
            for _ in 0..times {
                let (back,) = bare_echo.call(&mut live.store, (&data,))?;
                assert_eq!(back.len(), bytes);
            }
            Ok(())
        }),
    ])?;
    let ran = ours::call::<ours::Calls>(&instance, calls, ())?.0;
    same_count(ran, bare_calls.call(&mut live.store, ())?.0)?;
    Ok(figures)
}

// Each contestant counts its own calls: the proof that the handler ran.
fn same_count(ours: u64, bare: u64) -> Result<()> {
    if ours == bare && ours >= CALLS {
        return Ok(());
    }
    Err(format!("the guests answered {ours} and {bare} calls").into())
}

fn spawn() -> Result<Value> {
    let guest = guests::prebuilt("echo")?;
    let component = ours::engine(None)?.load("echo", &guest)?;
    let engine = bare::engine(Interruption::Epochs)?;
    let pre = bare::prelink(&engine, &guest)?;
    compare(vec![
        Contestant::new("ours", SPAWNS, |times| {
            for _ in 0..times {
                ours::instance(&component, false, ours::no_imports())?;
            }
            Ok(())
        }),
        Contestant::new("bare", SPAWNS, |times| {
            for _ in 0..times {
                let mut store = bare::store(&engine, Interruption::Epochs)?;
                pre.instantiate(&mut store)?;
            }
            Ok(())
        }),
    ])
}

fn host_function() -> Result<Value> {
    let guest = guests::prebuilt("importer")?;
    let component = ours::engine(None)?.load("importer", &guest)?;
    let typed = importer(&component, true)?;
    let by_value = importer(&component, false)?;
    let call_many = ours::target(&component, &format!("{IMPORTER_API}#call-many"))?;
    let engine = bare::engine(Interruption::Epochs)?;
    let mut live = bare_importer(&engine, &guest)?;
    let bare_many = live.function::<(u32,), (i64,)>(Some(IMPORTER_API), "call-many")?;
    compare(vec![
        Contestant::new("ours", HOST_CALLS.into(), |_| {
            add_up(ours::call::<ours::CallMany>(&typed, call_many, (HOST_CALLS,))?.0)
        }),
        Contestant::new("ours_by_value", HOST_CALLS.into(), |_| {
            add_up(ours::call::<ours::CallMany>(&by_value, call_many, (HOST_CALLS,))?.0)
        }),
        Contestant::new("bare_typed", HOST_CALLS.into(), |_| {
            add_up(bare_many.call(&mut live.store, (HOST_CALLS,))?.0)
        }),
    ])
}

fn importer(component: &Arc<airssys_host::Component>, typed: bool) -> Result<Arc<Instance>> {
    let functions = ours::importer_functions(typed);
    let interfaces = ours::importer_interfaces();
    // Linked instances are shared by what was supplied, not by how it is joined.
    let component = if typed {
        Arc::clone(component)
    } else {
        ours::engine(None)?.load("importer", component.binary())?
    };
    let supply = Supply {
        functions: &functions,
        interfaces: &interfaces,
        unused: &[],
        embedder: Arc::new(ours::Adder),
        post: None,
    };
    ours::instance(&component, false, supply)
}

// The proof that each host call was made: the guest adds their answers up.
fn add_up(sum: i64) -> Result<()> {
    if sum == i64::from(HOST_CALLS) * (i64::from(HOST_CALLS) + 1) / 2 {
        return Ok(());
    }
    Err(format!("the host calls gave {sum} together").into())
}

/// The importing guest on the bare crate, `add` joined by type.
fn bare_importer(engine: &airssys_host::wasmtime::Engine, guest: &[u8]) -> Result<Live> {
    let component = Component::new(engine, guest)?;
    let mut linker = Linker::new(engine);
    linker.allow_shadowing(true);
    linker.define_unknown_imports_as_traps(&component)?;
    linker
        .instance(IMPORTER_HOST)?
        .func_wrap("add", |_, (left, right): (i32, i32)| {
            Ok((left.wrapping_add(right),))
        })?;
    let mut store = bare::store(engine, Interruption::Epochs)?;
    let instance = linker.instantiate(&mut store, &component)?;
    Ok(Live { store, instance })
}

fn call_async() -> Result<Value> {
    let guest = guests::prebuilt("echo")?;
    let component = ours::engine(None)?.load("echo", &guest)?;
    let instance = ours::instance(&component, false, ours::no_imports())?;
    let add = ours::target(&component, &format!("{ECHO_API}#add"))?;
    let engine = bare::engine(Interruption::Epochs)?;
    let mut live = Live::new(&engine, &guest, Interruption::Epochs)?;
    let bare_add = live.function::<(i32, i32), (i32,)>(Some(ECHO_API), "add")?;
    compare(vec![
        Contestant::new("ours", CALLS, |times| {
            for _ in 0..times {
                let call = Typed::<ours::Add>::new((1, 2));
                let Poll::Ready(ended) = instance.start(add, call).poll_once() else {
                    return Err("a call that never waits is pending".into());
                };
                ended?;
            }
            Ok(())
        }),
        Contestant::new("bare", CALLS, |times| {
            ready_async(&mut live.store, &bare_add, times)
        }),
    ])
}

fn ready_async(
    store: &mut Store<()>,
    add: &airssys_host::wasmtime::component::TypedFunc<(i32, i32), (i32,)>,
    times: u64,
) -> Result<()> {
    for _ in 0..times {
        let call = std::pin::pin!(add.call_async(&mut *store, (1, 2)));
        let Poll::Ready(ended) = call.poll(&mut Context::from_waker(Waker::noop())) else {
            return Err("a call that never waits is pending".into());
        };
        ended?;
    }
    Ok(())
}

fn compile(heavy: &Path) -> Result<Value> {
    let guest = std::fs::read(heavy)?;
    let engine = bare::engine(Interruption::Epochs)?;
    let artefact = engine.precompile_component(&guest)?.len();
    let figures = compare(vec![Contestant::new("bare", 1, |_| {
        Component::new(&engine, &guest)?;
        Ok(())
    })])?;
    Ok(json!({ "artefact_bytes": artefact, "bare": figures["bare"] }))
}
