"""``airssys-wasm demo [FILE]``: real work, a crash that costs nothing, attacks that fail."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from airssys_wasm.cli.screen import Screen
from airssys_wasm.cli.status import Status
from airssys_wasm.demo import play
from airssys_wasm.demo.render import render
from airssys_wasm.demo.texts import read, shipped

NAME = "demo"
HELP = "Components at work on a text, actors that survive a crash, attacks that are stopped."


def command(
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(
            exists=True,
            dir_okay=False,
            readable=True,
            help="A text to read; default: the licence and the README.",
        ),
    ] = None,
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON; docs/spec/demo-output.md has the schema.")
    ] = False,
) -> int:
    """Play the demonstration; the status is 1 if the host did not hold."""
    screen = context.ensure_object(Screen)
    # Only a terminal sees this, and only while it waits.
    with screen.err.status("at work; the first time compiles a Python interpreter, some seconds"):
        show = play([read(file)] if file else shipped())
    if as_json:
        screen.json(show.as_data())
    else:
        render(show, screen.out)
    return Status.OK if show.held else Status.GENERAL
