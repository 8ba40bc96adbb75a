"""A component that takes messages, and hosts for it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import airssys_wasm as aw
from airssys_wasm._native import componentize

ROOT = Path(__file__).parents[3]
HANDLER = Path(__file__).parent / "handler.wat"
DECLARES_NOTHING = '(data (i32.const 1072) "\\00\\00\\00\\00\\00\\00\\00\\00")'
WORLD = """
package test:handler;

world handler {
    export airssys:core/lifecycle@1.0.0;
}
"""


@pytest.fixture(scope="session")
def wit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package whose world exports the life cycle."""
    wit = tmp_path_factory.mktemp("wit")
    shutil.copytree(ROOT / "wit" / "core", wit / "deps" / "core")
    (wit / "world.wit").write_text(WORLD)
    return wit


@pytest.fixture(scope="session")
def handler(engine: aw.Engine, wit: Path) -> aw.Component:
    """Answer with what was sent: ``!`` traps, ``?`` never ends, ``#`` counts, ``-`` refuses.

    A message of ``H`` and one byte sets what ``health`` says: 0 healthy, 1 degraded,
    2 unhealthy, 3 unknown, 8 traps, 9 never ends.
    """
    return wrapped(engine, HANDLER.read_bytes(), wit, "handler")


@pytest.fixture(scope="session")
def json_handler(engine: aw.Engine, wit: Path) -> aw.Component:
    """The same, and its ``metadata`` declares that it reads JSON and nothing else."""
    source = HANDLER.read_text()
    assert DECLARES_NOTHING in source
    json = '(data (i32.const 1072) "\\00\\08\\00\\00\\01\\00\\00\\00")'
    json += ' (data (i32.const 2048) "\\00\\02\\00\\00")'
    return wrapped(engine, source.replace(DECLARES_NOTHING, json).encode(), wit, "json")


@pytest.fixture(scope="session")
def mute_handler(engine: aw.Engine, wit: Path) -> aw.Component:
    """The same, and its ``metadata`` traps."""
    told = 'metadata") (result i32) (i32.const 1024))'
    source = HANDLER.read_text()
    assert told in source
    traps = source.replace(told, 'metadata") (result i32) (unreachable))')
    return wrapped(engine, traps.encode(), wit, "mute")


def wrapped(engine: aw.Engine, source: bytes, wit: Path, name: str) -> aw.Component:
    module = core_module(engine.load(source.decode())._native.binary)
    encoded = componentize.encode(componentize.embed(module, wit))
    return engine.load(encoded, name=name)


def core_module(component: bytes) -> bytes:
    """The first core module of a component: section 1, right behind the header."""
    assert component[8] == 1
    size, shift, at = 0, 0, 9
    while True:
        size |= (component[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if component[at - 1] < 0x80:
            return component[at : at + size]


@pytest.fixture(autouse=True)
def nothing_is_left(engine: aw.Engine) -> Iterator[None]:
    """However a host ends, its instances end with it, at once."""
    yield
    assert engine.live_instances == 0
