"""What a command may be pointed at: a component, its text, or interfaces."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import airssys_wasm as aw
from airssys_wasm.cli.printable import printable
from airssys_wasm.wit import Source

__all__ = ["interfaces_of"]


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
        name = _name(path)
        # The native side shows what is no text with a mark.
        if str(error).startswith((name, os.fsencode(path).decode(errors="replace"))):
            raise
        raise type(error)(f"{name}: {error}") from error


def _source(path: Path) -> Source:
    if path.is_file() and path.stat().st_size == 0:
        raise aw.ComponentInvalid("the file is empty")
    return aw.Engine().load(path, name=_name(path)).wit if path.suffix == ".wat" else path


def _name(path: Path) -> str:
    # The name of a file may be any bytes; what errors call it has to be text.
    return printable(str(path))
