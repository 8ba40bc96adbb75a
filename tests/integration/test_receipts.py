"""What a call used: fuel to the instruction, memory to the page, bytes to the byte."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import airssys_wasm as aw

Guest = Callable[[str], aw.Component]
FUEL = 10_000_000


@pytest.fixture
def metered(limits: aw.Limits) -> aw.Limits:
    return dataclasses.replace(limits, fuel_max=FUEL)


class TestFuel:
    def test_the_same_call_costs_the_same(self, echo: aw.Component, metered: aw.Limits) -> None:
        used = set()
        for _ in range(5):
            with echo.instantiate(limits=metered) as instance:
                instance.call("acme:echo/failures#spin", 1000)
                used.add(instance.receipt.fuel)

        assert len(used) == 1

    def test_it_grows_with_the_work_and_is_refilled(self, guest: Guest, metered: aw.Limits) -> None:
        with guest("busy").instantiate(limits=metered) as instance:
            fuel = []
            for rounds in (100, 200, 300, 100):
                instance.call("count", rounds)
                assert instance.receipt.fuel is not None
                fuel.append(instance.receipt.fuel)

        assert fuel[1] - fuel[0] == fuel[2] - fuel[1] > 0
        assert fuel[3] == fuel[0]

    def test_the_budget_is_exact_to_the_round(self, guest: Guest, metered: aw.Limits) -> None:
        with guest("busy").instantiate(limits=metered) as instance:
            instance.call("count", 1000)
            exact = instance.receipt.fuel
            instance.call("count", 1001)
            more = instance.receipt.fuel
        assert exact is not None
        assert more is not None
        enough = dataclasses.replace(metered, fuel_max=exact)
        short = dataclasses.replace(metered, fuel_max=exact - 2 * (more - exact))

        with guest("busy").instantiate(limits=enough) as instance:
            assert instance.call("count", 1000) == 1000
        failing = guest("busy").instantiate(limits=short)
        with pytest.raises(aw.FuelExhausted):
            failing.call("count", 1000)

        assert failing.receipt.fuel == short.fuel_max

    def test_an_instance_without_a_budget_counts_none(self, instance: aw.Instance) -> None:
        instance.call("add", 1, 2)

        assert instance.receipt.fuel is None


class TestMemory:
    def test_the_peak_is_what_it_ever_had(self, echo: aw.Component, limits: aw.Limits) -> None:
        with echo.instantiate(limits=limits) as instance:
            instance.call("add", 1, 2)
            before = instance.receipt.memory_bytes_peak
            instance.call("acme:echo/failures#hold-bytes", 4 * aw.MIB)
            after = instance.receipt.memory_bytes_peak

        assert before + 4 * aw.MIB <= after < before + 5 * aw.MIB
        assert after <= limits.memory_bytes_max

    def test_refused_growth_is_counted(self, engine: aw.Engine) -> None:
        component = engine.load("""
            (component
              (core module $m
                (memory 1)
                (table 1 funcref)
                (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
                (func (export "widen") (param i32) (result i32)
                  (table.grow (ref.null func) (local.get 0))))
              (core instance $i (instantiate $m))
              (func (export "grow") (param "by" u32) (result s32)
                (canon lift (core func $i "grow")))
              (func (export "widen") (param "by" u32) (result s32)
                (canon lift (core func $i "widen"))))
        """)
        limits = aw.Limits(memory_bytes_max=3 * 64 * aw.KIB, call_seconds_max=1.0)
        with component.instantiate(limits=limits) as instance:
            assert instance.call("grow", 1) == 1
            assert instance.receipt.memory_denied == 0
            # The table counts too: one page less 8 bytes is left of three pages.
            assert instance.call("grow", 1) == -1
            assert instance.call("widen", 8192) == -1
            assert instance.receipt.memory_denied == 2
            assert instance.call("widen", 8191) == 1
            assert instance.receipt.memory_bytes_peak == limits.memory_bytes_max


class TestTraffic:
    @pytest.mark.parametrize(
        ("function", "argument", "size"),
        [
            ("api#echo-bytes", b"x" * 1000, 1000),
            ("api#echo-string", "ü", 2),
            ("types#echo-list-u32", [1, 2, 3], 12),
            ("types#echo-list-string", ["ab", "c"], 3),
            ("types#echo-tuple", (1, "abc", 2.0), 12),
            ("types#echo-char", "x", 4),
            ("types#echo-u64", 1, 8),
        ],
    )
    def test_bytes_of_payload_are_counted_both_ways(
        self, instance: aw.Instance, function: str, argument: Any, size: int
    ) -> None:
        instance.call(f"acme:echo/{function}", argument)

        assert (instance.receipt.bytes_in, instance.receipt.bytes_out) == (size, size)

    def test_host_calls_are_counted(
        self, open_importer: Callable[..., aw.Instance], supplied: type[Any]
    ) -> None:
        instance = open_importer(supplied())
        instance.call("acme:importer/api#call-many", 37)

        assert instance.receipt.host_calls == 37


class TestTime:
    def test_waiting_for_the_host_counts(
        self, open_importer: Callable[..., aw.Instance], waiting: type[Any]
    ) -> None:
        instance = open_importer(waiting())
        instance.call("acme:importer/api#wait", 50)

        assert 0.05 <= instance.receipt.seconds < 1.0

    def test_waiting_for_ones_turn_is_told_apart(
        self, open_importer: Callable[..., aw.Instance], supplied: type[Any]
    ) -> None:
        inside = threading.Event()

        def plain(value: int) -> int:
            inside.set()
            time.sleep(value / 1000)
            return value

        instance = open_importer(supplied(), plain=plain)
        first = threading.Thread(target=instance.call, args=("acme:importer/api#call-plain", 100))
        first.start()
        inside.wait()
        instance.call("acme:importer/api#call-plain", 1)
        first.join()

        assert 0.05 < instance.receipt.queue_seconds < 1.0
        assert instance.receipt.seconds < 0.1

    def test_a_failed_call_has_a_receipt(self, guest: Guest, limits: aw.Limits) -> None:
        short = dataclasses.replace(limits, call_seconds_max=0.05)
        instance = guest("busy").instantiate(limits=short)
        with pytest.raises(aw.CallTimeout):
            instance.call("loop")

        assert 0.05 <= instance.receipt.seconds < 0.15


def test_receipts_are_equal_when_all_figures_are(instance: aw.Instance) -> None:
    instance.call("add", 1, 2)

    assert instance.receipt == instance.receipt
    assert instance.receipt != object()
