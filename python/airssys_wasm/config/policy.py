"""The upper ends an engine allows for the limits of its instances."""

from __future__ import annotations

from dataclasses import dataclass

from airssys_wasm.config.figures import require_seconds, require_whole
from airssys_wasm.config.limits import GIB, MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Ceilings for ``Limits``; ``instantiate`` refuses what passes them.

    There are no floors: a smaller budget takes nothing from anybody but its guest.

    Args:
        memory_bytes_ceiling: highest ``Limits.memory_bytes_max``, 64 KiB to
            4 GiB. The default fits guests in Python and JavaScript; 4 MiB is
            enough where all guests are in Rust. Bulk memory instructions are only
            stopped between two of them: one over 256 MiB takes about 50 ms.
        call_seconds_ceiling: highest ``Limits.call_seconds_max``, up to 300.
        fuel_ceiling: highest ``Limits.fuel_max``, up to 2**63 - 1.

    Raises:
        LimitInvalid: a ceiling is outside its range.
    """

    memory_bytes_ceiling: int = 256 * MIB
    call_seconds_ceiling: float = 300.0
    fuel_ceiling: int = 100_000_000

    def __post_init__(self) -> None:
        """Refuse ceilings that the engine could not keep."""
        require_whole("memory_bytes_ceiling", self.memory_bytes_ceiling, 64 * 1024, 4 * GIB)
        require_seconds("call_seconds_ceiling", self.call_seconds_ceiling, 0.001, 300.0)
        require_whole("fuel_ceiling", self.fuel_ceiling, 1, 2**63 - 1)
