"""``instantiate(config=...)``: bytes or settings for a component's ``initialize``."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import pytest

import airssys_wasm as aw
from airssys_wasm._native import componentize

ROOT = Path(__file__).parents[2]
CONFIGURED = Path(__file__).parent / "guests" / "configured.wat"
WORLD = """
package test:configured;

world configured {
    use airssys:core/lifecycle@1.0.0.{component-config};
    /// What `initialize` was told.
    export told: func() -> component-config;
    /// How often it was called.
    export initialized: func() -> u32;
    export airssys:core/lifecycle@1.0.0;
}
"""


@pytest.fixture(scope="module")
def configured(engine: aw.Engine, tmp_path_factory: pytest.TempPathFactory) -> aw.Component:
    """A component of the real ``airssys:core/lifecycle``."""
    wit = tmp_path_factory.mktemp("wit")
    shutil.copytree(ROOT / "wit" / "core", wit / "deps" / "core")
    (wit / "world.wit").write_text(WORLD)
    module = core_module(engine.load(CONFIGURED)._native.binary)
    return engine.load(
        componentize.encode(componentize.embed(module, wit)), name="Resizer 2 (old).v1"
    )


def core_module(component: bytes) -> bytes:
    """The first core module of a component: section 1, right behind the header."""
    header, section = component[:8], component[8]
    assert header[:4] == b"\0asm"
    assert section == 1
    size, shift, at = 0, 0, 9
    while True:
        size |= (component[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if component[at - 1] < 0x80:
            return component[at : at + size]


def told(component: aw.Component, **options: Any) -> dict[str, Any]:
    with component.instantiate(**options) as instance:
        assert instance.call("initialized") == 1
        config: dict[str, Any] = instance.call("told")
        return config


def test_the_bytes_reach_initialize_as_they_are(
    configured: aw.Component, limits: aw.Limits
) -> None:
    config = bytes(range(256))

    assert told(configured, limits=limits, config=config)["settings"] == {
        "codec": 0x55,
        "payload": config,
    }


def test_a_mapping_reaches_initialize_in_cbor(configured: aw.Component, limits: aw.Limits) -> None:
    config = {"workers": ["acme/a", "acme/b"], "at-most": 7}

    assert told(configured, limits=limits, config=config)["settings"] == {
        "codec": aw.codec.CBOR,
        "payload": aw.codec.encode_body(aw.codec.CBOR, config),
    }
    assert told(configured, limits=limits, config={})["settings"] is None
    with pytest.raises(aw.CodecError):
        configured.instantiate(limits=limits, config={"what": object()})


def test_no_configuration_is_none_and_it_is_initialized_all_the_same(
    configured: aw.Component, limits: aw.Limits
) -> None:
    assert told(configured, limits=limits)["settings"] is None


def test_it_is_told_who_it_is_and_what_it_may_use(configured: aw.Component) -> None:
    limits = aw.Limits(memory_bytes_max=3 * aw.MIB, call_seconds_max=0.2504, fuel_max=500_000)
    grant = aw.Grant(environment={"TZ": "UTC", "LANG": "de"})

    config = told(configured, limits=limits, grant=grant)

    assert config["id"] == {"namespace": "local", "name": "resizer-2-old-v1", "instance": "0"}
    assert (config["incarnation"], config["reason"]) == (1, aw.Variant("first"))
    assert config["limits"] == {
        "memory-bytes-max": 3 * aw.MIB,
        "call-milliseconds-max": 251,
        "fuel-max": 500_000,
    }
    assert config["environment"] == [("LANG", "de"), ("TZ", "UTC")]


def test_a_refusal_is_raised_and_leaves_no_instance(
    configured: aw.Component, limits: aw.Limits, engine: aw.Engine
) -> None:
    live = engine.live_instances
    with pytest.raises(aw.ComponentError) as caught:
        configured.instantiate(limits=limits, config=b"!no such colour")

    assert caught.value.value == aw.Variant("configuration-invalid", "!no such colour")
    assert engine.live_instances == live


def test_a_trap_in_initialize_names_it(
    configured: aw.Component, limits: aw.Limits, engine: aw.Engine
) -> None:
    live = engine.live_instances
    with pytest.raises(aw.Trapped) as caught:
        configured.instantiate(limits=limits, config=b"?")

    assert caught.value.export == "airssys:core/lifecycle@1.0.0#initialize"
    assert engine.live_instances == live


def test_a_configuration_larger_than_the_memory_fails_cleanly(
    configured: aw.Component, limits: aw.Limits
) -> None:
    small = dataclasses.replace(limits, memory_bytes_max=2 * aw.MIB)
    with pytest.raises(aw.ComponentFailed):
        configured.instantiate(limits=small, config=bytes(4 * aw.MIB))


def test_a_component_without_a_life_cycle_refuses_a_configuration(
    echo: aw.Component, limits: aw.Limits, engine: aw.Engine
) -> None:
    live = engine.live_instances
    with pytest.raises(aw.ExportMissing, match="hint: leave config= out"):
        echo.instantiate(limits=limits, config=b"colour = red")

    assert engine.live_instances == live


@pytest.mark.parametrize("config", ["text", None, bytearray(b"x"), 7])
def test_a_configuration_is_bytes(echo: aw.Component, limits: aw.Limits, config: Any) -> None:
    with pytest.raises(aw.ValueMismatch, match="config: expected bytes"):
        echo.instantiate(limits=limits, config=config)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"limits": {"memory_bytes_max": 1 << 20}}, "limits: expected Limits, got dict; hint: "),
        ({"limits": None}, "limits: expected Limits, got NoneType; hint: "),
        ({"grant": {"clocks": True}}, "grant: expected Grant, got dict; hint: "),
        ({"imports": [print]}, "imports: expected a mapping, got list; hint: "),
    ],
)
def test_a_setting_of_another_kind_is_named(
    echo: aw.Component, limits: aw.Limits, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(TypeError, match=words):
        echo.instantiate(**{"limits": limits, **options})


def test_a_policy_of_another_kind_is_named(limits: aw.Limits) -> None:
    with pytest.raises(TypeError, match="policy: expected Policy, got Limits"):
        aw.Engine(policy=limits)  # type: ignore[arg-type]


@pytest.mark.parametrize("vast", [2**63, 2**127 - 1, 2**127, 10**400, 10**5000], ids=int.bit_length)
def test_a_time_past_every_policy_is_refused_without_its_digits(
    echo: aw.Component, limits: aw.Limits, vast: int
) -> None:
    vast_limits = dataclasses.replace(limits, call_seconds_max=vast)

    told = r"^call_seconds_max: 2\*\*63 or more is outside [\d.]+ to [\d.]+; hint: "
    with pytest.raises(aw.LimitInvalid, match=told):
        echo.instantiate(limits=vast_limits)


def test_a_limit_of_63_bits_is_refused_as_it_is(echo: aw.Component, limits: aw.Limits) -> None:
    largest = dataclasses.replace(limits, fuel_max=2**63 - 1)

    with pytest.raises(aw.LimitInvalid, match=f"^fuel_max: {2**63 - 1} is outside 1 to "):
        echo.instantiate(limits=largest)


def test_seconds_past_every_policy_are_refused_without_their_digits(
    echo: aw.Component, limits: aw.Limits
) -> None:
    long = dataclasses.replace(limits, call_seconds_max=1e300)

    with pytest.raises(aw.LimitInvalid, match=r"^call_seconds_max: 2\*\*63 or more is outside "):
        echo.instantiate(limits=long)
