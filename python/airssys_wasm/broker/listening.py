"""Reading what comes, item by item: in an event loop, or on a thread of one's own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Generic, Protocol, Self, TypeVar

from airssys_wasm.config.figures import is_number, printed
from airssys_wasm.errors import MailboxClosed, ValueMismatch

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from types import TracebackType

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

#: The native module counts no more; it says so of other waits much the same way.
_SECONDS_MAX: Final = 1e19


class Source(Protocol[T_co]):
    """A bounded queue of the native module."""

    def take(self) -> T_co | None:
        """Return the oldest item, or ``None``."""

    def ready(self) -> Awaitable[None]:
        """Await something to look at."""

    def next(self, timeout: float | None = None) -> T_co | None:
        """Wait on this thread."""

    def close(self) -> None:
        """Let nothing come any more."""

    @property
    def closed(self) -> bool:
        """Whether nothing comes any more."""

    @property
    def dropped(self) -> int:
        """Items that were lost."""

    def __len__(self) -> int:
        """Items that wait."""


def _require_wait(timeout: object) -> None:
    if timeout is not None and not is_number(timeout, 0, _SECONDS_MAX):
        raise ValueMismatch(
            f"timeout: {printed(timeout)} is no time to wait; hint: seconds, 0 to 1e19, or None",
            "timeout",
        )


def _nothing_within(seconds: float | None) -> TimeoutError:
    return TimeoutError(f"nothing came within {seconds} s")


class _Base(Generic[T]):
    def __init__(self, native: Source[T]) -> None:
        """Listen to what ``native`` brings."""
        self._native = native

    @property
    def dropped(self) -> int:
        """How many came while it was full, and were lost or displaced older ones."""
        return self._native.dropped

    @property
    def waiting(self) -> int:
        """How many wait to be read."""
        return len(self._native)

    def close(self) -> None:
        """Let nothing come any more; what came before can still be read."""
        self._native.close()

    def __repr__(self) -> str:
        """Say how many wait."""
        return f"<{type(self).__name__} {self.waiting} waiting>"

    def _ended(self) -> MailboxClosed:
        return MailboxClosed("nothing comes any more: it was closed, or its host was")


class Listening(_Base[T]):
    """What comes, for one event loop.

    Several tasks may read it; each item goes to one of them.
    """

    _ready: asyncio.Future[None] | None = None

    async def __aenter__(self) -> Self:
        """Return itself: it listens since it was made."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Listen no more."""
        self.close()

    def __aiter__(self) -> Self:
        """Read until it is closed."""
        return self

    async def __anext__(self) -> T:
        """Return the next item, or end once it is closed and read."""
        item = await self._next()
        if item is None:
            raise StopAsyncIteration
        return item

    async def get(self, *, timeout: float | None = None) -> T:  # noqa: ASYNC109 - as its blocking twin
        """Return the next item.

        Args:
            timeout: seconds to wait, 0 to 1e19; ``None`` waits without end.

        Raises:
            TimeoutError: nothing came in time.
            ValueMismatch: ``timeout`` is no time to wait.
            MailboxClosed: nothing comes any more.
            EngineError: this process was forked from that of the host.
        """
        _require_wait(timeout)
        item = await (self._next() if timeout is None else self._next_within(timeout))
        if item is None:
            raise self._ended()
        return item

    async def _next_within(self, seconds: float) -> T | None:
        try:
            async with asyncio.timeout(seconds):
                return await self._next()
        except TimeoutError:
            raise _nothing_within(seconds) from None

    def _take(self) -> T | None:
        return self._native.take()

    async def _next(self) -> T | None:
        while (item := self._take()) is None:
            if self._native.closed:
                # It may have come just before the end.
                return self._take()
            if self._ready is None or self._ready.done():
                self._ready = asyncio.ensure_future(self._native.ready())
            # Shared by all tasks that read: one that is cancelled takes nothing along.
            await asyncio.shield(self._ready)
        return item


class BlockingListening(_Base[T]):
    """What comes, for threads. Ctrl-C ends the waiting.

    Several threads may read it; each item goes to one of them.
    """

    def __enter__(self) -> Self:
        """Return itself: it listens since it was made."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Listen no more."""
        self.close()

    def __iter__(self) -> Self:
        """Read until it is closed."""
        return self

    def __next__(self) -> T:
        """Return the next item, or end once it is closed and read."""
        item = self._next(None)
        if item is None:
            raise StopIteration
        return item

    def get(self, *, timeout: float | None = None) -> T:
        """Return the next item.

        Args:
            timeout: seconds to wait, 0 to 1e19; ``None`` waits without end.

        Raises:
            TimeoutError: nothing came in time.
            ValueMismatch: ``timeout`` is no time to wait.
            MailboxClosed: nothing comes any more.
            EngineError: this process was forked from that of the host.
        """
        _require_wait(timeout)
        item = self._next(timeout)
        if item is not None:
            return item
        if self._native.closed:
            raise self._ended()
        raise _nothing_within(timeout)

    def _next(self, timeout: float | None) -> T | None:
        return self._native.next(timeout)
