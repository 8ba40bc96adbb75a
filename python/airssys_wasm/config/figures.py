"""Checks of figures that somebody set, and how a refused one is printed."""

from __future__ import annotations

import reprlib
from typing import Final

from airssys_wasm.errors import LimitInvalid

#: No wait is longer: 31 years. An event loop cannot add what no float can hold.
SECONDS_MAX: Final = 1e9

# Python converts no longer number to text (sys.int_info.default_max_str_digits), and
# nobody reads one of a tenth of that.
_PRINTED_BITS_MAX = 1024


def is_whole(value: object, low: int, high: int) -> bool:
    """Say whether ``value`` is a whole number of the range."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def is_number(value: object, low: float, high: float) -> bool:
    """Say whether ``value`` is a number of the range."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return low <= value <= high


def require_whole(name: str, value: object, low: int, high: int) -> None:
    """Return if ``value`` is a whole number of the range.

    Raises:
        LimitInvalid: it is not.
    """
    if not is_whole(value, low, high):
        kind = "" if isinstance(value, int) and not isinstance(value, bool) else ", or no int"
        raise LimitInvalid(f"{name}: {printed(value)} is outside {low} to {high}{kind}")


def require_seconds(name: str, value: object, low: float, high: float) -> None:
    """Return if ``value`` is a time of the range.

    Raises:
        LimitInvalid: it is not.
    """
    if not is_number(value, low, high):
        raise LimitInvalid(f"{name}: {printed(value)} is outside {low} to {high}")


def printed(value: object) -> str:
    """Give the text of any value, however long it would be.

    Returns:
        its ``repr``, shortened in the middle if need be.
    """
    if isinstance(value, int) and value.bit_length() > _PRINTED_BITS_MAX:
        return f"a number of {value.bit_length()} bits"
    return reprlib.repr(value)
