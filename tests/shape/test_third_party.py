"""The wheel says what it holds of others, and under which terms."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

NAME = "THIRD-PARTY-NOTICES.txt"


@pytest.fixture(scope="module")
def notices(root: Path) -> str:
    return (root / NAME).read_text(encoding="utf-8")


def test_the_notices_are_those_of_the_lock_files(root: Path) -> None:
    checked = subprocess.run(  # noqa: S603
        [sys.executable, root / "scripts" / "third_party.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stderr


def test_the_wheel_takes_them_along(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert project["license-files"] == ["LICENSE", NAME]


@pytest.mark.parametrize("crate", ["wasmtime", "cranelift-codegen", "pyo3", "wit-bindgen"])
def test_a_linked_crate_is_named_with_its_licence_and_its_text(crate: str, notices: str) -> None:
    parts = re.split(r"={79}\nPart \d: .*\n={79}\n", notices)

    assert re.search(rf"^{crate} \d[\d.]*: \S+", parts[1], re.MULTILINE)
    assert re.search(rf"^-{{79}}\n(.*, )?{crate} \d", parts[3], re.MULTILINE)


@pytest.mark.parametrize(
    "text",
    [
        "PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2",
        "Thai Open Source Software Center",
        "Jean-loup Gailly and Mark Adler",
        "Stefan Krah",
        "HACL* Contributors",
        "Rich Felker",
        "May you do good and not evil",
        "LLVM Exceptions to the Apache 2.0 License",
        "UNICODE LICENSE V3",
    ],
)
def test_what_the_guests_and_the_engine_hold_has_its_text(text: str, notices: str) -> None:
    assert text in notices


def test_what_only_builds_is_not_named(notices: str) -> None:
    # Procedural macros and build scripts leave nothing of themselves in the wheel.
    assert not re.search(r"^(syn|pyo3-build-config) \d", notices, re.MULTILINE)
