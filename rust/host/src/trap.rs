//! The trap taxonomy: what ended an instance, from typed codes only.

use crate::limits::{HOSTCALL_BYTES_MAX, MemoryMeter};
use crate::printable::printable;
use std::any::Any;
use std::fmt;
use wasmtime::component::Val;
use wasmtime::{Trap, WasmBacktrace};

/// Guest frames kept of a backtrace.
pub const BACKTRACE_FRAMES_MAX: usize = 64;
/// Characters kept of the name of a module or function.
const NAME_CHARS_MAX: usize = 400;

/// What stands for the export while an instance is made.
pub(crate) const INSTANTIATION: &str = "(instantiation)";

/// The families an embedder tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// The guest trapped, or a host function failed under it.
    Trapped,
    /// The wall-clock deadline passed.
    Timeout,
    /// The fuel of the call ran out.
    Fuel,
    /// The memory limit was reached and the guest could not go on.
    Memory,
}

/// How and where an instance ended.
#[derive(Debug)]
pub struct Failure {
    /// The family.
    pub family: Family,
    /// One word of the taxonomy, for example `division-by-zero`.
    pub kind: &'static str,
    /// Name the component was loaded under.
    pub component: String,
    /// The export that was running, or what the host was doing.
    pub export: String,
    /// What happened, for people.
    pub detail: String,
    /// Guest frames, innermost first.
    pub backtrace: Vec<String>,
    /// What a host function raised, if that is what ended the call.
    pub cause: Option<wasmtime::Error>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "component {:?}, export {:?}: {} ({})",
            self.component, self.export, self.detail, self.kind
        )
    }
}

/// The deadline of a call passed; carried through wasmtime as a typed error.
#[derive(Debug, thiserror::Error)]
#[error("the call ran past its deadline of {call_seconds_max} s")]
pub struct DeadlinePassed {
    /// The limit that was passed.
    pub call_seconds_max: f64,
}

/// The guest had more in flight than the host holds for it.
#[derive(Debug, thiserror::Error)]
#[error(
    "the arguments of host functions in flight would take {wanted} bytes of the host, \
     more than the {most} allowed"
)]
pub struct HeldTooMuch {
    /// Bytes that all of them would take.
    pub wanted: usize,
    /// Bytes allowed.
    pub most: usize,
}

/// The embedder asked for the running call to be stopped.
#[derive(Debug, thiserror::Error)]
#[error("the embedder interrupted the call")]
pub struct Interrupted;

/// A host function failed; `Failure::cause` keeps what it raised.
#[derive(Debug, thiserror::Error)]
#[error("host function {function:?} failed: {message}")]
pub struct HostFunctionFailed {
    /// `interface#function`.
    pub function: String,
    /// The embedder's words.
    pub message: String,
    /// What the embedder raised, in its own type.
    pub cause: Option<Box<dyn Any + Send + Sync>>,
}

/// Classifies the error that ended a call of `export`.
pub fn classify(
    error: wasmtime::Error,
    component: &str,
    export: &str,
    meter: &MemoryMeter,
) -> Failure {
    let backtrace = error
        .downcast_ref::<WasmBacktrace>()
        .map(frames)
        .unwrap_or_default();
    let (family, kind, detail) = verdict(&error, export, meter);
    let cause = error.is::<HostFunctionFailed>().then_some(error);
    Failure {
        family,
        kind,
        component: component.to_owned(),
        export: export.to_owned(),
        detail,
        backtrace,
        cause,
    }
}

fn verdict(
    error: &wasmtime::Error,
    export: &str,
    meter: &MemoryMeter,
) -> (Family, &'static str, String) {
    if let Some(passed) = error.downcast_ref::<DeadlinePassed>() {
        return (Family::Timeout, "timeout", passed.to_string());
    }
    if let Some(held) = error.downcast_ref::<HeldTooMuch>() {
        return (Family::Memory, "out-of-memory", held.to_string());
    }
    if error.is::<Interrupted>() {
        return (Family::Trapped, "interrupted", Interrupted.to_string());
    }
    if let Some(failed) = error.downcast_ref::<HostFunctionFailed>() {
        return (Family::Trapped, "host-error", failed.to_string());
    }
    if let Some(exit) = error.downcast_ref::<wasmtime_wasi::I32Exit>() {
        return (
            Family::Trapped,
            "exit",
            format!("the guest exited with status {}", exit.0),
        );
    }
    let Some(trap) = error.downcast_ref::<Trap>() else {
        return untyped(error, export, meter);
    };
    // A guest that was refused memory in this call and then gave up ran out of
    // memory, whatever instruction its allocator gives up with.
    if meter.denied_in_call() && matches!(trap, Trap::UnreachableCodeReached) {
        return (Family::Memory, "out-of-memory", memory_detail(meter));
    }
    match trap {
        Trap::Interrupt => (
            Family::Timeout,
            "timeout",
            "the call was interrupted".to_owned(),
        ),
        Trap::OutOfFuel => (
            Family::Fuel,
            "out-of-fuel",
            "the call used up its fuel".to_owned(),
        ),
        _ => (Family::Trapped, kind(*trap), trap.to_string()),
    }
}

/// Whether the values of a call would have cost the host more than it may hold
/// for the guest. Wasmtime keeps the type of this error to itself; the name that
/// it is printed under for debugging is all that tells it from others, and a test
/// notices if that changes.
fn is_too_much_for_the_host(error: &wasmtime::Error) -> bool {
    format!("{:?}", error.root_cause()) == "HostcallFuelExhausted"
}

// What wasmtime reports without a trap code: values and handles that break the
// canonical ABI, requests that a host interface refuses to serve, and a system
// that has no more memory or descriptors to give.
fn untyped(
    error: &wasmtime::Error,
    export: &str,
    meter: &MemoryMeter,
) -> (Family, &'static str, String) {
    // A memory that is too large from the start has no code to trap in.
    if meter.denied_in_call() && export == INSTANTIATION {
        return (Family::Memory, "out-of-memory", memory_detail(meter));
    }
    if is_too_much_for_the_host(error) {
        return (Family::Memory, "host-buffers", buffers_detail(meter));
    }
    let kind = if error.is::<std::io::Error>() {
        "host-error"
    } else {
        "abi-violation"
    };
    (Family::Trapped, kind, error.root_cause().to_string())
}

fn memory_detail(meter: &MemoryMeter) -> String {
    format!(
        "memory would pass the limit of {} bytes ({} in use, {} to grow refused)",
        meter.limit(),
        meter.used(),
        match meter.denied() {
            1 => "1 request".to_owned(),
            times => format!("{times} requests"),
        }
    )
}

fn buffers_detail(meter: &MemoryMeter) -> String {
    format!(
        "the values of one call would take more of the host than the limit of {} bytes; each \
         value inside a list, record or variant takes {} bytes; text, and bytes that cross \
         alone or with a few other values, take just their size",
        meter.limit().min(HOSTCALL_BYTES_MAX),
        size_of::<Val>()
    )
}

fn kind(trap: Trap) -> &'static str {
    match trap {
        Trap::UnreachableCodeReached => "unreachable",
        Trap::StackOverflow => "stack-overflow",
        Trap::MemoryOutOfBounds => "memory-out-of-bounds",
        Trap::TableOutOfBounds => "table-out-of-bounds",
        Trap::IndirectCallToNull | Trap::NullReference => "null-indirect-call",
        Trap::BadSignature => "bad-signature",
        Trap::IntegerOverflow => "integer-overflow",
        Trap::IntegerDivisionByZero => "division-by-zero",
        Trap::BadConversionToInteger => "bad-conversion",
        Trap::CannotEnterComponent => "reentrance",
        Trap::CannotLeaveComponent
        | Trap::InvalidChar
        | Trap::StringOutOfBounds
        | Trap::ListOutOfBounds
        | Trap::InvalidDiscriminant
        | Trap::UnalignedPointer
        | Trap::NoAsyncResult
        | Trap::CannotBlockSyncTask
        | Trap::TaskCancelNotCancelled
        | Trap::TaskCancelOrReturnTwice
        | Trap::SubtaskCancelAfterTerminal
        | Trap::TaskReturnInvalid
        | Trap::WaitableSetDropHasWaiters
        | Trap::SubtaskDropNotResolved
        | Trap::BackpressureOverflow
        | Trap::ConcurrentFutureStreamOp
        | Trap::StreamOpTooBig
        | Trap::WaitableSyncAndAsync
        | Trap::UnsupportedCallbackCode => "abi-violation",
        Trap::AsyncDeadlock => "deadlock",
        // Codes of proposals this host keeps off; named so that a future
        // engine that raises one is still told apart from the others.
        _ => "other-trap",
    }
}

fn frames(backtrace: &WasmBacktrace) -> Vec<String> {
    backtrace
        .frames()
        .iter()
        .take(BACKTRACE_FRAMES_MAX)
        .map(frame)
        .collect()
}

// The guest chose its names, at any length and with any character in them.
fn name(given: &str) -> String {
    let short: String = given.chars().take(NAME_CHARS_MAX).collect();
    printable(&short, false)
}

fn frame(frame: &wasmtime::FrameInfo) -> String {
    let module = name(frame.module().name().unwrap_or("module"));
    let function = frame
        .func_name()
        .map_or_else(|| format!("function {}", frame.func_index()), name);
    match frame.func_offset() {
        Some(offset) => format!("{module}: {function} +{offset:#x}"),
        None => format!("{module}: {function}"),
    }
}
