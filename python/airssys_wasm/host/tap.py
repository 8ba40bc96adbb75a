"""The hook ``on_message``: what an actor is handed, told beside it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from airssys_wasm.actor import Event, hooks
from airssys_wasm.broker import Listening
from airssys_wasm.config import MIB

if TYPE_CHECKING:
    from collections.abc import Callable

    from airssys_wasm.actor import Hooks
    from airssys_wasm.broker import NativeActor

#: Copies that wait for the hook; the oldest make way.
MESSAGES_MAX: Final = 1000
_BYTES_MAX: Final = 16 * MIB


class Tap:
    """Calls the hook for one message after the other, while the actor goes on.

    Args:
        native: the actor; none of its instances has been made yet.
        told: its hooks.
        event: makes what the hook is told of a message.
    """

    def __init__(self, native: NativeActor, told: Hooks, event: Callable[[], Event]) -> None:
        self._messages = native.tap(messages_max=MESSAGES_MAX, bytes_max=_BYTES_MAX)
        self._told = told
        self._event = event
        self._task = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        before = 0
        async for message in (copies := Listening(self._messages)):
            dropped = copies.dropped
            event = replace(self._event(), message=message, count=dropped - before)
            before = dropped
            await hooks.run(self._told, "on_message", event)

    async def end(self) -> None:
        """Hear no more, and wait for what was heard, for as long as one hook may take."""
        self._messages.close()
        _, late = await asyncio.wait({self._task}, timeout=self._told.seconds_max)
        for task in late:
            task.cancel()
