r"""Words of a guest, made fit for a terminal.

A terminal obeys what it is shown: escape sequences, C1 controls, marks that turn
the direction of a line. Whatever is not printable is spelled out, ``\u{202e}`` in
text, ``\u202e`` in JSON, which reads it back as it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderableType, RenderHook
from rich.segment import Segment

__all__ = ["SpellOut", "printable", "printable_json"]

_BASIC_PLANE_MAX = 0xFFFF


def printable(text: str) -> str:
    """Return ``text`` with all that is not printable spelled out; line ends and tabs stay."""
    return _spelled_out(text, lambda code: f"\\u{{{code:x}}}")


def printable_json(value: object, *, indent: int | None = None) -> str:
    """Return ``value`` as JSON without a character that is not printable.

    Raises:
        TypeError: JSON has no word for something in it.
    """
    return _spelled_out(json.dumps(value, indent=indent, ensure_ascii=False), _json_escape)


def _json_escape(code: int) -> str:
    if code <= _BASIC_PLANE_MAX:
        return f"\\u{code:04x}"
    rest = code - _BASIC_PLANE_MAX - 1
    return f"\\u{0xD800 | rest >> 10:04x}\\u{0xDC00 | rest & 0x3FF:04x}"


def _spelled_out(text: str, escape: Callable[[int], str]) -> str:
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character in "\n\t" else escape(ord(character))
        for character in text
    )


class SpellOut(RenderHook):
    """Makes a console spell out what is not printable, whoever prints it.

    It works on what comes out of the layout, because Markdown can write any
    character without having it: ``&#x202e;``, ``<http://a/%1b>``.
    """

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """Wrap what is about to be printed."""
        return [_SpelledOut(renderable) for renderable in renderables]


@dataclass(frozen=True, slots=True)
class _SpelledOut:
    renderable: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterable[Segment]:
        for segment in console.render(self.renderable, options):
            # Controls are the console's own, such as those of a progress line.
            if segment.control:
                yield segment
            else:
                yield Segment(printable(segment.text), segment.style)
