"""What guests may say to each other, and hear: sets of patterns, and a list for each mailbox."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.laws.broker_model import matches


def stands_for(pattern: str, address: str) -> bool:
    """Say whether a pattern of addresses stands for ``namespace/name``."""
    if pattern == "**":
        return True
    words = {"*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")", ",": "|"}
    regex = "".join(words.get(one, one) for one in pattern)
    return re.fullmatch(regex, address) is not None


def contains(pattern: Sequence[str], inner: Sequence[str]) -> bool:
    """Say whether all topics that ``inner`` stands for are topics that ``pattern`` stands for."""
    if pattern and pattern[0] == "#":
        return True
    if not pattern or not inner:
        return not pattern and not inner
    fits = inner[0] != "#" and pattern[0] in ("*", inner[0])
    return fits and contains(pattern[1:], inner[1:])


@dataclass(frozen=True)
class May:
    """What a guest was granted."""

    send: tuple[str, ...] = ()
    receive: tuple[str, ...] = ()
    publish: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()

    def sends_to(self, name: str) -> bool:
        return any(stands_for(one, name) for one in self.send)

    def hears(self, name: str) -> bool:
        return any(stands_for(one, name) for one in self.receive)

    def publishes(self, topic: str) -> bool:
        return any(matches(one.split("."), topic.split(".")) for one in self.publish)

    def subscribes(self, pattern: str) -> bool:
        return any(contains(one.split("."), pattern.split(".")) for one in self.subscribe)


@dataclass(eq=False)
class Said:
    """What waits in a mailbox: to be noted, or to be answered in a callback."""

    text: str
    is_urgent: bool = False
    asker: Guest | None = None
    #: Of the asker, when it asked.
    incarnation: int = 0
    request: str = ""


@dataclass(eq=False)
class Guest:
    """A guest that notes what it is told."""

    name: str
    may: May
    incarnation: int = 1
    stalled: bool = False
    patterns: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    waiting: list[Said] = field(default_factory=list)

    def gets(self, said: Said) -> None:
        place = len(self.waiting)
        if said.is_urgent:
            place = sum(one.is_urgent for one in self.waiting)
        self.waiting.insert(place, said)
        self.run()

    def run(self) -> None:
        while self.waiting and not self.stalled:
            said = self.waiting.pop(0)
            if said.asker is None:
                self.notes.append(said.text)
            elif said.asker.incarnation == said.incarnation:
                # A callback waits for its turn like a message, before all of them.
                said.asker.gets(Said(f"{said.request}={said.text}", is_urgent=True))

    def fails(self) -> None:
        """The next instance knows nothing."""
        self.incarnation += 1
        self.patterns.clear()
        self.notes.clear()

    def refusal(self, other: Guest) -> str | None:
        """Return what a guest is told that may not send to another."""
        if self.may.sends_to(other.name) and other.may.hears(self.name):
            return None
        return f'error: MessagingError::Denied("messaging.send {other.name}/0")'
