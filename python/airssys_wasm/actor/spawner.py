"""What a supervisor needs of its host: to start one thing, and then to stop or kill it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from airssys_wasm.actor.child import Child
from airssys_wasm.actor.exits import Exit, StartReason, StopReason

#: How a host tells that an instance has ended by itself. Any thread may call it, at any time,
#: even before ``start`` has returned; the first call counts. It never blocks and never raises.
ExitListener: TypeAlias = Callable[[Exit], None]


class Running(Protocol):
    """One incarnation that runs."""

    async def stop(self, reason: StopReason, *, seconds_max: float | None) -> None:
        """Ask it to end, and return when it has.

        The supervisor cancels the call once ``seconds_max`` have passed and then calls
        ``kill``; the figure is here to be passed on. An exception counts as an end, after
        ``kill``.

        Args:
            reason: what the instance is told.
            seconds_max: how long it has; ``None`` is without end.
        """

    def kill(self) -> None:
        """End it at once: return without waiting. On one that has ended it does nothing."""


class Spawner(Protocol):
    """Starts what a ``Child`` describes."""

    async def start(self, child: Child, reason: StartReason, exited: ExitListener) -> Running:
        """Start one incarnation and return it when it serves.

        It may be cancelled, and then leaves nothing that runs; what is returned in spite of
        it is killed. An exception is a failed start: ``Exit.of`` says what kind.

        Args:
            child: what to start.
            reason: what the incarnation is told.
            exited: to be called when it ends by itself: not for ``stop`` or ``kill``, though
                calling it then does no harm.
        """
