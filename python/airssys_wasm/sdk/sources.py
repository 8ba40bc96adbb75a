"""Knows where the sources that ship with this package lie, and what they amount to."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

__all__ = ["digest", "interfaces_root", "sources_root"]

#: What a build leaves behind in a source folder.
_PRODUCTS = frozenset({"target", "node_modules", "__pycache__"})
#: How a file of Rust names another one: ``#[path = "…"]`` or ``include_str!("…")``, …
_INCLUDES = re.compile(r'(?:#\[path\s*=\s*|\binclude(?:_str|_bytes)?!\s*[(\[{]\s*)"([^"]+)"')
#: … and ``mod name;``, which is ``name.rs`` or ``name/mod.rs``.
_MODULES = re.compile(r"^\s*(?:pub(?:\([^)]*\))?\s+)?mod\s+(\w+)\s*;", re.MULTILINE)


def sources_root() -> Path:
    """Return the folder that holds ``rust/``, ``wit/`` and ``examples/``.

    In a checkout it is the checkout; in an installed wheel these are copies inside
    this package. A checkout may hold such copies too, left by an editable install:
    its own files go first.
    """
    package = Path(__file__).resolve().parent.parent
    checkout = package.parent.parent
    if (checkout / "rust" / "sdk" / "Cargo.toml").is_file():
        return checkout
    return package / "sources"


def interfaces_root() -> Path:
    """Return the folder of the ``airssys:*`` packages, one subfolder each.

    It has the shape of the ``deps/`` beside the WIT of a guest that uses them.
    """
    return sources_root() / "wit"


def digest(directory: Path) -> str:
    """Return the SHA-256 over names and contents of the sources in ``directory``.

    What a crate takes from beside its folder, by ``#[path]`` or ``include!``, counts too.
    Products of a build do not: ``target``, ``node_modules``, ``*.wasm``. Nor do the line
    ends that git writes on some systems.

    Raises:
        OSError: a file cannot be read.
    """
    root = directory.resolve()
    whole = hashlib.sha256()
    for name, path in sorted((Path(os.path.relpath(path, root)), path) for path in _sources(root)):
        content = hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
        whole.update(f"{content}  {name.as_posix()}\n".encode())
    return whole.hexdigest()


def _sources(root: Path) -> set[Path]:
    """Return the files in ``root``, and all that they include from elsewhere."""
    found = set(_files(root))
    unread = list(found)
    while unread:
        taken = set(_included(unread.pop())) - found
        found |= taken
        unread += taken
    return found


def _included(path: Path) -> Iterator[Path]:
    """Yield what a file of Rust names. One that is not there is for the compiler to tell."""
    if path.suffix != ".rs":
        return
    text = path.read_text("utf-8", errors="replace")
    named = [path.parent / name for name in _INCLUDES.findall(text)]
    for name in _MODULES.findall(text):
        for folder in (path.parent, path.with_suffix("")):
            named += [folder / f"{name}.rs", folder / name / "mod.rs"]
    yield from (file.resolve() for file in named if file.is_file())


def _files(directory: Path) -> Iterator[Path]:
    for folder, subfolders, names in os.walk(directory):
        subfolders[:] = [name for name in subfolders if name not in _PRODUCTS]
        for name in names:
            if not name.endswith((".wasm", ".pyc")):
                yield Path(folder) / name
