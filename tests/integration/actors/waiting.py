"""Waiting for what comes true by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

LOOKS = 1000
LOOK_SECONDS = 0.01


async def until(what: object, is_so: Callable[[], object]) -> None:
    """Return once ``is_so()``; fail if that does not come in ten seconds."""
    for _ in range(LOOKS):
        if is_so():
            return
        await asyncio.sleep(LOOK_SECONDS)
    pytest.fail(f"never: {what}")
