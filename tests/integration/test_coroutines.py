"""Coroutines of the embedder on the loop that the library keeps for them."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any

import pytest

import airssys_wasm as aw

Open = Callable[..., aw.Instance]
WAIT = "acme:importer/api#wait"


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit])
def test_what_means_the_whole_program_comes_through_and_the_loop_goes_on(
    open_importer: Open, waiting: type[Any], raised: type[BaseException]
) -> None:
    class Ending(waiting):  # type: ignore[misc]
        async def wait(self, _milliseconds: int) -> int:
            raise raised

    with pytest.raises(raised):
        open_importer(Ending()).call(WAIT, 1)
    assert open_importer(waiting()).call(WAIT, 1) == 1


@pytest.mark.parametrize("ends", ["stop", "close"])
def test_a_loop_that_was_ended_is_replaced(
    open_importer: Open, waiting: type[Any], ends: str
) -> None:
    class Ending(waiting):  # type: ignore[misc]
        async def wait(self, milliseconds: int) -> int:
            loop = asyncio.get_running_loop()
            loop.stop()
            if ends == "close":
                loop.call_soon(loop.close)
            return milliseconds

    instance = open_importer(
        Ending(), limits=aw.Limits(memory_bytes_max=4 * aw.MIB, call_seconds_max=1.0)
    )
    try:
        assert instance.call(WAIT, 1) == 1
    except aw.CallTimeout:
        assert ends == "close", "nobody can answer on a loop that is gone"
    assert open_importer(waiting()).call(WAIT, 1) == 1


NO_RESULT = """
(component
  (import "tell" (func $tell (param "value" u32)))
  (core func $lowered (canon lower (func $tell)))
  (core module $m
    (import "" "tell" (func $tell (param i32)))
    (func (export "run") (param i32) (call $tell (local.get 0))))
  (core instance $i (instantiate $m (with "" (instance (export "tell" (func $lowered))))))
  (func (export "run") (param "value" u32) (canon lift (core func $i "run"))))
"""


def test_an_awaitable_from_a_plain_function_is_not_dropped_in_silence(
    engine: aw.Engine, limits: aw.Limits
) -> None:
    async def tell(value: int) -> None:
        raise AssertionError(value)

    @functools.wraps(tell)
    def decorated(value: int) -> object:
        return tell(value)

    component = engine.load(NO_RESULT)
    wrapped = component.instantiate(limits=limits, imports={"tell": decorated})
    with wrapped, pytest.raises(aw.Trapped) as caught:
        wrapped.call("run", 1)

    assert isinstance(caught.value.__cause__, aw.ValueMismatch)
    assert "hint: make it `async def`" in str(caught.value.__cause__)


def test_what_a_function_without_a_result_returns_is_left_alone(
    engine: aw.Engine, limits: aw.Limits
) -> None:
    told: list[int] = []

    def tell(value: int) -> int:
        told.append(value)
        return len(told)

    with engine.load(NO_RESULT).instantiate(limits=limits, imports={"tell": tell}) as instance:
        instance.call("run", 7)

    assert told == [7]
