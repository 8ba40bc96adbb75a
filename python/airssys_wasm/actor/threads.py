"""Plain functions for an event loop, each on a thread that nobody else waits for.

The loop's own executor has a handful of threads: with as many functions that hang, nothing goes
on that needs one. Here a thread is made where none is idle.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

from airssys_wasm.errors import CapacityExhausted

T = TypeVar("T")

#: So long a thread waits for more work.
_IDLE_SECONDS: Final = 5.0
_LOG = logging.getLogger(__name__)


async def in_thread(function: Callable[..., T], *args: object) -> T:
    """Return what a function returns that runs on a thread of its own, or raise what it raises.

    Cancelling it does not end the function: what that returns is dropped. What no future can
    carry, or would end the program, comes as a ``RuntimeError`` with the other as its cause.

    Raises:
        CapacityExhausted: the system gives no more threads.
    """
    return await _begun(function, args, _nothing)


class Crew:
    """Threads for functions of which some may hang, and keep theirs.

    Args:
        what: they are, for the error.
        calls_max: as many may be under way at once.
    """

    def __init__(self, what: str, calls_max: int) -> None:
        self._what = what
        self._calls_max = calls_max
        self._free = threading.BoundedSemaphore(calls_max)

    async def call(self, function: Callable[..., T], *args: object) -> T:
        """Call a function as :func:`in_thread` does.

        Raises:
            CapacityExhausted: too many are under way, or the system gives no more threads.
        """
        if not self._free.acquire(blocking=False):
            raise CapacityExhausted(
                f"{self._calls_max} {self._what} hang already; this one is left out"
            )
        return await _begun(function, args, self._free.release)


def _begun(
    function: Callable[..., T], args: tuple[object, ...], ended: Callable[[], None]
) -> asyncio.Future[T]:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()
    call = _Call(partial(contextvars.copy_context().run, function, *args), ended, loop, done)
    try:
        worker = _IDLE.pop()
    except IndexError:
        worker = _Worker()
        try:
            worker.start()
        except RuntimeError as error:
            ended()
            raise CapacityExhausted(
                f"the system gives no more threads: {error}; hint: fewer functions that hang"
            ) from None
    worker.calls.put(call)
    return done


class _Call:
    """One function, and who waits for it."""

    def __init__(
        self,
        function: Callable[[], Any],
        ended: Callable[[], None],
        loop: asyncio.AbstractEventLoop,
        done: asyncio.Future[Any],
    ) -> None:
        self._function = function
        self._ended = ended
        self._loop = loop
        self._done = done

    def run(self, worker: _Worker) -> None:
        try:
            settle = partial(_return, self._done, self._function())
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            settle = partial(_raise, self._done, _carried(error))
        self._ended()
        # Before anybody knows: whoever comes next is to find it.
        _IDLE.append(worker)
        try:
            self._loop.call_soon_threadsafe(settle)
        except RuntimeError:
            _LOG.debug("a function outlived its event loop")
        # The traceback of an exception holds this frame.
        del settle


class _Worker(threading.Thread):
    """A daemon: one that hangs does not keep the program from ending."""

    def __init__(self) -> None:
        super().__init__(name="airssys-worker", daemon=True)
        self.calls: queue.SimpleQueue[_Call] = queue.SimpleQueue()

    def run(self) -> None:
        """Call what comes, until nothing comes for a while."""
        while (call := self._next()) is not None:
            call.run(self)
            # While it is idle it keeps nothing alive.
            del call

    def _next(self) -> _Call | None:
        try:
            return self.calls.get(timeout=_IDLE_SECONDS)
        except queue.Empty:
            pass
        try:
            _IDLE.remove(self)
        except ValueError:
            # Somebody has just taken it.
            return self.calls.get()
        return None


#: Workers without work. Taking one out is atomic: whoever has done that has it.
_IDLE: Final[list[_Worker]] = []
if hasattr(os, "register_at_fork"):
    # Threads do not come along.
    os.register_at_fork(after_in_child=_IDLE.clear)


def _return(done: asyncio.Future[Any], returned: object) -> None:
    if not done.done():
        done.set_result(returned)


def _raise(done: asyncio.Future[Any], error: Exception) -> None:
    if not done.done():
        done.set_exception(error)


def _carried(error: BaseException) -> Exception:
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    carried = RuntimeError(repr(error))
    carried.__cause__ = error
    return carried


def _nothing() -> None:
    """Nobody counts."""
