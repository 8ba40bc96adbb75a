"""Restarts that are under way: which children are stopped, waited for and started, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from airssys_wasm.actor.decisions import Restart, start_reasons
from airssys_wasm.actor.exits import Exit, StartReason, StopReason
from airssys_wasm.actor.rounds import Round, Slot


@dataclass(frozen=True, slots=True)
class IsDue:
    """The wait before a restart is over."""

    round: Round


class Restarts:
    """The rounds of one supervisor, the first start included.

    Where several children restart together there is one round at most, and a failure in it
    makes one round of the two. Where children restart alone, each has its own.

    Args:
        slots: the children, in start order; shared with whoever adds and drops them.
        alone: whether children restart alone.
        loop: the clock.
        start: begins a life in a slot that is down.
        post: adds an event to the inbox.
        first_is_done: called once the first start is done.
    """

    def __init__(
        self,
        slots: Mapping[str, Slot],
        *,
        alone: bool,
        loop: asyncio.AbstractEventLoop,
        start: Callable[[Slot, StartReason], None],
        post: Callable[[IsDue], None],
        first_is_done: Callable[[], None],
    ) -> None:
        self._slots = slots
        self._alone = alone
        self._loop = loop
        self._start = start
        self._post = post
        self._first_is_done = first_is_done
        self._first: Round | None = None
        #: The one that several children share.
        self._common: Round | None = None

    def begin_first(self, reason: StartReason) -> None:
        """Start all children, one after the other."""
        self._first = Round(list(self._slots), dict.fromkeys(self._slots, reason))
        self._take_up(self._first)
        self.advance(self._first)

    def begin(self, failed: str, end: Exit, restart: Restart) -> None:
        """Begin what was decided, together with the restart that is under way."""
        reasons = start_reasons(failed, end, restart)
        names, due = restart.children, self._loop.time() + restart.after_seconds
        old = self._common
        if old is not None:
            wanted = {*names, *old.remaining(self._slots)}
            names = tuple(name for name in self._slots if name in wanted)
            reasons = _joined(reasons, old, failed)
            due = max(due, old.due)
        round_ = Round(names, reasons, cause=failed, due=due)
        if old is not None:
            self._dissolve(old)
            if old is self._first:
                self._first = round_
        self._take_up(round_)
        self.advance(round_)

    def advance(self, round_: Round) -> None:
        """Take the next step."""
        if (slot := round_.next_to_stop(self._slots)) is not None:
            assert slot.life is not None
            slot.life.end(StopReason.RESTARTED)
            return
        if not round_.is_starting and self._loop.time() < round_.due:
            round_.clear_timer()
            round_.timer = self._loop.call_at(round_.due, self._post, IsDue(round_))
            return
        round_.is_starting = True
        slot = round_.next_to_start(self._slots)
        if slot is None:
            self._end(round_)
        elif slot.life is None:
            self._start(slot, round_.reasons[slot.child.name])

    def is_due(self, round_: Round) -> None:
        """Go on after the wait, unless another round has taken this one's place."""
        if round_.timer is not None:
            round_.timer = None
            # A timer may fire a clock's grain early.
            round_.due = self._loop.time()
            self.advance(round_)

    def leave(self, slot: Slot) -> list[Slot]:
        """Take a child out of its round, and return those whom nobody is going to start now.

        The one that failed takes the others with it, as long as it is not up again: without
        it they stay down.
        """
        round_ = slot.round
        if round_ is None:
            return []
        slot.round = None
        if round_.cause != slot.child.name or not round_.awaits(slot.child.name):
            self.advance(round_)
            return []
        left = [self._slots[name] for name in round_.remaining(self._slots)]
        self._end(round_)
        return left

    def part(self, slot: Slot) -> None:
        """Take a child out of its round for good: the others go on, whoever it was that failed."""
        round_ = slot.round
        if round_ is None:
            return
        slot.round = None
        present = (self._slots.get(name) for name in round_.names)
        if any(other is not None and other.round is round_ for other in present):
            self.advance(round_)
        else:
            self._end(round_)

    def stand_down(self) -> None:
        """Forget all rounds; what they have begun is for others to end."""
        for slot in self._slots.values():
            if slot.round is not None:
                slot.round.clear_timer()
                slot.round = None
        self._common = self._first = None

    def _take_up(self, round_: Round) -> None:
        for name in round_.names:
            self._slots[name].round = round_
        if not self._alone:
            self._common = round_

    def _end(self, round_: Round) -> None:
        self._dissolve(round_)
        if round_ is self._first:
            self._first = None
            self._first_is_done()

    def _dissolve(self, round_: Round) -> None:
        round_.clear_timer()
        for name in round_.names:
            slot = self._slots.get(name)
            if slot is not None and slot.round is round_:
                slot.round = None
        if self._common is round_:
            self._common = None


def _joined(reasons: dict[str, StartReason], old: Round, failed: str) -> dict[str, StartReason]:
    """Return what each child of two rounds in one is told: its own failure before others'."""
    joined = {**old.reasons, **reasons}
    if old.cause != failed and old.awaits(old.cause):
        joined[old.cause] = old.reasons[old.cause]
    return joined
