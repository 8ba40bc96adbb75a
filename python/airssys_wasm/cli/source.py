"""What a command may be pointed at: a component, its text, or interfaces."""

from __future__ import annotations

from pathlib import Path

import airssys_wasm as aw
from airssys_wasm.wit import Source

__all__ = ["interfaces_of"]


def interfaces_of(path: Path) -> Source:
    """Return what the WIT room reads the interfaces of ``path`` from.

    A component in text form (``.wat``) has to be loaded for that; a binary and a
    folder of WIT are read as they are.

    Raises:
        ComponentInvalid: the text is no component.
    """
    return aw.Engine().load(path).wit if path.suffix == ".wat" else path
