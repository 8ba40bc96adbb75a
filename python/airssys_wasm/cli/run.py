"""``airssys-wasm run COMPONENT FUNCTION [JSON…]``: call one function inside limits."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Annotated, Any

import typer

import airssys_wasm as aw
from airssys_wasm import wit
from airssys_wasm.cli.limits import Fuel, Memory, Seconds, limits_of
from airssys_wasm.cli.printable import printable
from airssys_wasm.cli.screen import Screen
from airssys_wasm.cli.source import name_of
from airssys_wasm.cli.values import FORMS, from_json, to_json
from airssys_wasm.config.figures import printed
from airssys_wasm.demo.render import cost_text
from airssys_wasm.demo.scenes import Cost
from airssys_wasm.runtime.lifecycle import Identity, component_name
from airssys_wasm.wit.model import World

NAME = "run"
HELP = "Call one function of a component inside hard limits."
#: A negative number is a value here, and not an option.
SETTINGS = {"ignore_unknown_options": True}
_FORM_COLUMNS = max(len(kind) for kind, _ in FORMS) + 2
# "\b" keeps the lines below it as they are.
EPILOG = "\n".join(
    [
        "\b",
        "Arguments are JSON, one for each parameter; results are printed in the same forms:",
        *(f"  {kind:<{_FORM_COLUMNS}}{form}" for kind, form in FORMS),
    ]
)


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
    limits, policy = limits_of(memory, seconds, fuel)
    loaded = aw.Engine(policy=policy).load(component, name=name_of(component))
    # A word of the shell may be any bytes; what is no text is no export.
    name = loaded.full_name(printable(function))
    values = _typed(values, _world(loaded), name)
    # The guest is not told the path that errors show.
    identity = Identity("local", component_name(component.stem))
    with loaded.instantiate_as(identity, limits=limits) as instance:
        try:
            result = instance.call(name, *values)
        except aw.Trapped as error:
            raise _with_memory(error, instance.receipt) from error
        finally:
            for line in (instance.stdout + instance.stderr).splitlines():
                screen.err.print(f"guest: {line}", markup=False)
            if receipt and instance.receipt is not None:
                screen.err.print(f"receipt: {cost_text(Cost.of(instance.receipt))}", markup=False)
    try:
        screen.json(to_json(result), indent=None)
    except TypeError as error:
        raise typer.BadParameter(f"{function} is of no use from a command line: {error}") from error


def _with_memory(error: aw.Trapped, receipt: aw.Receipt) -> aw.Trapped:
    """Say of a trap that the guest was refused memory before it, if it was."""
    if not receipt.memory_denied:
        return error
    return aw.Trapped(
        f"{error}; hint: the guest was refused memory before it failed; a larger --memory may help",
        error.kind,
        error.component,
        error.export,
        error.backtrace,
    )


def _world(loaded: aw.Component) -> World | None:
    """Return its interface, or None where that has no form in WIT: a call needs none."""
    try:
        return wit.describe(loaded.wit)
    except aw.ComponentInvalid:
        return None


def _typed(values: list[Any], world: World | None, function: str) -> list[Any]:
    """Turn JSON into what ``function``, by its full name, takes, as far as that is known."""
    interface, _, name = function.rpartition("#")
    functions = world.exports.get(interface) if world is not None else None
    taken = functions.get(name) if functions is not None else None
    if world is None or taken is None or len(taken.params) != len(values):
        return values
    return [from_json(v, p.type, world) for v, p in zip(values, taken.params, strict=True)]


def _parse(text: str, context: typer.Context) -> object:
    try:
        value: object = json.loads(text)
    except RecursionError as error:
        raise typer.BadParameter(f"{printed(text)} nests too deep") from error
    except json.JSONDecodeError as error:
        if text.startswith("-"):
            raise _no_option(text, context) from error
        hint = "quote texts twice: '\"Ada\"'"
        if text.lstrip().startswith(("{", "[")):
            hint = """texts and names within are in double quotes: '{"name": "Ada"}'"""
        raise typer.BadParameter(f"{printed(text)} is not JSON ({error}); {hint}") from error
    except ValueError as error:
        raise typer.BadParameter(f"{printed(text)}: too many digits for a number") from error
    return value


def _no_option(text: str, context: typer.Context) -> typer.BadParameter:
    known = [name for parameter in context.command.params for name in parameter.opts]
    close = difflib.get_close_matches(text, known, n=1)
    meant = f"; did you mean {close[0]}?" if close else ""
    return typer.BadParameter(f"no such option: {text}{meant}")
