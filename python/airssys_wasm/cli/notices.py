"""What the library logs while a command runs, said in the command's words."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from airssys_wasm.cli.screen import Screen

__all__ = ["notices_on"]

_LIBRARY = "airssys_wasm"
#: By logger: what to do about it from the command line. Its own hints are for Python.
_HINTS = {
    "airssys_wasm.runtime": "a larger --memory allows more",
    "airssys_wasm.runtime.engine": "let AIRSWASM_HOME name a folder of yours",
}


@contextmanager
def notices_on(screen: Screen) -> Iterator[None]:
    """Show what is logged inside the block on ``screen``, warnings and worse."""
    logger, handler = logging.getLogger(_LIBRARY), _Notices(screen)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class _Notices(logging.Handler):
    def __init__(self, screen: Screen) -> None:
        super().__init__(logging.WARNING)
        self._screen = screen

    def emit(self, record: logging.LogRecord) -> None:
        """Show one record; a failure to do so is logging's to report."""
        try:
            what, _, hint = record.getMessage().partition("; hint: ")
            self._screen.warning(what, _HINTS.get(record.name, hint))
        except Exception:  # noqa: BLE001 - as every handler does: a log ends no command
            self.handleError(record)
