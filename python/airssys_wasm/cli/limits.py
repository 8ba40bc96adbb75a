"""The limit flags that every command with a guest in it takes."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import typer

import airssys_wasm as aw
from airssys_wasm.cli.quantities import parse_bytes

__all__ = ["Fuel", "Memory", "Seconds", "limits_of"]

Memory = Annotated[
    int,
    typer.Option(
        "--memory",
        parser=parse_bytes,
        metavar="SIZE",
        help="Memory of the instance, for example 2MiB.",
    ),
]
Seconds = Annotated[
    float, typer.Option("--seconds", metavar="SECONDS", help="Wall-clock time of one call.")
]
Fuel = Annotated[
    int | None,
    typer.Option("--fuel", metavar="UNITS", help="Deterministic work budget of one call."),
]


_LEAST = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=1.0)
_USUAL = aw.Policy()
#: The flag, the limit that it sets, and the policy's ceiling for that.
_ROWS = (
    ("--memory", "memory_bytes_max", "memory_bytes_ceiling"),
    ("--seconds", "call_seconds_max", "call_seconds_ceiling"),
    ("--fuel", "fuel_max", "fuel_ceiling"),
)
#: So few bytes are no memory, and most likely mebibytes.
_TYPED_WITHOUT_UNIT_MAX = 4096


def limits_of(memory_bytes: int, seconds: float, fuel: int | None) -> tuple[aw.Limits, aw.Policy]:
    """Return the limits that the flags ask for, and a policy that allows them.

    Who types the flags is who would set the policy; what no policy can allow is refused.

    Raises:
        LimitInvalid: a figure is outside its range; the flag is named.
    """
    limits, policy = _LEAST, _USUAL
    figures: tuple[Any, ...] = (memory_bytes, seconds, fuel)
    for (flag, limit, ceiling), figure in zip(_ROWS, figures, strict=True):
        if figure is None:
            continue
        try:
            limits = replace(limits, **{limit: figure})
            policy = replace(policy, **{ceiling: max(figure, getattr(_USUAL, ceiling))})
        except aw.LimitInvalid as error:
            reason = str(error).removeprefix(f"{limit}: ").removeprefix(f"{ceiling}: ")
            if flag == "--memory" and 0 < figure <= _TYPED_WITHOUT_UNIT_MAX:
                reason += f"; a number alone is bytes: write {figure}MiB"
            raise aw.LimitInvalid(f"{flag}: {reason}") from error
    return limits, policy
