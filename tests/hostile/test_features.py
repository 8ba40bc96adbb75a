"""Proposals that components do not need are refused before anything is compiled."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from tests.hostile.attack import Host
from tests.hostile.guests import one_module

import airssys_wasm as aw

RUN = '(func (export "run"))'
CORE = {
    "memory64": "(memory i64 1)",
    "multi-memory": "(memory 1) (memory 1)",
    "threads: shared memory": "(memory 1 1 shared)",
    "threads: atomics": "(memory 1) (func (drop (i32.atomic.load (i32.const 0))))",
    "gc: structs": "(type (struct (field i32)))",
    "gc: arrays": "(type (array i8))",
    "gc: i31": "(func (drop (ref.i31 (i32.const 0))))",
    "function references": "(type $f (func)) (func (param (ref $f)) (call_ref $f (local.get 0)))",
    "exceptions": "(tag $t) (func (throw $t))",
    "legacy exceptions": "(func try catch_all end)",
    "tail calls": "(func $f (return_call $f))",
    "relaxed simd": """(func (param v128) (result v128)
        (i8x16.relaxed_swizzle (local.get 0) (local.get 0)))""",
    "stack switching": "(type $f (func)) (type $c (cont $f))",
    "wide arithmetic": """(func (param i64) (result i64 i64)
        (i64.mul_wide_u (local.get 0) (local.get 0)))""",
    "custom page sizes": "(memory 1 (pagesize 1))",
    "shared-everything threads": "(global (shared i32) (i32.const 0))",
}
COMPONENT = {
    "error context": '(component (import "f" (func (param "s" error-context))))',
    "async with a stack of its own": """(component
        (core module $m (func (export "run")))
        (core instance $i (instantiate $m))
        (func (export "run") async (canon lift (core func $i "run") async)))""",
    "async cancellation": "(component (core func (canon subtask.cancel async)))",
    "threads that suspend": "(component (core func (canon thread.suspend)))",
    "values": '(component (import "v" (value u32)))',
    "fixed length lists": '(component (import "f" (func (param "l" (list u8 4)))))',
    "maps": '(component (import "f" (func (param "l" (map string u8)))))',
    "thread builtins": "(component (core func (canon thread.index)))",
    "gc abi": '(component (import "f" (func $f)) (core func (canon lower (func $f) gc)))',
}


@pytest.mark.parametrize("proposal", CORE)
def test_w25_core_proposals_that_are_off_are_refused(host: Host, proposal: str) -> None:
    outcome = host.attack(one_module(f"{CORE[proposal]} {RUN}"), expect=aw.ComponentInvalid)

    assert "does not compile" not in str(outcome.error), "refused by the compiler, not before it"


@pytest.mark.parametrize("proposal", COMPONENT)
def test_w25_component_proposals_that_are_off_are_refused(host: Host, proposal: str) -> None:
    outcome = host.attack(COMPONENT[proposal], expect=aw.ComponentInvalid)

    assert "does not compile" not in str(outcome.error), "refused by the compiler, not before it"


def test_w25_no_module_of_this_table_fails_as_text(host: Host) -> None:
    # A typing error here would look like a refusal.
    for source in [one_module(f"{core} {RUN}") for core in CORE.values()] + list(
        COMPONENT.values()
    ):
        error = str(host.attack(source, expect=aw.ComponentInvalid).error)
        assert "not a valid component at byte" in error, error


def test_w18_an_instance_is_made_of_its_own_engines_component_alone() -> None:
    # Mixing engines needs a call that takes both; there is none.
    assert "engine" not in inspect.signature(aw.Component.instantiate).parameters
    first, second = (aw.Engine(cache_dir=None, pool_instances=5) for _ in range(2))
    component = first.load(one_module(RUN))
    with component.instantiate(
        limits=aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=1.0)
    ) as instance:
        instance.call("run")
        assert (first.live_instances, second.live_instances) == (1, 0)


def test_w24_there_is_one_compiler_and_no_way_to_choose_another() -> None:
    parameters = inspect.signature(aw.Engine.__new__).parameters
    assert not {"strategy", "opt_level", "target"} & set(parameters)

    lock = Path(__file__).parents[2] / "Cargo.lock"
    assert "winch" not in lock.read_text(encoding="utf-8")
