"""A host function that calls the instance it serves gets an error, never a deadlock."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import airssys_wasm as aw

Open = Callable[..., aw.Instance]
DESCRIBE = "acme:importer/api#describe"
WAIT = "acme:importer/api#wait"
#: Far below the deadline of a call: it must not be the deadline that ends these.
SOON_SECONDS = 2.0


@pytest.fixture
def soon() -> Any:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < SOON_SECONDS


def reentered(caught: pytest.ExceptionInfo[aw.Trapped]) -> None:
    cause = caught.value.__cause__
    assert isinstance(cause, aw.ReentrantCall)
    assert "hint: use a second instance" in str(cause)


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("kind", ["supplied", "waiting"])
def test_a_sync_import_cannot_re_enter(
    open_importer: Open, request: pytest.FixtureRequest, kind: str
) -> None:
    # With a `wait` that may wait, the guest runs on a stack of its own.
    host = request.getfixturevalue(kind)()
    instance: aw.Instance
    host.describe = lambda *arguments: instance.call(DESCRIBE, *arguments)
    instance = open_importer(host)
    with pytest.raises(aw.Trapped) as caught:
        instance.call(DESCRIBE, "Ada", 36)

    reentered(caught)


@pytest.mark.usefixtures("soon")
def test_a_sync_import_may_try_and_go_on(open_importer: Open, supplied: type[Any]) -> None:
    class Trying(supplied):  # type: ignore[misc]
        def describe(self, name: str, age: int) -> str:
            with pytest.raises(aw.ReentrantCall):
                instance.call(DESCRIBE, name, age)
            return "refused"

    instance = open_importer(Trying())

    assert instance.call(DESCRIBE, "Ada", 36) == "refused"
    assert instance.call(DESCRIBE, "Ada", 36) == "refused"


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("again", ["call", "call_async", "own loop"])
@pytest.mark.parametrize("outer", ["call", "call_async", "call_async in a thread"])
@pytest.mark.parametrize("kind", ["supplied", "waiting"])
def test_a_sync_import_cannot_re_enter_by_any_way_of_calling(
    open_importer: Open, request: pytest.FixtureRequest, kind: str, outer: str, again: str
) -> None:
    seen: list[str] = []
    instance: aw.Instance

    def describe(name: str, age: int) -> str:
        seen.append(threading.current_thread().name)
        match again:
            case "call":
                return str(instance.call(DESCRIBE, name, age))
            case "call_async":
                return str(instance.call_async(DESCRIBE, name, age))

        async def inner() -> object:
            return await instance.call_async(DESCRIBE, name, age)

        loop = asyncio.new_event_loop()
        try:
            with in_no_loop():
                return str(loop.run_until_complete(inner()))
        finally:
            loop.close()

    async def main() -> object:
        if outer == "call":
            return instance.call(DESCRIBE, "Ada", 36)
        if outer == "call_async":
            return await instance.call_async(DESCRIBE, "Ada", 36)
        # The first call has the instance, so the second goes on in another thread.
        first = instance.call_async("acme:importer/api#call-many", 20_000)
        second = instance.call_async(DESCRIBE, "Ada", 36)
        await first
        return await second

    host = request.getfixturevalue(kind)()
    host.describe = describe
    instance = open_importer(host)
    with pytest.raises(aw.Trapped) as caught:
        asyncio.run(main())

    assert seen, "the host function ran"
    reentered(caught)


@pytest.mark.usefixtures("soon")
def test_the_finalizer_of_a_host_object_cannot_re_enter(
    open_importer: Open, supplied: type[Any]
) -> None:
    refused: list[BaseException] = []

    class Leaving(supplied.Session):  # type: ignore[misc, name-defined]
        def __del__(self) -> None:
            for again in (instance.call, instance.call_async):
                try:
                    again(DESCRIBE, "Ada", 36)
                except aw.AirssysError as error:
                    refused.append(error)

    host = supplied()
    host.Session = Leaving
    instance = open_importer(host)
    instance.call("acme:importer/api#talk", "lines", ["one"])

    assert [type(error) for error in refused] == [aw.ReentrantCall, aw.ReentrantCall]


@pytest.mark.usefixtures("soon")
def test_it_is_noticed_after_another_instance_was_called(
    open_importer: Open, supplied: type[Any], waiting: type[Any]
) -> None:
    other = open_importer(supplied())

    class Asking(waiting):  # type: ignore[misc]
        def describe(self, name: str, age: int) -> str:
            # What this runs for the other instance must not end what runs for ours.
            other.call(DESCRIBE, name, age)
            return str(instance.call(DESCRIBE, name, age))

    instance = open_importer(Asking())
    with pytest.raises(aw.Trapped) as caught:
        instance.call(DESCRIBE, "Ada", 36)

    reentered(caught)


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("again", ["call", "call_async", "to_thread", "task"])
@pytest.mark.parametrize("outer", ["call", "call_async"])
def test_a_coroutine_import_cannot_re_enter(
    open_importer: Open, waiting: type[Any], again: str, outer: str
) -> None:
    class Reentering(waiting):  # type: ignore[misc]
        async def wait(self, milliseconds: int) -> int:
            match again:
                case "call":
                    return int(instance.call(WAIT, milliseconds))
                case "call_async":
                    return int(await instance.call_async(WAIT, milliseconds))
                case "to_thread":
                    return int(await asyncio.to_thread(instance.call, WAIT, milliseconds))

            async def inner() -> int:
                return int(await instance.call_async(WAIT, milliseconds))

            return await asyncio.create_task(inner())

    instance = open_importer(Reentering())

    async def main() -> None:
        if outer == "call":
            instance.call(WAIT, 1)
        else:
            await instance.call_async(WAIT, 1)

    with pytest.raises(aw.Trapped) as caught:
        asyncio.run(main())

    reentered(caught)


@pytest.mark.usefixtures("soon")
def test_it_is_noticed_through_a_second_instance(open_importer: Open, waiting: type[Any]) -> None:
    class Through(waiting):  # type: ignore[misc]
        async def wait(self, milliseconds: int) -> int:
            return int(await second.call_async(WAIT, milliseconds))

    class Back(waiting):  # type: ignore[misc]
        async def wait(self, milliseconds: int) -> int:
            return int(await first.call_async(WAIT, milliseconds))

    first, second = open_importer(Through()), open_importer(Back())
    with pytest.raises(aw.Trapped) as caught:
        first.call(WAIT, 1)

    inner = caught.value.__cause__
    assert isinstance(inner, aw.Trapped)
    assert isinstance(inner.__cause__, aw.ReentrantCall)


def test_a_task_that_outlives_the_call_is_no_re_entrance(
    open_importer: Open, waiting: type[Any]
) -> None:
    later: list[asyncio.Task[int]] = []

    class Spawning(waiting):  # type: ignore[misc]
        async def wait(self, milliseconds: int) -> int:
            if milliseconds == 1:
                later.append(asyncio.create_task(afterwards()))
            return milliseconds

    async def afterwards() -> int:
        await asyncio.sleep(0.05)
        return int(await instance.call_async(WAIT, 2))

    instance = open_importer(Spawning())

    async def main() -> int:
        await instance.call_async(WAIT, 1)
        return await later[0]

    assert asyncio.run(main()) == 2


@pytest.mark.usefixtures("soon")
def test_a_destructor_called_from_an_import_is_re_entrance_too(
    engine: aw.Engine, limits: aw.Limits
) -> None:
    held: list[aw.Resource] = []

    def poke() -> None:
        held[0].drop()

    component = engine.load(DROPPING)
    with component.instantiate(limits=limits, imports={"poke": poke}) as instance:
        held.append(instance.call("acme:drop/api#[constructor]thing"))
        with pytest.raises(aw.Trapped) as caught:
            instance.call("acme:drop/api#work")

    reentered(caught)


def test_another_instance_may_be_called_from_an_import(
    open_importer: Open, supplied: type[Any], waiting: type[Any]
) -> None:
    helper = open_importer(waiting())

    class Asking(supplied):  # type: ignore[misc]
        def describe(self, name: str, age: int) -> str:
            return f"{name} waited {helper.call(WAIT, age)}"

    class AskingWhereOthersWait(waiting):  # type: ignore[misc]
        describe = Asking.describe

    for host in (Asking(), AskingWhereOthersWait()):
        assert open_importer(host).call(DESCRIBE, "Ada", 36) == "Ada waited 36"


def test_an_import_may_call_another_instance_from_the_runtimes_own_threads(
    open_importer: Open, waiting: type[Any]
) -> None:
    helper = open_importer(waiting())
    instance = open_importer(waiting(), plain=lambda value: helper.call(WAIT, value))

    async def main() -> list[object]:
        # The second call finds the instance busy and goes on in another thread.
        first = instance.call_async(WAIT, 30)
        second = instance.call_async("acme:importer/api#call-plain", 20)
        return [await first, await second]

    assert asyncio.run(main()) == [30, 20]


@contextmanager
def in_no_loop() -> Iterator[None]:
    """Let another event loop run inside the one that runs here, as some programs do."""
    running = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(running)


DROPPING = """
(component
  (import "poke" (func $poke))
  (core func $poke-core (canon lower (func $poke)))
  (core module $dtor (func (export "drop") (param i32)))
  (core instance $dtor (instantiate $dtor))
  (type $thing (resource (rep i32) (dtor (func $dtor "drop"))))
  (core func $new (canon resource.new $thing))
  (core module $m
    (import "host" "poke" (func $poke))
    (import "host" "new" (func $new (param i32) (result i32)))
    (func (export "make") (result i32) (call $new (i32.const 7)))
    (func (export "work") (call $poke)))
  (core instance $i (instantiate $m (with "host" (instance
    (export "poke" (func $poke-core)) (export "new" (func $new))))))
  (func $make (result (own $thing)) (canon lift (core func $i "make")))
  (func $work (canon lift (core func $i "work")))
  (component $shim
    (import "thing" (type $t (sub resource)))
    (import "make" (func $make (result (own $t))))
    (import "work" (func $work))
    (export $e "thing" (type $t))
    (export "[constructor]thing" (func $make) (func (result (own $e))))
    (export "work" (func $work)))
  (instance $api (instantiate $shim
    (with "thing" (type $thing)) (with "make" (func $make)) (with "work" (func $work))))
  (export "acme:drop/api" (instance $api)))
"""
