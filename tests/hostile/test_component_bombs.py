"""Components whose shape is the attack: depth, width, and sizes that double."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from tests.hostile import bombs
from tests.hostile.attack import Host

import airssys_wasm as aw

#: Refusing a shape takes less than this.
SECONDS_MAX = 1.0


def doubling(levels: int) -> str:
    """Write a tuple of two tuples of two tuples, and so on."""
    types = "".join(f"(type $t{n + 1} (tuple $t{n} $t{n}))" for n in range(levels))
    return f'(component (type $t0 u32){types}(import "f" (func (param "a" $t{levels}))))'


def deep_type(levels: int) -> str:
    types = "".join(f"(type $t{n + 1} (list $t{n}))" for n in range(levels))
    return f'(component (type $t0 u32){types}(import "f" (func (param "a" $t{levels}))))'


def doubling_instances(levels: int) -> str:
    """Write a component that holds the one before twice, and so on."""
    components = "".join(
        f"(component $c{n + 1} (alias outer 1 $c{n} (component $c))"
        "(instance (instantiate $c)) (instance (instantiate $c)))"
        for n in range(levels)
    )
    return f"""(component
      (component $c0 (core module $m) (core instance (instantiate $m)))
      {components}
      (instance (instantiate $c{levels})))"""


REFUSED: dict[str, str | bytes] = {
    "types 101 deep": deep_type(101),
    "a type that doubles 40 times": doubling(40),
    "a type that doubles 20 times": doubling(20),
    "8 000 core instances": "(component (core module $m)"
    + "(core instance (instantiate $m))" * 8_000
    + ")",
    "more parameters than allowed": '(component (import "f" (func '
    + "".join(f'(param "p{n}" u8)' for n in range(1001))
    + ")))",
    "a tuple of 20 000": f'(component (import "f" (func (param "p" (tuple {"u8 " * 20_000})))))',
    "a record without fields": "(component (type (record)))",
    "a variant without cases": "(component (type (variant)))",
    "1 000 001 imports": bombs.many_imports(1_000_001),
}


@pytest.mark.parametrize("name", REFUSED)
def test_w13_shapes_past_the_limits_are_refused_at_once(host: Host, name: str) -> None:
    source = REFUSED[name]
    outcome = host.attack(source, expect=aw.ComponentInvalid)

    # What is above a mebibyte is validated in a process of its own.
    assert outcome.seconds < (SECONDS_MAX if len(source) < aw.MIB else 4 * SECONDS_MAX)
    assert len(str(outcome.error)) < 4_000


@pytest.fixture(scope="module")
def hurried() -> Iterator[Host]:
    """Give an engine that compiles for a second at most."""
    host = Host(aw.Engine(cache_dir=None, pool_instances=10, compile_seconds_max=1.0))
    yield host
    host.close()


@pytest.mark.parametrize("levels", [10, 16, 30, 60])
def test_w13_components_that_double_are_refused_or_stay_in_bounds(
    hurried: Host, levels: int
) -> None:
    began = time.perf_counter()
    outcome = hurried.attack(doubling_instances(levels), expect=aw.AirssysError)

    # Ten levels are a thousand core instances, sixty more than there is memory for.
    assert isinstance(outcome.error, aw.ComponentInvalid | aw.CompileRefused | aw.ComponentFailed)
    assert time.perf_counter() - began < 1.0 + 3 * SECONDS_MAX


@pytest.mark.parametrize("depth", [1_000, 10_000, 100_000])
def test_w13_components_inside_components_are_refused_or_stay_in_bounds(
    hurried: Host, depth: int
) -> None:
    began = time.perf_counter()
    hurried.attack(bombs.nested_components(depth), expect=aw.AirssysError)

    assert time.perf_counter() - began < 1.0 + 3 * SECONDS_MAX


def test_w13_a_hundred_thousand_imports_are_listed_or_refused_at_once(host: Host) -> None:
    began = time.perf_counter()
    outcome = host.attack(bombs.many_imports(100_000), expect=aw.AirssysError)

    assert isinstance(outcome.error, aw.ImportMissing | aw.CompileRefused | aw.ComponentInvalid)
    assert time.perf_counter() - began < 5 * SECONDS_MAX
    assert len(str(outcome.error)) < 100_000, "nobody reads a message of megabytes"


@pytest.mark.parametrize("levels", [10, 15, 18])
def test_w13_the_largest_type_allowed_does_not_hold_the_host_up(host: Host, levels: int) -> None:
    began = time.perf_counter()
    try:
        component = host.engine.load(doubling(levels))
        with pytest.raises(aw.ImportMissing):
            component.instantiate(limits=aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=1.0))
        imports = {"f": lambda _value: None}
        component.instantiate(
            limits=aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=1.0), imports=imports
        ).close()
    except (aw.ComponentInvalid, aw.CompileRefused):
        pass

    assert time.perf_counter() - began < 2 * SECONDS_MAX
    host.assert_unharmed()
