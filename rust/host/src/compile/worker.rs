//! Compilation in a process of its own, so that it can be stopped.
//!
//! Cranelift cannot be interrupted, and a hostile function can make it run for
//! minutes or eat all memory. The worker gets the component on its standard
//! input, bounds its own memory and time before it reads it, and answers with the
//! artefact; the parent kills it at the deadline.
//!
//! The parent may be killed itself. It holds its end of the input open until it
//! has the answer, so a worker whose input ends has nobody to work for.

use super::{bound, inspect, relift};
use crate::engine::{Codegen, EngineOptions, compile_engine, guest_features, long_call};
use crate::error::{Error, Result};
use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// First byte of an answer that is an artefact.
const ARTEFACT: u8 = b'A';
/// First byte of an answer that is the text of an error.
const REFUSAL: u8 = b'E';
/// What an answer has besides its payload.
const SEAL_BYTES: u64 = 1 + blake3::OUT_LEN as u64;
/// Compiling threads: each costs memory, and the bound is for all of them.
const THREADS_MAX: u32 = 4;
/// Processor time to start with, in seconds.
const START_SECONDS: u64 = 1;
/// Stack of the thread that waits for the parent to end.
const WATCH_STACK_BYTES: usize = 64 * 1024;
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
        .arg(cpu_seconds(bounds.seconds()).to_string())
        .env("RAYON_NUM_THREADS", THREADS_MAX.to_string())
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

/// Processor time that all threads of a worker can take within its deadline. It
/// ends a worker that nobody is left to kill.
fn cpu_seconds(most: Duration) -> u64 {
    START_SECONDS + most.saturating_mul(1 + THREADS_MAX).as_secs() + 1
}

enum Ending {
    Answered(Vec<u8>),
    TooLarge(u64),
    TimedOut,
    Interrupted,
    Died,
}

// Input and output each have a thread, so that neither pipe can block the
// other and the clock is kept here.
fn converse(mut child: Child, binary: &[u8], most: Duration) -> Ending {
    let deadline = Instant::now() + most;
    let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Ending::Died;
    };
    let most_bytes = super::artefact_bytes_max(binary);
    thread::scope(|scope| {
        let sent = scope.spawn(move || {
            // A worker that died early is noticed by its answer.
            let _ = input
                .write_all(&(binary.len() as u64).to_le_bytes())
                .and_then(|()| input.write_all(binary));
            input
        });
        let answer = scope.spawn(move || {
            let mut bytes = Vec::new();
            // Once there is more than accepted, the rest is not waited for.
            let mut output = output.take(most_bytes + SEAL_BYTES + 1);
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
        drop(sent.join());
        match answer.join() {
            _ if !go_on => Ending::Interrupted,
            _ if timed_out => Ending::TimedOut,
            Ok(Ok(bytes)) if bytes.len() as u64 > most_bytes + SEAL_BYTES => {
                Ending::TooLarge(most_bytes)
            }
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
        Ending::TooLarge(most_bytes) => Err(Error::CompileRefused(format!(
            "the component compiles to more than {most_bytes} bytes, far more than its size \
             calls for; hint: look for tables or functions that it does not need"
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
pub fn run_worker(
    description: &str,
    memory_bytes_max: u64,
    cpu_seconds_max: u64,
) -> io::Result<()> {
    bound::process(memory_bytes_max, cpu_seconds_max)?;
    let binary = receive(&mut io::stdin().lock())?;
    end_with_parent()?;
    let answer = compile_here(description, &binary);
    let mut output = io::stdout().lock();
    match answer {
        Ok(artefact) => seal(&mut output, ARTEFACT, &artefact),
        Err(refusal) => seal(&mut output, REFUSAL, refusal.as_bytes()),
    }
}

fn receive(input: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; size_of::<u64>()];
    input.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    let mut binary = Vec::new();
    input.take(length).read_to_end(&mut binary)?;
    if binary.len() as u64 == length {
        return Ok(binary);
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}

fn end_with_parent() -> io::Result<()> {
    let watch = || {
        // Nothing more is sent: whatever this says, the other end is gone.
        let _ = io::stdin().lock().read_exact(&mut [0]);
        bound::end_process();
    };
    thread::Builder::new()
        .stack_size(WATCH_STACK_BYTES)
        .spawn(watch)
        .map(drop)
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
    let (engine, concurrency) = compile_engine(description).map_err(|error| error.to_string())?;
    inspect::validate(binary, guest_features(concurrency)).map_err(|error| error.to_string())?;
    engine
        .precompile_component(&relift::relift(binary, concurrency))
        .map_err(|error| super::invalid(&error).to_string())
}
