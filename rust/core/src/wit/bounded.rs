//! A room with thick walls for code that reads hostile input.

use std::any::Any;
use std::thread;

/// Stack of the decoding thread, in bytes. Reserved, not touched: only the
/// depth that an input reaches costs memory.
const STACK_BYTES: usize = 256 << 20;

/// Why bounded work gave no answer.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// It panicked, saying this.
    Panicked(String),
    /// The system gave no thread.
    NoThread(std::io::Error),
}

/// Runs `work` on a thread of its own and waits for it.
///
/// The decoders below us assert invariants that a crafted binary can break, and
/// they recurse over types. A thread gives both an end: a panic becomes a value
/// here, and the stack is as deep as the caps on the input need, whichever
/// thread of the embedder asked.
pub(crate) fn bounded<T, E>(work: impl FnOnce() -> Result<T, E> + Send) -> Result<T, E>
where
    T: Send,
    E: Send + From<Stopped>,
{
    thread::scope(|scope| {
        let worker = thread::Builder::new()
            .name("airssys-wit".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, work)
            .map_err(Stopped::NoThread)?;
        worker
            .join()
            .unwrap_or_else(|panic| Err(Stopped::Panicked(panic_text(panic.as_ref())).into()))
    })
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        return (*text).to_owned();
    }
    match panic.downcast_ref::<String>() {
        Some(text) => text.clone(),
        None => "panic".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_comes_back_as_a_value() {
        let stopped = bounded(|| -> Result<(), Stopped> { panic!("wall {}", 1) });
        assert!(matches!(stopped, Err(Stopped::Panicked(text)) if text == "wall 1"));
    }

    #[test]
    fn the_answer_comes_back_as_it_is() {
        assert_eq!(bounded(|| Ok::<_, Stopped>(7)).ok(), Some(7));
    }
}
