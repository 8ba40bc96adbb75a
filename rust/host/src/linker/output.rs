//! What a guest writes to standard output and error: captured by lines, and
//! bounded.

use async_trait::async_trait;
use bytes::Bytes;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// Bytes of finished lines kept, their ends included; the oldest lines go first.
const KEPT_BYTES_MAX: usize = 64 * 1024;
/// Bytes of one line; what is longer is cut into several lines.
const LINE_BYTES_MAX: usize = 4 * 1024;
/// Bytes a guest may write at once.
const WRITE_BYTES_MAX: usize = 64 * 1024;

/// One captured stream; clones share it.
#[derive(Clone, Default)]
pub struct Output {
    lines: Arc<Mutex<Lines>>,
}

#[derive(Default)]
struct Lines {
    /// Finished lines, printable, one after another: an entry for each would cost
    /// the host many times the byte that an empty one is counted as.
    finished: VecDeque<u8>,
    current: Vec<u8>,
    dropped_bytes: u64,
    written_bytes: u64,
}

impl Output {
    /// The lines kept, the unfinished last one included. Control characters
    /// are spelled out, so that a guest cannot drive the reader's terminal.
    pub fn text(&self) -> String {
        let lines = self.lock();
        let (first, second) = lines.finished.as_slices();
        let mut text = Vec::with_capacity(lines.finished.len() + lines.current.len());
        text.extend_from_slice(first);
        text.extend_from_slice(second);
        text.extend_from_slice(printable(&lines.current).as_bytes());
        // Whole printable lines are put in and taken out, so this changes nothing.
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Bytes the guest wrote so far.
    pub(super) fn written_bytes(&self) -> u64 {
        self.lock().written_bytes
    }

    /// Bytes of old lines that went to stay inside the bound.
    pub fn dropped_bytes(&self) -> u64 {
        self.lock().dropped_bytes
    }

    fn write(&self, bytes: &[u8]) {
        let mut lines = self.lock();
        lines.written_bytes += bytes.len() as u64;
        for &byte in bytes {
            if byte == b'\n' || lines.current.len() == LINE_BYTES_MAX {
                lines.finish_line();
            }
            if byte != b'\n' {
                lines.current.push(byte);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lines {
    fn finish_line(&mut self) {
        let line = printable(&self.current);
        self.current.clear();
        self.finished.extend(line.bytes());
        self.finished.push_back(b'\n');
        while self.finished.len() > KEPT_BYTES_MAX {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let end = self.finished.iter().position(|byte| *byte == b'\n');
        let bytes = end.map_or(self.finished.len(), |end| end + 1);
        self.finished.drain(..bytes);
        self.dropped_bytes += bytes as u64;
    }
}

fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for character in String::from_utf8_lossy(bytes).chars() {
        // Writing to a String cannot fail.
        if character.is_control() && character != '\t' {
            let _ = write!(text, "\\x{:02x}", u32::from(character));
        } else if turns_lines(character) {
            let _ = write!(text, "\\u{{{:x}}}", u32::from(character));
        } else {
            text.push(character);
        }
    }
    text
}

/// Marks that break lines or change the direction of what follows them: with
/// them a guest could make a reader's log show what it does not say.
fn turns_lines(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        Output::write(self, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}

#[async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

impl AsyncWrite for Output {
    fn poll_write(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Output::write(&self, bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_stays_inside_the_bound_and_is_counted() {
        let output = Output::default();
        for _ in 0..100_000 {
            Output::write(&output, b"0123456789abcdef\n");
        }
        assert!(output.text().len() <= KEPT_BYTES_MAX);
        assert!(output.dropped_bytes() > 1_600_000);
    }

    #[test]
    fn empty_lines_cost_a_byte_each() {
        let output = Output::default();
        Output::write(&output, &vec![b'\n'; 10 * KEPT_BYTES_MAX]);
        Output::write(&output, b"last");
        let text = output.text();
        assert_eq!(text.len(), KEPT_BYTES_MAX + 4);
        assert!(text.ends_with("\n\nlast"));
        assert_eq!(output.dropped_bytes(), 9 * KEPT_BYTES_MAX as u64);
        assert!(output.lock().finished.capacity() <= 2 * KEPT_BYTES_MAX);
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let output = Output::default();
        Output::write(&output, &vec![b'x'; 10 * LINE_BYTES_MAX]);
        assert!(
            output
                .text()
                .lines()
                .all(|line| line.len() <= LINE_BYTES_MAX)
        );
    }

    #[test]
    fn escapes_reach_nobodys_terminal() {
        let output = Output::default();
        Output::write(&output, b"\x1b[2Jgone\x07");
        assert_eq!(output.text(), "\\x1b[2Jgone\\x07");
    }
}
