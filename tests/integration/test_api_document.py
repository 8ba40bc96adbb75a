"""A component without actors, as docs promise it: each line of that page once."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib.util
import inspect
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import airssys_wasm as aw

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

PREBUILT = Path(__file__).parents[1] / "components" / "prebuilt"
ADA = {"name": "Ada", "age": 36, "height-metres": 1.65, "nickname": None}
TEXT = """
(component
  (core module $m (func (export "add") (param i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 1))))
  (core instance $i (instantiate $m))
  (func (export "add") (param "left" s32) (param "right" s32) (result s32)
    (canon lift (core func $i "add"))))
"""
BARE_TYPE = """
(component
  (core module $m (func (export "run") (param i32) (result i32) (local.get 0)))
  (core instance $i (instantiate $m))
  (type $person (record (field "age" u32)))
  (export $t "t" (type $person))
  (func (export "run") (param "who" $t) (result $t) (canon lift (core func $i "run"))))
"""
API = "acme:echo/api@1.0.0"
TYPES = "acme:echo/types"


class TestLoading:
    def test_one_engine_is_enough_and_needs_no_arguments(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("AIRSWASM_HOME", str(tmp_path))

        assert aw.Engine().cache_problem is None
        assert (tmp_path / "cache").is_dir()

    @pytest.mark.parametrize("form", [str, Path, Path.read_bytes])
    def test_a_component_is_a_path_or_bytes(
        self, engine: aw.Engine, form: Callable[[Path], Any]
    ) -> None:
        component = engine.load(form(PREBUILT / "echo.wasm"))

        assert "add" in component.exports[""]

    def test_a_component_is_text(self, engine: aw.Engine, limits: aw.Limits) -> None:
        with engine.load(TEXT).instantiate(limits=limits) as instance:
            assert instance.call("add", 40, 2) == 42

    def test_a_bare_type_at_the_root_hides_the_interface_and_no_more(
        self, engine: aw.Engine, limits: aw.Limits, tmp_path: Path
    ) -> None:
        component = engine.load(BARE_TYPE)
        looks: list[Callable[[], object]] = [
            lambda: component.imports,
            lambda: component.exports,
            lambda: component.wit,
            lambda: component.stubs(tmp_path / "bare.pyi"),
        ]
        for look in looks:
            with pytest.raises(aw.ComponentInvalid, match="component export `t`"):
                look()

        assert component.name == "component"
        with component.instantiate(limits=limits) as instance:
            assert instance.call("run", {"age": 3}) == {"age": 3}

    def test_the_name_in_errors_is_the_files_or_yours(self, engine: aw.Engine) -> None:
        names = [engine.load(PREBUILT / "echo.wasm").name, engine.load(TEXT, name="mine").name]

        assert names == ["echo", "mine"]

    @pytest.mark.skipif(sys.platform != "linux", reason="names of files are text elsewhere")
    def test_a_file_whose_name_is_no_text_has_one_all_the_same(
        self, engine: aw.Engine, tmp_path: Path
    ) -> None:
        odd = os.fsdecode(os.fsencode(tmp_path) + b"/odd-\xff.wat")
        Path(odd).write_text(TEXT)

        assert engine.load(odd).name == r"odd-\udcff"
        assert engine.load(odd, name="größe").name == "größe"

    def test_compiled_code_is_cached(self, tmp_path: Path) -> None:
        aw.Engine(cache_dir=tmp_path).load(PREBUILT / "echo.wasm")
        second = aw.Engine(cache_dir=tmp_path)

        second.load(PREBUILT / "echo.wasm")

        assert second.cache_statistics["hits"] == 1
        assert second.cache_statistics["misses"] == 0


class TestInterface:
    def test_exports_map_interfaces_to_functions_with_typed_signatures(
        self, echo: aw.Component
    ) -> None:
        assert str(echo.exports[API]["add"]) == "add(left: s32, right: s32) -> s32"
        assert "greet" in echo.exports[""]

    def test_imports_map_interfaces_to_functions(self, importer: aw.Component) -> None:
        host = importer.imports["acme:importer/host@1.0.0"]

        assert str(host["describe"]) == "describe(name: string, age: u32) -> string"
        assert "plain" in importer.imports[""]

    def test_wit_is_the_world_as_text(self, echo: aw.Component) -> None:
        assert "export greet: func(name: string) -> string;" in echo.wit
        assert "record person" in echo.wit

    def test_stubs_are_typed_python(self, echo: aw.Component, tmp_path: Path) -> None:
        path = echo.stubs(tmp_path / "echo_stubs.pyi")

        assert "class Person" in path.read_text()
        compile(path.read_text(), str(path), "exec")


class TestLimits:
    def test_memory_and_time_are_required(self) -> None:
        with pytest.raises(TypeError, match="memory_bytes_max"):
            aw.Limits(call_seconds_max=1.0)  # type: ignore[call-arg]
        with pytest.raises(TypeError, match="call_seconds_max"):
            aw.Limits(memory_bytes_max=aw.MIB)  # type: ignore[call-arg]
        assert aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=1.0).fuel_max is None

    def test_there_is_no_instance_without_limits(self, echo: aw.Component) -> None:
        with pytest.raises(TypeError, match="limits"):
            echo.instantiate()  # type: ignore[call-arg]

    def test_options_go_by_name(self, echo: aw.Component) -> None:
        parameters = inspect.signature(echo.instantiate).parameters

        assert list(parameters) == ["limits", "imports", "grant", "config"]
        assert {p.kind for p in parameters.values()} == {inspect.Parameter.KEYWORD_ONLY}


class TestCalling:
    def test_the_version_is_optional_when_unambiguous(self, instance: aw.Instance) -> None:
        assert instance.call("acme:echo/api@1.0.0#add", 1, 2) == 3
        assert instance.call("acme:echo/api#add", 1, 2) == 3

    def test_a_name_that_fits_two_versions_is_refused(
        self, guest: Callable[[str], aw.Component], limits: aw.Limits
    ) -> None:
        with guest("two-versions").instantiate(limits=limits) as instance:
            assert instance.call("acme:twice/api@2.0.0#version") == 2
            with pytest.raises(aw.ExportMissing, match=r"several versions.*api@1\.0\.0"):
                instance.call("acme:twice/api#version")

    def test_a_function_of_the_world_needs_no_interface(self, instance: aw.Instance) -> None:
        assert instance.call("add", 1, 2) == 3

    def test_the_with_block_closes_the_instance(
        self, echo: aw.Component, limits: aw.Limits
    ) -> None:
        with echo.instantiate(limits=limits) as instance:
            assert instance.call("add", 1, 2) == 3

        assert instance.closed
        with pytest.raises(aw.InstanceClosed, match="it was closed"):
            instance.call("add", 1, 2)

    def test_the_receipt_says_what_the_last_call_used(
        self, echo: aw.Component, limits: aw.Limits
    ) -> None:
        metered = dataclasses.replace(limits, fuel_max=1_000_000)
        with echo.instantiate(limits=metered) as instance:
            instance.call("acme:echo/api#echo-bytes", b"twelve bytes")
            receipt = instance.receipt

        assert 0 < receipt.seconds < limits.call_seconds_max
        assert receipt.fuel is not None
        assert 0 < receipt.fuel < 1_000_000
        assert aw.KIB * 64 <= receipt.memory_bytes_peak <= limits.memory_bytes_max
        assert (receipt.host_calls, receipt.bytes_in, receipt.bytes_out) == (0, 12, 12)

    def test_call_async_is_awaited(self, instance: aw.Instance) -> None:
        async def main() -> object:
            return await instance.call_async("acme:echo/api#add", 1, 2)

        assert asyncio.run(main()) == 3


MAPPED: list[tuple[str, object]] = [
    ("echo-bool", True),
    ("echo-u8", 255),
    ("echo-s64", -(2**63)),
    ("echo-f32", 0.5),
    ("echo-f64", 1e300),
    ("echo-char", "🦉"),
    ("echo-string", "naïve – ✓"),
    ("echo-list-u8", b"\x00\xff"),
    ("echo-list-s32", [-1, 0, 1]),
    ("echo-tuple", (1, "two", 3.0)),
    ("echo-record", ADA),
    ("echo-list-record", [ADA, {**ADA, "nickname": "Countess"}]),
    ("echo-variant", aw.Variant("circle", 1.5)),
    ("echo-variant", aw.Variant("empty")),
    ("echo-enum", "deep-blue"),
    ("echo-flags", frozenset({"read", "change-owner"})),
    ("echo-option", None),
    ("echo-option", 7),
    ("echo-option-option", aw.Variant("some", None)),
    ("echo-result-value", (aw.Variant("err", "why"),)),
]


class TestValues:
    @pytest.mark.parametrize(("function", "value"), MAPPED)
    def test_wit_is_plain_python(self, instance: aw.Instance, function: str, value: object) -> None:
        back = instance.call(f"{TYPES}#{function}", value)

        assert back == value
        assert type(back) is type(value)

    def test_a_generated_dataclass_is_a_record(
        self, instance: aw.Instance, echo: aw.Component, tmp_path: Path
    ) -> None:
        stubs = imported(echo.stubs(tmp_path / "echo_types.py"))
        ada = stubs.Person(name="Ada", age=36, height_metres=1.65, nickname=None)

        assert instance.call(f"{TYPES}#echo-record", ada) == ADA

    def test_a_result_is_its_value_or_an_exception(self, instance: aw.Instance) -> None:
        assert instance.call("acme:echo/failures#divide", 7, 2) == 3
        with pytest.raises(aw.ComponentError) as caught:
            instance.call("acme:echo/failures#divide", 7, 0)

        assert caught.value.value == "cannot divide 7 by 0"
        assert not instance.closed

    def test_what_does_not_fit_is_named_before_the_guest_runs(self, instance: aw.Instance) -> None:
        calls = instance.call("acme:echo/api#calls")
        with pytest.raises(aw.ValueMismatch, match=r"arg 'left': 2147483648 does not fit s32"):
            instance.call("acme:echo/api#add", 2**31, 0)
        with pytest.raises(aw.ValueMismatch) as caught:
            instance.call(f"{TYPES}#echo-list-record", [ADA, {**ADA, "age": 256}])

        assert str(caught.value) == "arg 'value[1].age': 256 does not fit u8"
        assert caught.value.path == "value[1].age"
        assert isinstance(caught.value, TypeError)
        assert isinstance(caught.value, ValueError)
        assert instance.call("acme:echo/api#calls") == calls

    def test_a_resource_is_a_handle_and_a_context_manager(self, instance: aw.Instance) -> None:
        resources = "acme:echo/resources"
        with instance.call(f"{resources}#[constructor]counter", 40) as counter:
            assert isinstance(counter, aw.Resource)
            assert counter.call("increment", 2) == 42
            assert instance.call(f"{resources}#[static]counter.alive") == 1

        assert counter.closed
        assert instance.call(f"{resources}#[static]counter.alive") == 0
        counter.drop()


class TestImports:
    def test_an_object_implements_an_interface_in_snake_case(
        self, open_importer: Callable[..., aw.Instance], supplied: type[Any]
    ) -> None:
        instance = open_importer(supplied())

        assert instance.call("acme:importer/api#look-up", "key") == "KEY"
        assert instance.call("acme:importer/api#describe", "Ada", 36) == "Ada is 36"

    def test_its_methods_may_be_async(
        self, open_importer: Callable[..., aw.Instance], waiting: type[Any]
    ) -> None:
        instance = open_importer(waiting())

        async def main() -> object:
            return await instance.call_async("acme:importer/api#wait", 5)

        assert asyncio.run(main()) == 5
        assert instance.call("acme:importer/api#wait", 5) == 5

    def test_a_function_stands_for_an_import_of_the_world(
        self, open_importer: Callable[..., aw.Instance], supplied: type[Any]
    ) -> None:
        instance = open_importer(supplied(), plain=lambda value: value * 2)

        assert instance.call("acme:importer/api#call-plain", 21) == 42

    def test_a_component_error_is_the_guests_err(
        self, open_importer: Callable[..., aw.Instance], supplied: type[Any]
    ) -> None:
        instance = open_importer(supplied())
        with pytest.raises(aw.ComponentError) as caught:
            instance.call("acme:importer/api#look-up", "unknown")

        assert caught.value.value == {"key": "unknown", "code": 404}
        assert not instance.closed

    def test_any_other_exception_traps_and_is_chained(
        self, open_importer: Callable[..., aw.Instance], supplied: type[Any]
    ) -> None:
        def plain(value: int) -> int:
            raise LookupError(f"no {value}")

        instance = open_importer(supplied(), plain=plain)
        with pytest.raises(aw.Trapped, match="host-error") as caught:
            instance.call("acme:importer/api#call-plain", 21)

        assert isinstance(caught.value.__cause__, LookupError)
        assert str(caught.value.__cause__) == "no 21"
        assert instance.closed


class TestErrors:
    FAILING: tuple[tuple[str, dict[str, object], type[aw.ComponentFailed], str], ...] = (
        ("trap", {}, aw.Trapped, "unreachable"),
        ("loop", {"call_seconds_max": 0.05}, aw.CallTimeout, "timeout"),
        ("loop", {"fuel_max": 10_000}, aw.FuelExhausted, "out-of-fuel"),
    )

    @pytest.mark.parametrize(("export", "changes", "kind", "word"), FAILING)
    def test_a_failed_instance_is_closed_and_says_so(
        self,
        guest: Callable[[str], aw.Component],
        limits: aw.Limits,
        export: str,
        changes: dict[str, Any],
        kind: type[aw.ComponentFailed],
        word: str,
    ) -> None:
        instance = guest("busy").instantiate(limits=dataclasses.replace(limits, **changes))
        with pytest.raises(aw.ComponentFailed) as caught:
            instance.call(export)

        assert type(caught.value) is kind
        assert (caught.value.kind, caught.value.component) == (word, "busy")
        assert caught.value.export == export
        assert instance.closed
        with pytest.raises(aw.InstanceClosed, match=word):
            instance.call("calls")

    def test_running_out_of_memory_is_of_the_same_family(
        self, echo: aw.Component, limits: aw.Limits
    ) -> None:
        small = dataclasses.replace(limits, memory_bytes_max=2 * aw.MIB)
        instance = echo.instantiate(limits=small)
        with pytest.raises(aw.OutOfMemory, match="2097152 bytes") as caught:
            instance.call("acme:echo/failures#hold-bytes", 8 * aw.MIB)

        assert isinstance(caught.value, aw.ComponentFailed)
        assert instance.closed

    def test_a_trap_has_a_backtrace(self, instance: aw.Instance) -> None:
        with pytest.raises(aw.Trapped) as caught:
            instance.call("acme:echo/failures#panic", "on purpose")

        assert any("echo" in frame for frame in caught.value.backtrace)

    def test_each_missing_import_is_listed_with_what_would_give_it(
        self, importer: aw.Component, limits: aw.Limits
    ) -> None:
        with pytest.raises(aw.ImportMissing) as caught:
            importer.instantiate(limits=limits)

        names = [name for name, _ in caught.value.missing]
        assert names == ["acme:importer/host@1.0.0", "plain"]
        assert all("imports=" in hint for _, hint in caught.value.missing)

    def test_a_missing_export_is_named_with_what_there_is(self, instance: aw.Instance) -> None:
        with pytest.raises(aw.ExportMissing, match=r"acme:echo/api@1\.0\.0#add"):
            instance.call("subtract", 1, 2)

    def test_a_refused_capability_says_who_wanted_what(self) -> None:
        with pytest.raises(aw.CapabilityDenied) as caught:
            aw.Grant().require("filesystem.read", "/srv/a.png")

        assert caught.value.wanted == "filesystem.read /srv/a.png"
        assert caught.value.grant_hint == ""  # no grant of this version gives a path

        with pytest.raises(aw.CapabilityDenied) as caught:
            aw.Grant().require("environment", "HOME")

        assert caught.value.grant_hint == "Grant(environment=['HOME'])"

    def test_every_error_of_ours_has_one_base(self) -> None:
        kinds = [getattr(aw, name) for name in aw.errors.__all__]

        assert all(issubclass(kind, aw.AirssysError) for kind in kinds)
        failed = {aw.Trapped, aw.CallTimeout, aw.FuelExhausted, aw.OutOfMemory}
        assert set(aw.ComponentFailed.__subclasses__()) == failed


def imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by name.
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module
