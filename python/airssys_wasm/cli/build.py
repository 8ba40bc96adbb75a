"""``airssys-wasm build SOURCE``: turn a guest's sources into a component."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from airssys_wasm import sdk
from airssys_wasm.cli.screen import Screen

NAME = "build"
HELP = "Turn a guest in Rust, Python or JavaScript into a component."


def command(
    context: typer.Context,
    source: Annotated[
        Path,
        typer.Argument(
            exists=True,
            file_okay=False,
            help="The folder that holds its Cargo.toml, app.py or package.json.",
        ),
    ],
    *,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="The component to write; default SOURCE/NAME.wasm."),
    ] = None,
) -> None:
    """Build the guest and print the path of the component."""
    screen = context.ensure_object(Screen)
    # On a terminal the compiler's latest line; its errors come with the error.
    with screen.err.status("building") as status:
        component = sdk.build(source, output, on_line=lambda line: status.update(escape(line)))
    screen.data(str(component))
