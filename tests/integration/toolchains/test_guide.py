"""The guide for authors of guests: what it shows is built, runs, and prints what it says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from airssys_wasm import sdk

ROOT = Path(__file__).resolve().parents[3]
GUIDE = (ROOT / "docs" / "guests.md").read_text(encoding="utf-8")
WORDS = ROOT / "tests" / "components" / "words"

# A file: its name in backticks ends the sentence before the block.
FILE = re.compile(r"`([\w/.]+)`:\n\n```\w+\n(.*?)```", re.DOTALL)
SCRIPT = re.compile(r"```python\n(import airssys_wasm.*?)```\n\n```text\n(.*?)```", re.DOTALL)


def files() -> dict[str, str]:
    return dict(FILE.findall(GUIDE))


def test_the_guide_shows_the_files_of_three_guests() -> None:
    assert set(files()) == {
        "counter/src/lib.rs",
        "words/Cargo.toml",
        "words/src/lib.rs",
        "hello/wit/hello.wit",
        "hello/app.py",
    }


def test_the_guest_in_rust_is_one_that_is_built_elsewhere() -> None:
    """``test_rust`` compiles and runs it: what counts here is that it is the same."""
    comment, _, code = (WORDS / "src" / "lib.rs").read_text(encoding="utf-8").partition("\n")
    shown = tomllib.loads(files()["words/Cargo.toml"])
    built = tomllib.loads((WORDS / "Cargo.toml").read_text(encoding="utf-8"))
    shared = tomllib.loads((WORDS.parent / "Cargo.toml").read_text(encoding="utf-8"))["workspace"]

    assert comment.startswith("//!")
    assert files()["words/src/lib.rs"] == code
    assert shown["lib"] == built["lib"]
    assert shown["package"]["edition"] == shared["package"]["edition"]
    assert shown["dependencies"] == {"airssys-sdk": shared["dependencies"]["airssys-sdk"]}


def test_the_actors_are_the_examples() -> None:
    """``test_examples`` builds and uses them."""
    counter = (ROOT / "examples" / "counter" / "src" / "lib.rs").read_text(encoding="utf-8")
    app = (ROOT / "examples" / "python-counter" / "app.py").read_text(encoding="utf-8")

    assert counter.endswith("\n" + files()["counter/src/lib.rs"])
    assert app[app.index("from airssys_actor") :] in GUIDE


# The first run on a machine fetches componentize-py, and compiles the standard library.
@pytest.mark.timeout(1_200)
def test_the_applications_print_what_the_guide_says(tmp_path: Path) -> None:
    for name, content in files().items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    shutil.copy(sdk.build_cached(tmp_path / "hello"), tmp_path / "hello" / "hello.wasm")
    shutil.copy(WORDS.parent / "prebuilt" / "words.wasm", tmp_path / "words")
    sdk.build(ROOT / "examples" / "counter", tmp_path / "counter" / "counter.wasm", locked=True)
    scripts = SCRIPT.findall(GUIDE)

    assert len(scripts) == 2
    for code, output in scripts:
        ran = subprocess.run(  # noqa: S603 - the guide's own words
            [sys.executable, "-c", code],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        # What an actor failed of is logged on standard error.
        said = [line for line in ran.stderr.splitlines() if not line.startswith("actor ")]
        assert (ran.stdout, said, ran.returncode) == (output, [], 0)
