"""How many instances there is room for, in the pool and outside, standard and dense."""

from __future__ import annotations

from pathlib import Path

import pytest

import airssys_wasm as aw

PREBUILT = Path(__file__).parents[1] / "components" / "prebuilt"
LIMITS = aw.Limits(memory_bytes_max=4 * aw.MIB, call_seconds_max=10.0)
SMALL = """
(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "keep") (param i32) (result i32)
      (i32.store (i32.const 0) (i32.add (local.get 0) (i32.load (i32.const 0))))
      (i32.load (i32.const 0)))
    (func (export "read") (param i32) (result i32) (i32.load (local.get 0)))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "loop") (loop $l br $l)))
  (core instance $i (instantiate $m))
  (func (export "keep") (param "value" u32) (result u32) (canon lift (core func $i "keep")))
  (func (export "read") (param "at" u32) (result u32) (canon lift (core func $i "read")))
  (func (export "grow") (param "pages" u32) (result s32) (canon lift (core func $i "grow")))
  (func (export "loop") (canon lift (core func $i "loop"))))
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_past_the_ceiling_there_is_no_instance_until_one_goes(cache: Path) -> None:
    engine = aw.Engine(cache_dir=cache, instances_max=3)
    echo = engine.load(PREBUILT / "echo.wasm")
    live = [echo.instantiate(limits=LIMITS) for _ in range(3)]
    assert (engine.instances_ceiling, engine.live_instances) == (3, 3)

    for _ in range(3):
        with pytest.raises(aw.CapacityExhausted, match=r"3 live instances of 3; hint: close some"):
            echo.instantiate(limits=LIMITS)
    assert [instance.call("add", n, 1) for n, instance in enumerate(live)] == [1, 2, 3]

    live[0].close()
    with echo.instantiate(limits=LIMITS) as again:
        assert again.call("add", 1, 1) == 2


def test_a_failed_instance_makes_room(cache: Path) -> None:
    engine = aw.Engine(cache_dir=cache, instances_max=1)
    echo = engine.load(PREBUILT / "echo.wasm")
    for _ in range(5):
        with pytest.raises(aw.Trapped):
            echo.instantiate(limits=LIMITS).call("acme:echo/failures#panic", "on purpose")

    assert engine.live_instances == 0


def test_past_the_pool_instances_are_allocated_on_demand(cache: Path) -> None:
    engine = aw.Engine(cache_dir=cache, pool_instances=2)
    echo = engine.load(PREBUILT / "echo.wasm")

    live = [echo.instantiate(limits=LIMITS) for _ in range(10)]

    assert engine.pool_slots_used == 2
    for n, instance in enumerate(live):
        assert instance.call("acme:echo/types#echo-list-string", [str(n)]) == [str(n)]
    for instance in live:
        instance.close()
    assert engine.live_instances == 0


def test_limits_hold_outside_the_pool_too(cache: Path) -> None:
    engine = aw.Engine(cache_dir=cache, pool_instances=1)
    echo = engine.load(PREBUILT / "echo.wasm")
    with echo.instantiate(limits=LIMITS):
        instance = echo.instantiate(limits=LIMITS)
        with pytest.raises(aw.OutOfMemory):
            instance.call("acme:echo/failures#hold-bytes", 8 * aw.MIB)


def test_memory_given_back_is_clean_for_the_next(cache: Path) -> None:
    engine = aw.Engine(cache_dir=cache, pool_instances=1)
    small = engine.load(SMALL)
    for _ in range(5):
        with small.instantiate(limits=LIMITS) as instance:
            assert instance.call("keep", 7) == 7
            assert instance.call("grow", 10) == 1
            assert instance.call("read", 10 * 65536) == 0


@pytest.fixture(scope="module")
def dense(cache: Path) -> aw.Engine:
    """Memories of at most two pages, without guards."""
    return aw.Engine(cache_dir=cache, dense_memory_bytes=2 * 64 * aw.KIB, pool_instances=2_500)


class TestDense:
    LIMITS = aw.Limits(memory_bytes_max=2 * 64 * aw.KIB, call_seconds_max=0.1)

    def test_two_thousand_instances_live_side_by_side(self, dense: aw.Engine) -> None:
        small = dense.load(SMALL)
        live = [small.instantiate(limits=self.LIMITS) for _ in range(2_000)]

        assert dense.pool_slots_used == 2_000
        for n, instance in enumerate(live):
            assert instance.call("keep", n) == n
        # Neighbours have kept their hands off each other's memory.
        assert [instance.call("keep", 0) for instance in live] == list(range(2_000))
        for instance in live:
            instance.close()
        assert dense.live_instances == 0

    def test_limits_are_enforced_there(self, dense: aw.Engine) -> None:
        small = dense.load(SMALL)
        with small.instantiate(limits=self.LIMITS) as instance:
            assert instance.call("grow", 1) == 1
            assert instance.call("grow", 1) == -1
        for export, argument, kind in (
            ("read", (2 * 65536,), aw.Trapped),
            ("read", (2**32 - 4,), aw.Trapped),
            ("loop", (), aw.CallTimeout),
        ):
            instance = small.instantiate(limits=self.LIMITS)
            with pytest.raises(kind):
                instance.call(export, *argument)
            assert instance.closed

    def test_a_reach_past_the_end_is_a_trap_and_not_the_neighbour(self, dense: aw.Engine) -> None:
        small = dense.load(SMALL)
        first, second = (small.instantiate(limits=self.LIMITS) for _ in range(2))
        second.call("keep", 99)
        with pytest.raises(aw.Trapped) as caught:
            first.call("read", 65536)

        assert caught.value.kind == "memory-out-of-bounds"
        assert second.call("keep", 0) == 99
        second.close()

    def test_what_needs_more_is_allocated_on_demand(self, dense: aw.Engine) -> None:
        echo = dense.load(PREBUILT / "echo.wasm")
        before = dense.pool_slots_used
        with echo.instantiate(limits=LIMITS) as instance:
            assert instance.call("add", 1, 2) == 3
            assert dense.pool_slots_used == before


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_ten_thousand_instances_live_in_the_standard_profile(cache: Path) -> None:
    engine = aw.Engine(cache_dir=cache)
    if engine.instances_ceiling < 10_000:
        pytest.skip(f"the kernel maps room for {engine.instances_ceiling} here")
    small = engine.load(SMALL)
    live = [small.instantiate(limits=LIMITS) for _ in range(10_000)]

    assert [instance.call("keep", n) for n, instance in enumerate(live)] == list(range(10_000))
    for instance in live:
        instance.close()
