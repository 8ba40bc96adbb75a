"""The README's Python runs, as printed, and prints what the README says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[2] / "README.md"
# An example, and the output printed below it.
EXAMPLE = re.compile(r"```python\n(.*?)```\n\n```text\n(.*?)```", re.DOTALL)
PYTHON = re.compile(r"```python\n")


def examples() -> list[tuple[str, str]]:
    return EXAMPLE.findall(README.read_text(encoding="utf-8"))


def test_every_python_example_has_its_output() -> None:
    assert 1 <= len(examples()) == len(PYTHON.findall(README.read_text(encoding="utf-8")))


@pytest.mark.parametrize(("code", "output"), examples())
def test_the_example_prints_what_the_readme_says(code: str, output: str, tmp_path: Path) -> None:
    ran = subprocess.run(  # noqa: S603 - the README's own words
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, output, "")
