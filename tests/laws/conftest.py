"""One instance for all examples of a law: a value that is refused must leave it unharmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    import airssys_wasm as aw


@pytest.fixture(scope="session")
def echoing(echo: aw.Component, limits: aw.Limits) -> Iterator[aw.Instance]:
    """An instance of ``echo`` that every example shares."""
    with echo.instantiate(limits=limits) as instance:
        yield instance
