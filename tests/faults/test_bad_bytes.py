"""Bytes that are no component, limits that are none, lists that do not fit."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import airssys_wasm as aw

PREBUILT = Path(__file__).parents[1] / "components" / "prebuilt"
MODULE = b"\0asm\x01\0\0\0"
EMPTY_COMPONENT = b"\0asm\x0d\0\x01\0"


@pytest.fixture(autouse=True)
def unharmed(engine: aw.Engine, instance: aw.Instance) -> Any:
    """Whatever the fault: another instance answers after it, and none is left over."""
    live = engine.live_instances
    yield
    assert instance.call("add", 20, 22) == 42
    assert engine.live_instances == live


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (b"", "the file is empty"),
        (MODULE, "a core WebAssembly module, not a component; hint: "),
        (b"\0asm", "not a valid component"),
        (b"\0asm\x0e\0\x01\0", "not a valid component"),
        (b"\0asm\x02\0\0\0", "not a valid component"),
        (b"\x7fELF\x02\x01\x01\0", "neither a WebAssembly binary"),
        (b"(component", "expected `)`"),
        (b"(module)", "core WebAssembly module"),
        (b"\xff\xfe(\0c\0", "neither a WebAssembly binary"),
        ("(component (core module (func (result i32) i64.const 0)))", "type mismatch"),
        ('(component (import "a" (func (param "x" $nothing))))', "unknown type"),
        ("(", "expected"),
        (";; nothing but a remark", "expected"),
        ("(component \ud800)", "expected"),
    ],
)
def test_what_is_no_component_is_refused_with_the_reason(
    engine: aw.Engine, source: Any, why: str
) -> None:
    with pytest.raises(aw.ComponentInvalid, match=re.escape(why)):
        engine.load(source, name="bad")


@pytest.mark.parametrize("name", ["echo.wasm", "words.wasm"])
def test_a_truncated_file_is_refused_wherever_it_ends(engine: aw.Engine, name: str) -> None:
    whole = (PREBUILT / name).read_bytes()
    cuts = {*range(1, 64), *range(64, len(whole), max(1, len(whole) // 97)), len(whole) - 1}
    # After a whole section, what is left of the file is a component without the
    # rest: the empty one, for the shortest of them.
    for cut in sorted(cuts - {len(EMPTY_COMPONENT)}):
        try:
            cut_off = engine.load(whole[:cut])
        except aw.ComponentInvalid:
            continue
        assert not cut_off.exports


@given(st.binary(max_size=200))
@settings(max_examples=200)
def test_random_bytes_are_refused(engine: aw.Engine, noise: bytes) -> None:
    for source in (noise, MODULE + noise, EMPTY_COMPONENT + noise):
        try:
            component = engine.load(source)
        except aw.ComponentInvalid:
            continue
        assert not component.exports


@given(st.data())
@settings(max_examples=150)
def test_a_flipped_byte_gives_a_component_or_a_refusal(
    engine: aw.Engine, data: st.DataObject
) -> None:
    whole = bytearray((PREBUILT / "words.wasm").read_bytes())
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    limits = aw.Limits(memory_bytes_max=4 * aw.MIB, call_seconds_max=0.2)
    try:
        with engine.load(bytes(whole)).instantiate(limits=limits) as instance:
            instance.call("acme:words/api#count", "some words")
    except aw.AirssysError:
        pass


def test_a_component_of_nothing_is_a_component(engine: aw.Engine, limits: aw.Limits) -> None:
    with (
        engine.load(EMPTY_COMPONENT).instantiate(limits=limits) as instance,
        pytest.raises(aw.ExportMissing, match="no functions at all"),
    ):
        instance.call("anything")


@pytest.mark.parametrize("source", ["no/such/file.wasm", Path("nowhere.wasm"), "component.wat"])
def test_a_path_that_leads_nowhere_is_an_os_error(engine: aw.Engine, source: Any) -> None:
    with pytest.raises(FileNotFoundError):
        engine.load(source)


def test_a_directory_is_an_os_error(engine: aw.Engine, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="directory"):
        engine.load(tmp_path)


@pytest.mark.parametrize("source", [None, 7, ["a"]])
def test_what_is_neither_path_nor_bytes_is_a_type_error(engine: aw.Engine, source: Any) -> None:
    with pytest.raises(TypeError):
        engine.load(source)


@pytest.mark.parametrize(
    ("interface", "hint"),
    [
        ("acme:crm/lookup@1.0.0", "instantiate(imports={"),
        ("airssys:network/http@1.0.0", "this version of the host does not give it"),
        ("wasi:http/outgoing-handler@0.2.0", "this version of the host does not give it"),
        ("wasi:filesystem/preopens@0.2.0", "Grant(filesystem_read="),
        ("wasi:sockets/network@0.2.0", "Grant(network="),
        ("wasi:cli/environment@0.2.0", "Grant(environment="),
        ("wasi:clocks/wall-clock@0.3.0", "this version of the host does not give it"),
    ],
)
def test_an_import_that_was_not_given_is_named_with_what_would_give_it(
    engine: aw.Engine, limits: aw.Limits, interface: str, hint: str
) -> None:
    component = engine.load(
        f'(component (import "{interface}" (instance (export "f" (func)))))', name="asking"
    )
    with pytest.raises(aw.ImportMissing) as caught:
        component.instantiate(limits=limits)

    assert [name for name, _ in caught.value.missing] == [interface]
    assert hint in caught.value.missing[0][1]
    assert interface in str(caught.value)
    assert "asking" in str(caught.value)


@pytest.mark.parametrize("kind", ["(func)", '(instance (export "f" (func)))'])
def test_the_name_of_an_import_cannot_drive_a_terminal(
    engine: aw.Engine, limits: aw.Limits, kind: str
) -> None:
    # Names of this kind may hold any character: here CSI in C1 and a mark that turns the line.
    component = engine.load(rf'(component (import "url=<http://a/\c2\9b31m\e2\80\ae>" {kind}))')
    with pytest.raises(aw.ImportMissing) as caught:
        component.instantiate(limits=limits)

    assert caught.value.missing[0][0] == "url=<http://a/\x9b31m\u202e>"
    assert r"url=<http://a/\u{9b}31m\u{202e}>" in str(caught.value)
    assert str(caught.value).replace("\n", "").isprintable()


def test_a_core_module_as_an_import_is_never_given(engine: aw.Engine, limits: aw.Limits) -> None:
    component = engine.load('(component (import "m" (core module)))')
    with pytest.raises(aw.ImportMissing, match="functions and interfaces only"):
        component.instantiate(limits=limits, imports={"m": object()})


@pytest.mark.parametrize(
    ("source", "options"),
    [("words", {"component_bytes_max": 1000}), ("echo", {"compile_seconds_max": 0.001})],
)
def test_a_component_too_heavy_to_compile_is_refused(source: str, options: Any) -> None:
    small = aw.Engine(cache_dir=None, **options)
    with pytest.raises(aw.CompileRefused, match="hint: raise Engine"):
        small.load(PREBUILT / f"{source}.wasm")


class TestLimits:
    @pytest.mark.parametrize(
        "changes",
        [
            {"memory_bytes_max": aw.Policy().memory_bytes_ceiling + 1},
            {"memory_bytes_max": 2**63 - 1},
            {"call_seconds_max": 300.001},
            {"call_seconds_max": 1e300},
            {"fuel_max": aw.Policy().fuel_ceiling + 1},
            {"fuel_max": 2**63 - 1},
        ],
    )
    def test_a_limit_above_the_policy_is_refused_before_anything_runs(
        self, echo: aw.Component, limits: aw.Limits, changes: dict[str, Any]
    ) -> None:
        with pytest.raises(aw.LimitInvalid, match="engine's policy") as caught:
            echo.instantiate(limits=dataclasses.replace(limits, **changes))

        assert next(iter(changes)) in str(caught.value)

    @pytest.mark.parametrize("limits_given", [None, {"memory_bytes_max": 1}, (1, 2)])
    def test_limits_are_limits(self, echo: aw.Component, limits_given: Any) -> None:
        with pytest.raises((TypeError, AttributeError)):
            echo.instantiate(limits=limits_given)

    def test_the_policy_of_an_engine_is_its_own(self) -> None:
        strict = aw.Policy(memory_bytes_ceiling=2 * aw.MIB, call_seconds_ceiling=0.5)
        component = aw.Engine(cache_dir=None, policy=strict).load("(component)")
        with pytest.raises(aw.LimitInvalid, match="memory_bytes_max"):
            component.instantiate(
                limits=aw.Limits(memory_bytes_max=3 * aw.MIB, call_seconds_max=0.1)
            )
        with pytest.raises(aw.LimitInvalid, match="call_seconds_max"):
            component.instantiate(limits=aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=0.6))

    @pytest.mark.parametrize(
        "options",
        [
            {"pool_instances": 0},
            {"pool_instances": 1.5},
            {"pool_instances": True},
            {"instances_max": -1},
            {"instances_max": 2**64},
            {"cache_bytes_max": -1},
            {"component_bytes_max": 0},
            {"compile_seconds_max": 0},
            {"compile_seconds_max": float("nan")},
            {"compile_memory_bytes_max": 1},
            {"dense_memory_bytes": 1},
            {"dense_memory_bytes": aw.GIB},
        ],
    )
    def test_a_figure_of_the_engine_outside_its_range_is_refused(
        self, options: dict[str, Any]
    ) -> None:
        with pytest.raises(aw.LimitInvalid, match=next(iter(options))):
            aw.Engine(cache_dir=None, **options)


class TestTooMuch:
    @pytest.mark.parametrize(
        ("function", "argument"),
        [
            ("acme:echo/api#echo-bytes", bytes(8 * aw.MIB)),
            ("acme:echo/api#echo-string", "x" * (8 * aw.MIB)),
            ("acme:echo/types#echo-list-u64", [0] * aw.MIB),
            ("acme:echo/types#echo-list-string", [""] * aw.MIB),
            ("acme:echo/types#echo-list-bytes", [b"x" * 1000] * 8000),
        ],
    )
    def test_an_argument_larger_than_the_memory_fails_cleanly(
        self, echo: aw.Component, limits: aw.Limits, function: str, argument: object
    ) -> None:
        small = dataclasses.replace(limits, memory_bytes_max=2 * aw.MIB)
        instance = echo.instantiate(limits=small)
        with pytest.raises(aw.OutOfMemory, match="2097152 bytes"):
            instance.call(function, argument)

        assert instance.closed
        assert instance.receipt.memory_bytes_peak <= 2 * aw.MIB

    def test_memories_larger_than_the_limit_from_the_start_are_no_instance(
        self, engine: aw.Engine
    ) -> None:
        component = engine.load(
            "(component (core module $m (memory 64)) (core instance (instantiate $m)))"
        )
        with pytest.raises(aw.OutOfMemory, match="instantiation"):
            component.instantiate(limits=aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=1))

    @pytest.mark.parametrize("fuel", [None, 2**60])
    def test_a_start_function_is_under_the_deadline(self, fuel: int | None) -> None:
        # With a budget it is compiled and run while the interpreter goes on.
        engine = aw.Engine(cache_dir=None, policy=aw.Policy(fuel_ceiling=2**60))
        component = engine.load(
            "(component (core module $m (func $s (loop $l br $l)) (start $s))"
            " (core instance (instantiate $m)))"
        )
        limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=0.1, fuel_max=fuel)
        with pytest.raises(aw.CallTimeout):
            component.instantiate(limits=limits)

    def test_a_start_function_that_traps_is_no_instance(self, engine: aw.Engine) -> None:
        component = engine.load(
            "(component (core module $m (func $s unreachable) (start $s))"
            " (core instance (instantiate $m)))",
            name="starting",
        )
        with pytest.raises(aw.Trapped) as caught:
            component.instantiate(limits=aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=1))

        assert (caught.value.component, caught.value.kind) == ("starting", "unreachable")


def test_text_is_accepted_up_to_what_the_engine_says_of_it(engine: aw.Engine) -> None:
    told = re.search(r"more than (\d+) KiB of text", aw.Engine.__doc__ or "")
    assert told is not None
    most = int(told[1]) * aw.KIB
    longest = "(component)".ljust(most)

    engine.load(longest)
    engine.load(longest.encode())
    for longer in (longest + " ", (longest + " ").encode()):
        with pytest.raises(aw.CompileRefused, match=f"of {most + 1} bytes, more than the {most} "):
            engine.load(longer)
