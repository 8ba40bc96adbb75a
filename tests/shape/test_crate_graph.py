"""The floors of the Rust side: py → host → core, and the guests beside them."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

# Which crates of ours a crate of ours may depend on.
MAY_USE = {
    "airssys-core": set(),
    "airssys-host": {"airssys-core"},
    "airssys-py": {"airssys-host", "airssys-core"},
    "airssys-sdk": {"airssys-sdk-macros"},
    "airssys-sdk-macros": set(),
}
NOT_IN_CORE = {"pyo3", "pyo3-ffi", "wasmtime", "wasmtime-wasi", "tokio"}


@pytest.fixture(scope="module")
def needs(root: Path) -> dict[str, set[str]]:
    """Name of a locked crate → names of what it depends on."""
    graph: dict[str, set[str]] = {}
    for package in tomllib.loads((root / "Cargo.lock").read_text())["package"]:
        # An entry is a name, with a version behind it where that is ambiguous.
        wanted = {entry.split()[0] for entry in package.get("dependencies", [])}
        graph.setdefault(package["name"], set()).update(wanted)
    return graph


def reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for name in graph[waiting.pop()] - found:
            found.add(name)
            waiting.append(name)
    return found


@pytest.mark.parametrize("crate", MAY_USE)
def test_a_crate_uses_only_the_floors_below_it(needs: dict[str, set[str]], crate: str) -> None:
    ours = {name for name in needs[crate] if name.startswith("airssys-")}

    # The SDK's own tests use it with all its features.
    assert ours - {crate} <= MAY_USE[crate]


def test_the_core_reaches_no_engine_no_runtime_and_no_python(needs: dict[str, set[str]]) -> None:
    assert NOT_IN_CORE.isdisjoint(reachable(needs, "airssys-core"))


def test_only_the_boundary_knows_python(needs: dict[str, set[str]]) -> None:
    users = {
        name
        for name in MAY_USE
        if "pyo3" in reachable(needs, name) or "pyo3" in needs.get(name, ())
    }

    assert users == {"airssys-py"}


def test_every_crate_obeys_the_lints_of_the_workspace(root: Path) -> None:
    shared = tomllib.loads((root / "Cargo.toml").read_text())["workspace"]["lints"]

    for manifest in sorted((root / "rust").glob("*/Cargo.toml")):
        lints: dict[str, Any] = tomllib.loads(manifest.read_text())["lints"]
        # The guest crates ship alone, so they write the lints out; to the same effect.
        assert lints == {"workspace": True} or (
            lints["clippy"] == shared["clippy"] and lints["rust"].items() <= shared["rust"].items()
        ), manifest
