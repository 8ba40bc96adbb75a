"""What Cargo.lock may and may not hold.

A floor is the first version without a known hole; the reason stands beside it.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

Version = tuple[int, ...]

FLOORS: dict[str, Version] = {
    "cap-std": (4, 0, 3),  # GHSA-vqjp-4c8c-hfgg: a trailing slash left the sandbox
    "cap-primitives": (4, 0, 3),  # the same code, one crate below
    "url": (2, 5, 4),  # the first on the repaired idna
    "idna": (1, 0, 3),  # RUSTSEC-2024-0421: punycode that compares unequal
}

BANNED = {
    "serde_cbor",  # RUSTSEC-2021-0127: unmaintained
    "tokio-tar",  # CVE-2025-62518: entries smuggled past the header; packages are CAR files
    "async-tar",  # the same parser
}

WASMTIME_LTS = (48, 0)
WASMTIME_PATCH = 8


@pytest.fixture(scope="module")
def locked(root: Path) -> list[tuple[str, Version]]:
    packages = tomllib.loads((root / "Cargo.lock").read_text())["package"]
    return [(package["name"], version_of(package["version"])) for package in packages]


def version_of(text: str) -> Version:
    release = text.split("+", maxsplit=1)[0].split("-", maxsplit=1)[0]
    return tuple(int(part) for part in release.split("."))


def test_wasmtime_is_the_long_term_release_with_its_fixes(
    locked: list[tuple[str, Version]],
) -> None:
    found = [version for name, version in locked if name in {"wasmtime", "wasmtime-wasi"}]

    assert found
    assert all(v[:2] == WASMTIME_LTS and v[2] >= WASMTIME_PATCH for v in found), found


@pytest.mark.parametrize("crate", FLOORS)
def test_no_crate_is_below_its_floor(locked: list[tuple[str, Version]], crate: str) -> None:
    below = [version for name, version in locked if name == crate and version < FLOORS[crate]]

    assert not below


def test_no_banned_crate_came_in(locked: list[tuple[str, Version]]) -> None:
    assert BANNED.isdisjoint({name for name, _ in locked})


def test_every_locked_crate_comes_from_the_registry_or_from_here(root: Path) -> None:
    packages = tomllib.loads((root / "Cargo.lock").read_text())["package"]
    strange = [
        package["name"]
        for package in packages
        if "source" in package and not package["source"].startswith("registry+")
    ]

    assert not strange
