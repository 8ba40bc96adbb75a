"""What ``scripts/setup`` says of a machine that lacks something."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
#: All that the script needs before it has found something missing, but no apt-get.
THERE = ("sh", "cat", "dirname", "head", "id", "sed", "sort")

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no sh")

Setup = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    """Run the script on a machine that has ``programs`` and no more."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in THERE:
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)

    def run(*programs: str, **environment: str) -> subprocess.CompletedProcess[str]:
        for name in programs:
            (folder / name).write_text("#!/bin/sh\n")
            (folder / name).chmod(0o755)
        return subprocess.run(  # noqa: S603 - our own script
            [folder / "sh", ROOT / "scripts" / "setup"],
            env={
                "PATH": str(folder),
                "HOME": str(tmp_path),
                "VENV": str(tmp_path / "v"),
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_every_missing_program_is_named_at_once(setup: Setup) -> None:
    ran = setup()

    assert ran.returncode == 1
    assert "missing on this machine: gcc libc6-dev git\n" in ran.stderr
    assert "hint: " in ran.stderr


def test_npm_is_asked_for_where_guests_are_built(setup: Setup) -> None:
    ran = setup("cc", "git", GUEST_TOOLS="1")

    assert ran.returncode == 1
    assert "missing on this machine: npm\n" in ran.stderr


def test_npm_is_not_asked_for_where_none_are(setup: Setup) -> None:
    ran = setup("cc", "git")

    assert "npm" not in ran.stderr
    assert "no Rust tool chain" in ran.stderr


def test_the_tests_have_the_tools_for_guests_installed_first() -> None:
    """They would otherwise be installed inside a test, unseen and on its clock."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    for target in ("test", "test-python", "components"):
        assert f"\n{target}: guest-tools build ##" in makefile
