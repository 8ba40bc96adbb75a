"""What the runtime works out before any engine is there."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airssys_wasm import ExportMissing, Limits, ValueMismatch, Variant
from airssys_wasm.runtime import engine, lifecycle

NAME = re.compile(r"[a-z][a-z0-9-]*[a-z0-9]")
INITIALIZE = "airssys:core/lifecycle@1.2.3#initialize"


@given(st.text())
def test_any_name_becomes_one_that_a_component_may_have(name: str) -> None:
    made = lifecycle.component_name(name)

    assert NAME.fullmatch(made)
    assert 3 <= len(made) <= 64


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("resizer", "resizer"),
        ("Text Stats.v2", "text-stats-v2"),
        ("2fast", "component-2fast"),
        ("a", "component-a"),
        ("", "component"),
        ("x" * 100, "x" * 64),
        ("x" * 63 + "--y", "x" * 63),
        ("größe", "gr-e"),
    ],
)
def test_a_good_name_stays(name: str, made: str) -> None:
    assert lifecycle.component_name(name) == made


def test_initialize_is_found_in_any_compatible_version() -> None:
    functions = ["acme:a/b#initialize", "airssys:core/lifecycle@1.2.3#metadata", INITIALIZE]

    assert lifecycle.initializer("name", functions, b"config") == INITIALIZE
    assert lifecycle.initializer("name", functions, b"") == INITIALIZE


@pytest.mark.parametrize(
    "other",
    [
        "airssys:core/lifecycle@2.0.0#initialize",
        "airssys:core/lifecycle#initialize",
        "acme:airssys:core/lifecycle@1.0.0#initialize",
        "initialize",
    ],
)
def test_nothing_else_takes_a_configuration(other: str) -> None:
    assert lifecycle.initializer("name", [other], b"") is None
    with pytest.raises(ExportMissing, match="component 'name' has no airssys:core/lifecycle"):
        lifecycle.initializer("name", [other], b"config")


@pytest.mark.parametrize("config", ["", None, bytearray(), 0])
def test_a_configuration_is_bytes_or_a_mapping(config: Any) -> None:
    with pytest.raises(ValueMismatch) as caught:
        lifecycle.initializer("name", [], config)

    assert caught.value.path == "config"


def test_a_limit_below_a_millisecond_is_never_told_as_zero() -> None:
    limits = Limits(memory_bytes_max=65536, call_seconds_max=0.001)

    identity = lifecycle.Identity("local", "name")

    told = lifecycle.component_config(identity, limits, [], b"")

    assert told["limits"]["call-milliseconds-max"] == 1
    assert told["reason"] == Variant("first")


class TestCacheDirectory:
    def test_it_is_below_the_home_of_airswasm(self) -> None:
        home = {"AIRSWASM_HOME": "/srv/airswasm", "HOME": "/srv/ada"}

        assert engine._default_cache_dir(home) == Path("/srv/airswasm/cache")

    def test_else_in_the_users_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", "/srv/ada")
        monkeypatch.setenv("USERPROFILE", "/srv/ada")

        assert engine._default_cache_dir({}) == Path("/srv/ada/.airswasm/cache")

    def test_an_empty_variable_is_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", "/srv/ada")
        monkeypatch.setenv("USERPROFILE", "/srv/ada")

        assert engine._default_cache_dir({"AIRSWASM_HOME": ""}) == Path("/srv/ada/.airswasm/cache")


class TestCompiler:
    def test_it_is_the_interpreter_that_runs_this(self) -> None:
        program, arguments = engine._compiler(None) or ("", [])

        assert program == sys.executable
        assert arguments[0] == "-I"

    def test_or_the_one_given(self) -> None:
        program, _ = engine._compiler(Path("/opt/python")) or ("", [])

        assert program == "/opt/python"
