"""Settings that every test runs under, and the components they call."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    import airssys_wasm as aw

# A shared two-core machine is slow in bursts: a deadline per example would
# fail laws that hold. pytest-timeout still ends a test that hangs.
settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that starts the tests in the background has Ctrl-C ignored, by them and by what
    # they start; some are about it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

PREBUILT = Path(__file__).parent / "components" / "prebuilt"


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> aw.Engine:
    """One engine for all, as an application has it; its cache is nobody else's."""
    import airssys_wasm as aw  # noqa: PLC0415 - tests of the code itself need no native module

    return aw.Engine(cache_dir=tmp_path_factory.mktemp("compiled"))


@pytest.fixture(scope="session")
def echo(engine: aw.Engine) -> aw.Component:
    """The component that gives back what it is given; it imports nothing."""
    return engine.load(PREBUILT / "echo.wasm")


@pytest.fixture(scope="session")
def importer(engine: aw.Engine) -> aw.Component:
    """The component that calls what the embedder supplies."""
    return engine.load(PREBUILT / "importer.wasm")


@pytest.fixture(scope="session")
def limits() -> aw.Limits:
    """Limits that no well-behaved guest of these tests comes near."""
    import airssys_wasm as aw  # noqa: PLC0415 - as above

    return aw.Limits(memory_bytes_max=16 * aw.MIB, call_seconds_max=20.0)


@pytest.fixture
def instance(echo: aw.Component, limits: aw.Limits) -> Iterator[aw.Instance]:
    """A fresh instance of ``echo``."""
    with echo.instantiate(limits=limits) as instance:
        yield instance
