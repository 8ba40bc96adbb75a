"""One Python room per native module, and nobody else touches it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

NATIVE = "airssys_wasm._native"
# Rooms that are faces of the native module. A room is a folder or a file.
FACES = {"broker", "codec", "config", "host", "runtime", "sdk", "wit"}
EXIT = "rust/py/src/runtime/exit.rs"
GIL = "rust/py/src/runtime/gil.rs"
#: Each way to take the interpreter's lock, and the files that may. In ``error.rs``
#: one raises, which only those do who have it.
TAKES_THE_GIL = {
    "Python::attach(": {EXIT, "rust/py/src/error.rs"},
    "Python::try_attach(": set[str](),
    "Python::attach_unchecked(": set[str](),
    "with_gil(": set[str](),
    "PyGILState_Ensure": set[str](),
    "PyEval_AcquireThread": set[str](),
    "PyEval_RestoreThread": {GIL},
    # It takes the lock again when its work is done.
    ".detach(": {EXIT, GIL},
    ".allow_threads(": set[str](),
}


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


@pytest.mark.parametrize("way", TAKES_THE_GIL)
def test_each_way_to_the_gil_is_taken_where_it_is_allowed(
    files: list[Path], root: Path, way: str
) -> None:
    """A thread that asks while the interpreter ends would abort the process."""
    takers = {
        path.relative_to(root).as_posix()
        for path in files
        if path.suffix == ".rs"
        and path.is_relative_to(root / "rust")
        and way in path.read_text(encoding="utf-8")
    }

    assert takers == TAKES_THE_GIL[way]
