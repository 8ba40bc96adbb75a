"""Sizes as people write them: ``512KiB``, ``2 MiB``, ``65536``."""

from __future__ import annotations

import re

import typer

__all__ = ["parse_bytes"]

_UNITS = {
    "": 1,
    "b": 1,
    "kb": 1_000,
    "mb": 1_000_000,
    "gb": 1_000_000_000,
    "kib": 1 << 10,
    "mib": 1 << 20,
    "gib": 1 << 30,
}
_SIZE = re.compile(r"\s*(\d+)\s*([A-Za-z]*)\s*")


def parse_bytes(text: str | int) -> int:
    """Return the number of bytes that ``text`` means.

    Args:
        text: a whole number and, optionally, one of B, kB, MB, GB, KiB, MiB, GiB;
            a number is bytes already, as Typer hands a default over.

    Raises:
        typer.BadParameter: it is not written like that.
    """
    if isinstance(text, int):
        return text
    match = _SIZE.fullmatch(text)
    if match is None or match[2].lower() not in _UNITS:
        raise typer.BadParameter(f"{text!r} is not a size; write 512KiB, 2MiB or 65536")
    return int(match[1]) * _UNITS[match[2].lower()]
