"""Actors that write down what they get, and what is true of it whatever happens to them."""

from __future__ import annotations

import asyncio
import itertools
import struct
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.integration.actors.wrapping import life_cycle, wrapped

import airssys_wasm as aw

RECORDER: Final = Path(__file__).parent / "recorder.wat"
WORLD: Final = """
package test:recorder;

interface log {
    note: func(incarnation: u64, number: u64);
}

world recorder {
    import log;
    export airssys:core/lifecycle@1.0.0;
}
"""
#: How long one message may take; "?" and "d" take longer.
SECONDS_MAX: Final = 0.03
LIMITS: Final = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=SECONDS_MAX)
#: Of what is asked, these are answered, if anything is; this is refused; nothing else is.
ANSWERED, REFUSED = b"ez", b"-"
#: How long after its deadline a request may end on a busy machine.
LATE_SECONDS_MAX: Final = 10.0

_MESSAGE = struct.Struct("<cQ")
_ANSWER = struct.Struct("<cQQ")


def recorder(engine: aw.Engine, folder: Path) -> aw.Component:
    """Load the component; ``folder`` is empty."""
    return wrapped(engine, RECORDER, life_cycle(folder, WORLD))


def written(deed: bytes, number: int) -> bytes:
    return _MESSAGE.pack(deed, number)


def number_in(payload: bytes) -> int:
    number: int = _MESSAGE.unpack(payload)[1]
    return number


@dataclass
class Request:
    """What was asked or sent, and how it ended."""

    number: int
    deed: bytes
    #: ``send`` for all that is not asked.
    is_asked: bool
    #: Empty until it has ended.
    outcome: str = ""
    answer: bytes = b""
    seconds: float = 0.0
    seconds_max: float = float("inf")


@dataclass
class Ledger:
    """What everybody sent, and what everybody got, in the order in which they did."""

    requests: list[Request] = field(default_factory=list)
    #: By receiver: which life of it, which incarnation in that life, which message.
    got: dict[str, list[tuple[int, int, int]]] = field(default_factory=lambda: defaultdict(list))
    lives: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def number(self, sender: int, receiver: int, sequence: int) -> int:
        """Give a message its number, which says whose it is."""
        return sender << 40 | receiver << 32 | sequence

    def source(self, name: str, component: aw.Component | None) -> dict[str, Any]:
        """Return the options of a ``Child`` that lives a new life under a name."""
        got, life = self.got[name], next(self.lives)

        class Log:
            def note(self, incarnation: int, number: int) -> None:
                got.append((life, incarnation, number))

        if component is not None:
            return {"source": component, "limits": LIMITS, "imports": {"test:recorder/log": Log()}}
        return {"source": handler(Log().note), "handler_seconds_max": SECONDS_MAX}

    # What is true

    def check(self, letters: list[aw.DeadLetter]) -> None:
        """Whatever was crashed, stopped, cancelled and restarted, and when."""
        self.check_ends()
        self.check_answers()
        self.check_order()
        self.check_that_nothing_vanished(letters)

    def check_ends(self) -> None:
        """Each request ended, soon enough."""
        for request in self.requests:
            assert request.outcome, f"{request} has no end"
            assert request.seconds <= request.seconds_max + LATE_SECONDS_MAX, request

    def check_answers(self) -> None:
        """Each answer is that of the instance that got the question, and to no other."""
        by = {number: (life, inc) for all_ in self.got.values() for life, inc, number in all_}
        for request in self.requests:
            if request.outcome == "answered":
                assert request.deed in ANSWERED, request
                deed, number, incarnation = _ANSWER.unpack(request.answer)
                assert (deed, number) == (request.deed, request.number), request
                assert by[number][1] == incarnation, request
            elif request.outcome == "MessageRefused":
                assert request.deed in REFUSED, request
                assert request.number in by, request

    def check_order(self) -> None:
        """What one sends to another comes in this order, and once."""
        for name, got in self.got.items():
            numbers = [number for _, _, number in got]
            assert len(set(numbers)) == len(numbers), f"{name} got something twice: {got}"
            pairs: dict[int, list[int]] = defaultdict(list)
            for number in numbers:
                pairs[number >> 40].append(number)
            for sender, received in pairs.items():
                assert received == sorted(received), f"{name} from {sender}: {received}"
            lives = [(life, incarnation) for life, incarnation, _ in got]
            assert lives == sorted(lives), f"{name}: an earlier instance came after a later one"

    def check_that_nothing_vanished(self, letters: list[aw.DeadLetter]) -> None:
        """What was accepted was handled, or is a dead letter."""
        got = {number for all_ in self.got.values() for _, _, number in all_}
        dead = Counter(number_in(letter.payload) for letter in letters if letter.topic is None)
        sent = [one.number for one in self.requests if one.outcome == "sent"]
        lost = [number for number in sent if number not in got and number not in dead]
        assert not lost, f"accepted, and then neither handled nor kept: {lost}"
        assert max(dead.values(), default=0) <= 1, "one message is two dead letters"
        asked = {one.number for one in self.requests if one.is_asked}
        assert not asked & set(dead), "whoever asked was told; that is no dead letter"


def handler(note: Callable[[int, int], None]) -> type:
    """Return the same actor in Python; its instances are told apart by when they were made."""
    made = itertools.count(1)

    class Recorder:
        def __init__(self) -> None:
            self.number = next(made)

        async def handle(self, message: aw.Message) -> bytes:
            deed, number = _MESSAGE.unpack(message.payload)
            note(self.number, number)
            match deed:
                case b"z":
                    await asyncio.sleep(0.003)
                case b"-":
                    raise aw.HandlerRefusal("as it was told")
                case b"!":
                    raise RuntimeError("as it was told")
                case b"?":
                    await asyncio.sleep(60.0)
                case b"d":
                    await deafly()
            return _ANSWER.pack(deed, number, self.number)

    return Recorder


async def deafly() -> None:
    """Go on past the limit, whoever cancels it: the answer then comes too late."""
    until = time.monotonic() + 2 * SECONDS_MAX
    while (left := until - time.monotonic()) > 0:
        try:
            await asyncio.sleep(left)
        except asyncio.CancelledError:
            continue
