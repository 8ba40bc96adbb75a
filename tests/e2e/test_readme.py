"""The Python of README and guide runs, as printed, and prints what they say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ["README.md", "docs/embedding.md"]
# An example, and the output printed below it.
EXAMPLE = re.compile(r"```python\n(.*?)```\n\n```text\n(.*?)```", re.DOTALL)
PYTHON = re.compile(r"```python\n")


def examples(document: str) -> list[tuple[str, str]]:
    return EXAMPLE.findall((ROOT / document).read_text(encoding="utf-8"))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_python_example_has_its_output(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")

    assert 1 <= len(examples(document)) == len(PYTHON.findall(text))


@pytest.mark.parametrize(
    ("code", "output"), [example for document in DOCUMENTS for example in examples(document)]
)
def test_the_example_prints_what_the_document_says(code: str, output: str, tmp_path: Path) -> None:
    ran = subprocess.run(  # noqa: S603 - the document's own words
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, output, "")
