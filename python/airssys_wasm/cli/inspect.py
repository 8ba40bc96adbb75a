"""``airssys-wasm inspect SOURCE``: what it imports, what it exports, and its WIT.

Nothing of it runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from airssys_wasm import wit
from airssys_wasm.cli.screen import Screen
from airssys_wasm.cli.source import interfaces_of

NAME = "inspect"
HELP = "Show what a component imports and exports."


def command(
    context: typer.Context,
    source: Annotated[
        Path, typer.Argument(exists=True, help="A component, or a folder of WIT files.")
    ],
    *,
    world: Annotated[
        str | None, typer.Option("--world", help="For WIT with several worlds, which one.")
    ] = None,
    as_wit: Annotated[
        bool, typer.Option("--wit", help="Print everything as WIT and no more.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Read the interfaces and print them."""
    screen = context.ensure_object(Screen)
    if as_wit and as_json:
        raise typer.BadParameter('--wit and --json exclude each other; the JSON has a "wit" in it')
    with interfaces_of(source) as interfaces:
        as_text = wit.world_text(interfaces) if as_wit or as_json else ""
        described = wit.describe(interfaces, world=world) if not as_wit else None
    if described is None:
        screen.lines(as_text)
    elif as_json:
        screen.json(
            {
                "world": described.name,
                "imports": _signatures(described.imports),
                "exports": _signatures(described.exports),
                "wit": as_text,
            }
        )
    else:
        _show("imports", described.imports, screen)
        _show("exports", described.exports, screen)


def _signatures(interfaces: Mapping[str, wit.Interface]) -> dict[str, dict[str, str]]:
    return {
        name: {function: str(signature) for function, signature in interface.items()}
        for name, interface in interfaces.items()
    }


def _show(title: str, interfaces: Mapping[str, wit.Interface], screen: Screen) -> None:
    screen.out.print(title if interfaces else f"{title}: nothing", style="bold")
    for name, interface in interfaces.items():
        screen.out.print(f"  {name or '(the world itself)'}", markup=False)
        for function in interface.values():
            screen.out.print(f"    {function}", style="dim", markup=False)
