"""A mailbox as simple as it can be: a lane is a list, room is what a sum leaves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

WhenFull = Literal["block", "reject", "drop-newest", "drop-oldest"]
#: What a handler does with a message: the fourth waits until it is let go.
Deed = Literal["echo", "refuse", "fail", "hold"]
LOW, NORMAL, HIGH = range(3)


@dataclass(eq=False)
class Note:
    """A message, under a number of its own."""

    number: int
    weight: int
    do: Deed = "echo"
    kind: Literal["tell", "ask", "published"] = "tell"
    rank: int = NORMAL
    #: Whether its time is over as soon as it is sent.
    is_late: bool = False
    topic: str | None = None
    #: Whether whoever asked still waits.
    is_wanted: bool = True


@dataclass(eq=False)
class Waiter:
    """A message before a full mailbox, and what follows when it got in or never will."""

    note: Note
    then: Callable[[str], None]
    sending: Sending | None = None


@dataclass(eq=False)
class Sending:
    """Messages on their way together: over with the last, or with the first that is refused."""

    number: int
    #: Receivers that have not got all of theirs.
    left: int
    outcome: str | None = None


@dataclass
class Box:
    """A mailbox: three lanes, a line before it, and what happens when it is full."""

    messages_max: int
    bytes_max: int
    when_full: WhenFull
    lanes: tuple[list[Note], list[Note], list[Note]] = field(default_factory=lambda: ([], [], []))
    line: list[Waiter] = field(default_factory=list)
    closed: bool = False
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def notes(self) -> list[Note]:
        """All that waits, in the order of its turn."""
        low, normal, high = self.lanes
        return [*high, *normal, *low]

    def fits(self, note: Note) -> bool:
        notes = self.notes
        weight = sum(one.weight for one in notes)
        return len(notes) < self.messages_max and weight + note.weight <= self.bytes_max

    def push(self, note: Note) -> tuple[str, list[tuple[Note, str]]]:
        """Return what became of it, and of those that made way for it."""
        if self.closed:
            return self.refused("stopped"), []
        if note.weight > self.bytes_max:
            return self.refused("too-large"), []
        lost: list[tuple[Note, str]] = []
        if not self.line:
            if not self.fits(note):
                lost = self.make_way(note)
            if self.fits(note):
                self.accept(note)
                return "accepted", lost
        if self.when_full == "block":
            return "line-up", lost
        if self.when_full == "reject":
            return self.refused("full"), lost
        self.counts["dropped"] += 1
        return "dropped", lost

    def make_way(self, note: Note) -> list[tuple[Note, str]]:
        lost = []
        for lane in self.lanes:
            while lane and lane[0].is_late and not self.fits(note):
                lost.append((lane.pop(0), "expired"))
        if self.when_full == "drop-oldest":
            above = [one for lane in self.lanes[note.rank + 1 :] for one in lane]
            if sum(one.weight for one in above) + note.weight <= self.bytes_max:
                for lane in self.lanes[: note.rank + 1]:
                    while lane and not self.fits(note):
                        lost.append((lane.pop(0), "dropped"))
        for _, why in lost:
            self.counts["expired" if why == "expired" else "displaced"] += 1
        return lost

    def refused(self, why: str) -> str:
        self.counts["rejected"] += 1
        return why

    def accept(self, note: Note) -> None:
        self.lanes[note.rank].append(note)
        self.counts["accepted"] += 1
        notes = self.notes
        for peak, now in (
            ("messages_peak", len(notes)),
            ("bytes_peak", sum(one.weight for one in notes)),
        ):
            self.counts[peak] = max(self.counts[peak], now)

    def line_up(self, waiter: Waiter) -> str | None:
        """Let it wait; return why not."""
        if self.closed:
            return self.refused("stopped")
        if len(self.line) >= self.messages_max:
            return self.refused("full")
        self.line.append(waiter)
        return None

    def admit(self) -> None:
        """Let in who waits and fits, the first one first; then tell them."""
        admitted = []
        while self.line and self.fits(self.line[0].note):
            waiter = self.line.pop(0)
            self.accept(waiter.note)
            admitted.append(waiter)
        for waiter in admitted:
            waiter.then("accepted")

    def pop(self) -> Note | None:
        for lane in reversed(self.lanes):
            if lane:
                note = lane.pop(0)
                self.counts["expired" if note.is_late else "delivered"] += 1
                return note
        return None

    def seen(self) -> dict[str, int]:
        """What ``Actor.mailbox`` tells."""
        names = ("accepted", "delivered", "expired", "displaced", "dropped", "rejected")
        notes = self.notes
        return {
            "messages": len(notes),
            "bytes": sum(one.weight for one in notes),
            "messages_peak": self.counts["messages_peak"],
            "bytes_peak": self.counts["bytes_peak"],
            **{name: self.counts[name] for name in names},
        }
