"""``airssys-wasm stubs SOURCE -o FILE``: typed Python for a component's interfaces."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from airssys_wasm import wit
from airssys_wasm.cli.screen import Screen
from airssys_wasm.cli.source import interfaces_of

NAME = "stubs"
HELP = "Write typed Python (.pyi) for a component or a folder of WIT."


def command(
    context: typer.Context,
    source: Annotated[
        Path, typer.Argument(exists=True, help="A component, or a folder of WIT files.")
    ],
    *,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The .pyi file to write; .py can be imported.")
    ],
    world: Annotated[
        str | None, typer.Option("--world", help="For WIT with several worlds, which one.")
    ] = None,
) -> None:
    """Write the stubs and print where they are."""
    if output.suffix not in {".py", ".pyi"}:
        raise typer.BadParameter(f"{output} is no Python file; name it .pyi, or .py to import it")
    with interfaces_of(source) as interfaces:
        described = wit.describe(interfaces, world=world)
    wit.write_stubs(described, output)
    context.ensure_object(Screen).data(str(output))
