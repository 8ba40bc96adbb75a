"""A grant covers what it names; what cannot be enforced yet cannot be written down."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import pytest

from airssys_wasm import CapabilityDenied, Grant, ValueMismatch


def test_by_default_it_is_clocks_random_and_captured_output() -> None:
    grant = Grant()

    for action in ("clocks", "random", "output"):
        grant.require(action)
    assert (grant.environment, grant.filesystem_read, grant.network) == (None, None, None)


@pytest.mark.parametrize(
    ("grant", "action", "resource", "hint"),
    [
        (Grant(clocks=False), "clocks", "", "Grant(clocks=True)"),
        (Grant(random=False), "random", "", "Grant(random=True)"),
        (Grant(output=False), "output", "", "Grant(output=True)"),
        (Grant(), "environment", "HOME", "Grant(environment=['HOME'])"),
        (Grant(environment=["PATH"]), "environment", "HOME", "Grant(environment=['HOME'])"),
        (Grant(), "filesystem.read", "/a", "Grant(filesystem_read=['/a'])"),
        (Grant(filesystem_read=[]), "filesystem.read", "/a", "Grant(filesystem_read=['/a'])"),
        (Grant(), "network", "a:1", "Grant(network=['a:1'])"),
    ],
)
def test_what_it_does_not_cover_is_denied_with_the_grant_that_would(
    grant: Grant, action: str, resource: str, hint: str
) -> None:
    with pytest.raises(CapabilityDenied) as caught:
        grant.require(action, resource)

    assert caught.value.wanted == f"{action} {resource}".strip()
    assert caught.value.grant_hint == hint
    assert f"hint: {hint}" in str(caught.value)


def test_there_is_no_action_by_mistake() -> None:
    with pytest.raises(ValueError, match="no action 'clock'"):
        Grant().require("clock")


def test_variables_are_those_of_this_process_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRSSYS_TEST_SET", "value")
    monkeypatch.delenv("AIRSSYS_TEST_UNSET", raising=False)
    grant = Grant(environment=["AIRSSYS_TEST_SET", "AIRSSYS_TEST_UNSET"])

    assert grant.variables() == [("AIRSSYS_TEST_SET", "value")]
    grant.require("environment", "AIRSSYS_TEST_SET")


def test_variables_may_have_values_of_their_own() -> None:
    assert Grant(environment={"A": "1"}).variables() == [("A", "1")]
    assert Grant(environment=[]).variables() == []
    assert Grant().variables() is None


@pytest.mark.skipif(os.name == "nt", reason="variables are Unicode there")
def test_a_variable_of_other_bytes_than_text_is_refused_by_name() -> None:
    # As a process gets it that was started with such a value.
    os.environb[b"AIRSSYS_TEST_BYTES"] = b"caf\xe9"
    try:
        with pytest.raises(ValueMismatch, match=r"'AIRSSYS_TEST_BYTES'.*hint: ") as caught:
            Grant(environment=["AIRSSYS_TEST_BYTES"]).variables()
    finally:
        del os.environb[b"AIRSSYS_TEST_BYTES"]

    assert caught.value.path == "environment.AIRSSYS_TEST_BYTES"


@pytest.mark.parametrize("name", ["", "A=B", "A\0", "\ud800", 7, None])
def test_a_name_that_is_none_is_refused(name: Any) -> None:
    with pytest.raises(ValueError, match="is no name of a variable"):
        Grant(environment=[name])


@pytest.mark.parametrize("value", [7, None, "a\0b", "\ud800"])
def test_a_value_that_is_none_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="environment: 'A'"):
        Grant(environment={"A": value})


def test_a_text_is_no_list_of_names() -> None:
    # It would grant a variable for each of its letters.
    with pytest.raises(ValueError, match="environment: 'HOME'"):
        Grant(environment="HOME")


@pytest.mark.parametrize("name", ["filesystem_read", "network"])
@pytest.mark.parametrize("value", [["/srv"], "/srv", ("*",)])
def test_a_list_that_cannot_be_enforced_yet_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name}: this version can only grant the empty list"):
        Grant(**{name: value})


@pytest.mark.parametrize("name", ["clocks", "random", "output"])
@pytest.mark.parametrize("value", [None, 1, "yes", []])
def test_a_switch_is_a_bool(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name}: "):
        Grant(**{name: value})


def test_a_grant_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Grant().clocks = False  # type: ignore[misc]
