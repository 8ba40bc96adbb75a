"""One Python room per native module, and nobody else touches it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NATIVE = "airssys_wasm._native"
# Rooms that are faces of the native module. A room is a folder or a file.
FACES = {"codec", "runtime", "wit", "sdk", "config", "broker"}
ASKS_FOR_THE_GIL = ("Python::attach(", "Python::try_attach(", "PyGILState_Ensure(")


def imported_modules(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


def test_only_faces_touch_the_native_module(python_files: list[Path], root: Path) -> None:
    source = root / "python" / "airssys_wasm"
    rooms = {
        path.relative_to(source).parts[0].removesuffix(".py")
        for path in python_files
        if path.is_relative_to(source)
        and any(
            name == NATIVE or name.startswith(f"{NATIVE}.")
            for name in imported_modules(ast.parse(path.read_text(encoding="utf-8")))
        )
    }

    assert rooms
    assert rooms <= FACES


def test_one_file_turns_rust_errors_into_python_ones(files: list[Path], root: Path) -> None:
    makers = {
        path.relative_to(root).as_posix()
        for path in files
        if path.suffix == ".rs"
        and path.is_relative_to(root / "rust" / "py")
        and "import_exception!" in path.read_text(encoding="utf-8")
    }

    assert makers == {"rust/py/src/error.rs"}


def test_one_file_asks_for_the_gil(files: list[Path], root: Path) -> None:
    """A thread that asks while the interpreter ends would abort the process."""
    askers = {
        path.relative_to(root).as_posix()
        for path in files
        if path.suffix == ".rs"
        and path.is_relative_to(root / "rust")
        and any(ask in path.read_text(encoding="utf-8") for ask in ASKS_FOR_THE_GIL)
    }

    # The second raises, which only those do who have it.
    assert askers == {"rust/py/src/runtime/exit.rs", "rust/py/src/error.rs"}
