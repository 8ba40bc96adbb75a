"""Keeps to itself what a scene tells better than the log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["unlogged"]


@contextmanager
def unlogged(logger: str) -> Iterator[None]:
    """Drop what ``logger`` says inside the ``with`` block: it is expected there."""

    def nothing(_record: logging.LogRecord) -> bool:
        return False

    log = logging.getLogger(logger)
    log.addFilter(nothing)
    try:
        yield
    finally:
        log.removeFilter(nothing)
