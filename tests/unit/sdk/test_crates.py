"""What is written twice about the guest SDK is written the same."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from airssys_wasm.sdk.sources import sources_root
from airssys_wasm.sdk.toolchain import MINIMUM_RUST

#: The workspace stays in the checkout; the crates of guests ship.
CHECKOUT = Path(__file__).parents[3]
WORKSPACE = tomllib.loads((CHECKOUT / "Cargo.toml").read_text(encoding="utf-8"))["workspace"]


def manifest(path: str) -> dict[str, Any]:
    return tomllib.loads((sources_root() / path / "Cargo.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("crate", ["rust/sdk", "rust/sdk-macros"])
def test_the_crates_that_ship_have_the_workspaces_version(crate: str) -> None:
    ours, workspace = manifest(crate)["package"], WORKSPACE["package"]

    assert ours["version"] == workspace["version"]
    assert ours["license"] == workspace["license"]


@pytest.mark.parametrize("crate", ["rust/sdk", "rust/sdk-macros"])
def test_the_build_asks_for_the_rust_that_the_crates_need(crate: str) -> None:
    wanted = manifest(crate)["package"]["rust-version"]

    assert wanted == ".".join(map(str, MINIMUM_RUST))


def test_the_sdk_wants_the_macros_of_its_own_version() -> None:
    wanted = manifest("rust/sdk")["dependencies"]["airssys-sdk-macros"]["version"]

    assert wanted == f"={manifest('rust/sdk-macros')['package']['version']}"


def test_the_sdk_writes_the_metadata_that_the_host_reads() -> None:
    """The guest's and the host's tools share one encoding, of this version."""
    bindgen = manifest("rust/sdk")["dependencies"]["wit-bindgen"]["version"]
    host = WORKSPACE["dependencies"]["wit-component"]
    locked = tomllib.loads((CHECKOUT / "Cargo.lock").read_text(encoding="utf-8"))["package"]
    users = [
        package for package in locked
        if package["name"] == "wit-bindgen-rust" and package["version"].startswith(bindgen)
    ]  # fmt: skip

    assert users
    assert {version(one, "wit-component", locked) for one in users} == {host}


def version(package: dict[str, Any], dependency: str, locked: list[dict[str, Any]]) -> str:
    """The locked minor version of a package's dependency."""
    [entry] = [one for one in package["dependencies"] if one.split()[0] == dependency]
    named = [one for one in locked if one["name"] == dependency]
    found: str = entry.split()[1] if " " in entry else named[0]["version"]
    return found.rpartition(".")[0]
