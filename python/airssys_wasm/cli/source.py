"""What a command may be pointed at: a component, its text, or interfaces."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import airssys_wasm as aw
from airssys_wasm.cli.printable import printable
from airssys_wasm.wit import Source

__all__ = ["interfaces_of", "name_of"]


@contextmanager
def interfaces_of(path: Path) -> Iterator[Source]:
    """Hand over what the WIT room reads the interfaces of ``path`` from.

    A component in text form (``.wat``) has to be loaded for that; a binary and a
    folder of WIT are read as they are. What is wrong with them, inside the ``with``
    block too, is said with the name that the user typed.

    Raises:
        ComponentInvalid: it is no component.
        WitInvalid: it is no WIT.
    """
    try:
        yield _source(path)
    except (aw.ComponentInvalid, aw.WitInvalid) as error:
        name = name_of(path)
        # The native side shows what is no text with a mark.
        if str(error).startswith((name, os.fsencode(path).decode(errors="replace"))):
            raise
        raise type(error)(f"{name}: {error}") from error


def _source(path: Path) -> Source:
    if path.is_file() and path.stat().st_size == 0:
        raise aw.ComponentInvalid("the file is empty")
    if path.suffix == ".wasm" and path.is_file() and not _begins(path, b"\0asm"):
        raise aw.ComponentInvalid("no WebAssembly binary, whatever its name says")
    return aw.Engine().load(path, name=name_of(path)).wit if path.suffix == ".wat" else path


def _begins(path: Path, start: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(start)) == start


def name_of(path: Path) -> str:
    """Return what errors call ``path``: what was typed; what is no text is spelled out."""
    return printable(str(path))
