"""Core modules as actors: each is wrapped with the life cycle of the real WIT tree."""

from __future__ import annotations

import shutil
from pathlib import Path

import airssys_wasm as aw
from airssys_wasm._native import componentize

ROOT = Path(__file__).parents[3]
HANDLER = Path(__file__).parent / "handler.wat"
WORLD = """
package test:handler;

world handler {
    export airssys:core/lifecycle@1.0.0;
}
"""


def life_cycle(folder: Path, world: str = WORLD) -> Path:
    """Lay out a package, in an empty folder, whose world exports the life cycle."""
    shutil.copytree(ROOT / "wit" / "core", folder / "deps" / "core")
    (folder / "world.wit").write_text(world)
    return folder


def wrapped(engine: aw.Engine, source: Path, wit: Path) -> aw.Component:
    """Give a core module the life cycle of ``wit``."""
    module = core_module(engine.load(source)._native.binary)
    encoded = componentize.encode(componentize.embed(module, wit))
    return engine.load(encoded, name=source.stem)


def core_module(component: bytes) -> bytes:
    """The first core module of a component: section 1, right behind the header."""
    assert component[8] == 1
    size, shift, at = 0, 0, 9
    while True:
        size |= (component[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if component[at - 1] < 0x80:
            return component[at : at + size]
