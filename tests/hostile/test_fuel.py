"""Fuel: counted the same each time, and never out of nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.hostile.attack import LIMITS, Host, Under
from tests.hostile.guests import SPIN, one_module, teller, writer
from tests.hostile.test_time import ASKING
from tests.hostile.wasi_guests import CLOCK, POLL, RANDOM, wasi_guest

import airssys_wasm as aw

COUNT = one_module(
    """
    (func (export "run") (param $n i32) (result i32)
      (local $i i32)
      (loop $again
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $i) (local.get $n))))
      (local.get $i))
    """,
    '(param "n" u32) (result u32) (canon lift (core func $i "run"))',
)
FUEL_CEILING = 2**63 - 1
#: The price of a call of the host, and of each byte it carries, as `Limits` has them.
HOST_CALL_FUEL = 500
HOST_BYTE_FUEL = 1


def limits(fuel: int, seconds: float = 5.0) -> aw.Limits:
    return aw.Limits(memory_bytes_max=4 * aw.MIB, call_seconds_max=seconds, fuel_max=fuel)


def fuel_of(engine: aw.Engine, rounds: int, fuel: int = 1_000_000) -> int:
    with engine.load(COUNT).instantiate(limits=limits(fuel)) as instance:
        assert instance.call("run", rounds) == rounds
        used = instance.receipt.fuel
    assert used is not None
    return used


@pytest.mark.parametrize("fuel", [1, 2, 1_000, 1_000_000])
def test_w26_an_endless_loop_ends_when_its_fuel_does(host: Host, fuel: int) -> None:
    outcome = host.attack(SPIN, expect=aw.FuelExhausted, under=Under(limits(fuel)))

    assert outcome.receipt is not None
    assert outcome.receipt.fuel == fuel


def test_w26_a_start_function_burns_fuel_too(host: Host) -> None:
    source = one_module(
        '(func $start (loop $again (br $again))) (start $start) (func (export "run"))'
    )

    host.attack(source, expect=aw.FuelExhausted, under=Under(limits(10_000)))


def test_w26_more_work_takes_more_fuel(engine: aw.Engine) -> None:
    used = [fuel_of(engine, rounds) for rounds in (1, 10, 100, 1_000, 10_000)]

    assert used == sorted(set(used))
    assert used[-1] >= 10_000


def test_w26_the_same_work_takes_the_same_fuel_each_time(engine: aw.Engine) -> None:
    other = aw.Engine(cache_dir=None, pool_instances=2)

    assert {fuel_of(which, 1_234) for which in (engine, other) for _ in range(20)} == {
        fuel_of(engine, 1_234)
    }


def test_w26_fuel_is_enough_exactly_when_the_receipt_says_so(engine: aw.Engine) -> None:
    needed = fuel_of(engine, 1_000)

    assert fuel_of(engine, 1_000, fuel=needed + 1) == needed
    with (
        engine.load(COUNT).instantiate(limits=limits(needed // 2)) as instance,
        pytest.raises(aw.FuelExhausted),
    ):
        instance.call("run", 1_000)


def test_w26_each_call_gets_its_own_fuel_and_saves_none(engine: aw.Engine) -> None:
    needed = fuel_of(engine, 1_000)
    with engine.load(COUNT).instantiate(limits=limits(needed + 1)) as instance:
        for _ in range(50):
            instance.call("run", 1)
        assert instance.call("run", 1_000) == 1_000
        with pytest.raises(aw.FuelExhausted):
            instance.call("run", 2_000)


@pytest.mark.parametrize("fuel", [2**63 - 1, 2**62, 2**32])
def test_w26_huge_fuel_neither_wraps_nor_outlasts_the_deadline(fuel: int) -> None:
    policy = aw.Policy(fuel_ceiling=FUEL_CEILING)
    host = Host(aw.Engine(cache_dir=None, pool_instances=5, policy=policy))

    outcome = host.outlast(SPIN, under=Under(limits(fuel, seconds=0.2)))

    assert outcome.receipt is not None
    # A loop keeps its count in a register; what had reached memory is what shows.
    assert outcome.receipt.fuel is not None
    assert outcome.receipt.fuel < 2**40
    host.close()


def test_w26_growing_mints_no_fuel(host: Host) -> None:
    source = one_module(
        """
        (memory 1) (table $t 1 funcref)
        (func (export "run")
          (loop $again
            (drop (table.grow $t (ref.null func) (i32.const -1)))
            (drop (memory.grow (i32.const -1)))
            (br $again)))
        """
    )

    outcome = host.attack(source, expect=aw.FuelExhausted, under=Under(limits(100_000)))

    assert outcome.seconds < 5.0


@pytest.mark.parametrize(
    "operation",
    [
        "(memory.fill (i32.const 0) (i32.const 7) (i32.const 4194304))",
        "(memory.copy (i32.const 1) (i32.const 0) (i32.const 4194303))",
    ],
    ids=["fill", "copy"],
)
def test_w26_bulk_work_burns_fuel_by_the_byte(host: Host, operation: str) -> None:
    source = one_module(f'(memory 64) (func (export "run") (loop $a {operation} (br $a)))')

    outcome = host.attack(source, expect=aw.FuelExhausted, under=Under(limits(100_000_000)))

    # A hundred million bytes are two dozen operations, not a hundred million.
    assert outcome.seconds < 1.0


async def ask_async() -> None:
    pass


@pytest.mark.parametrize("ask", [lambda: None, ask_async], ids=["sync", "async"])
def test_w26_calls_of_the_host_burn_fuel(host: Host, ask: Callable[[], object]) -> None:
    under = Under(limits(1_000_000), imports={"ask": ask})

    outcome = host.attack(ASKING, expect=aw.FuelExhausted, under=under)

    assert outcome.receipt is not None
    assert outcome.receipt.fuel == 1_000_000
    # The instructions around a call are a handful.
    assert 0.9 < outcome.receipt.host_calls * HOST_CALL_FUEL / 1_000_000 <= 1.001
    assert outcome.seconds < 1.0


def test_w26_a_call_of_the_host_that_cannot_be_paid_is_not_made(host: Host) -> None:
    asked = 0

    def ask() -> None:
        nonlocal asked
        asked += 1

    under = Under(limits(10 * HOST_CALL_FUEL), imports={"ask": ask})
    outcome = host.attack(ASKING, expect=aw.FuelExhausted, under=under)

    assert asked == 9
    assert outcome.receipt is not None
    assert outcome.receipt.host_calls == 10


def used_by(component: aw.Component, *args: object, **options: Any) -> tuple[int, int]:
    with component.instantiate(limits=limits(50_000_000), **options) as instance:
        instance.call("run", *args)
        assert instance.receipt.fuel is not None
        return instance.receipt.fuel, instance.receipt.host_calls


@pytest.mark.parametrize(
    ("kind", "bytes_each"), [("(list u8)", 1), ("string", 1), ("(list u64)", 8)]
)
def test_w26_bytes_told_to_the_host_burn_fuel(
    engine: aw.Engine, kind: str, bytes_each: int
) -> None:
    fuel = {
        length: used_by(engine.load(teller(kind, 64, length)), imports={"tell": lambda _: None})
        for length in (0, 1000, 4000)
    }

    assert {calls for _, calls in fuel.values()} == {1}
    assert fuel[1000][0] - fuel[0][0] == 1000 * bytes_each * HOST_BYTE_FUEL
    assert fuel[4000][0] - fuel[0][0] == 4000 * bytes_each * HOST_BYTE_FUEL


ANSWERED = """
(component
  (import "answer" (func $answer (result (list u8))))
  (core module $libc
    (memory (export "memory") 4)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64)))
  (core instance $libc (instantiate $libc))
  (core func $answer (canon lower (func $answer)
    (memory $libc "memory") (realloc (func $libc "realloc"))))
  (core module $m
    (import "host" "answer" (func $answer (param i32)))
    (func (export "run") (call $answer (i32.const 16))))
  (core instance $i (instantiate $m
    (with "host" (instance (export "answer" (func $answer))))))
  (func (export "run") (canon lift (core func $i "run"))))
"""


def test_w26_bytes_the_host_answers_burn_fuel(engine: aw.Engine) -> None:
    component = engine.load(ANSWERED)
    few, many = (
        used_by(component, imports={"answer": lambda size=size: b"x" * size})[0]
        for size in (1_000, 101_000)
    )

    assert many - few == 100_000 * HOST_BYTE_FUEL


def repeated(body: str) -> str:
    return f"""(func (export "run") (result i32) (local $n i32)
      (loop $again {body}
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $n) (i32.const 100))))
      (local.get $n))"""


#: Guests that call WASI a hundred times -> calls and bytes that those are.
OF_WASI = {
    "clock": (
        wasi_guest(
            POLL + CLOCK,
            {"now": ('$clock "now"', "(result i64)")},
            repeated("(drop (call $now))"),
            result="u32",
        ),
        100,
        0,
    ),
    "random bytes": (
        wasi_guest(
            RANDOM,
            {"random": ('$random "get-random-bytes"', "(param i64 i32)")},
            repeated("(call $random (i64.const 60) (i32.const 16))"),
            result="u32",
        ),
        100,
        100 * 60,
    ),
    "random bytes of WASI 0.3": (
        wasi_guest(
            RANDOM.replace("@0.2.0", "@0.3.0"),
            {"random": ('$random "get-random-bytes"', "(param i64 i32)")},
            repeated("(call $random (i64.const 60) (i32.const 16))"),
            result="u32",
        ),
        100,
        100 * 60,
    ),
    "timers that are polled": (
        wasi_guest(
            POLL + CLOCK,
            {
                "after": ('$clock "subscribe-duration"', "(param i64) (result i32)"),
                "poll": ('$poll "poll"', "(param i32 i32 i32)"),
            },
            repeated("""(i32.store (i32.const 64) (call $after (i64.const 0)))
              (call $poll (i32.const 64) (i32.const 1) (i32.const 16))"""),
            result="u32",
        ),
        200,
        100 * 4,
    ),
}


@pytest.mark.parametrize("what", OF_WASI)
def test_w26_calls_of_wasi_burn_fuel(engine: aw.Engine, what: str) -> None:
    source, calls, bytes_ = OF_WASI[what]
    component = engine.load(source)

    fuel, counted = used_by(component)

    assert counted == calls
    price = calls * HOST_CALL_FUEL + bytes_ * HOST_BYTE_FUEL
    assert price < fuel < price + calls * 100
    assert {used_by(component) for _ in range(5)} == {(fuel, calls)}


def test_w26_what_is_written_burns_fuel_by_the_byte(engine: aw.Engine) -> None:
    short, long = (used_by(engine.load(writer(b"x" * size)), 50) for size in (1, 4001))

    assert long[1] == short[1] == 51, "one to ask for the stream"
    assert long[0] - short[0] == 50 * 4000 * HOST_BYTE_FUEL


def test_w26_an_endless_loop_of_wasi_calls_ends_when_its_fuel_does(host: Host) -> None:
    source = wasi_guest(
        POLL + CLOCK,
        {"now": ('$clock "now"', "(result i64)")},
        '(func (export "run") (loop $again (drop (call $now)) (br $again)))',
    )

    outcome = host.attack(source, expect=aw.FuelExhausted, under=Under(limits(5_000_000)))

    assert outcome.seconds < 1.0
    assert outcome.receipt is not None
    assert outcome.receipt.fuel == 5_000_000
    assert 9_000 <= outcome.receipt.host_calls <= 10_000


HOLDING = """
(component
  (import "acme:h/h" (instance $h
    (export "thing" (type $t (sub resource)))
    (export "[constructor]thing" (func (result (own $t))))))
  (alias export $h "thing" (type $thing))
  (core func $new (canon lower (func $h "[constructor]thing")))
  (core func $drop (canon resource.drop $thing))
  (core module $m
    (import "host" "new" (func $new (result i32)))
    (import "host" "drop" (func $drop (param i32)))
    (func (export "run") (call $drop (call $new))))
  (core instance $i (instantiate $m
    (with "host" (instance (export "new" (func $new)) (export "drop" (func $drop))))))
  (func (export "run") (canon lift (core func $i "run"))))
"""


def test_w26_destructors_of_the_host_burn_fuel(engine: aw.Engine) -> None:
    class Thing:
        pass

    class Things:
        thing = Thing

    fuel, calls = used_by(engine.load(HOLDING), imports={"acme:h/h": Things()})

    assert calls == 2
    assert 2 * HOST_CALL_FUEL < fuel < 2 * HOST_CALL_FUEL + 100


def test_w26_calls_of_wasi_count_without_fuel_too(engine: aw.Engine) -> None:
    source, calls, _ = OF_WASI["clock"]
    with engine.load(source).instantiate(limits=LIMITS) as instance:
        for _ in range(3):
            instance.call("run")
            assert (instance.receipt.host_calls, instance.receipt.fuel) == (calls, None)


@pytest.mark.parametrize("fuel", [0, -1, 10_000_000_001, 2**63, 2**64])
def test_w26_fuel_outside_the_policy_is_refused(engine: aw.Engine, fuel: int) -> None:
    with pytest.raises(aw.LimitInvalid):
        engine.load(COUNT).instantiate(limits=limits(fuel))


def test_w26_instances_without_fuel_say_so(engine: aw.Engine) -> None:
    with engine.load(COUNT).instantiate(limits=LIMITS) as instance:
        instance.call("run", 10)
        assert instance.receipt.fuel is None
