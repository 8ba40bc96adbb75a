"""The tree is read by a second tool, and both find the same.

The second reader is the grammar of the crate ``tree-sitter-wit``: by other authors, and without
any code of wit-parser, which our own parser is made of. So it is a real second opinion on syntax,
names and comments; it knows nothing of name resolution, which wit-parser alone checks. The grammar
is older than two things WIT has today, and they are taken out before it reads: feature gates
(``@since``), and ``export name;`` for an interface of the same package, shown to it as an import.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.unit.wit_tree.conftest import Json, Package

    Findings = dict[str, list[str]]
    Reader = Callable[[str], Findings]

CRATE = Path(__file__).parent / "grammar"
GATE = re.compile(r"^\s*@since\(.*\)\s*$", re.MULTILINE)
EXPORT = re.compile(r"^(\s*)export ", re.MULTILINE)
PARTS = {"record": "fields", "variant": "cases", "enum": "cases", "flags": "flags"}


def target_folder() -> Path:
    """Where the reader is built: apart from the engine, whose build lock is held for minutes."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    shared = os.environ.get("CARGO_TARGET_DIR") or cache / "airssys-wasm" / "target"
    return Path(shared) / "wit-grammar"


@pytest.fixture(scope="module")
def read() -> Reader:
    """Build the second reader and return it as a function from text to findings."""
    cargo = shutil.which("cargo")
    if cargo is None:
        pytest.skip("the second reader is built with cargo, which is not on PATH")
    target = target_folder()
    command = [cargo, "build", "--release", "--locked", "--quiet", "--manifest-path"]
    subprocess.run(  # noqa: S603
        [*command, CRATE / "Cargo.toml", "--target-dir", target], check=True
    )

    def run(text: str) -> Findings:
        printed = subprocess.run(  # noqa: S603
            [target / "release" / "wit-grammar"],
            input=EXPORT.sub(r"\1import ", GATE.sub("", text)),
            capture_output=True,
            check=True,
            encoding="utf-8",
        ).stdout
        findings: Findings = defaultdict(list)
        for line in printed.splitlines():
            kind, _, finding = line.partition("\t")
            findings[kind].append(finding.strip())
        return findings

    return run


def lines_of(package: Package) -> Iterator[str]:
    """What our own parser found, said as the second reader says it."""
    for interface, name, definition in package.definitions():
        kind = definition["kind"]
        word = kind if isinstance(kind, str) else next(iter(kind))
        parts: list[Json] = kind[word][PARTS[word]] if word in PARTS else []
        yield item(word, f"{interface}.{name}", [part["name"] for part in parts])
    for function in package.functions():
        place = f"{function.interface}.{function.name}"
        yield item("func", place, [name for name in function.parameters if name != "self"])


def item(kind: str, place: str, parts: list[str]) -> str:
    return f"{kind} {place.partition('/')[2]} {','.join(parts)}".strip()


@pytest.mark.parametrize("index", range(4), ids=["core", "filesystem", "network", "process"])
def test_two_readers_find_the_same(
    index: int, packages: list[Package], root: Path, read: Reader
) -> None:
    package = packages[index]
    folder = root / "wit" / package.name.partition(":")[2]
    found = [read(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.wit"))]

    assert [finding for each in found for finding in each["unreadable"]] == []
    assert [finding for each in found for finding in each["uncommented"]] == []
    assert sorted(finding for each in found for finding in each["item"]) == sorted(
        lines_of(package)
    )


def test_the_second_reader_refuses_what_is_not_wit(read: Reader) -> None:
    assert read("package a:b; interface i { record r { x u8 } }")["unreadable"]


def test_the_second_reader_notices_missing_comments(read: Reader) -> None:
    text = "package a:b; interface i { /// f\n f: func(); enum e { /// x\n x, y } }"

    assert sorted(read(text)["uncommented"]) == ["e", "i", "y"]
