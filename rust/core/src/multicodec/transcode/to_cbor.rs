//! JSON into CBOR, in two passes: the first counts, so that every length is written in front.

use super::super::{CodecError, Outcome, Problem, cbor, json};
use super::nest::{Bound, Nest};
use json::{Event, Text};

struct Writer<'a, 'o> {
    reader: json::Reader<'a>,
    counts: std::vec::IntoIter<u64>,
    nest: Nest,
    out: &'o mut Vec<u8>,
    bound: Bound,
    scratch: Vec<u8>,
}

pub(super) fn write(body: &[u8], bound: Bound, out: &mut Vec<u8>) -> Outcome<()> {
    let mut writer = Writer {
        reader: json::Reader::new(body)?,
        counts: counts(body)?.into_iter(),
        nest: Nest::default(),
        out,
        bound,
        scratch: Vec::new(),
    };
    writer.value().map_err(|error| writer.place(error))
}

/// How many items or pairs each container has, in the order they open.
fn counts(body: &[u8]) -> Outcome<Vec<u64>> {
    let mut reader = json::Reader::new(body)?;
    let mut counts = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    loop {
        let event = reader.next_event()?;
        match event {
            Event::End => return Ok(counts),
            Event::Close => {
                open.pop();
                continue;
            }
            Event::Key(_) => continue,
            _ => {}
        }
        if let Some(container) = open.last() {
            counts[*container] += 1;
        }
        if matches!(event, Event::OpenArray | Event::OpenObject) {
            open.push(counts.len());
            counts.push(0);
        }
    }
}

impl Writer<'_, '_> {
    fn value(&mut self) -> Outcome<()> {
        loop {
            let start = self.reader.offset();
            let event = self.reader.next_event()?;
            if event == Event::End {
                return Ok(());
            }
            self.event(event)
                .and_then(|()| self.bound.check(self.out.len(), 0))
                .map_err(|problem| problem.at(start))?;
        }
    }

    fn event(&mut self, event: Event<'_>) -> Result<(), Problem> {
        match event {
            Event::Key(key) => {
                self.nest.begin();
                let from = self.out.len();
                self.text(key)?;
                self.nest.key(from..self.out.len());
                return Ok(());
            }
            Event::Close => {
                self.nest.close(self.out)?;
                self.nest.complete();
                return Ok(());
            }
            _ => self.nest.begin_item(),
        }
        match event {
            Event::OpenArray => self.open(cbor::ARRAY),
            Event::OpenObject => self.open(cbor::MAP),
            _ => {
                self.scalar(event)?;
                self.nest.complete();
            }
        }
        Ok(())
    }

    fn open(&mut self, major: u8) {
        // The first pass saw each container that the second one sees.
        cbor::head(self.out, major, self.counts.next().unwrap_or(0));
        self.nest.open(major == cbor::MAP, None);
    }

    fn scalar(&mut self, event: Event<'_>) -> Result<(), Problem> {
        match event {
            Event::Integer(value) => integer(self.out, i128::from(value)),
            Event::LongInteger(text) => integer(self.out, long(text)?),
            Event::Float(text) => cbor::float(self.out, json::float(text).ok_or_else(too_large)?),
            Event::Text(text) => self.text(text)?,
            Event::Bool(true) => self.out.push(cbor::TRUE),
            Event::Bool(false) => self.out.push(cbor::FALSE),
            // Containers, keys and ends were looked at before.
            _ => self.out.push(cbor::NULL),
        }
        Ok(())
    }

    fn text(&mut self, text: Text<'_>) -> Result<(), Problem> {
        let mut bytes = text.raw.as_bytes();
        if text.escaped {
            self.scratch.clear();
            text.unescape(&mut self.scratch);
            bytes = &self.scratch;
        }
        self.bound.check(self.out.len(), bytes.len())?;
        cbor::head(self.out, cbor::TEXT, bytes.len() as u64);
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    #[cold]
    fn place(&self, error: Box<CodecError>) -> Box<CodecError> {
        self.nest
            .place(error, self.out, |key| match cbor::Reader::new(key).item() {
                Ok(cbor::Item::Text(text)) => String::from_utf8_lossy(text).into_owned(),
                _ => String::new(),
            })
    }
}

/// Writes an integer that [`long`] took.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "both sides lie within 64 bits"
)]
fn integer(out: &mut Vec<u8>, value: i128) {
    if value < 0 {
        cbor::head(out, cbor::NEGATIVE, (-1 - value) as u64);
    } else {
        cbor::head(out, cbor::UNSIGNED, value as u64);
    }
}

fn long(text: &str) -> Result<i128, Problem> {
    let fits = |value: &i128| (-(1_i128 << 64)..1 << 64).contains(value);
    text.parse()
        .ok()
        .filter(fits)
        .ok_or_else(|| Problem::NoForm {
            what: "an integer of more than 64 bits".to_owned(),
            codec: "cbor",
        })
}

#[cold]
fn too_large() -> Problem {
    Problem::NoForm {
        what: "a number past what a 64-bit float holds".to_owned(),
        codec: "cbor",
    }
}
