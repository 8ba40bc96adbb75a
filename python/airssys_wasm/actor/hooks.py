"""What the embedder has done around the life of an actor, each bounded in time."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Final, TypeAlias

from airssys_wasm.actor.bounded import bounded
from airssys_wasm.actor.callables import takes_one
from airssys_wasm.actor.health import require_seconds
from airssys_wasm.actor.notices import Event
from airssys_wasm.actor.threads import Crew
from airssys_wasm.errors import ChildInvalid

#: Sync or async; what it returns is of no interest.
Hook: TypeAlias = Callable[[Event], object]

HOOK_SECONDS: Final = 5.0
#: Hooks that hang keep a thread each; with so many, no other sync hook is begun.
_THREADS_MAX: Final = 64

_LOG = logging.getLogger(__name__)
_CREW: Final = Crew("hooks", _THREADS_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """Functions that are called around the life of an actor, each with an ``Event``.

    They may be sync, and then run on a thread of their own, or async, and then must not block
    the event loop. One that raises, or takes longer than ``seconds_max``, is logged, and
    things go on as if it had returned.

    Args:
        before_start: before an instance is made; the start waits for it.
        after_start: when it serves, before ``spawn`` returns.
        before_stop: before an instance is asked to stop; the stop waits for it, within what
            its child allows for the stop.
        after_stop: when that instance is gone.
        on_message: for each message that an instance is handed, one after the other; nobody
            waits for it. It is told beside the handling, of a copy: where it is slower than the
            actor, at most 1000 copies wait, the oldest make way, and ``event.count`` says how
            many were missed.
        on_error: when an instance has failed; nobody waits for it.
        on_restart: when it is decided to restart it; nobody waits for it. Comes after the
            ``on_error`` of the same failure.
        seconds_max: for each, more than 0, at most 1e9.

    Raises:
        ChildInvalid: one is no function, or the figure is outside its range.
    """

    before_start: Hook | None = None
    after_start: Hook | None = None
    before_stop: Hook | None = None
    after_stop: Hook | None = None
    on_message: Hook | None = None
    on_error: Hook | None = None
    on_restart: Hook | None = None
    seconds_max: float = HOOK_SECONDS

    def __post_init__(self) -> None:
        """Refuse nonsense when it is made, not when it is used."""
        for field in fields(self):
            hook = getattr(self, field.name)
            if field.name != "seconds_max" and hook is not None and not callable(hook):
                raise ChildInvalid(f"{field.name}: {hook!r} is no function; hint: def hook(event)")
            if callable(hook) and not takes_one(hook):
                raise ChildInvalid(
                    f"{field.name}: {hook!r} cannot be called with the event alone; "
                    "hint: def hook(event)"
                )
        require_seconds("seconds_max", self.seconds_max)


async def run(hooks: Hooks | None, name: str, event: Event) -> None:
    """Call a hook, if there is one; return when it has, or its time is over.

    Args:
        hooks: of the actor.
        name: which of them.
        event: what it is told.
    """
    hook: Hook | None = getattr(hooks, name) if hooks is not None else None
    if hooks is None or hook is None:
        return
    try:
        await bounded(_call(hook, event), hooks.seconds_max)
    except Exception as error:  # noqa: BLE001 - the hook of a stranger
        _LOG.warning("hook %s of %r failed", name, event.actor, exc_info=error)


async def _call(hook: Hook, event: Event) -> None:
    if not inspect.iscoroutinefunction(hook):
        returned = await _CREW.call(hook, event)
    else:
        returned = hook(event)
    if inspect.isawaitable(returned):
        await returned
