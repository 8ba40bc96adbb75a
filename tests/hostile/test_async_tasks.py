"""Component-model async: guests that only wait, and guests that pile things up.

All of it runs in the engine configuration that only such components use.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from tests.hostile.async_guests import (
    ARGUMENTS,
    CHURNERS,
    FOR_EVER,
    KEEP,
    LEAVING,
    PILES,
    SLEEP_ASYNC,
    WAIT_FOR,
    async_guest,
    beside_a_task_held_up,
    caller,
    crowd,
    echoer,
    keeper,
    pair,
    pile,
)
from tests.hostile.async_walks import walk
from tests.hostile.attack import LIMITS, OVERSHOOT_BYTES_MAX, Host, Under
from tests.hostile.fresh import in_fresh_process

import airssys_wasm as aw

COURIER = Path(__file__).parents[1] / "components" / "prebuilt" / "courier.wasm"
HANDLES_MAX = 4_096
HOST_CALL_FUEL = 500
#: What the host holds of each value that crosses by itself.
VALUE_BYTES = 40
CORE_INSTANCES_MAX = 32
WALKS = 100
COURIER_GRANT = aw.Grant(environment=[], filesystem_read=[], network=[])
PATIENT_COURIER = aw.Limits(memory_bytes_max=4 * aw.MIB, call_seconds_max=5.0)
#: Room for an attack to reach the bound that it is after.
PATIENT = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=10.0)

SLEEP = {"sleep": ("(func $imported)", "(param i64)")}
#: Starts a sleep and has the callback wait for it.
SLEEP_AND_WAIT = f"""
    (global.set $set (call $set-new))
    (call $join (i32.shr_u (call $sleep {FOR_EVER}) (i32.const 4)) (global.get $set))
    (i32.or (i32.shl (global.get $set) (i32.const 4)) (i32.const 2))
"""

ENDLESS = {
    "loop": async_guest("(loop $again (br $again)) unreachable"),
    "callback that yields": async_guest("(i32.const 1)", callback="(i32.const 1)"),
    "callback that loops": async_guest(
        "(i32.const 1)", callback="(loop $again (br $again)) unreachable"
    ),
    "yield": async_guest(
        "(loop $again (drop (call $yield)) (br $again)) unreachable", builtins=("return", "yield")
    ),
    "poll": async_guest(
        """(global.set $set (call $set-new))
        (loop $again (drop (call $poll (global.get $set) (i32.const 0))) (br $again))
        unreachable""",
        builtins=("return", "set-new", "poll"),
    ),
    "sleep": async_guest(f"(call $sleep {FOR_EVER}) unreachable", imports=WAIT_FOR, lowered=SLEEP),
    "sleep in the background": async_guest(
        SLEEP_AND_WAIT, builtins=("return", "set-new", "join"), imports=WAIT_FOR,
        lowered=SLEEP_ASYNC,
    ),
    "sleeps without end": async_guest(
        "(loop $again (call $sleep (i64.const 1000)) (br $again)) unreachable",
        imports=WAIT_FOR, lowered=SLEEP,
    ),
    "start function": async_guest("unreachable", start="(loop $again (br $again))"),
}  # fmt: skip

STUCK = {
    "waits for nothing": async_guest(
        "(drop (call $wait (call $set-new) (i32.const 0))) unreachable",
        builtins=("return", "set-new", "wait"),
    ),
    "callback waits for nothing": async_guest(
        "(i32.or (i32.shl (call $set-new) (i32.const 4)) (i32.const 2))",
        builtins=("return", "set-new"),
    ),
    "waits for what nobody writes": async_guest(
        """(local.set $n (i32.wrap_i64 (call $stream-new)))
        (drop (call $stream-read (local.get $n) (i32.const 0) (i32.const 1)))
        (global.set $set (call $set-new))
        (call $join (local.get $n) (global.get $set))
        (drop (call $wait (global.get $set) (i32.const 0))) unreachable""",
        builtins=("return", "stream-new", "stream-read", "set-new", "join", "wait"),
    ),
}

#: What breaks the rules of the built-ins.
FORGED = {
    "no result": async_guest("(i32.const 0)"),
    "two results": async_guest("(call $return) (call $return) (i32.const 0)"),
    "a callback code that means nothing": async_guest("(i32.const 9)"),
    "a set that is none": async_guest("(i32.const 0x1232)"),
    "a cancellation nobody asked for": async_guest(
        "(call $cancel) (i32.const 0)", builtins=("return", "cancel")
    ),
    "a subtask that is none": async_guest(
        "(call $subtask-drop (i32.const 77)) (i32.const 0)", builtins=("return", "subtask-drop")
    ),
    "a subtask that runs": async_guest(
        f"(call $subtask-drop (i32.shr_u (call $sleep {FOR_EVER}) (i32.const 4))) (i32.const 0)",
        builtins=("return", "subtask-drop"), imports=WAIT_FOR, lowered=SLEEP_ASYNC,
    ),
    "a stream dropped twice": async_guest(
        """(local.set $n (i32.wrap_i64 (i64.shr_u (call $stream-new) (i64.const 32))))
        (call $stream-drop-writable (local.get $n)) (call $stream-drop-writable (local.get $n))
        (i32.const 0)""",
        builtins=("return", "stream-new", "stream-drop-writable"),
    ),
    "a stream read twice at once": async_guest(
        """(local.set $n (i32.wrap_i64 (call $stream-new)))
        (drop (call $stream-read (local.get $n) (i32.const 0) (i32.const 1)))
        (drop (call $stream-read (local.get $n) (i32.const 0) (i32.const 1))) (i32.const 0)""",
        builtins=("return", "stream-new", "stream-read"),
    ),
    "a call cancelled while it is waited for": async_guest(
        """(local.set $n (i32.shr_u (call $sleep (i64.const 99999999)) (i32.const 4)))
        (call $join (local.get $n) (call $set-new))
        (drop (call $subtask-cancel (local.get $n))) (i32.const 0)""",
        builtins=("return", "set-new", "join", "subtask-cancel"), imports=WAIT_FOR,
        lowered=SLEEP_ASYNC,
    ),
    "a read past the end of the memory": async_guest(
        """(drop (call $stream-read
             (i32.wrap_i64 (call $stream-new)) (i32.const 131000) (i32.const 1000)))
        (i32.const 0)""",
        builtins=("return", "stream-new", "stream-read"),
    ),
    "a set with waiters dropped": async_guest(
        """(local.set $n (call $set-new)) (call $join (i32.shr_u (call $sleep (i64.const 99999999))
          (i32.const 4)) (local.get $n)) (call $set-drop (local.get $n)) (i32.const 0)""",
        builtins=("return", "set-new", "set-drop", "join"), imports=WAIT_FOR, lowered=SLEEP_ASYNC,
    ),
    "backpressure without measure": async_guest(
        "(loop $again (call $inc) (br $again)) unreachable", builtins=("return", "inc")
    ),
    "a start function that waits": async_guest(
        "unreachable", start=f"(call $sleep {FOR_EVER})", imports=WAIT_FOR, lowered=SLEEP
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", ENDLESS)
def test_w03_an_async_guest_without_end_ends_at_its_deadline(host: Host, how: str) -> None:
    assert host.engine.load(ENDLESS[how]).is_async

    outcome = host.outlast(ENDLESS[how])

    assert outcome.kind == "timeout"


@pytest.mark.parametrize("how", STUCK)
def test_w06_a_guest_that_nobody_can_wake_ends_at_once(host: Host, how: str) -> None:
    outcome = host.attack(STUCK[how], expect=aw.Trapped)

    assert outcome.kind == "deadlock"
    assert outcome.seconds < LIMITS.call_seconds_max


def test_w06_a_function_of_the_embedder_that_never_ends_is_left_and_cancelled(host: Host) -> None:
    left: list[int] = []

    async def keep(data: bytes) -> None:
        try:
            await asyncio.sleep(1_000)
        except asyncio.CancelledError:
            left.append(len(data))
            raise

    source = async_guest(
        "(call $keep (i32.const 0) (i32.const 8)) unreachable",
        imports=KEEP,
        lowered={"keep": ('(func $imported) (memory $libc "memory")', "(param i32 i32)")},
    )
    host.outlast(source, under=Under(imports={"keep": keep}))

    _eventually(lambda: bool(left))


@pytest.mark.parametrize("how", FORGED)
def test_w08_broken_rules_of_async_are_typed_traps(host: Host, how: str) -> None:
    outcome = host.attack(FORGED[how], expect=aw.Trapped, under=Under(PATIENT))

    assert outcome.kind == "abi-violation"


@pytest.mark.parametrize("kind", PILES)
def test_w08_what_a_guest_piles_up_stops_at_the_cap(host: Host, kind: str) -> None:
    seen: list[int] = []

    outcome = host.attack(
        pile(kind), expect=aw.Trapped, under=Under(PATIENT, imports={"seen": seen.append})
    )

    assert outcome.kind == "abi-violation"
    assert 1_000 <= seen[-1] <= HANDLES_MAX


def test_w08_calls_that_wait_to_be_let_in_stop_at_the_cap(host: Host) -> None:
    """The called component lets nobody in, so each call is only queued."""
    source = pair(
        "(drop (call $other)) (loop $again (drop (call $other)) (br $again)) unreachable",
        "(call $inc) (call $return) (i32.const 0)",
    )

    outcome = host.attack(source, expect=aw.Trapped, under=Under(PATIENT))

    assert "handle limit" in str(outcome.error)


def test_w08_stacks_that_tasks_hold_are_few(host: Host) -> None:
    """A task that is held up keeps its stack, so the components that can are bounded."""
    # One is the caller's, and the engine counts one of its own.
    most = CORE_INSTANCES_MAX - 2
    deep = "(call $deep (i32.const 1000))"
    with host.engine.load(crowd(most, deep)).instantiate(limits=PATIENT) as instance:
        instance.call("run")
    outcome = host.attack(crowd(most + 1, deep), expect=aw.Trapped, under=Under(PATIENT))

    assert outcome.receipt is None, "it was never made"


def test_w30_stacks_that_others_hold_are_not_taken_from_anyone() -> None:
    """As many crowds as fit the pool, and as many as do not, leave room for a call."""
    engine = aw.Engine(cache_dir=None, pool_instances=4)
    holder = engine.load(crowd(3, "(call $sleep)"))
    holders = [holder.instantiate(limits=PATIENT) for _ in range(20)]
    for one in holders:
        one.call("run")
    small = engine.load(async_guest("(call $return) (i32.const 0)"))
    for _ in range(5):
        with small.instantiate(limits=PATIENT) as instance:
            instance.call("run")
    for one in holders:
        assert not one.closed
        one.close()

    assert (engine.live_instances, engine.pool_slots_used) == (0, 0)


@pytest.mark.parametrize("kind", ARGUMENTS)
def test_w07_arguments_in_flight_are_held_in_bounds(host: Host, kind: str) -> None:
    """Each is small enough alone; together they are not held."""
    kept = 0

    async def keep(_: object) -> None:
        nonlocal kept
        kept += 1
        await asyncio.sleep(1_000)

    outcome = host.attack(
        keeper(kind), expect=aw.OutOfMemory, under=Under(PATIENT, imports={"keep": keep})
    )

    assert outcome.kind == "out-of-memory"
    assert "in flight" in str(outcome.error)
    # What crosses one by one takes more than its thousand bytes, and so stops earlier.
    most = PATIENT.memory_bytes_max // (250 * VALUE_BYTES if kind == "(list u32)" else 1_000)
    assert outcome.receipt is not None
    assert 10 <= outcome.receipt.host_calls <= most
    # What has not run by then was never held for long.
    assert kept <= most


def test_w07_what_tasks_cost_the_host_is_bounded() -> None:
    found = in_fresh_process("async_piles")

    assert set(found["growth"]) == {*PILES, "calls that are answered at once"}
    for kind, growth in found["growth"].items():
        assert growth <= OVERSHOOT_BYTES_MAX, kind
    assert (found["live_instances"], found["pool_slots_used"]) == (0, 0)


def test_w07_tasks_that_come_and_go_leave_nothing_behind() -> None:
    """Host functions that are started and cancelled, and calls that end, by the thousand."""
    rounds = 200_000

    found = in_fresh_process("async_churn", rounds=rounds)

    # At least the call, the count and the branch of each round.
    assert all(fuel > 3 * rounds for fuel in found["fuel"].values())
    assert len(found["fuel"]) == len(CHURNERS)
    assert found["growth"] <= 8 * aw.MIB


async def echo_later(data: bytes) -> bytes:
    await asyncio.sleep(0)
    return data


def echo_at_once(data: bytes) -> bytes:
    return data


@pytest.mark.parametrize("echo", [echo_at_once, echo_later])
def test_w26_bytes_of_async_imports_burn_fuel(host: Host, echo: Callable[[bytes], object]) -> None:
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=10.0, fuel_max=10_000_000)

    def used(size: int, times: int) -> int:
        component = host.engine.load(echoer(size, times))
        with component.instantiate(limits=limits, imports={"echo": echo}) as instance:
            instance.call("run")
            assert instance.receipt.host_calls == times
            return instance.receipt.fuel or 0

    # There and back.
    assert used(101_000, 1) - used(1_000, 1) == 2 * 100_000
    # The instructions of one round are two dozen.
    assert 0 <= used(1_000, 101) - used(1_000, 1) - 100 * (HOST_CALL_FUEL + 2_000) <= 100 * 24


@pytest.mark.parametrize("echo", [echo_at_once, echo_later])
def test_w26_its_fuel_ends_an_async_guest_that_sends_without_end(
    host: Host, echo: Callable[[bytes], object]
) -> None:
    fuel = 1_000_000
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=10.0, fuel_max=fuel)

    outcome = host.attack(
        echoer(10_000, 2**32 - 1),
        expect=aw.FuelExhausted,
        under=Under(limits, imports={"echo": echo}),
    )

    assert outcome.receipt is not None
    assert outcome.receipt.host_calls in {fuel // 20_500, fuel // 20_500 + 1}


def test_w26_an_async_guest_burns_fuel_in_all_its_tasks(host: Host) -> None:
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=10.0, fuel_max=100_000)
    for how in ("loop", "callback that yields", "callback that loops", "yield", "poll"):
        host.attack(ENDLESS[how], expect=aw.FuelExhausted, under=Under(limits))
    host.attack(caller(50_000), expect=aw.FuelExhausted, under=Under(limits))


def test_w26_a_task_left_behind_runs_in_no_time_but_a_calls(host: Host) -> None:
    """It counts as fast as it can; between calls it does not, and a call pays for it."""
    seen: list[int] = []
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=1.0, fuel_max=1_000_000)
    with host.engine.load(LEAVING).instantiate(
        limits=limits, imports={"seen": seen.append}
    ) as instance:
        for _ in range(3):
            before = len(seen)
            instance.call("run")
            counted = len(seen) - before
            assert counted > 10, "it ran"
            assert (instance.receipt.fuel or 0) >= counted * HOST_CALL_FUEL
            time.sleep(0.02)
            assert len(seen) == before + counted


def test_w26_a_task_held_up_pays_for_nobody_else(host: Host) -> None:
    source = beside_a_task_held_up("(br_if $more (i32.lt_u (local.get $asked) (i32.const 1000)))")
    limits = aw.Limits(memory_bytes_max=4 * aw.MIB, call_seconds_max=5.0, fuel_max=10**8)
    with host.engine.load(source).instantiate(limits=limits) as instance:
        instance.call("run")

        assert instance.receipt.host_calls >= 1000
        assert (instance.receipt.fuel or 0) >= 1000 * HOST_CALL_FUEL


def test_w26_its_fuel_ends_a_loop_beside_a_task_held_up(host: Host) -> None:
    limits = aw.Limits(memory_bytes_max=4 * aw.MIB, call_seconds_max=20.0, fuel_max=10_000_000)

    outcome = host.attack(
        beside_a_task_held_up("(br $more)"), expect=aw.FuelExhausted, under=Under(limits)
    )

    assert outcome.seconds < 2.0


def test_w26_what_a_stream_carries_is_paid_by_the_call_that_wrote_it(host: Host) -> None:
    limits = aw.Limits(memory_bytes_max=4 * aw.MIB, call_seconds_max=10.0, fuel_max=10**8)
    component = host.engine.load(COURIER)
    supplied = {"acme:courier/host": _NoPost()}
    used: list[int] = []
    with component.instantiate(limits=limits, imports=supplied, grant=COURIER_GRANT) as instance:
        for function, argument in (("nap", 0), ("nap", 0), ("print", ["x" * 60_000]), ("nap", 0)):
            instance.call(f"acme:courier/api#{function}", argument)
            used.append(instance.receipt.fuel or 0)

    assert used[2] > 60_000
    assert used[3] == used[1]


def test_w11_a_flood_through_a_stream_is_kept_in_bounds(host: Host) -> None:
    limits = aw.Limits(memory_bytes_max=4 * aw.MIB, call_seconds_max=10.0)
    component = host.engine.load(COURIER)
    supplied = {"acme:courier/host": _NoPost()}
    with component.instantiate(limits=limits, imports=supplied, grant=COURIER_GRANT) as instance:
        instance.call("acme:courier/api#print", ["x" * 200_000] * 4)

        assert len(instance.stdout) + len(instance.stderr) <= 68 * aw.KIB
        assert instance.output_bytes_dropped >= 700_000


def test_w31_a_clock_that_was_not_granted_is_named(host: Host) -> None:
    outcome = host.attack(
        ENDLESS["sleep"], expect=aw.ImportMissing, under=Under(grant=aw.Grant(clocks=False))
    )

    assert isinstance(outcome.error, aw.ImportMissing)
    assert outcome.error.missing == (("wasi:clocks/monotonic-clock@0.3.0", "Grant(clocks=True)"),)


def test_w22_a_function_in_flight_cannot_come_back_while_others_end(host: Host) -> None:
    """Two are in flight; when one has ended, the other is still inside."""
    tried: list[type] = []
    instance: aw.Instance

    class Post:
        async def fetch(self, key: str) -> str:
            if key == "short":
                return key
            await asyncio.sleep(0.05)
            try:
                await instance.call_async("acme:courier/api#shout", key)
            except aw.ReentrantCall as error:
                tried.append(type(error))
            return key

        def look_up(self, key: str) -> int:
            return len(key)

    component = host.engine.load(COURIER)
    instance = component.instantiate(
        limits=PATIENT_COURIER, imports={"acme:courier/host": Post()}, grant=COURIER_GRANT
    )
    with instance:
        instance.call("acme:courier/api#fetch-all", ["short", "long"])

    assert tried == [aw.ReentrantCall]


class _NoPost:
    async def fetch(self, key: str) -> str:
        raise NotImplementedError

    def look_up(self, key: str) -> int:
        raise NotImplementedError


def _eventually(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5.0
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("seed", range(3))
def test_w08_any_order_of_built_ins_ends_as_it_should(host: Host, seed: int) -> None:
    """Whatever it does, it gives an answer or ends in one of the ways that have a name."""
    random = Random(seed)  # noqa: S311 - a walk, not a secret
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=0.02)
    ended = Counter[str]()
    for _ in range(WALKS):
        with host.engine.load(walk(random)).instantiate(limits=limits) as instance:
            try:
                instance.call("run")
                instance.call("run")
                ended["answered"] += 1
            except aw.ComponentFailed as error:
                ended[error.kind] += 1
    host.assert_unharmed()

    assert {"answered", "abi-violation", "deadlock", "timeout"} >= set(ended)
    assert min(ended["answered"], ended["abi-violation"]) >= WALKS // 20
