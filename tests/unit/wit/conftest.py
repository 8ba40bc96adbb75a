"""mypy, run on generated stubs."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import pytest

# What generated files need of the package, and no more: a stub must not depend on
# anything else, and mypy needs seconds less for it.
PACKAGE = """
from collections.abc import Awaitable
from typing import Any, Generic, TypeVar

Case = TypeVar("Case", bound=str, covariant=True)
Value = TypeVar("Value", covariant=True)

class Variant(Generic[Case, Value]):
    def __init__(self, case: Case, value: Value = ...) -> None: ...
    @property
    def case(self) -> Case: ...
    @property
    def value(self) -> Value: ...

class Instance:
    def call(self, function: str, /, *args: object) -> Any: ...
    def call_async(self, function: str, /, *args: object) -> Awaitable[Any]: ...
"""


SUMMARY = re.compile(r"Success: no issues found|Found \d+ errors? in")


class Check(Protocol):
    def __call__(self, *files: Path, python: Sequence[str] = ...) -> list[str]: ...


@pytest.fixture(scope="session")
def mypy_strict(tmp_path_factory: pytest.TempPathFactory) -> Check:
    """Run ``mypy --strict`` and return its complaints, without the paths."""
    package = tmp_path_factory.mktemp("package")
    (package / "airssys_wasm").mkdir()
    (package / "airssys_wasm" / "__init__.pyi").write_text(PACKAGE)
    cache = tmp_path_factory.mktemp("cache")

    def check(*files: Path, python: Sequence[str] = (sys.executable,)) -> list[str]:
        command = [
            *python, "-m", "mypy", "--strict", "--config-file=",
            f"--cache-dir={cache}", *map(str, files),
        ]  # fmt: skip
        finished = subprocess.run(  # noqa: S603 - our own words and paths, no shell
            command,
            env={"MYPYPATH": f"{package}:{files[0].parent}"},
            capture_output=True,
            text=True,
            check=False,
        )
        *lines, summary = finished.stdout.splitlines() or [""]
        # An interpreter without mypy says as little as mypy about a good file, and
        # ends as it does about a bad one: only the summary tells that it ran.
        assert SUMMARY.match(summary), finished.stdout + finished.stderr
        assert finished.returncode == (not summary.startswith("Success")), finished.stderr
        return [line.partition(": ")[2] if ": " in line else line for line in lines]

    return check
