"""What ``call_async`` gives is a coroutine, whether the guest is done at once or goes on."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import threading
import time
import weakref
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

import airssys_wasm as aw

Guest = Callable[[str], aw.Component]
API = "acme:importer/api"
ECHO = "acme:echo/api"
TYPES = "acme:echo/types"
ROUNDS = pytest.mark.parametrize("rounds", [1, 10**8], ids=["at-once", "later"])


@ROUNDS
def test_it_is_one(guest: Guest, limits: aw.Limits, rounds: int) -> None:
    async def main() -> None:
        with guest("busy").instantiate(limits=limits) as instance:
            call = instance.call_async("count", rounds)
            assert isinstance(call, Coroutine)
            assert asyncio.iscoroutine(call)
            assert await call == rounds
            with pytest.raises(RuntimeError, match="awaited already"):
                await call

    asyncio.run(main())


@ROUNDS
def test_tasks_groups_and_timeouts_take_it(guest: Guest, limits: aw.Limits, rounds: int) -> None:
    async def main() -> None:
        with guest("busy").instantiate(limits=limits) as instance:
            assert await asyncio.create_task(instance.call_async("count", rounds)) == rounds
            assert await asyncio.wait_for(instance.call_async("count", rounds), 30) == rounds
            both = [instance.call_async("count", rounds), instance.call_async("count", 1)]
            assert await asyncio.gather(*both) == [rounds, 1]
            async with asyncio.TaskGroup() as group:
                task = group.create_task(instance.call_async("count", rounds))
            assert task.result() == rounds

    asyncio.run(main())


@pytest.mark.parametrize(
    ("function", "argument"),
    [
        (f"{ECHO}#nothing", ()),
        (f"{TYPES}#echo-tuple", ((1, "two", 3.0),)),
        (f"{TYPES}#echo-option", (None,)),
    ],
)
def test_any_value_arrives_as_it_is(
    instance: aw.Instance, function: str, argument: tuple[Any, ...]
) -> None:
    # A StopIteration takes a tuple for its arguments, and None for none.
    async def main() -> None:
        expected = argument[0] if argument else None
        assert await instance.call_async(function, *argument) == expected
        assert await asyncio.create_task(instance.call_async(function, *argument)) == expected
        with pytest.raises(StopIteration) as stopped:
            next(instance.call_async(function, *argument).__await__())
        assert stopped.value.value == expected

    asyncio.run(main())


def test_a_failure_comes_out_of_a_task_as_it_is(guest: Guest, instance: aw.Instance) -> None:
    brief = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=0.05)
    busy = guest("busy").instantiate(limits=brief)

    async def main() -> None:
        with pytest.raises(aw.CallTimeout):
            await asyncio.create_task(busy.call_async("count", 10**12))
        with pytest.raises(aw.ComponentError, match="by 0"):
            await asyncio.create_task(instance.call_async("acme:echo/failures#divide", 1, 0))

    asyncio.run(main())


@pytest.mark.parametrize("give_up", ["cancel", "close", "throw"])
def test_given_up_the_instance_is_closed_at_once(
    guest: Guest, limits: aw.Limits, give_up: str
) -> None:
    async def main() -> None:
        instance = guest("busy").instantiate(limits=limits)
        call = instance.call_async("count", 10**12)
        if give_up == "cancel":
            task = asyncio.create_task(call)
            await asyncio.sleep(0.02)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        elif give_up == "close":
            call.close()
        else:
            with pytest.raises(LookupError, match="enough"):
                call.throw(LookupError("enough"))
        # Not some time later: nothing was waited for.
        assert instance.closed
        with pytest.raises(aw.InstanceClosed):
            await instance.call_async("count", 1)

    asyncio.run(main())


@pytest.mark.parametrize("give_up", ["close", "collect"])
def test_given_up_after_its_loop_was_closed_it_ends_too(
    guest: Guest, limits: aw.Limits, give_up: str
) -> None:
    instance = guest("busy").instantiate(limits=limits)
    calls: list[Any] = []

    async def main() -> None:
        calls.append(instance.call_async("count", 10**12))
        if give_up == "collect":
            calls[0].send(None)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(main())
    loop.close()
    calls.pop().close()

    assert instance.closed


def test_two_cannot_await_the_same(guest: Guest, limits: aw.Limits) -> None:
    async def main() -> None:
        with guest("busy").instantiate(limits=limits) as instance:
            call = instance.call_async("count", 3 * 10**8)

            async def one() -> object:
                return await call

            first, second = asyncio.create_task(one()), asyncio.create_task(one())
            with pytest.raises(RuntimeError, match="being awaited already"):
                await second
            assert await first == 3 * 10**8

    asyncio.run(main())


def test_what_is_thrown_in_is_never_taken_for_its_result(guest: Guest, limits: aw.Limits) -> None:
    async def main() -> None:
        for awaited in (False, True):
            call = guest("busy").instantiate(limits=limits).call_async("count", 10**12)
            if awaited:
                call.send(None)
            with pytest.raises(RuntimeError, match="raised StopIteration"):
                call.throw(StopIteration("false"))

    asyncio.run(main())


def test_it_begins_with_nothing_sent(instance: aw.Instance) -> None:
    async def main() -> None:
        call = instance.call_async(f"{ECHO}#add", 1, 2)
        with pytest.raises(TypeError, match="nobody awaits yet"):
            call.send(5)
        assert await call == 3

    asyncio.run(main())


def test_an_error_that_nobody_asked_for_is_told(
    instance: aw.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda about: told.append(about.exc_value))

    async def main() -> None:
        call = instance.call_async("acme:echo/failures#divide", 1, 0)
        # Its going hides no error that is on its way up.
        with contextlib.suppress(KeyError):
            try:
                raise KeyError("first")
            finally:
                del call
        assert len(told) == 1
        asked = instance.call_async("acme:echo/failures#divide", 1, 0)
        with pytest.raises(aw.ComponentError):
            await asked

    asyncio.run(main())
    gc.collect()
    assert [type(error) for error in told] == [aw.ComponentError]


def test_one_that_its_own_host_object_holds_is_collected(
    importer: aw.Component,
    limits: aw.Limits,
    waiting: type[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda about: told.append(str(about.exc_value)))
    seen: list[weakref.ref[object]] = []

    class Holder(waiting):  # type: ignore[misc]
        held: object = None

        def plain(self, _: int) -> int:
            raise ValueError("on purpose")

    def hold() -> None:
        holder = Holder()
        imports = {"acme:importer/host": holder, "plain": holder.plain}
        instance = importer.instantiate(limits=limits, imports=imports)
        # A circle: what was raised has the frame of the method, and that the holder.
        holder.held = instance.call_async(f"{API}#call-plain", 1)
        seen.append(weakref.ref(holder))

    async def main() -> None:
        for _ in range(20):
            hold()

    asyncio.run(main())
    gc.collect()
    assert [one() for one in seen] == [None] * 20
    assert len(told) == 20


def test_one_that_is_over_is_thrown_into_and_closed_in_vain(instance: aw.Instance) -> None:
    async def main() -> None:
        call = instance.call_async(f"{ECHO}#add", 1, 2)
        call.close()
        call.close()
        with pytest.raises(RuntimeError, match="awaited already"):
            await call
        call = instance.call_async(f"{ECHO}#add", 1, 2)
        with pytest.raises(KeyError):
            call.throw(KeyError)
        assert await instance.call_async(f"{ECHO}#add", 1, 2) == 3

    asyncio.run(main())


def test_one_that_had_ended_before_it_was_given_up_closes_nothing(
    guest: Guest, limits: aw.Limits
) -> None:
    async def main() -> None:
        with guest("busy").instantiate(limits=limits) as instance:
            task = asyncio.ensure_future(instance.call_async("count", 10**7))
            await asyncio.sleep(0)
            # The guest ends, and the loop has not come round to hear of it.
            while instance.receipt.seconds == 0:
                time.sleep(0.001)  # noqa: ASYNC251 - the loop is held up on purpose
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not instance.closed
            assert instance.call("count", 5) == 5

    asyncio.run(main())


def test_an_instance_that_is_closed_begins_no_call(guest: Guest, limits: aw.Limits) -> None:
    busy = guest("busy")
    begun_too_late: list[int] = []

    def call(instance: aw.Instance, number: int) -> None:
        while True:
            was_closed = instance.closed
            try:
                instance.call("count", 1)
            except aw.InstanceClosed:
                return
            if was_closed:
                begun_too_late.append(number)

    for number in range(60):
        instance = busy.instantiate(limits=limits)
        threads = [threading.Thread(target=call, args=(instance, number)) for _ in range(6)]
        for thread in threads:
            thread.start()
        instance.close()
        for thread in threads:
            thread.join()
    assert begun_too_late == []
