"""Resource handles: leaked, forged, dropped twice, and taken elsewhere."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest
from tests.hostile.attack import Host, Under

import airssys_wasm as aw

ECHO = Path(__file__).parents[1] / "components" / "prebuilt" / "echo.wasm"
COUNTER = "acme:echo/resources#[constructor]counter"
HANDLES_MAX = 4_096


def own_resource(core: str) -> str:
    """Write a guest that works on handles to a resource of its own."""
    return f"""
    (component
      (type $thing (resource (rep i32)))
      (core func $new (canon resource.new $thing))
      (core func $rep (canon resource.rep $thing))
      (core func $drop (canon resource.drop $thing))
      (core module $m
        (import "host" "new" (func $new (param i32) (result i32)))
        (import "host" "rep" (func $rep (param i32) (result i32)))
        (import "host" "drop" (func $drop (param i32)))
        (func (export "run") (local $n i32) {core}))
      (core instance $i (instantiate $m (with "host" (instance
        (export "new" (func $new)) (export "rep" (func $rep)) (export "drop" (func $drop))))))
      (func (export "run") (canon lift (core func $i "run"))))
    """


@pytest.mark.parametrize(
    "core",
    [
        "(drop (call $rep (i32.const 12345)))",
        "(drop (call $rep (i32.const 0)))",
        "(call $drop (i32.const -1))",
        (
            "(local.set $n (call $new (i32.const 7))) (call $drop (local.get $n)) "
            "(call $drop (local.get $n))"
        ),
        (
            "(local.set $n (call $new (i32.const 7))) (call $drop (local.get $n)) "
            "(drop (call $rep (local.get $n)))"
        ),
        (
            "(local.set $n (call $new (i32.const 7))) "
            "(drop (call $rep (i32.add (local.get $n) (i32.const 1))))"
        ),
    ],
    ids=["forged", "zero", "huge", "dropped twice", "used after drop", "the next one"],
)
def test_w08_handles_that_are_not_held_are_typed_traps(host: Host, core: str) -> None:
    outcome = host.attack(own_resource(core), expect=aw.Trapped)

    assert outcome.kind == "abi-violation"


def test_w08_ten_million_handles_stop_at_the_cap(host: Host) -> None:
    seen: list[int] = []
    source = """
    (component
      (import "seen" (func $seen (param "n" u32)))
      (core func $seen (canon lower (func $seen)))
      (type $thing (resource (rep i32)))
      (core func $new (canon resource.new $thing))
      (core module $m
        (import "host" "new" (func $new (param i32) (result i32)))
        (import "host" "seen" (func $seen (param i32)))
        (func (export "run") (local $n i32)
          (loop $again
            (drop (call $new (i32.const 7)))
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (call $seen (local.get $n))
            (br_if $again (i32.lt_u (local.get $n) (i32.const 10_000_000))))))
      (core instance $i (instantiate $m (with "host" (instance
        (export "new" (func $new)) (export "seen" (func $seen))))))
      (func (export "run") (canon lift (core func $i "run"))))
    """
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=10.0)

    host.attack(source, expect=aw.Trapped, under=Under(limits, imports={"seen": seen.append}))

    assert 1_000 <= seen[-1] <= HANDLES_MAX


HOST_RESOURCE = """
(component
  (import "acme:host/api" (instance $host
    (export "session" (type $session (sub resource)))
    (export "[constructor]session" (func (result (own $session))))
    (export "[method]session.name" (func (param "self" (borrow $session)) (result u32)))))
  (alias export $host "session" (type $session))
  (core func $new (canon lower (func $host "[constructor]session")))
  (core func $name (canon lower (func $host "[method]session.name")))
  (core func $drop (canon resource.drop $session))
  (core module $m
    (import "host" "new" (func $new (result i32)))
    (import "host" "name" (func $name (param i32) (result i32)))
    (import "host" "drop" (func $drop (param i32)))
    (func (export "run") (local $n i32) {core}))
  (core instance $i (instantiate $m (with "host" (instance
    (export "new" (func $new)) (export "name" (func $name)) (export "drop" (func $drop))))))
  (func (export "run") (canon lift (core func $i "run"))))
"""


class Session:
    made: list[weakref.ref[Session]]
    named: int

    def __init__(self) -> None:
        type(self).made.append(weakref.ref(self))

    def name(self) -> int:
        type(self).named += 1
        return 1


class HostApi:
    Session = Session


@pytest.fixture
def sessions() -> type[Session]:
    Session.made, Session.named = [], 0
    return Session


def test_w08_host_resources_that_leak_stop_at_the_cap_and_go_with_the_instance(
    host: Host, sessions: type[Session]
) -> None:
    source = HOST_RESOURCE.replace("{core}", "(loop $again (drop (call $new)) (br $again))")
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=10.0)

    host.attack(
        source, expect=aw.Trapped, under=Under(limits, imports={"acme:host/api": HostApi()})
    )
    gc.collect()

    assert 1_000 <= len(sessions.made) <= HANDLES_MAX + 1
    assert not [made for made in sessions.made if made() is not None]


@pytest.mark.parametrize(
    "core",
    [
        "(drop (call $name (i32.const 77)))",
        "(local.set $n (call $new)) (call $drop (local.get $n)) (drop (call $name (local.get $n)))",
        "(local.set $n (call $new)) (call $drop (local.get $n)) (call $drop (local.get $n))",
    ],
    ids=["forged", "used after drop", "dropped twice"],
)
def test_w08_host_resources_that_are_not_held_never_reach_the_host(
    host: Host, sessions: type[Session], core: str
) -> None:
    source = HOST_RESOURCE.replace("{core}", core)

    host.attack(source, expect=aw.Trapped, under=Under(imports={"acme:host/api": HostApi()}))

    assert sessions.named == 0


def test_w08_a_handle_of_another_instance_is_refused_before_the_guest_runs(
    engine: aw.Engine,
) -> None:
    component = engine.load(ECHO)
    limits = aw.Limits(memory_bytes_max=4 * aw.MIB, call_seconds_max=1.0)
    with (
        component.instantiate(limits=limits) as first,
        component.instantiate(limits=limits) as second,
    ):
        mine, other = first.call(COUNTER, 1), second.call(COUNTER, 100)

        for handle in (other, 1, None, object()):
            with pytest.raises(aw.ValueMismatch):
                first.call("acme:echo/resources#peek", handle)

        assert (first.call("acme:echo/resources#peek", mine), other.call("value")) == (1, 100)


def test_w08_a_handle_dropped_or_given_away_is_refused_and_its_instance_lives(
    engine: aw.Engine,
) -> None:
    limits = aw.Limits(memory_bytes_max=4 * aw.MIB, call_seconds_max=1.0)
    with engine.load(ECHO).instantiate(limits=limits) as instance:
        dropped, left, right = (instance.call(COUNTER, n) for n in (1, 2, 3))
        dropped.drop()
        dropped.drop()
        merged = instance.call("acme:echo/resources#[static]counter.merge", left, right)

        for gone in (dropped, left, right):
            assert gone.closed
            with pytest.raises(aw.ValueMismatch):
                instance.call("acme:echo/resources#peek", gone)
        # The same handle twice in one call would be owned twice.
        with pytest.raises(aw.ValueMismatch):
            instance.call("acme:echo/resources#[static]counter.merge", merged, merged)

        assert not instance.closed


def test_w08_handles_the_embedder_leaks_stop_at_the_cap(host: Host) -> None:
    limits = aw.Limits(memory_bytes_max=16 * aw.MIB, call_seconds_max=1.0)
    with host.engine.load(ECHO).instantiate(limits=limits) as instance:
        kept: list[aw.Resource] = []

        def keep_all() -> None:
            for n in range(10 * HANDLES_MAX):
                kept.append(instance.call(COUNTER, n))  # noqa: PERF401 - the last one raises

        with pytest.raises(aw.ComponentFailed):
            keep_all()

        assert 1_000 <= len(kept) <= HANDLES_MAX
        assert all(handle.closed for handle in kept)
    host.assert_unharmed()
