"""No operation of an earlier design was lost on the way."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.wit_tree.conftest import Function, Json

Earlier = dict[str, dict[str, "Json"]]

# How many operations each list had, counted in the designs themselves.
COUNTS = {
    "first inventory, component life cycle": 7,
    "first inventory, host services": 8,
    "first inventory, permissions": 6,
    "first inventory, filesystem": 17,
    "first inventory, filesystem metadata": 13,
    "first inventory, sockets": 16,
    "first inventory, connections": 16,
    "first inventory, process life cycle": 20,
    "first inventory, process signals": 21,
    "second inventory, component life cycle": 6,
    "second inventory, host messaging": 5,
    "second inventory, host services": 6,
    "second inventory, storage": 6,
    "documents, filesystem architecture": 25,
    "documents, filesystem interface": 7,
    "documents, filesystem names": 10,
    "documents, network architecture": 14,
    "documents, network names": 12,
    "documents, process architecture": 20,
    "documents, process interface": 8,
    "documents, process names": 5,
    "documents, capabilities interface": 3,
    "documents, host services interface": 6,
    "documents, storage interface": 9,
}


@pytest.mark.parametrize("source", COUNTS)
def test_a_list_is_complete(source: str, earlier: Earlier) -> None:
    assert len(earlier[source]) == COUNTS[source]


def test_there_is_no_other_list(earlier: Earlier) -> None:
    assert set(earlier) == set(COUNTS)


def test_every_operation_is_done_by_functions_that_exist_or_says_why_not(
    earlier: Earlier, functions: dict[str, Function]
) -> None:
    wrong = [
        f"{source}: {name}"
        for source, entries in earlier.items()
        for name, entry in entries.items()
        if set(entry) - {"by", "why"}
        or not set(entry["by"]) <= set(functions)
        or not (entry["by"] or entry.get("why", "").strip())
    ]

    assert wrong == []


def test_nothing_of_the_inventories_was_left_out(earlier: Earlier) -> None:
    left_out = [
        f"{source}: {name}"
        for source, entries in earlier.items()
        for name, entry in entries.items()
        if "inventory" in source and not entry["by"]
    ]

    assert left_out == []


def test_names_that_became_one_say_why(earlier: Earlier) -> None:
    silent = []
    for source, entries in earlier.items():
        answered = defaultdict(list)
        for name, entry in entries.items():
            answered[tuple(entry["by"])].append(name)
        silent += [
            f"{source}: {name}"
            for names in answered.values()
            if len(names) > 1
            for name in names
            if not entries[name].get("why", "").strip()
        ]

    assert silent == []
