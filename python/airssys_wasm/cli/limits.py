"""The limit flags that every command with a guest in it takes."""

from __future__ import annotations

from typing import Annotated

import typer

from airssys_wasm.cli.quantities import parse_bytes

__all__ = ["Fuel", "Memory", "Seconds"]

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
