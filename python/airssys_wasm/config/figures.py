"""Checks of figures that somebody set, and how a refused one is printed."""

from __future__ import annotations

import reprlib

from airssys_wasm.errors import LimitInvalid

# Python converts no longer number to text (sys.int_info.default_max_str_digits), and
# nobody reads one of a tenth of that.
_PRINTED_BITS_MAX = 1024


def require_whole(name: str, value: object, low: int, high: int) -> None:
    """Return if ``value`` is a whole number of the range.

    Raises:
        LimitInvalid: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise LimitInvalid(f"{name}: {printed(value)} is outside {low} to {high}, or no int")


def require_seconds(name: str, value: object, low: float, high: float) -> None:
    """Return if ``value`` is a time of the range.

    Raises:
        LimitInvalid: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise LimitInvalid(f"{name}: {printed(value)} is outside {low} to {high}")


def printed(value: object) -> str:
    """Give the text of any value, however long it would be.

    Returns:
        its ``repr``, shortened in the middle if need be.
    """
    if isinstance(value, int) and value.bit_length() > _PRINTED_BITS_MAX:
        return f"a number of {value.bit_length()} bits"
    return reprlib.repr(value)
