"""The command as a user has it: installed, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def program() -> Path:
    """The installed script, beside the interpreter that runs the tests."""
    name = "airssys-wasm.exe" if os.name == "nt" else "airssys-wasm"
    return Path(sys.executable).with_name(name)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user directory for all runs: nothing of this machine's user is read or kept."""
    return tmp_path_factory.mktemp("airswasm-home")


@pytest.fixture
def airssys_wasm(program: Path, home: Path, tmp_path: Path) -> Run:
    """Run the command in an empty folder and give its status and both streams."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - our own program
            [program, *arguments],
            cwd=tmp_path,
            env={**os.environ, "AIRSWASM_HOME": str(home), **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )

    return run
