"""``airssys-wasm inspect COMPONENT``: what it imports, what it exports, and its WIT."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

import airssys_wasm as aw
from airssys_wasm.cli.screen import Screen

NAME = "inspect"
HELP = "Show what a component imports and exports."


def _functions(interfaces: Mapping[str, Mapping[str, object]]) -> dict[str, list[str]]:
    return {
        name: [str(signature) for signature in functions.values()]
        for name, functions in interfaces.items()
    }


def command(
    context: typer.Context,
    component: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A component.")],
    *,
    wit: Annotated[bool, typer.Option("--wit", help="Print its world as WIT and no more.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Load the component, which checks it, and print what it is."""
    screen = context.find_object(Screen)
    loaded = aw.Engine().load(component)
    imports, exports = _functions(loaded.imports), _functions(loaded.exports)
    if wit:
        screen.data(loaded.wit)
    elif as_json:
        screen.json({"imports": imports, "exports": exports, "wit": loaded.wit})
    else:
        for title, interfaces in (("imports", imports), ("exports", exports)):
            screen.out.print(title, style="bold")
            for name, signatures in interfaces.items():
                screen.out.print(f"  {name or '(world)'}", markup=False)
                for signature in signatures:
                    screen.out.print(f"    {signature}", style="dim", markup=False)
