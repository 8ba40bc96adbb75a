"""A name that the embedder gives for an import is used or refused, never passed over."""

from __future__ import annotations

from typing import Any

import pytest

import airssys_wasm as aw

LIMITS = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=1.0)
RANDOM = "wasi:random/random@0.2.0"
#: Imports what the host would give too, and says what it got.
ROLLS = f"""
(component
  (import "{RANDOM}" (instance $random (export "get-random-u64" (func (result u64)))))
  (core func $roll (canon lower (func $random "get-random-u64")))
  (core module $m
    (import "host" "roll" (func $roll (result i64)))
    (func (export "roll") (result i64) (call $roll)))
  (core instance $i (instantiate $m
    (with "host" (instance (export "roll" (func $roll))))))
  (func (export "roll") (result u64) (canon lift (core func $i "roll"))))
"""
PLAIN = """
(component
  (import "report-total" (func $report))
  (core func $report (canon lower (func $report)))
  (core module $m (import "" "f" (func)) (func (export "run") (call 0)))
  (core instance $i (instantiate $m (with "" (instance (export "f" (func $report))))))
  (func (export "run") (canon lift (core func $i "run"))))
"""


class Loaded:
    """Dice that always show the same."""

    def get_random_u64(self) -> int:
        return 4


class Misspelt:
    def get_random_u46(self) -> int:
        return 4


class Stranger:
    def roll(self) -> int:
        return 4


@pytest.fixture(scope="module")
def rolls(engine: aw.Engine) -> aw.Component:
    return engine.load(ROLLS, name="rolls")


def refused(component: aw.Component, imports: dict[Any, object]) -> dict[str, str]:
    with pytest.raises(aw.ImportMissing) as caught:
        component.instantiate(limits=LIMITS, imports=imports)
    return dict(caught.value.missing)


@pytest.mark.parametrize("name", [RANDOM, "wasi:random/random"])
def test_a_stand_in_is_used_in_place_of_the_hosts_own(rolls: aw.Component, name: str) -> None:
    with rolls.instantiate(limits=LIMITS, imports={name: Loaded()}) as instance:
        assert [instance.call("roll") for _ in range(10)] == [4] * 10


def test_a_stand_in_with_a_misspelt_method_is_refused_and_told_which(rolls: aw.Component) -> None:
    missing = refused(rolls, {"wasi:random/random": Misspelt()})

    hint = missing[f"{RANDOM}#get-random-u64"]
    assert "a method 'get_random_u64'".replace("'", '"') in hint
    assert 'did you mean it by "get_random_u46"' in hint


@pytest.mark.parametrize("stand_in", [Stranger(), {}, object(), None])
def test_a_stand_in_of_which_nothing_fits_is_refused(rolls: aw.Component, stand_in: object) -> None:
    missing = refused(rolls, {RANDOM: stand_in})

    assert list(missing) == [f"{RANDOM}#get-random-u64"]
    assert "did you mean" not in missing[f"{RANDOM}#get-random-u64"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("wasi:random/random@0.2.9", "another version"),
        ("wasi:random/random@0.3.0", "another version"),
        ("wasi:random/randm", "did you mean"),
        ("wasi:random/Random", "did you mean"),
        ("wasi:randon/random@0.2.0", "did you mean"),
        ("wasi:random/random_", "did you mean"),
    ],
)
def test_a_name_that_is_nearly_an_import_is_refused(
    rolls: aw.Component, name: str, why: str
) -> None:
    missing = refused(rolls, {name: Loaded()})

    assert list(missing) == [RANDOM]
    assert f'"{name}"' in missing[RANDOM]
    assert why in missing[RANDOM]


def test_a_misspelt_function_of_the_world_is_named_beside_what_is_missing(
    engine: aw.Engine,
) -> None:
    missing = refused(engine.load(PLAIN), {"report_totals": print})

    assert list(missing) == ["report-total"]
    assert '"report_totals"' in missing["report-total"]


def test_names_of_other_components_are_passed_over(rolls: aw.Component) -> None:
    shared = {
        "acme:crm/lookup": object(),
        "wasi:random/insecure": object(),
        "report-total": print,
        "wasi:random/random": Loaded(),
        # Near an import, but that import has its own.
        "wasi:random/rando": object(),
    }
    with rolls.instantiate(limits=LIMITS, imports=shared) as instance:
        assert instance.call("roll") == 4
    with rolls.instantiate(limits=LIMITS, imports={"acme:crm/lookup": object()}) as instance:
        assert len({instance.call("roll") for _ in range(10)}) > 1


def test_a_refusal_is_not_remembered_for_the_next_instance(rolls: aw.Component) -> None:
    for _ in range(3):
        refused(rolls, {RANDOM: Misspelt()})
        refused(rolls, {"wasi:random/randm": Loaded()})
        rolls.instantiate(limits=LIMITS, imports={RANDOM: Loaded()}).close()
        rolls.instantiate(limits=LIMITS).close()


def test_a_name_that_is_no_text_is_refused(rolls: aw.Component) -> None:
    with pytest.raises(aw.ValueMismatch, match="imports"):
        rolls.instantiate(limits=LIMITS, imports={7: Loaded()})  # type: ignore[dict-item]
