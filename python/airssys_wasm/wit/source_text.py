"""Pieces of Python source: docstrings, comments, signatures, wrapped to a width."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "WIDTH",
    "alias",
    "block",
    "comment",
    "docstring",
    "in_quotes",
    "signature",
    "typed_dict",
    "with_body",
]

#: Line length of generated files.
WIDTH = 100
_INDENT = "    "
#: Quotes that would close a string of three.
_QUOTES = re.compile('"""')
#: The same where the closing ones follow: a quote at the end would run into them.
_QUOTES_BEFORE_CLOSING = re.compile(r'"""|"\Z')


def block(lines: Sequence[str]) -> list[str]:
    """Indent ``lines`` by one level."""
    return [f"{_INDENT}{line}" if line else "" for line in lines]


def docstring(text: str, closing: Sequence[str] = ()) -> list[str]:
    """Return a docstring of ``text`` and, after a blank line, ``closing``.

    Whatever the text holds, the result is one string literal: quotes,
    backslashes and characters that do not print are escaped.
    """
    lines = text.strip().splitlines()
    if lines and closing:
        lines += ["", *closing]
    elif closing:
        lines = [" ".join(line.strip() for line in closing)]
    if not lines:
        return []
    if len(lines) == 1:
        return [f'"""{_printable(lines[0], _QUOTES_BEFORE_CLOSING)}"""']
    first, *rest = map(_printable, lines)
    return [f'"""{first}', *rest, '"""']


def comment(text: str) -> list[str]:
    """Return ``text`` as lines of ``#:`` comment, which documentation tools read."""
    return [f"#: {_printable(line)}".rstrip() for line in text.strip().splitlines()]


def signature(head: str, params: Sequence[str], tail: str) -> list[str]:
    """Return ``head(params)tail``, one parameter to a line where it is too long."""
    line = f"{head}({', '.join(params)}){tail}"
    # A signature stands in a class, and its body or ` ...` follows.
    if len(line) <= WIDTH - len(_INDENT) - len(" ..."):
        return [line]
    split = [part for param in params for part in _parameter(param)]
    return [f"{head}(", *block(split), f"){tail}"]


def _parameter(param: str) -> list[str]:
    """Return one parameter with its comma; a long choice of words in several lines."""
    room = WIDTH - 2 * len(_INDENT)
    name, opening, words = param.partition(": Literal[")
    if len(param) + 1 <= room or not re.fullmatch(r'"[^"]*"(, "[^"]*")*]', words):
        return [f"{param},"]
    inside = words.removesuffix("]")
    if len(inside) <= room - len(_INDENT):
        return [f"{name}{opening}", f"{_INDENT}{inside}", "],"]
    return [f"{name}{opening}", *(f"{_INDENT}{word}," for word in inside.split(", ")), "],"]


def with_body(head: Sequence[str], body: Sequence[str]) -> list[str]:
    """Return a function of a signature and its docstring; ``...`` where it has none."""
    return [*head, *block(body)] if body else [*head[:-1], f"{head[-1]} ..."]


def typed_dict(name: str, entries: Sequence[tuple[str, str]]) -> list[str]:
    """Return ``name = TypedDict("name", {...})``, one entry to a line where it is too long."""
    listed = [f'"{key}": {value}' for key, value in entries]
    line = f'{name} = TypedDict("{name}", {{{", ".join(listed)}}})'
    if len(line) <= WIDTH:
        return [line]
    inside = [f'"{name}",', "{", *block([f"{entry}," for entry in listed]), "},"]
    return [f"{name} = TypedDict(", *block(inside), ")"]


def alias(name: str, choices: Sequence[str], *, quoted: bool) -> list[str]:
    """Return ``name: TypeAlias = ...`` for a union of ``choices``."""
    meaning = " | ".join(choices)
    if quoted:
        return [f"{name}: TypeAlias = {in_quotes(meaning)}"]
    line = f"{name}: TypeAlias = {meaning}"
    if len(line) <= WIDTH or len(choices) == 1:
        return [line]
    rest = [f"| {choice}" for choice in choices[1:]]
    return [f"{name}: TypeAlias = (", *block([choices[0], *rest]), ")"]


def in_quotes(annotation: str) -> str:
    """Return an annotation as a string, for a place that comes before its names."""
    return f"'{annotation}'" if '"' in annotation else f'"{annotation}"'


def _printable(line: str, quotes: re.Pattern[str] = _QUOTES) -> str:
    """Escape backslashes, the quotes that ``quotes`` finds, and what does not print."""
    escaped = line.rstrip().replace("\\", "\\\\")
    escaped = quotes.sub(lambda found: '\\"' * len(found[0]), escaped)
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode("ascii")
        for one in escaped
    )
