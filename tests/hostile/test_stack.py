"""Stacks: recursion of every kind, and what is told of it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.hostile.attack import Host, Under
from tests.hostile.fresh import in_fresh_process
from tests.hostile.guests import one_module

import airssys_wasm as aw

BACKTRACE_FRAMES_MAX = 64


@pytest.mark.parametrize(
    "core",
    [
        '(func $f (export "run") (call $f))',
        '(func $g (call $f)) (func $f (export "run") (call $g))',
        """(type $t (func)) (table 1 funcref) (elem (i32.const 0) $f)
           (func $f (export "run") (call_indirect (type $t) (i32.const 0)))""",
        f'(func $f (export "run") {"(local i64)" * 2000} (call $f))',
    ],
    ids=["itself", "two in turn", "through a table", "with large frames"],
)
@pytest.mark.parametrize("waits", [False, True], ids=["own stack", "stack of a waiting guest"])
def test_w04_endless_recursion_is_a_typed_trap(host: Host, core: str, *, waits: bool) -> None:
    async def ask() -> None:
        raise AssertionError

    decorations = '(import "ask" (func))' if waits else ""
    source = one_module(core, decorations=decorations)

    outcome = host.attack(source, expect=aw.Trapped, under=Under(imports={"ask": ask}))

    assert outcome.kind == "stack-overflow"


def test_w04_a_frame_of_fifty_thousand_locals_is_refused_or_traps(host: Host) -> None:
    # Each local is used, so that the compiler has to keep it.
    uses = "".join(f"(local.set {n} (call $opaque))" for n in range(3000))
    keeps = "".join(f"(call $keep (local.get {n}))" for n in range(3000))
    core = f"""
      (global $g (mut i64) (i64.const 1))
      (func $opaque (result i64) (global.get $g))
      (func $keep (param i64) (global.set $g (local.get 0)))
      (func $f (export "run") {"(local i64)" * 3000} {uses} (call $f) {keeps})
    """

    assert host.attack(one_module(core), expect=aw.Trapped).kind == "stack-overflow"


@pytest.mark.parametrize("locals_", [50_001, 4_000_000_000])
def test_w04_more_locals_than_the_standard_allows_are_refused(host: Host, locals_: int) -> None:
    from tests.hostile import binary  # noqa: PLC0415

    function = binary.body(b"", locals_=[(locals_, binary.I64)])
    source = binary.component(binary.core_module([binary.function_type()], [(0, function)]))

    host.attack(source, expect=aw.ComponentInvalid)


def test_w04_recursion_through_the_host_ends_as_reentrance(host: Host) -> None:
    source = """
    (component
      (import "again" (func $again))
      (core func $again (canon lower (func $again)))
      (core module $m
        (import "host" "again" (func $again))
        (func (export "run") (call $again)))
      (core instance $i (instantiate $m (with "host" (instance (export "again" (func $again))))))
      (func (export "run") (canon lift (core func $i "run"))))
    """
    deepest = 0
    component = host.engine.load(source)

    def again() -> None:
        nonlocal deepest
        deepest += 1
        instance.call("run")

    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=2.0)
    instance = component.instantiate(limits=limits, imports={"again": again})
    with pytest.raises(aw.Trapped) as caught:
        instance.call("run")

    assert caught.value.kind == "host-error"
    assert isinstance(caught.value.__cause__, aw.ReentrantCall)
    assert deepest == 1
    host.assert_unharmed()


def test_w29_a_trap_ten_thousand_frames_deep_tells_of_sixty_four(host: Host) -> None:
    source = one_module(
        """
        (func $down (param $n i32)
          (if (i32.eqz (local.get $n)) (then unreachable))
          (call $down (i32.sub (local.get $n) (i32.const 1))))
        (func (export "run") (param i32) (call $down (local.get 0)))
        """,
        '(param "depth" u32) (canon lift (core func $i "run"))',
    )

    outcome = host.attack(source, 10_000, expect=aw.Trapped)

    assert outcome.kind == "unreachable"
    assert isinstance(outcome.error, aw.ComponentFailed)
    assert len(outcome.error.backtrace) == BACKTRACE_FRAMES_MAX
    assert outcome.seconds < 0.1


def test_w29_a_storm_of_deep_traps_leaves_nothing_behind(host: Host) -> None:
    source = one_module(
        '(func $f (export "run") (call $f))',
    )

    for _ in range(200):
        outcome = host.attack(source, expect=aw.Trapped)
        assert isinstance(outcome.error, aw.ComponentFailed)
        assert len(outcome.error.backtrace) <= BACKTRACE_FRAMES_MAX


def test_w29_names_in_a_backtrace_cannot_flood_it(host: Host) -> None:
    name = "x" * 50_000
    source = one_module(f'(func ${name} (export "run") (call ${name}))')

    outcome = host.attack(source, expect=aw.Trapped)

    assert isinstance(outcome.error, aw.ComponentFailed)
    assert sum(map(len, outcome.error.backtrace)) <= 64 * 1024


def test_w29_names_in_a_backtrace_drive_nobodys_terminal(host: Host) -> None:
    source = one_module('(func $"\\1b[2Jgone\\0a" (export "run") unreachable)')

    outcome = host.attack(source, expect=aw.Trapped)

    assert isinstance(outcome.error, aw.ComponentFailed)
    assert "gone" in outcome.error.backtrace[0]
    assert all(frame.isprintable() for frame in outcome.error.backtrace)
    assert str(outcome.error).isprintable()


def nested(levels: int, depth: int, *, waits: bool = False, stack_bytes: int = 0) -> dict[str, Any]:
    return in_fresh_process(
        "nest", "nested", levels=levels, depth=depth, waits=waits, stack_bytes=stack_bytes
    )


@pytest.mark.parametrize("waits", [False, True], ids=["own stack", "stack of a waiting guest"])
def test_w04_guests_inside_host_functions_do_not_use_up_the_stack(*, waits: bool) -> None:
    # Each takes most of what one guest may, then lets the host call the next.
    found = nested(100, 4_000, waits=waits)

    assert found["levels"] >= 5
    if waits:
        assert (found["levels"], found["ended"]) == (101, None), "each brought its own stack"
    else:
        assert found["ended"] == "CapacityExhausted", found
        assert "hint: nest fewer calls" in found["message"]


@pytest.mark.parametrize("stack_bytes", [64 * aw.KIB, 256 * aw.KIB, 512 * aw.KIB])
def test_w04_a_thread_with_a_small_stack_runs_no_guest_that_may_overflow_it(
    stack_bytes: int,
) -> None:
    found = nested(0, 1_000_000, stack_bytes=stack_bytes)

    assert found["ended"] == "CapacityExhausted"
    assert "threading.stack_size" in found["message"]


def test_w04_a_thread_with_enough_stack_runs_them() -> None:
    assert nested(0, 10, stack_bytes=2 * aw.MIB)["ended"] is None
