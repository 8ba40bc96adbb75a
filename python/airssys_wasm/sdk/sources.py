"""Knows where the sources that ship with this package lie, and what they amount to."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["digest", "interfaces_root", "sources_root"]

#: What a build leaves behind in a source folder.
_PRODUCTS = frozenset({"target", "node_modules", "__pycache__"})


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

    Products of a build do not count: ``target``, ``node_modules``, ``*.wasm``. Nor do
    the line ends that git writes on some systems.

    Raises:
        OSError: a file cannot be read.
    """
    whole = hashlib.sha256()
    for path in sorted(_files(directory)):
        name = path.relative_to(directory).as_posix()
        content = hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
        whole.update(f"{content}  {name}\n".encode())
    return whole.hexdigest()


def _files(directory: Path) -> Iterator[Path]:
    for folder, subfolders, names in os.walk(directory):
        subfolders[:] = [name for name in subfolders if name not in _PRODUCTS]
        for name in names:
            if not name.endswith((".wasm", ".pyc")):
                yield Path(folder) / name
