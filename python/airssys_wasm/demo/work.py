"""The useful work: one guest counts, another writes up what it found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import airssys_wasm as aw
from airssys_wasm.demo.cast import Cast
from airssys_wasm.demo.scenes import Cost, Reported
from airssys_wasm.demo.texts import Text

__all__ = ["Reader", "report"]

_ANALYSER = "airssys:text-stats/analyser"
_REPORTER = "airssys:markdown-report/reporter"

#: A text of any length is read in pieces of this size, so the reader's memory is
#: bounded by its longest paragraph and not by its text.
CHUNK_BYTES = 64 * 1024

_READER_LIMITS = aw.Limits(memory_bytes_max=2 * aw.MIB, call_seconds_max=5.0)
# A Python guest brings an interpreter along.
_WRITER_LIMITS = aw.Limits(memory_bytes_max=64 * aw.MIB, call_seconds_max=10.0)


@dataclass(slots=True)
class Reader:
    """A live ``text-stats``.

    Attributes:
        cost: what all its calls together cost.
    """

    instance: aw.Instance
    cost: Cost

    @classmethod
    @contextmanager
    def open(cls, cast: Cast) -> Iterator[Reader]:
        """Start one, and close it behind the ``with`` block."""
        with cast.useful("text-stats").instantiate(limits=_READER_LIMITS) as instance:
            yield cls(instance, Cost.nothing())

    def figures(self, content: bytes) -> dict[str, Any]:
        """Return what the guest counts in ``content``, which is UTF-8."""
        with self._call("[constructor]analysis") as analysis:
            for start in range(0, len(content), CHUNK_BYTES):
                chunk = content[start : start + CHUNK_BYTES]
                self._call("[method]analysis.feed", analysis, chunk)
            found: dict[str, Any] = self._call("[method]analysis.finish", analysis)
        return found

    def _call(self, function: str, *arguments: object) -> Any:  # noqa: ANN401 - any WIT value
        result = self.instance.call(f"{_ANALYSER}#{function}", *arguments)
        self.cost += Cost.of(self.instance.receipt)
        return result


def report(cast: Cast, texts: Sequence[Text]) -> Reported:
    """Let one guest read ``texts``, and another report on what it found."""
    with Reader.open(cast) as reader:
        figures = {text.name: reader.figures(text.content) for text in texts}
        read_cost = reader.cost
    title = "What two components found"
    rows = [{"name": name, **found} for name, found in figures.items()]
    with cast.useful("markdown-report").instantiate(limits=_WRITER_LIMITS) as writer:
        written: str = writer.call(f"{_REPORTER}#render", title, rows)
        write_cost = Cost.of(writer.receipt)
    return Reported(
        source=" and ".join(figures),
        figures=figures,
        report=written,
        costs={"text-stats": read_cost, "markdown-report": write_cost},
    )
