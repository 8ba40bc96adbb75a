"""``airssys-wasm run COMPONENT FUNCTION [JSON…]``: call one function inside limits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

import airssys_wasm as aw
from airssys_wasm import wit
from airssys_wasm.cli.limits import Fuel, Memory, Seconds
from airssys_wasm.cli.screen import Screen
from airssys_wasm.cli.values import from_json, to_json
from airssys_wasm.wit.model import Type, World

NAME = "run"
HELP = "Call one function of a component inside hard limits."


def command(
    context: typer.Context,
    component: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A component.")],
    function: Annotated[
        str, typer.Argument(help="What to call: NAME, or INTERFACE#NAME, as `inspect` lists it.")
    ],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[JSON]...", help='One JSON value each: 1, "text", {"age": 36}.'),
    ] = None,
    *,
    memory: Memory = 2 * aw.MIB,
    seconds: Seconds = 1.0,
    fuel: Fuel = None,
    receipt: Annotated[
        bool, typer.Option("--receipt", help="Print what the call cost on stderr.")
    ] = False,
) -> None:
    """Print the result as JSON on stdout."""
    screen = context.ensure_object(Screen)
    values = [_parse(text) for text in arguments or ()]
    limits = aw.Limits(memory_bytes_max=memory, call_seconds_max=seconds, fuel_max=fuel)
    loaded = aw.Engine().load(component)
    world = wit.describe(loaded.wit)
    types = _parameters(world, function)
    if types is not None and len(types) == len(values):
        values = [from_json(v, t, world) for v, t in zip(values, types, strict=True)]
    with loaded.instantiate(limits=limits) as instance:
        try:
            result = instance.call(function, *values)
        finally:
            if receipt and instance.receipt is not None:
                screen.err.print(str(instance.receipt), markup=False)
    try:
        screen.json(to_json(result), indent=None)
    except TypeError as error:
        raise typer.BadParameter(f"{function} is of no use from a command line: {error}") from error


def _parameters(world: World, function: str) -> list[Type] | None:
    """Return the types that ``function`` takes, or None: then the call says what is wrong."""
    interface, _, name = function.rpartition("#")
    for key, exported in world.exports.items():
        if interface in {key, key.partition("@")[0]} and name in exported:
            return [param.type for param in exported[name].params]
    return None


def _parse(text: str) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise typer.BadParameter(
            f"{text!r} is not JSON ({error}); quote texts twice: '\"Ada\"'"
        ) from error
