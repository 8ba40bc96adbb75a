"""Documents name only what exists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENTS = [
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "LICENSE",
]
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
# A path in backticks counts as a reference when it starts with one of our folders.
NAMED_PATH = re.compile(
    r"`((?:rust|python|wit|tests|benches|docs|examples|scripts|requirements)/[\w./-]*)"
)
MAKE_TARGET = re.compile(r"\bmake ([a-z][a-z-]*)\b")
INVARIANT = re.compile(r"^\*\*Invariant:\*\*(.*?)(?=\n\n|\Z)", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_house_has_its_documents(root: Path, name: str) -> None:
    assert (root / name).read_text(encoding="utf-8").strip()


def markdown(files: list[Path]) -> list[Path]:
    found = [path for path in files if path.suffix == ".md"]
    assert found
    return found


def test_every_link_to_a_file_leads_somewhere(files: list[Path], root: Path) -> None:
    broken = [
        f"{path.relative_to(root)}: {target}"
        for path in markdown(files)
        for target in LINK.findall(path.read_text(encoding="utf-8"))
        if "://" not in target and not target.startswith("mailto:")
        if not (path.parent / target).exists()
    ]

    assert not broken


def test_every_path_in_the_documents_exists(files: list[Path], root: Path) -> None:
    missing = [
        f"{path.relative_to(root)}: {name}"
        for path in markdown(files)
        for name in NAMED_PATH.findall(path.read_text(encoding="utf-8"))
        if not (root / name).exists()
    ]

    assert not missing


def test_every_make_target_in_the_documents_exists(files: list[Path], root: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (root / "Makefile").read_text(), re.MULTILINE))
    named = {
        target
        for path in markdown(files)
        for code in re.findall(r"```.*?```|`[^`\n]+`", path.read_text(encoding="utf-8"), re.DOTALL)
        for target in MAKE_TARGET.findall(code)
    }

    assert {"demo", "test"} <= named
    assert named <= targets


def test_every_make_target_explains_itself(root: Path) -> None:
    makefile = (root / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None

    explained = set(re.findall(r"^([a-z][a-z-]*):.*## \S", makefile, re.MULTILINE))
    assert set(phony[1].split()) == explained


def test_every_invariant_names_the_test_that_keeps_it(root: Path) -> None:
    invariants = INVARIANT.findall((root / "ARCHITECTURE.md").read_text(encoding="utf-8"))
    assert invariants

    for text in invariants:
        kept_by = re.findall(r"`((?:tests|rust)/[\w./-]+)(?:::(\w+))?`", text)
        assert kept_by, text
        for name, test in kept_by:
            path = root / name
            assert path.exists(), text
            assert not test or f"{test}(" in path.read_text(encoding="utf-8"), text


def test_the_changelog_has_a_place_for_what_comes_next(root: Path) -> None:
    headings = re.findall(r"^## (.*)$", (root / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert headings[0] == "Unreleased"
