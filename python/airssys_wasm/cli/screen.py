"""Where a command's words go: data to stdout, everything else to stderr.

Rich decides about colour: only on a terminal, and never when NO_COLOR is set.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from typing import TextIO

from rich.console import Console

__all__ = ["Screen"]


def _console(stream: TextIO) -> Console:
    # No wrapping where no one looks: a pipe gets each line whole.
    return Console(file=stream, highlight=False, soft_wrap=not stream.isatty())


@dataclass(slots=True)
class Screen:
    """The two streams of one run of the command, and how much it should say.

    Attributes:
        verbose: show a traceback under an error.
    """

    verbose: bool = False
    out: Console = field(default_factory=lambda: _console(sys.stdout))
    err: Console = field(default_factory=lambda: _console(sys.stderr))

    def data(self, text: str) -> None:
        """Write ``text`` on stdout as it is, with one newline behind it."""
        self.out.file.write(text if text.endswith("\n") else text + "\n")

    def json(self, value: object) -> None:
        """Write ``value`` on stdout as JSON."""
        self.data(json.dumps(value, indent=2, ensure_ascii=False))

    def error(self, message: str, hint: str = "") -> None:
        """Write what went wrong on stderr, and what to do next."""
        self.err.print("error:", style="bold red", end=" ")
        self.err.print(message, markup=False)
        if hint:
            self.err.print("hint:", style="bold cyan", end=" ")
            self.err.print(hint, markup=False)
