"""The command line's frame: its commands, its flags, and how an error ends it."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer

from airssys_wasm.cli import build, demo, inspect, interfaces, run, stubs
from airssys_wasm.cli.notices import notices_on
from airssys_wasm.cli.screen import Screen
from airssys_wasm.cli.status import Status, spoken, status_of
from airssys_wasm.errors import AirssysError, ComponentFailed

__all__ = ["execute", "main"]

_PROGRAM = "airssys-wasm"
_VERBOSE = "--verbose"

app = typer.Typer(
    name=_PROGRAM,
    help="Run WebAssembly components inside hard limits.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
_COMMANDS = {command.NAME: command for command in (demo, run, inspect, stubs, build, interfaces)}
for _name, _command in _COMMANDS.items():
    app.command(
        name=_name,
        help=_command.HELP,
        epilog=getattr(_command, "EPILOG", None),
        context_settings=getattr(_command, "SETTINGS", None),
    )(_command.command)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{_PROGRAM} {version(_PROGRAM)}")
        raise typer.Exit


@app.callback()
def _frame(
    context: typer.Context,
    *,
    verbose: Annotated[
        bool, typer.Option(_VERBOSE, help="Show a traceback under an error.")
    ] = False,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    context.ensure_object(Screen).verbose = verbose


def execute(arguments: Sequence[str], screen: Screen) -> int:
    """Run one command and return its exit status; nothing escapes but a signal.

    Args:
        arguments: what stands behind the program's name.
        screen: where output and errors go.
    """
    try:
        with notices_on(screen):
            result = typer.main.get_command(app).main(
                args=_verbose_first(arguments) or ["--help"],
                prog_name=_PROGRAM,
                standalone_mode=False,
                obj=screen,
            )
    except typer.TyperException as error:
        asked = next((word for word in arguments if word in _COMMANDS), None)
        usage = f"{_PROGRAM} {asked}" if asked else _PROGRAM
        screen.error(error.format_message(), f"`{usage} --help` shows the usage")
        return Status.USAGE
    except typer.Abort:
        return Status.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the frame is where every error ends
        return _report(error, screen)
    return result if isinstance(result, int) else Status.OK


def _verbose_first(arguments: Sequence[str]) -> list[str]:
    """Take ``--verbose`` wherever a person writes it: an error's hint asks to add it."""
    words = list(arguments)
    end = words.index("--") if "--" in words else len(words)
    if _VERBOSE not in words[:end]:
        return words
    return [_VERBOSE, *(word for word in words[:end] if word != _VERBOSE), *words[end:]]


def _report(error: Exception, screen: Screen) -> Status:
    if screen.verbose:
        screen.err.print("".join(traceback.format_exception(error)), markup=False, end="")
        if isinstance(error, ComponentFailed):
            for frame in error.backtrace:
                screen.err.print(f"guest: {frame}", markup=False)
    if isinstance(error, AirssysError | OSError):
        screen.error(*spoken(error))
    else:
        screen.error(
            f"unexpected {type(error).__name__}: {error}",
            "this is a defect in airssys-wasm; run again with --verbose and report it",
        )
    return status_of(error)


def main() -> None:
    """Run the command that ``sys.argv`` asks for, and exit with its status."""
    for stream in (sys.stdout, sys.stderr):
        # A console that cannot show a character gets a mark instead of a crash.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    sys.exit(execute(sys.argv[1:], Screen()))
