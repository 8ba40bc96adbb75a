"""Bytes, text and numbers cross as a whole, however a guest is called."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.hostile.async_guests import echoer

import airssys_wasm as aw

Open = Callable[..., aw.Instance]
LIMITS = aw.Limits(memory_bytes_max=8 * aw.MIB, call_seconds_max=10.0)
#: Sends bytes to an ``async`` import, and traps unless as many come back.
ASYNC_ECHO = echoer(aw.MIB, 1)
#: As dynamic values, forty bytes each, they would be beyond what the host may hold.
BULK_BYTES = aw.MIB

BULK = {
    "acme:echo/api#echo-bytes": bytes(range(256)) * (BULK_BYTES // 256),
    "acme:echo/api#echo-string": "größer " * (BULK_BYTES // 9),
    "acme:echo/types#echo-list-f64": [float(number) for number in range(BULK_BYTES // 8)],
}


@pytest.mark.parametrize("function", BULK)
def test_call_async_carries_as_much_as_call(echo: aw.Component, function: str) -> None:
    value = BULK[function]
    with echo.instantiate(limits=LIMITS) as instance:

        async def main() -> object:
            return await instance.call_async(function, value)

        assert asyncio.run(main()) == instance.call(function, value) == value
        receipt = instance.receipt
        assert receipt.bytes_in == receipt.bytes_out > BULK_BYTES // 2


@pytest.mark.parametrize("how", ["call", "call_async"])
@pytest.mark.parametrize("kind", ["supplied", "waiting"])
def test_a_guest_that_may_wait_is_given_as_much(
    open_importer: Open, request: pytest.FixtureRequest, kind: str, how: str
) -> None:
    instance = open_importer(request.getfixturevalue(kind)(), limits=LIMITS)
    data = bytes(BULK_BYTES)

    assert answer(instance, how, "acme:importer/api#echo-many", data, 2) == 2 * BULK_BYTES


@pytest.mark.parametrize("how", ["call", "call_async"])
def test_a_coroutine_of_the_embedder_carries_as_much(
    open_importer: Open, waiting: type[Any], how: str
) -> None:
    given: list[int] = []

    class Echoing(waiting):  # type: ignore[misc]
        async def echo_bytes(self, data: bytes) -> bytes:
            given.append(len(data))
            await asyncio.sleep(0)
            return data

    instance = open_importer(Echoing(), limits=LIMITS)

    assert answer(instance, how, "acme:importer/api#echo-many", bytes(BULK_BYTES), 2)
    assert given == [BULK_BYTES, BULK_BYTES]


async def echo_later(data: bytes) -> bytes:
    await asyncio.sleep(0)
    return data


def echo_at_once(data: bytes) -> bytes:
    return data


@pytest.mark.parametrize("how", ["call", "call_async"])
@pytest.mark.parametrize("host", [echo_at_once, echo_later])
def test_an_async_import_carries_as_much(
    engine: aw.Engine, host: Callable[[bytes], object], how: str
) -> None:
    component = engine.load(ASYNC_ECHO)
    assert component.is_async
    with component.instantiate(limits=LIMITS, imports={"echo": host}) as instance:
        answer(instance, how, "run")

        receipt = instance.receipt
        assert receipt.host_calls == 1


@pytest.mark.parametrize(
    ("host", "kind", "cause"),
    [(lambda data: data[1:], "unreachable", None), (len, "host-error", aw.ValueMismatch)],
    ids=["too few bytes", "no bytes"],
)
def test_an_async_import_is_checked_as_any_function(
    engine: aw.Engine,
    host: Callable[[bytes], object],
    kind: str,
    cause: type[BaseException] | None,
) -> None:
    async def waits(data: bytes) -> object:
        return host(data)

    for function in (host, waits):
        instance = engine.load(ASYNC_ECHO).instantiate(limits=LIMITS, imports={"echo": function})
        with pytest.raises(aw.Trapped) as caught:
            instance.call("run")

        assert caught.value.kind == kind
        if cause is None:
            assert caught.value.__cause__ is None
        else:
            assert isinstance(caught.value.__cause__, cause)
            assert "arg 'the returned value'" in str(caught.value.__cause__)


@pytest.mark.parametrize("how", ["call", "call_async"])
def test_a_coroutine_of_the_embedder_is_checked_as_any_function(
    open_importer: Open, waiting: type[Any], how: str
) -> None:
    class Wrong(waiting):  # type: ignore[misc]
        async def echo_bytes(self, data: bytes) -> object:
            return len(data)

    with pytest.raises(aw.Trapped) as caught:
        answer(open_importer(Wrong()), how, "acme:importer/api#echo-many", b"abc", 1)

    assert "arg 'the returned value'" in str(caught.value.__cause__)


def test_what_is_too_much_for_the_host_says_so(engine: aw.Engine) -> None:
    pages = 64
    source = f"""
    (component
      (core module $m
        (memory (export "memory") {pages})
        (func (export "run") (result i32)
          (i32.store (i32.const 0) (i32.const 64))
          (i32.store (i32.const 4) (i32.const 1000000))
          (i32.const 0)))
      (core instance $i (instantiate $m))
      (func (export "run") (result (list (option bool)))
        (canon lift (core func $i "run") (memory $i "memory"))))
    """
    limits = aw.Limits(memory_bytes_max=pages * 64 * aw.KIB, call_seconds_max=5.0)
    with (
        engine.load(source).instantiate(limits=limits) as instance,
        pytest.raises(aw.OutOfMemory, match="each value inside a list") as caught,
    ):
        instance.call("run")

    assert caught.value.kind == "host-buffers"


def test_bulk_is_not_much_slower_where_a_guest_may_wait(
    open_importer: Open, supplied: type[Any], waiting: type[Any]
) -> None:
    data = bytes(BULK_BYTES)

    def best(host: object) -> float:
        instance = open_importer(host, limits=LIMITS)
        times = []
        for _ in range(5):
            began = time.perf_counter()
            instance.call("acme:importer/api#echo-many", data, 1)
            times.append(time.perf_counter() - began)
        return min(times)

    # One by one, as dynamic values, it would be a hundred times slower.
    assert best(waiting()) < 10 * best(supplied())


def answer(instance: aw.Instance, how: str, function: str, *arguments: object) -> object:
    if how == "call":
        return instance.call(function, *arguments)

    async def main() -> object:
        return await instance.call_async(function, *arguments)

    return asyncio.run(main())
