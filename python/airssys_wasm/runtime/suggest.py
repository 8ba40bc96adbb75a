"""Limits derived from what calls really used."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from airssys_wasm._native.runtime import Receipt
from airssys_wasm.config import KIB, Limits
from airssys_wasm.config.limits import CALL_SECONDS_MIN

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Memory grows in pages of this size.
_PAGE_BYTES = 64 * KIB
_CALL_SECONDS_LEAST = 0.05
_FUEL_STEP = 1_000
#: Far past any use, and small enough for every figure to stay a number.
_HEADROOM_MAX = 1_000


def suggest_limits(receipts: Iterable[Receipt], *, headroom: float = 2.0) -> Limits:
    """Derive limits from recorded receipts.

    Args:
        receipts: of calls that stand for the work to come; the largest of each
            figure counts.
        headroom: how many times that figure to allow, 1 to 1000.

    Returns:
        Memory rounded up to a page, time rounded up to a millisecond and never
        below 50 ms, and fuel, rounded up to a thousand, if every call was metered.

    Raises:
        ValueError: there are no receipts, one of them is none, or ``headroom`` is
            outside its range.
    """
    recorded = list(receipts)
    if not recorded:
        raise ValueError("no receipts to derive limits from; hint: record Instance.receipt")
    if strange := [each for each in recorded if not isinstance(each, Receipt)]:
        raise ValueError(
            f"receipts: expected each to be a Receipt, got {type(strange[0]).__name__}; "
            "hint: Instance.receipt is None before the first call"
        )
    _require_headroom(headroom)
    fuel = [receipt.fuel for receipt in recorded if receipt.fuel is not None]
    memory_bytes = max(receipt.memory_bytes_peak for receipt in recorded)
    seconds = max(receipt.seconds for receipt in recorded)
    return Limits(
        memory_bytes_max=max(_rounded_up(memory_bytes * headroom, _PAGE_BYTES), _PAGE_BYTES),
        call_seconds_max=max(
            math.ceil(seconds * headroom / CALL_SECONDS_MIN) * CALL_SECONDS_MIN,
            _CALL_SECONDS_LEAST,
        ),
        fuel_max=(
            _rounded_up(max(fuel) * headroom, _FUEL_STEP) if len(fuel) == len(recorded) else None
        ),
    )


def _require_headroom(headroom: object) -> None:
    if (
        isinstance(headroom, bool)
        or not isinstance(headroom, int | float)
        or not 1 <= headroom <= _HEADROOM_MAX
    ):
        raise ValueError(f"headroom: {headroom!r} is no number from 1 to {_HEADROOM_MAX}")


def _rounded_up(figure: float, step: int) -> int:
    return math.ceil(figure / step) * step
