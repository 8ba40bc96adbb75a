"""A grant covers what it names; what cannot be enforced yet cannot be written down."""

from __future__ import annotations

import copy
import dataclasses
import os
import pickle
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
    # The hint is no mere text: it is a grant, and it covers what was wanted.
    eval(hint, {"Grant": Grant}).require(action, resource)  # noqa: S307 - from the list above


@pytest.mark.parametrize(
    ("grant", "action", "resource"),
    [
        (Grant(), "filesystem.read", "/a"),
        (Grant(filesystem_read=[]), "filesystem.read", "/a"),
        (Grant(), "filesystem.read", ""),
        (Grant(), "network", "a:1"),
        (Grant(network=[]), "network", "a:1"),
    ],
)
def test_what_no_grant_can_give_yet_is_denied_without_a_hint(
    grant: Grant, action: str, resource: str
) -> None:
    with pytest.raises(CapabilityDenied, match="no grant of this version can give it") as caught:
        grant.require(action, resource)

    assert caught.value.wanted == f"{action} {resource}".strip()
    assert caught.value.grant_hint == ""
    assert "hint:" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "A=B", "A\0", "\ud800", 7, None])
def test_the_environment_is_asked_for_by_the_name_of_a_variable(name: Any) -> None:
    # Of anything else no grant could be made, so none can be hinted at.
    with pytest.raises(ValueError, match="is no name of a variable"):
        Grant().require("environment", name)


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
@pytest.mark.parametrize("value", [["/srv"], ("*",)])
def test_a_list_that_cannot_be_enforced_yet_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name}: this version can only grant the empty list"):
        Grant(**{name: value})


@pytest.mark.parametrize("name", ["filesystem_read", "network"])
@pytest.mark.parametrize("value", [False, 0, "", {}, set(), b"", range(0), "/srv", True])
def test_what_may_be_meant_as_no_does_not_link_the_interface(name: str, value: Any) -> None:
    # Only None leaves an interface out: anything else would link it.
    with pytest.raises(ValueError, match=f"^{name}: expected None or an empty list.*hint: None"):
        Grant(**{name: value})


@pytest.mark.parametrize("name", ["clocks", "random", "output"])
@pytest.mark.parametrize("value", [None, 1, "yes", []])
def test_a_switch_is_a_bool(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name}: "):
        Grant(**{name: value})


def test_a_grant_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Grant().clocks = False  # type: ignore[misc]


def test_what_the_caller_does_with_its_list_later_changes_no_grant() -> None:
    names, values = ["HOME"], {"A": "1"}
    by_name, by_value = Grant(environment=names), Grant(environment=values)

    names.append("SECRET")
    values["X=Y"] = "\0"

    assert by_name.environment == ("HOME",)
    assert by_value.variables() == [("A", "1")]
    with pytest.raises(CapabilityDenied):
        by_name.require("environment", "SECRET")


def test_an_empty_list_stays_empty() -> None:
    paths: list[str] = []
    grant = Grant(filesystem_read=paths, network=paths)

    paths.append("/")

    assert (grant.filesystem_read, grant.network) == ((), ())


def test_what_a_grant_holds_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        Grant(environment={"A": "1"}).environment["B"] = "2"  # type: ignore[index]


def test_what_is_checked_is_what_is_kept() -> None:
    class Turncoat(list[str]):
        asked = 0

        def __iter__(self) -> Any:
            self.asked += 1
            return iter(["A"] if self.asked == 1 else ["B=C"])

    grant = Grant(environment=Turncoat(["A"]))

    assert grant.environment == ("A",)


@pytest.mark.parametrize("environment", [["A", "B"], {"A": "1"}, [], {}, None])
def test_a_grant_is_a_value(environment: Any) -> None:
    grant = Grant(environment=environment)
    twin = Grant(environment=copy.copy(environment))

    assert (grant, hash(grant)) == (twin, hash(twin))
    assert pickle.loads(pickle.dumps(grant)) == copy.deepcopy(grant) == grant  # noqa: S301 - ours
    assert dataclasses.replace(grant, clocks=False).environment == grant.environment
    assert dataclasses.asdict(grant)["environment"] == grant.environment


@pytest.mark.parametrize("field", ["send", "receive"])
def test_a_pattern_that_stands_for_no_address_is_refused(field: str) -> None:
    for pattern in ("Acme Worker", "acme/Worker", "acme.worker", "acme/wörker", ""):
        with pytest.raises(ValueMismatch, match=rf"^{field}\[1\]: "):
            Grant(**{field: ["acme/worker", pattern]})  # type: ignore[arg-type]
    for pattern in ("**", "acme/*", "acme/w[a-k]?-{one,two}/3", "acme/[!a]*"):
        grant = Grant(**{field: [pattern]})  # type: ignore[arg-type]
        assert getattr(grant, field) == (pattern,)
