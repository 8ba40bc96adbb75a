"""Fuel: counted the same each time, and never out of nothing."""

from __future__ import annotations

import pytest
from tests.hostile.attack import LIMITS, Host, Under
from tests.hostile.guests import SPIN, one_module
from tests.hostile.test_time import ASKING

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


def test_w26_calls_of_the_host_burn_fuel(host: Host) -> None:
    calls = 0

    def ask() -> None:
        nonlocal calls
        calls += 1

    outcome = host.attack(
        ASKING, expect=aw.FuelExhausted, under=Under(limits(10_000), imports={"ask": ask})
    )

    assert 0 < calls < 10_000
    assert outcome.receipt is not None
    assert outcome.receipt.host_calls == calls


@pytest.mark.parametrize("fuel", [0, -1, 10_000_000_001, 2**63, 2**64])
def test_w26_fuel_outside_the_policy_is_refused(engine: aw.Engine, fuel: int) -> None:
    with pytest.raises(aw.LimitInvalid):
        engine.load(COUNT).instantiate(limits=limits(fuel))


def test_w26_instances_without_fuel_say_so(engine: aw.Engine) -> None:
    with engine.load(COUNT).instantiate(limits=LIMITS) as instance:
        instance.call("run", 10)
        assert instance.receipt.fuel is None
