"""What a command may be pointed at: a component, its text, or interfaces."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import airssys_wasm as aw
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
        if str(error).startswith(str(path)):
            raise
        raise type(error)(f"{path}: {error}") from error


def _source(path: Path) -> Source:
    if path.is_file() and path.stat().st_size == 0:
        raise aw.ComponentInvalid("the file is empty")
    return aw.Engine().load(path, name=str(path)).wit if path.suffix == ".wat" else path
