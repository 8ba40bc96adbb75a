"""Events for one task, from its own loop and from any thread, in the order they came."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import Generic, TypeVar

E = TypeVar("E")


class Inbox(Generic[E]):
    """A queue that one task reads. To be made on the thread of ``loop``."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._thread = threading.get_ident()
        self._events: deque[E] = deque()
        self._ready = asyncio.Event()

    def post(self, event: E) -> None:
        """Add an event; never blocks. After the loop is closed nobody reads it."""
        self._events.append(event)
        try:
            if threading.get_ident() == self._thread:
                self._ready.set()
            else:
                self._loop.call_soon_threadsafe(self._ready.set)
        except RuntimeError:
            # The loop is closed, and the supervisor with it.
            self._events.clear()

    async def wait(self) -> None:
        """Return when there is an event."""
        while not self._events:
            self._ready.clear()
            await self._ready.wait()

    def take(self) -> E | None:
        """Return the oldest event, or ``None`` if there is none."""
        return self._events.popleft() if self._events else None
