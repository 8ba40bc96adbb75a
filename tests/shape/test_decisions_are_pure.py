"""What is decided depends on what is handed in, and on nothing else."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

# One file for each room that decides something hard.
DECISIONS = ["actor/decisions.py"]
HARMLESS = {"__future__", "bisect", "collections.abc", "dataclasses", "math", "typing"}


@pytest.mark.parametrize("name", DECISIONS)
def test_a_decision_imports_nothing_that_acts(name: str, root: Path) -> None:
    path = root / "python" / "airssys_wasm" / name
    room = f"airssys_wasm.{path.parent.name}"
    values = {f"{room}.child", f"{room}.exits"}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)} | {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }

    assert imported <= HARMLESS | values


@pytest.mark.parametrize("name", DECISIONS)
def test_a_decision_waits_for_nothing_and_keeps_nothing(name: str, root: Path) -> None:
    tree = ast.parse((root / "python" / "airssys_wasm" / name).read_text(encoding="utf-8"))
    acting = (ast.Await, ast.AsyncFunctionDef, ast.Global, ast.Nonlocal)

    assert not [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, acting)]
