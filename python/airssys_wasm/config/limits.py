"""Hard limits of one instance."""

from __future__ import annotations

import math
from dataclasses import dataclass

from airssys_wasm.config.figures import printed
from airssys_wasm.errors import LimitInvalid

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

MEMORY_BYTES_MIN = 64 * KIB
CALL_SECONDS_MIN = 0.001
#: The engine counts bytes and fuel in 64 bits, with a sign.
COUNT_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one instance may use; the engine enforces each of them.

    There is no unlimited instance: memory and time have no default.

    Args:
        memory_bytes_max: bytes of all memories and tables of the instance
            together, 64 KiB (one WebAssembly page) to 2**63 - 1. Growing past it
            fails inside the guest; a guest that cannot go on without the memory
            ends with ``OutOfMemory``. From 90 % on there is a warning, in the
            receipt and through the logger ``airssys_wasm.runtime``. The bytes and
            values of one result or host call, as they cross, are bounded by the
            same figure, and by 64 MiB. The Python objects made of them can take
            several times that, one call at a time: dicts made of records about
            six times, text with one wide character four. 512 KiB to 4 MiB fit most
            guests in Rust; Python and JavaScript guests need tens of MiB.
        call_seconds_max: wall-clock time of one call, host calls and waiting
            for the host included, at least 0.001. Past it the call ends with
            ``CallTimeout``. It bounds start functions, constructors and
            destructors too.
        fuel_max: deterministic fuel of one call, 1 to 2**63 - 1, about one unit for each
            instruction, or ``None`` to leave fuel unmetered. Past it the call
            ends with ``FuelExhausted``. A call of a host function, yours or
            WASI's, or of a destructor of the host costs 500 units, and each
            byte of payload it carries in or out one more; how long the host
            then works is bounded by ``call_seconds_max`` alone. Metered code
            runs slower, so only instances with a fuel limit use it.

    Raises:
        LimitInvalid: a figure is no number of the right kind, or outside its range. The
            engine's policy sets lower upper ends, checked by ``instantiate``.
    """

    memory_bytes_max: int
    call_seconds_max: float
    fuel_max: int | None = None

    def __post_init__(self) -> None:
        """Refuse nonsense when it is made, not when it is used."""
        _whole("memory_bytes_max", self.memory_bytes_max, MEMORY_BYTES_MIN)
        _seconds("call_seconds_max", self.call_seconds_max)
        if self.fuel_max is not None:
            _whole("fuel_max", self.fuel_max, 1)


def _whole(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise LimitInvalid(f"{name}: expected an int, got {type(value).__name__} {printed(value)}")
    if value < least:
        raise LimitInvalid(f"{name}: {printed(value)} is below {least}")
    if value > COUNT_MAX:
        raise LimitInvalid(f"{name}: {printed(value)} is above {COUNT_MAX}, 64 bits with a sign")


def _seconds(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise LimitInvalid(f"{name}: expected seconds, got {type(value).__name__} {printed(value)}")
    # Compared, never converted: an int may be past the range of floats.
    if not CALL_SECONDS_MIN <= value < math.inf:
        raise LimitInvalid(
            f"{name}: {printed(value)} is not a time of at least {CALL_SECONDS_MIN} s"
        )
