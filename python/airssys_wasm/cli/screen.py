"""Where a command's words go: data to stdout, everything else to stderr.

Rich decides about colour: only on a terminal, and never when NO_COLOR is set. What
guests say reaches a terminal only through here, with whatever would drive it spelled
out.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TextIO

from rich.console import Console

from airssys_wasm.cli.printable import SpellOut, printable, printable_json

__all__ = ["Screen", "console"]


def console(stream: TextIO) -> Console:
    """Return a console on ``stream`` that spells out what would drive a terminal."""
    # No wrapping where no one looks: a pipe gets each line whole.
    made = Console(file=stream, highlight=False, emoji=False, soft_wrap=not stream.isatty())
    made.push_render_hook(SpellOut())
    return made


@dataclass(slots=True)
class Screen:
    """The two streams of one run of the command, and how much it should say.

    Attributes:
        verbose: show a traceback under an error.
    """

    verbose: bool = False
    out: Console = field(default_factory=lambda: console(sys.stdout))
    err: Console = field(default_factory=lambda: console(sys.stderr))

    def data(self, text: str) -> None:
        """Write ``text``, none of a guest's, on stdout as it is, with one newline behind it."""
        self.out.file.write(text if text.endswith("\n") else text + "\n")

    def lines(self, text: str) -> None:
        """Write ``text`` on stdout, with one newline behind it, spelled out where needed."""
        self.data(printable(text))

    def json(self, value: object, *, indent: int | None = 2) -> None:
        """Write ``value`` on stdout as JSON, spelled out where needed."""
        self.data(printable_json(value, indent=indent))

    def error(self, message: str, hint: str = "") -> None:
        """Write what went wrong on stderr, and what to do next."""
        self._say("error:", "bold red", message, hint)

    def warning(self, message: str, hint: str = "") -> None:
        """Write what may go wrong on stderr, and what to do about it."""
        self._say("warning:", "bold yellow", message, hint)

    def _say(self, title: str, style: str, message: str, hint: str) -> None:
        self.err.print(title, style=style, end=" ")
        # Spelled out before the lines are broken, so that each part is seen.
        self.err.print(printable(message), markup=False)
        if hint:
            self.err.print("hint:", style="bold cyan", end=" ")
            self.err.print(printable(hint), markup=False)
