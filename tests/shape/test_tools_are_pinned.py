"""Two machines get the same tools."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_tool_of_every_group_has_one_exact_version(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())
    lines = (root / "requirements" / "constraints.txt").read_text().splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    assert all(len(pin) == 2 for pin in pins)

    wanted = {
        canonical(re.split(r"[<>=!~\[; ]", entry)[0])
        for group in (*project["dependency-groups"].values(), project["project"]["dependencies"])
        for entry in group
    }
    pinned = [canonical(name) for name, _ in pins]

    assert wanted <= set(pinned)
    assert len(pinned) == len(set(pinned))
