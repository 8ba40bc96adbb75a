//! Bounds that a compiling process puts on itself, and its end.

use std::io;

/// Bounds the memory and the processor time of this process, and ties its life
/// to the thread that started it, as far as the system can.
#[cfg(target_os = "linux")]
pub(super) fn process(memory_bytes: u64, cpu_seconds: u64) -> io::Result<()> {
    use rustix::process::{Resource, Signal, set_parent_process_death_signal};

    // That thread waits for this process until it has ended.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    limit(Resource::Data, memory_bytes)?;
    limit(Resource::Cpu, cpu_seconds)?;
    // A compiler that runs out aborts; a core dump of it helps nobody.
    limit(Resource::Core, 0)
}

#[cfg(all(unix, not(target_os = "linux")))]
pub(super) fn process(memory_bytes: u64, cpu_seconds: u64) -> io::Result<()> {
    use rustix::process::Resource;

    limit(Resource::As, memory_bytes)?;
    limit(Resource::Cpu, cpu_seconds)
}

#[cfg(not(unix))]
pub(super) fn process(_memory_bytes: u64, _cpu_seconds: u64) -> io::Result<()> {
    // No such limits exist here without a job object; the deadline still holds.
    Ok(())
}

// A stricter limit that was there already stays: it could not be raised anyway.
#[cfg(unix)]
fn limit(resource: rustix::process::Resource, most: u64) -> io::Result<()> {
    use rustix::process::{Rlimit, getrlimit, setrlimit};

    let already = getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let most = Some(most.min(already));
    let limit = Rlimit {
        current: most,
        maximum: most,
    };
    Ok(setrlimit(resource, limit)?)
}

/// Ends this process at once, whatever its other threads do.
#[cfg(unix)]
pub(super) fn end_process() {
    use rustix::process::{Signal, getpid, kill_process};

    // No process may not kill itself.
    let _ = kill_process(getpid(), Signal::KILL);
}

#[cfg(not(unix))]
pub(super) fn end_process() {
    std::process::exit(1);
}
