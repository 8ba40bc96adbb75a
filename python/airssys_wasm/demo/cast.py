"""The components that play, loaded from the wheel."""

from __future__ import annotations

from importlib.resources import files

import airssys_wasm as aw
from airssys_wasm import components

__all__ = ["hostile", "useful"]


def useful(engine: aw.Engine, name: str) -> aw.Component:
    """Load one of the prebuilt components, checked against its digest.

    Raises:
        ComponentInvalid: the file in the wheel is not the one that was built.
    """
    return engine.load(components.load(name), name=name)


def hostile(engine: aw.Engine, name: str) -> aw.Component:
    """Load one of the attackers, which ship as text for everyone to read."""
    source = files(components).joinpath(f"{name}.wat").read_text(encoding="utf-8")
    return engine.load(source, name=name)
