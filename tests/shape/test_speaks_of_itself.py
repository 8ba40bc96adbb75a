"""The repository speaks of itself alone: no machine, no registry, no half-done work."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

# Spelled in pieces, so that this file does not find itself.
FOREIGN = {
    "a path of one machine": re.compile(r"(?<![\w.$}~-])/(?:" + "wo" + r"rk|root|home/\w+)/"),
    "the host of a package registry": re.compile(
        r"\b(?:"
        + "|".join(
            host.replace(" ", r"\.")
            for host in (
                "pypi org",
                "files pythonhosted org",
                "static crates io",
                "index crates io",
                "registry npmjs org",
                "proxy golang org",
                "deb debian org",
            )
        )
        + r")\b"
    ),
    "work left for later": re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b"),
}
# Written by tools, or by others: a lock file names its registry.
NOT_OURS = {"Cargo.lock", "LICENSE"}


@pytest.mark.parametrize("what", FOREIGN)
def test_no_tracked_file_mentions(what: str, files: list[Path], root: Path) -> None:
    found = []
    for path in files:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a built component, not prose
        if path.name not in NOT_OURS and (match := FOREIGN[what].search(text)):
            line = text.count("\n", 0, match.start()) + 1
            found.append(f"{path.relative_to(root)}:{line}: {match[0]}")

    assert not found
