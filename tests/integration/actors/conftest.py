"""A component that takes messages, and hosts for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.actors.wrapping import HANDLER, life_cycle, wrapped

import airssys_wasm as aw

DECLARES_NOTHING = '(data (i32.const 1072) "\\00\\00\\00\\00\\00\\00\\00\\00")'


@pytest.fixture(scope="session")
def wit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package whose world exports the life cycle."""
    return life_cycle(tmp_path_factory.mktemp("wit"))


@pytest.fixture(scope="session")
def handler(engine: aw.Engine, wit: Path) -> aw.Component:
    """Answer with what was sent: ``!`` traps, ``?`` never ends, ``#`` counts, ``-`` refuses.

    A message of ``H`` and one byte sets what ``health`` says: 0 healthy, 1 degraded,
    2 unhealthy, 3 unknown, 8 traps, 9 never ends.
    """
    return wrapped(engine, HANDLER, wit)


@pytest.fixture(scope="session")
def json_handler(engine: aw.Engine, wit: Path) -> aw.Component:
    """The same, and its ``metadata`` declares that it reads JSON and nothing else."""
    source = HANDLER.read_text()
    assert DECLARES_NOTHING in source
    json = '(data (i32.const 1072) "\\00\\08\\00\\00\\01\\00\\00\\00")'
    json += ' (data (i32.const 2048) "\\00\\02\\00\\00")'
    (wit / "json.wat").write_text(source.replace(DECLARES_NOTHING, json))
    return wrapped(engine, wit / "json.wat", wit)


@pytest.fixture(scope="session")
def mute_handler(engine: aw.Engine, wit: Path) -> aw.Component:
    """The same, and its ``metadata`` traps."""
    told = 'metadata") (result i32) (i32.const 1024))'
    assert told in HANDLER.read_text()
    traps = HANDLER.read_text().replace(told, 'metadata") (result i32) (unreachable))')
    (wit / "mute.wat").write_text(traps)
    return wrapped(engine, wit / "mute.wat", wit)


@pytest.fixture(autouse=True)
def nothing_is_left(engine: aw.Engine) -> Iterator[None]:
    """However a host ends, its instances end with it; a handler that runs, at its next tick."""
    yield
    for _ in range(100):
        if engine.live_instances == 0:
            break
        time.sleep(0.01)
    assert engine.live_instances == 0
