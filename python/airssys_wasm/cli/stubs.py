"""``airssys-wasm stubs SOURCE -o FILE``: typed Python for a component's interfaces."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import airssys_wasm as aw
from airssys_wasm.cli.screen import Screen

NAME = "stubs"
HELP = "Write typed Python (.pyi) for a component or a folder of WIT."


def command(
    context: typer.Context,
    source: Annotated[
        Path, typer.Argument(exists=True, help="A component, or a folder of WIT files.")
    ],
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="The .pyi file to write.")],
) -> None:
    """Write the stubs and print where they are."""
    aw.Engine().load(source).stubs(output)
    context.ensure_object(Screen).data(str(output))
