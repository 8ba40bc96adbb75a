//! Compilation in a process of its own, so that it can be stopped.
//!
//! Cranelift cannot be interrupted, and a hostile function can make it run for
//! minutes or eat all memory. The worker gets the component on its standard
//! input, bounds its own memory before it reads it, and answers with the
//! artefact; the parent kills it at the deadline.

use super::inspect;
use crate::engine::{Codegen, EngineOptions, compile_engine, long_call};
use crate::error::{Error, Result};
use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// First byte of an answer that is an artefact.
const ARTEFACT: u8 = b'A';
/// First byte of an answer that is the text of an error.
const REFUSAL: u8 = b'E';
/// Compiling threads: each costs memory, and the bound is for all of them.
const THREADS_MAX: &str = "4";
/// How often the parent looks whether the worker has ended.
const POLL: Duration = Duration::from_millis(2);
/// The same in ticks of a long call, at which the embedder is asked to go on.
const POLL_TICKS: u32 = 2;

/// The program that runs [`run_worker`], with its arguments.
#[derive(Clone, Debug)]
pub struct WorkerCommand {
    /// Absolute path of the program.
    pub program: std::path::PathBuf,
    /// Arguments before those of the worker itself.
    pub arguments: Vec<String>,
}

pub(super) fn compile(options: &EngineOptions, codegen: Codegen, binary: &[u8]) -> Result<Vec<u8>> {
    let bounds = &options.compile;
    let Some(worker) = &bounds.worker else {
        return Err(Error::CompileRefused(
            "the component is too heavy to be compiled inside this process, and there is no \
             Python interpreter to start a compiling process with; hint: pass \
             Engine(compiler=\"/path/to/python\")"
                .to_owned(),
        ));
    };
    let mut command = Command::new(&worker.program);
    command
        .args(&worker.arguments)
        .arg(crate::engine::describe(options.density, codegen))
        .arg(bounds.memory_bytes_max.to_string())
        .env("RAYON_NUM_THREADS", THREADS_MAX)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let child = command.spawn().map_err(|error| {
        Error::CompileRefused(format!(
            "the compiling process {} did not start: {error}; \
             hint: pass Engine(compiler=\"/path/to/python\")",
            worker.program.display()
        ))
    })?;
    let answer = converse(child, binary, bounds.seconds());
    read_answer(answer, bounds.seconds_max, bounds.memory_bytes_max)
}

enum Ending {
    Answered(Vec<u8>),
    TimedOut,
    Interrupted,
    Died,
}

// Input and output each have a thread, so that neither pipe can block the
// other and the clock is kept here.
fn converse(mut child: Child, binary: &[u8], most: Duration) -> Ending {
    let deadline = Instant::now() + most;
    let (Some(mut input), Some(mut output)) = (child.stdin.take(), child.stdout.take()) else {
        return Ending::Died;
    };
    thread::scope(|scope| {
        scope.spawn(move || {
            // A worker that died early is noticed by its answer.
            let _ = input.write_all(binary);
        });
        let answer = scope.spawn(move || {
            let mut bytes = Vec::new();
            output.read_to_end(&mut bytes).map(|_| bytes)
        });
        let (mut ticks, mut go_on) = (0_u32, true);
        while go_on && !answer.is_finished() && Instant::now() < deadline {
            thread::sleep(POLL);
            ticks = ticks.saturating_add(POLL_TICKS);
            go_on = long_call(ticks);
        }
        let timed_out = !answer.is_finished();
        // Killing closes its pipes, which ends both threads.
        let _ = child.kill();
        let _ = child.wait();
        match answer.join() {
            _ if !go_on => Ending::Interrupted,
            _ if timed_out => Ending::TimedOut,
            Ok(Ok(bytes)) => Ending::Answered(bytes),
            _ => Ending::Died,
        }
    })
}

fn read_answer(ending: Ending, seconds: f64, memory_bytes: u64) -> Result<Vec<u8>> {
    match ending {
        Ending::Interrupted => Err(Error::Interrupted),
        Ending::TimedOut => Err(Error::CompileRefused(format!(
            "compiling took longer than the {seconds} s allowed and was stopped; \
             hint: raise Engine(compile_seconds_max=...)"
        ))),
        Ending::Answered(bytes) => match open(&bytes) {
            Some((ARTEFACT, artefact)) => Ok(artefact.to_vec()),
            Some((REFUSAL, text)) => Err(Error::ComponentInvalid(
                String::from_utf8_lossy(text).into_owned(),
            )),
            _ => read_answer(Ending::Died, seconds, memory_bytes),
        },
        Ending::Died => Err(Error::CompileRefused(format!(
            "compiling needed more than the {memory_bytes} bytes of memory allowed, or crashed, \
             and was stopped; hint: raise Engine(compile_memory_bytes_max=...)"
        ))),
    }
}

/// The worker's side: reads a component from standard input, compiles it under
/// the bounds given, and writes the answer to standard output.
///
/// # Errors
///
/// An error of input, output or arguments, which the parent sees as a crash.
pub fn run_worker(description: &str, memory_bytes_max: u64) -> io::Result<()> {
    bound_memory(memory_bytes_max)?;
    let mut binary = Vec::new();
    io::stdin().lock().read_to_end(&mut binary)?;
    let answer = compile_here(description, &binary);
    let mut output = io::stdout().lock();
    match answer {
        Ok(artefact) => seal(&mut output, ARTEFACT, &artefact),
        Err(refusal) => seal(&mut output, REFUSAL, refusal.as_bytes()),
    }
}

// An answer ends with its digest: a worker that dies half-way has not answered.
fn seal(output: &mut impl Write, kind: u8, payload: &[u8]) -> io::Result<()> {
    output.write_all(&[kind])?;
    output.write_all(payload)?;
    output.write_all(blake3::hash(payload).as_bytes())?;
    output.flush()
}

fn open(answer: &[u8]) -> Option<(u8, &[u8])> {
    let (kind, rest) = answer.split_first()?;
    let (payload, digest) = rest.split_last_chunk::<{ blake3::OUT_LEN }>()?;
    (blake3::hash(payload) == blake3::Hash::from_bytes(*digest)).then_some((*kind, payload))
}

fn compile_here(description: &str, binary: &[u8]) -> std::result::Result<Vec<u8>, String> {
    let (engine, features) = compile_engine(description).map_err(|error| error.to_string())?;
    inspect::validate(binary, features).map_err(|error| error.to_string())?;
    engine
        .precompile_component(binary)
        .map_err(|error| super::invalid(&error).to_string())
}

#[cfg(target_os = "linux")]
fn bound_memory(bytes: u64) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};

    let limit = Rlimit {
        current: Some(bytes),
        maximum: Some(bytes),
    };
    setrlimit(Resource::Data, limit)?;
    // A compiler that runs out aborts; a core dump of it helps nobody.
    setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    )?;
    Ok(())
}

#[cfg(all(unix, not(target_os = "linux")))]
fn bound_memory(bytes: u64) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};

    setrlimit(
        Resource::As,
        Rlimit {
            current: Some(bytes),
            maximum: Some(bytes),
        },
    )?;
    Ok(())
}

#[cfg(not(unix))]
fn bound_memory(_bytes: u64) -> io::Result<()> {
    // No such limit exists here without a job object; the deadline still holds.
    Ok(())
}
