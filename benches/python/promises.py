"""The promises, and whether a run kept them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Args:
        path: what was measured.
        ours: our figure, with its unit.
        bar: the figure it is held against, with its unit; empty if there is none.
        measured: what the promise is about: a ratio, or a figure of ours.
        promise: the bound, or None for a row that only informs.
        sense: whether the bound is the least or the most that is allowed.
        unit: what stands behind ``measured`` and ``promise``.
    """

    path: str
    ours: str
    bar: str
    measured: float
    promise: float | None = None
    sense: Literal["at least", "at most"] = "at least"
    unit: str = "×"

    @property
    def kept(self) -> bool | None:
        if self.promise is None:
            return None
        if self.sense == "at least":
            return self.measured >= self.promise
        return self.measured <= self.promise

    def cells(self) -> tuple[str, ...]:
        verdict = {True: "kept", False: "MISSED", None: "—"}[self.kept]
        return (self.path, self.ours, self.bar, self._shown(self.measured), self._bound(), verdict)

    def _bound(self) -> str:
        if self.promise is None:
            return "—"
        sign = "≥" if self.sense == "at least" else "≤"
        return f"{sign} {self._shown(self.promise)}"

    def _shown(self, value: float) -> str:
        digits = 2 if abs(value) < 3 else 1 if abs(value) < 100 else 0
        space = "" if self.unit == "×" else " "
        return f"{value:.{digits}f}{space}{self.unit}"


@dataclass(frozen=True)
class Promise:
    """A bound of a row, as ``Row`` takes it."""

    bound: float
    sense: Literal["at least", "at most"]
    unit: str


#: The promises about actors, by path.
ACTORS = {
    "tell by name": Promise(100, "at most", "ns"),
    "ask by name": Promise(100, "at most", "ns"),
    "messages on one core": Promise(10, "at least", "M/s"),
    "messages into a component on one core": Promise(3, "at least", "M/s"),
    "a component replaced after a trap": Promise(10, "at most", "µs"),
    "ask from Python into a component": Promise(600, "at most", "ns"),
    "ask from Python, answer read": Promise(13, "at least", "×"),
    "await ask(), inline": Promise(1000, "at most", "ns"),
}


HEADINGS = ("path", "airssys-wasm", "bar", "measured", "promise", "")


def table(rows: list[Row]) -> str:
    lines = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    text = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    text.insert(1, "  ".join("─" * width for width in widths))
    return "\n".join(text)


def duration(nanoseconds: float) -> str:
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {unit}"
    return f"{nanoseconds:.3g} ns"
