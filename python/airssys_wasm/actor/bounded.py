"""Waiting for the code of strangers no longer than agreed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any, Final, TypeVar

T = TypeVar("T")

_LOG = logging.getLogger(__name__)
#: What does not end when it is cancelled; kept until it does, or its loop is gone.
_LEFT: Final[set[asyncio.Task[Any]]] = set()


async def bounded(work: Awaitable[T], seconds_max: float) -> T:
    """Return what ``work`` returns, or raise what it raises.

    Raises:
        TimeoutError: its time was over. It was cancelled, and is not waited for even if it
            does not hear that.
    """
    task = asyncio.ensure_future(_awaited(work))
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds_max)
    except asyncio.CancelledError:
        _leave(task)
        raise
    if not done:
        _leave(task)
        raise TimeoutError(f"it took longer than {seconds_max:g} s")
    if task.cancelled():
        # It cancelled itself; whoever waits was not cancelled.
        raise RuntimeError("it was cancelled")
    return task.result()


async def _awaited(work: Awaitable[T]) -> T:
    return await work


def _leave(task: asyncio.Task[Any]) -> None:
    task.cancel()
    _LEFT.add(task)
    task.add_done_callback(_gone)


def _gone(task: asyncio.Task[Any]) -> None:
    _LEFT.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        _LOG.debug("what was left behind failed at last", exc_info=error)
