"""Each function says what it may need, and the capability words are those of the tree."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.wit_tree.conftest import Function, Json, Operations, Package

FIELDS = {"needs", "on", "against", "when", "checked_by", "reason"}
# Granted as a whole, so there is nothing to match.
WITHOUT_RESOURCE = {"clock", "random", "log"}


def capability_words(core: Package) -> set[str]:
    """The cases of ``variant capability``, as grants write them; ``custom`` is the embedder's."""
    [cases] = [
        definition["kind"]["variant"]["cases"]
        for _, name, definition in core.definitions()
        if name == "capability"
    ]
    return {case["name"].replace("-", ".", 1) for case in cases} - {"custom"}


def mismatch(operations: Operations, functions: dict[str, Function]) -> tuple[set[str], set[str]]:
    """Functions without an entry, and entries without a function."""
    entries = {f"{interface}#{name}" for interface, of in operations.items() for name in of}
    return set(functions) - entries, entries - set(functions)


@pytest.fixture(scope="module")
def entries(operations: Operations) -> dict[str, Json]:
    return {
        f"{interface}#{name}": entry
        for interface, of in operations.items()
        for name, entry in of.items()
    }


def test_every_function_has_an_entry_and_every_entry_a_function(
    operations: Operations, functions: dict[str, Function]
) -> None:
    assert len(functions) > 150
    assert mismatch(operations, functions) == (set(), set())


def test_a_missing_and_a_stale_entry_are_found(
    operations: Operations, functions: dict[str, Function]
) -> None:
    storage = dict(operations["airssys:core/storage"])
    storage["grab"] = storage.pop("get")
    changed = {**operations, "airssys:core/storage": storage}

    assert mismatch(changed, functions) == (
        {"airssys:core/storage#get"},
        {"airssys:core/storage#grab"},
    )


def test_entries_use_the_capabilities_of_the_tree_and_all_of_them(
    entries: dict[str, Json], packages: list[Package]
) -> None:
    used = {word for entry in entries.values() for word in entry["needs"]}

    assert used == capability_words(packages[0])


def test_an_entry_has_known_fields_alone(entries: dict[str, Json]) -> None:
    unknown = {name: set(entry) - FIELDS for name, entry in entries.items() if set(entry) - FIELDS}

    assert unknown == {}


def test_whatever_needs_nothing_says_why(entries: dict[str, Json]) -> None:
    wrong = {
        name
        for name, entry in entries.items()
        if bool(entry["needs"]) == ("reason" in entry) or not entry.get("reason", "given").strip()
    }

    assert wrong == set()


def test_whatever_needs_something_says_what_it_is_matched_with(entries: dict[str, Json]) -> None:
    vague = {
        name
        for name, entry in entries.items()
        if set(entry["needs"]) - WITHOUT_RESOURCE
        and not {"on", "against", "checked_by", "when"} & set(entry)
    }

    assert vague == set()


def test_an_entry_names_parameters_that_the_function_has(
    entries: dict[str, Json], functions: dict[str, Function]
) -> None:
    absent = [
        f"{name}: {path}"
        for name, entry in entries.items()
        for path in entry.get("on", ())
        if path.partition(".")[0] not in functions[name].parameters
    ]

    assert absent == []


def test_a_handle_is_checked_by_a_function_that_needs_as_much(entries: dict[str, Json]) -> None:
    for name, entry in entries.items():
        if "checked_by" not in entry:
            continue
        makers = [
            maker if "#" in maker else f"{name.partition('#')[0]}#{maker}"
            for maker in entry["checked_by"]
        ]
        granted = {word for maker in makers for word in entries[maker]["needs"]}

        assert set(entry["needs"]) <= granted, name


def test_the_documents_say_what_the_data_say(root: Path) -> None:
    checked = subprocess.run(  # noqa: S603
        [sys.executable, root / "scripts" / "interface_tables.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stderr


def test_every_function_is_in_the_documents(root: Path, functions: dict[str, Function]) -> None:
    page = (root / "docs" / "interfaces.md").read_text(encoding="utf-8")
    missing = {
        each.full_name
        for each in functions.values()
        if f"### `{each.interface}`" not in page or f"| `{each.name}` |" not in page
    }

    assert missing == set()
