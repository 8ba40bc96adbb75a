"""A resource is given away by a call that runs, and by no other."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

import airssys_wasm as aw

RESOURCES = "acme:echo/resources#"


def test_a_refused_call_gives_its_resources_back(instance: aw.Instance) -> None:
    left = instance.call(f"{RESOURCES}[constructor]counter", 1)

    with pytest.raises(aw.ValueMismatch):
        instance.call(f"{RESOURCES}[static]counter.merge", left, "no counter")

    assert not left.closed
    assert left.call("increment", 1) == 2


def test_a_call_that_runs_takes_them(instance: aw.Instance) -> None:
    left = instance.call(f"{RESOURCES}[constructor]counter", 1)
    right = instance.call(f"{RESOURCES}[constructor]counter", 2)

    merged = instance.call(f"{RESOURCES}[static]counter.merge", left, right)

    assert merged.call("value") == 3
    assert left.closed
    assert right.closed
    with pytest.raises(aw.ValueMismatch, match="given away"):
        left.call("value")


def test_a_resource_nobody_holds_is_dropped_at_the_next_call(instance: aw.Instance) -> None:
    instance.call(f"{RESOURCES}[constructor]counter", 1)
    instance.call(f"{RESOURCES}[constructor]counter", 2)

    assert instance.call(f"{RESOURCES}[static]counter.alive") == 0


@pytest.mark.parametrize("ends", ["busy", "cancelled"])
def test_a_call_that_never_had_its_turn_gives_them_back(
    ends: str, owner: Callable[..., aw.Instance]
) -> None:
    entered, leave = threading.Event(), threading.Event()

    def poke() -> None:
        entered.set()
        leave.wait(10)

    instance = owner(poke)
    thing = instance.call("acme:drop/api#[constructor]thing")

    # Python that blocks cannot be cut off: the call is past its deadline when it ends.
    def hold() -> None:
        with suppress(aw.CallTimeout):
            instance.call("acme:drop/api#work")

    holder = threading.Thread(target=hold)
    holder.start()
    assert entered.wait(5)

    async def give_away() -> None:
        given = asyncio.ensure_future(instance.call_async("acme:drop/api#take", thing))
        assert thing.closed
        if ends == "cancelled":
            asyncio.get_running_loop().call_later(0.05, given.cancel)
        await given

    refusal = aw.InstanceBusy if ends == "busy" else asyncio.CancelledError
    with pytest.raises(refusal):
        asyncio.run(give_away())

    assert not thing.closed
    leave.set()
    holder.join()


def test_a_call_cancelled_after_its_end_keeps_them(owner: Callable[..., aw.Instance]) -> None:
    entered, leave = threading.Event(), threading.Event()

    def poke() -> None:
        entered.set()
        leave.wait(10)

    instance = owner(poke)
    thing = instance.call("acme:drop/api#[constructor]thing")
    holder = threading.Thread(target=instance.call, args=("acme:drop/api#work",))
    holder.start()
    assert entered.wait(5)

    async def cancel_too_late() -> None:
        given = asyncio.ensure_future(instance.call_async("acme:drop/api#take", thing))
        leave.set()
        holder.join()
        # The guest has it while the loop cannot hear that the call ended.
        time.sleep(0.2)  # noqa: ASYNC251
        given.cancel()
        await given

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancel_too_late())

    assert not instance.closed
    with pytest.raises(aw.ValueMismatch, match="given away"):
        instance.call("acme:drop/api#take", thing)


@pytest.fixture
def owner(engine: aw.Engine, request: pytest.FixtureRequest) -> Callable[..., aw.Instance]:
    """Instantiate a guest that owns things and calls ``poke``."""
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=0.5)

    def make(poke: Callable[[], None]) -> aw.Instance:
        instance = engine.load(OWNER).instantiate(limits=limits, imports={"poke": poke})
        request.addfinalizer(instance.close)
        return instance

    return make


OWNER = """
(component
  (import "poke" (func $poke))
  (core func $poke-core (canon lower (func $poke)))
  (type $thing (resource (rep i32)))
  (core func $new (canon resource.new $thing))
  (core func $drop (canon resource.drop $thing))
  (core module $m
    (import "host" "poke" (func $poke))
    (import "host" "new" (func $new (param i32) (result i32)))
    (import "host" "drop" (func $drop (param i32)))
    (func (export "make") (result i32) (call $new (i32.const 7)))
    (func (export "take") (param i32) (call $drop (local.get 0)))
    (func (export "work") (call $poke)))
  (core instance $i (instantiate $m (with "host" (instance
    (export "poke" (func $poke-core)) (export "new" (func $new)) (export "drop" (func $drop))))))
  (func $make (result (own $thing)) (canon lift (core func $i "make")))
  (func $take (param "thing" (own $thing)) (canon lift (core func $i "take")))
  (func $work (canon lift (core func $i "work")))
  (component $shim
    (import "thing" (type $t (sub resource)))
    (import "make" (func $make (result (own $t))))
    (import "take" (func $take (param "thing" (own $t))))
    (import "work" (func $work))
    (export $e "thing" (type $t))
    (export "[constructor]thing" (func $make) (func (result (own $e))))
    (export "take" (func $take) (func (param "thing" (own $e))))
    (export "work" (func $work)))
  (instance $api (instantiate $shim (with "thing" (type $thing)) (with "make" (func $make))
    (with "take" (func $take)) (with "work" (func $work))))
  (export "acme:drop/api" (instance $api)))
"""
