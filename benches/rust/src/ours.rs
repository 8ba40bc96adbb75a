//! The host, through its public interface.

use crate::Result;
use airssys_host::compile::{CompileBounds, WorkerCommand, run_worker};
use airssys_host::engine::Density;
use airssys_host::instance::{
    HeldBytes, Invocation, Signature, StoreData, Target, Typed, enter_host,
};
use airssys_host::limits::Policy;
use airssys_host::linker::{
    Answer, Define, Embedder, Grant, NoImports, Pending, StandIn, Supplied, Supply,
};
use airssys_host::wasmtime::component::{LinkerInstance, Val};
use airssys_host::wasmtime::{self, StoreContextMut};
use airssys_host::{Component, Engine, EngineOptions, Instance, Limits};
use std::path::Path;
use std::sync::Arc;

/// Memory of one instance.
const MEMORY_BYTES_MAX: i128 = 4 << 20;
/// Wall-clock time of one call: no bench comes near it.
const CALL_SECONDS_MAX: f64 = 60.0;

/// First argument of the process that compiles for [`engine`].
const COMPILE_WORKER: &str = "compile-worker";

/// Compiles, if that is what this process was started for; each program that
/// uses [`engine`] asks first, for it is its own compiling process.
///
/// # Errors
///
/// If the parent is gone, or gave no arguments.
pub fn served_as_compile_worker() -> Result<bool> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some(COMPILE_WORKER) {
        return Ok(false);
    }
    let (Some(description), Some(bytes), Some(seconds)) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("a compile worker takes a description and two bounds".into());
    };
    run_worker(&description, bytes.parse()?, seconds.parse()?)?;
    Ok(true)
}

/// `func(s32, s32) -> s32`.
pub struct Add;

impl Signature for Add {
    type Params<'a> = (i32, i32);
    type Return = (i32,);
}

/// `func(list<u8>) -> list<u8>`.
pub struct Echo;

impl Signature for Echo {
    type Params<'a> = (&'a [u8],);
    type Return = (Vec<u8>,);
}

/// `func(u32) -> u64`.
pub struct Kernel;

impl Signature for Kernel {
    type Params<'a> = (u32,);
    type Return = (u64,);
}

/// `func(u32) -> s64`.
pub struct CallMany;

impl Signature for CallMany {
    type Params<'a> = (u32,);
    type Return = (i64,);
}

/// `func() -> u64`.
pub struct Calls;

impl Signature for Calls {
    type Params<'a> = ();
    type Return = (u64,);
}

/// An engine like the bare one; with `cache_dir` compiled code is kept there.
///
/// # Errors
///
/// If the machine cannot give it, or this process was started to compile and did
/// not ask [`served_as_compile_worker`]: it would start itself without end.
pub fn engine(cache_dir: Option<&Path>) -> Result<Engine> {
    if std::env::args().nth(1).as_deref() == Some(COMPILE_WORKER) {
        return Err("call served_as_compile_worker first".into());
    }
    Ok(Engine::new(EngineOptions {
        density: Density::Standard,
        pool_instances: 1_000,
        instances_max: 1_000,
        cache_dir: cache_dir.map(Path::to_owned),
        cache_bytes_max: 1 << 30,
        compile: CompileBounds {
            component_bytes_max: 64 << 20,
            seconds_max: 60.0,
            memory_bytes_max: 2 << 30,
            processes_max: 2,
            queue_seconds_max: 300.0,
            worker: Some(WorkerCommand {
                program: std::env::current_exe()?,
                arguments: vec![COMPILE_WORKER.to_owned()],
            }),
        },
        policy: Policy {
            memory_bytes_ceiling: 1 << 30,
            call_seconds_ceiling: 300.0,
            fuel_ceiling: u64::MAX,
        },
    })?)
}

/// Makes an instance; `fuel` puts it under a limit that no bench reaches.
///
/// # Errors
///
/// If it cannot be made.
pub fn instance(
    component: &Arc<Component>,
    fuel: bool,
    supply: Supply<'_>,
) -> Result<Arc<Instance>> {
    let policy = &component.engine().options().policy;
    let fuel = fuel.then_some(i128::from(u64::MAX));
    let limits = Limits::new(MEMORY_BYTES_MAX, CALL_SECONDS_MAX, fuel, policy)?;
    Ok(Instance::new(component, limits, &Grant::nothing(), supply)?)
}

/// For guests without imports.
pub fn no_imports() -> Supply<'static> {
    Supply {
        functions: &[],
        interfaces: &[],
        unused: &[],
        embedder: Arc::new(NoImports),
        post: None,
    }
}

/// Index of an export.
///
/// # Errors
///
/// If there is none.
pub fn target(component: &Component, name: &str) -> Result<Target> {
    Ok(Target::Export(
        component.exports().find(component.name(), name)?,
    ))
}

/// Calls a function of a known type.
///
/// # Errors
///
/// However the call ended.
#[inline]
pub fn call<S: Signature>(
    instance: &Instance,
    target: Target,
    params: S::Params<'_>,
) -> Result<S::Return> {
    run(instance, target, Typed::<S>::new(params))
}

#[inline]
fn run<I: Invocation>(instance: &Instance, target: Target, call: I) -> Result<I::Output> {
    let lease = instance
        .enter(target)?
        .ok_or("another call has the instance")?;
    Ok(lease.run(target, call)?)
}

/// What the importing guest imports, by index of [`Adder`]; with `typed`, `add`
/// is joined by its type instead of by values of any type.
pub fn importer_functions(typed: bool) -> Vec<Supplied> {
    let of_interface = [
        "add",
        "echo-bytes",
        "describe",
        "look-up",
        "wait",
        "[constructor]session",
        "[method]session.send",
        "[method]session.name",
    ];
    let supplied = |interface: &str, function: &str| Supplied {
        interface: interface.to_owned(),
        function: function.to_owned(),
        waits: false,
        define: None,
    };
    let mut functions: Vec<_> = of_interface
        .iter()
        .map(|function| supplied(crate::guests::IMPORTER_HOST, function))
        .collect();
    functions.push(supplied("", "plain"));
    functions[0].define = typed.then_some(Define {
        plain: define_add,
        concurrent: |_, _, _| Err(wasmtime::Error::msg("no `async` import is measured")),
    });
    functions
}

/// The interface that most of [`importer_functions`] stand in for.
pub fn importer_interfaces() -> Vec<StandIn> {
    vec![StandIn {
        interface: crate::guests::IMPORTER_HOST.to_owned(),
        offers: Vec::new(),
    }]
}

fn define_add(
    instance: &mut LinkerInstance<'_, StoreData>,
    name: &str,
    _index: usize,
) -> wasmtime::Result<()> {
    instance.func_wrap(
        name,
        |mut store: StoreContextMut<'_, StoreData>, (left, right): (i32, i32)| {
            // As every host function does, it counts for the receipt.
            enter_host(&mut store, || 8)?;
            Ok((left.wrapping_add(right),))
        },
    )
}

/// A host function in Rust: adds, and fails for everything else.
pub struct Adder;

impl Embedder for Adder {
    fn call(
        &self,
        _store: StoreContextMut<'_, StoreData>,
        _index: usize,
        params: &[Val],
        results: &mut [Val],
    ) -> wasmtime::Result<()> {
        let ([Val::S32(left), Val::S32(right)], [sum]) = (params, results) else {
            return Err(wasmtime::Error::msg("only `add` is measured"));
        };
        *sum = Val::S32(left.wrapping_add(*right));
        Ok(())
    }

    fn start(
        &self,
        _store: StoreContextMut<'_, StoreData>,
        _index: usize,
        _params: &[Val],
        _held: Option<HeldBytes>,
    ) -> wasmtime::Result<Pending> {
        Err(wasmtime::Error::msg("nothing here waits"))
    }

    fn finish(
        &self,
        _store: StoreContextMut<'_, StoreData>,
        _index: usize,
        _answer: Answer,
        _results: &mut [Val],
    ) -> wasmtime::Result<()> {
        Err(wasmtime::Error::msg("nothing here waits"))
    }

    fn drop_object(&self, _rep: u32) {}
}
