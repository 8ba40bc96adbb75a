"""In which order the children of a supervisor that ends are stopped."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from airssys_wasm.actor.exits import StopReason
from airssys_wasm.actor.rounds import Slot

#: Children of one pool that are stopped at once. Stops and hooks may need a thread each, and of
#: threads for hooks there are twice as many.
TOGETHER_MAX: Final = 32


class StopOrder:
    """The last child first; a pool as one, when the last of its children comes up.

    Args:
        slots: the children, in start order; none is added or started any more.
        reason: what they are told.
    """

    def __init__(self, slots: Iterable[Slot], reason: StopReason) -> None:
        self._reason = reason
        rows: dict[str | Slot, list[Slot]] = {}
        for slot in reversed(tuple(slots)):
            rows.setdefault(slot.pool or slot, []).append(slot)
        # Both are taken from their ends.
        self._rows = [row[::-1] for row in reversed(rows.values())]
        self._stopping: list[Slot] = []

    def advance(self) -> bool:
        """Stop those whose turn it is; return whether all are down."""
        self._stopping = [slot for slot in self._stopping if slot.life is not None]
        while self._rows:
            self._stop_of(self._rows[-1])
            if self._stopping:
                return False
            self._rows.pop()
        return True

    def _stop_of(self, row: list[Slot]) -> None:
        while row and len(self._stopping) < TOGETHER_MAX:
            slot = row.pop()
            if slot.life is not None:
                slot.life.end(self._reason)
                self._stopping.append(slot)
