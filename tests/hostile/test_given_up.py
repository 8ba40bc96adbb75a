"""Calls of ``async`` imports that a guest gives up, or that are answered at once."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass

import pytest
from tests.hostile.async_guests import KEEP, async_guest

import airssys_wasm as aw

BYTES = 512 * aw.KIB
LIMITS = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=3.0)
ROOMY = aw.Limits(memory_bytes_max=4 * aw.MIB, call_seconds_max=30.0)

#: Starts a call with 512 KiB, gives it up at once, and again.
CHURN = async_guest(
    f"""(loop $again
      (local.set $n (i32.shr_u (call $keep (i32.const 0) (i32.const {BYTES})) (i32.const 4)))
      (if (local.get $n) (then
        (drop (call $subtask-cancel (local.get $n)))
        (call $subtask-drop (local.get $n))))
      (br $again)) unreachable""",
    builtins=("return", "subtask-cancel", "subtask-drop"),
    imports=KEEP,
    lowered={
        "keep": (
            '(func $imported) async (memory $libc "memory")',
            "(param i32 i32) (result i32)",
        )
    },
    pages=10,
)

#: Asks for a record five hundred times.
ASKS = async_guest(
    """(loop $again
      (call $f (i32.const 1) (i32.const 8))
      (global.set $set (i32.add (global.get $set) (i32.const 1)))
      (br_if $again (i32.lt_u (global.get $set) (i32.const 500))))
    (call $return) (i32.const 0)""",
    imports="""(import "host" (instance $host
      (type $r (record (field "a" u32) (field "b" u32)))
      (export "r" (type $exported (eq $r)))
      (export "f" (func async (param "n" u32) (result $exported)))))
    (alias export $host "f" (func $imported))""",
    lowered={"f": ('(func $imported) (memory $libc "memory")', "(param i32 i32)")},
)


@pytest.mark.parametrize("how", ["call", "call_async", "a loop that is busy"])
def test_w07_what_is_given_up_counts_until_the_embedder_lets_go(
    engine: aw.Engine, how: str
) -> None:
    """The coroutine is only asked to cancel: it has its arguments until it is gone."""
    alive = Counter[str]()

    async def keep(data: bytes) -> None:
        alive["now"] += 1
        alive["most"] = max(alive["most"], alive["now"])
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(0.2)
            alive["now"] -= len(data) // BYTES

    instance = engine.load(CHURN).instantiate(limits=LIMITS, imports={"keep": keep})

    async def main() -> None:
        call = asyncio.ensure_future(instance.call_async("run"))
        if how.startswith("a loop"):
            time.sleep(0.3)  # noqa: ASYNC251 - what is attacked
        await call

    def attack() -> None:
        if how == "call":
            instance.call("run")
        else:
            asyncio.run(main())

    with pytest.raises(aw.OutOfMemory, match="in flight"):
        attack()

    assert 1 <= instance.receipt.host_calls <= LIMITS.memory_bytes_max // BYTES
    assert alive["most"] <= LIMITS.memory_bytes_max // BYTES


def test_w07_what_ended_makes_room_again(engine: aw.Engine) -> None:
    """Twenty calls, one after the other, of half the limit each."""
    ended: list[int] = []

    async def keep(data: bytes) -> None:
        await asyncio.sleep(0)
        ended.append(len(data))

    patient = async_guest(
        f"""(loop $again
          (call $keep (i32.const 0) (i32.const {BYTES}))
          (global.set $set (i32.add (global.get $set) (i32.const 1)))
          (br_if $again (i32.lt_u (global.get $set) (i32.const 20))))
        (call $return) (i32.const 0)""",
        imports=KEEP,
        lowered={"keep": ('(func $imported) (memory $libc "memory")', "(param i32 i32)")},
        pages=10,
    )
    with engine.load(patient).instantiate(limits=LIMITS, imports={"keep": keep}) as instance:
        instance.call("run")

    assert ended == [BYTES] * 20


def test_w03_a_result_is_converted_on_a_stack_that_is_known(
    engine: aw.Engine, echo: aw.Component
) -> None:
    """Many of these coroutines have answered before anybody waits for them.

    What is converted on the guest's own stack then, as if it were the thread's, finds no
    room on it, or takes room that is not there.
    """
    answered = Counter[str]()
    inner = echo.instantiate(limits=ROOMY)

    @dataclass
    class Answer:
        b: int = 0

        @property
        def a(self) -> int:
            try:
                inner.call("acme:echo/api#add", 1, 2)
            except aw.CapacityExhausted as error:
                answered[str(error)] += 1
            else:
                answered["yes"] += 1
            return 1

    class Host:
        async def f(self, _: int) -> Answer:
            return Answer()

    guest = engine.load(ASKS)
    with inner, guest.instantiate(limits=ROOMY, imports={"host": Host()}) as instance:
        instance.call("run")

    assert answered == {"yes": 500}
