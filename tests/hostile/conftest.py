"""One engine for the attacks that need nothing special, and a neighbour to watch."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.hostile.attack import Host

import airssys_wasm as aw


@pytest.fixture(scope="session")
def engine() -> aw.Engine:
    return aw.Engine(cache_dir=None, pool_instances=200)


@pytest.fixture
def host(engine: aw.Engine) -> Iterator[Host]:
    """Give an engine under watch: each attack on it is followed by a look at its health."""
    host = Host(engine)
    yield host
    host.close()
