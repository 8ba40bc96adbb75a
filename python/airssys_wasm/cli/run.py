"""``airssys-wasm run COMPONENT FUNCTION [JSON…]``: call one function inside limits."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Annotated, Any

import typer

import airssys_wasm as aw
from airssys_wasm import wit
from airssys_wasm.cli.limits import Fuel, Memory, Seconds
from airssys_wasm.cli.printable import printable
from airssys_wasm.cli.screen import Screen
from airssys_wasm.cli.values import from_json, to_json
from airssys_wasm.demo.render import cost_text
from airssys_wasm.demo.scenes import Cost
from airssys_wasm.wit.model import Type, World

NAME = "run"
HELP = "Call one function of a component inside hard limits."
#: A negative number is a value here, and not an option.
SETTINGS = {"ignore_unknown_options": True}


# Typer shows a default as it was written. Enough for a guest in Python or JavaScript.
_MEMORY: Any = "64MiB"


def command(
    context: typer.Context,
    component: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A component.")],
    function: Annotated[
        str, typer.Argument(help="What to call: NAME, or INTERFACE#NAME, as `inspect` lists it.")
    ],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="JSON", help='One JSON value each: 1, "text", {"age": 36}.'),
    ] = None,
    *,
    memory: Memory = _MEMORY,
    seconds: Seconds = 1.0,
    fuel: Fuel = None,
    receipt: Annotated[
        bool, typer.Option("--receipt", help="Print what the call cost on stderr.")
    ] = False,
) -> None:
    """Print the result as JSON on stdout, and what the guest prints on stderr."""
    screen = context.ensure_object(Screen)
    values = [_parse(text, context) for text in arguments or ()]
    limits = aw.Limits(memory_bytes_max=memory, call_seconds_max=seconds, fuel_max=fuel)
    loaded = aw.Engine(policy=_policy_for(limits)).load(component)
    values = _typed(values, _world(loaded), function)
    with loaded.instantiate(limits=limits) as instance:
        try:
            # A word of the shell may be any bytes; what is no text is no export.
            result = instance.call(printable(function), *values)
        finally:
            for line in (instance.stdout + instance.stderr).splitlines():
                screen.err.print(f"guest: {line}", markup=False)
            if receipt and instance.receipt is not None:
                screen.err.print(f"receipt: {cost_text(Cost.of(instance.receipt))}", markup=False)
    try:
        screen.json(to_json(result), indent=None)
    except TypeError as error:
        raise typer.BadParameter(f"{function} is of no use from a command line: {error}") from error


def _world(loaded: aw.Component) -> World | None:
    """Return its interface, or None where that has no form in WIT: a call needs none."""
    try:
        return wit.describe(loaded.wit)
    except aw.ComponentInvalid:
        return None


def _typed(values: list[Any], world: World | None, function: str) -> list[Any]:
    """Turn JSON into what ``function`` takes, as far as that is known."""
    types = _parameters(world, function) if world is not None else None
    if world is None or types is None or len(types) != len(values):
        return values
    return [from_json(v, t, world) for v, t in zip(values, types, strict=True)]


def _parameters(world: World, function: str) -> list[Type] | None:
    """Return the types that ``function`` takes, or None: then the call says what is wrong."""
    interface, _, name = function.rpartition("#")
    for key, exported in world.exports.items():
        if interface in {key, key.partition("@")[0]} and name in exported:
            return [param.type for param in exported[name].params]
    return None


def _policy_for(limits: aw.Limits) -> aw.Policy:
    """Allow what was asked for: who types the flags is who would set the policy."""
    usual = aw.Policy()
    return aw.Policy(
        memory_bytes_ceiling=max(usual.memory_bytes_ceiling, limits.memory_bytes_max),
        fuel_ceiling=max(usual.fuel_ceiling, limits.fuel_max or 0),
    )


def _parse(text: str, context: typer.Context) -> object:
    try:
        value: object = json.loads(text)
    except json.JSONDecodeError as error:
        if text.startswith("-"):
            raise _no_option(text, context) from error
        raise typer.BadParameter(
            f"{text!r} is not JSON ({error}); quote texts twice: '\"Ada\"'"
        ) from error
    return value


def _no_option(text: str, context: typer.Context) -> typer.BadParameter:
    known = [name for parameter in context.command.params for name in parameter.opts]
    close = difflib.get_close_matches(text, known, n=1)
    meant = f"; did you mean {close[0]}?" if close else ""
    return typer.BadParameter(f"no such option: {text}{meant}")
