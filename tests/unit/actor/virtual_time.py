"""An event loop whose clock moves only when nothing else can happen: hours pass in no time."""

from __future__ import annotations

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")


class WaitsForEverError(Exception):
    """Nothing is ready, no timer is set: whoever waits would wait for ever."""


class VirtualSelector(selectors.SelectSelector):
    """Instead of waiting for a timer it moves the clock to it."""

    loop: VirtualTimeLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise WaitsForEverError
        self.loop.now += max(timeout, 0.0)
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop at time 0."""

    def __init__(self) -> None:
        self.now = 0.0
        selector = VirtualSelector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.now


async def _leaving_nothing(main: Coroutine[Any, Any, T]) -> T:
    complaints: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, complaint: complaints.append(complaint))
    result = await main
    # Tasks that were cancelled end in the next turns of the loop.
    for _ in range(3):
        await asyncio.sleep(0)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, f"tasks leaked: {left}"
    assert not complaints, f"exceptions lost: {complaints}"
    return result


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run ``main`` in virtual time; it must leave no task and lose no exception."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(_leaving_nothing(main))


def virtual(test: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """Make a test of a coroutine function, run in virtual time."""

    @functools.wraps(test)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        return run(test(*args, **kwargs))

    return wrapper


def now() -> float:
    """Return the virtual time in seconds."""
    return asyncio.get_running_loop().time()


async def settle(seconds: float = 0.0) -> None:
    """Let everything happen that does so within ``seconds``."""
    await asyncio.sleep(seconds)
    for _ in range(100):
        await asyncio.sleep(0)
