"""WIT: what a component imports and exports, read, checked, printed, and typed.

``describe`` gives the model, ``world_text`` the WIT, ``stub_text`` and
``write_stubs`` typed Python. This is the face of ``airssys_wasm._native.wit``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from airssys_wasm._native import wit as _native
from airssys_wasm.wit.decode import decode_world
from airssys_wasm.wit.model import WORLD_LEVEL, Function, Interface, TypeDef, World
from airssys_wasm.wit.stubs import stub_text, write_stubs

if TYPE_CHECKING:
    from os import PathLike

__all__ = [
    "WORLD_LEVEL",
    "Function",
    "Interface",
    "PackageSummary",
    "Source",
    "TypeDef",
    "World",
    "describe",
    "stub_text",
    "validate",
    "world_text",
    "write_stubs",
]

#: Bytes are a component or a WIT package in binary, a string is WIT text, a path
#: names a file or a directory of ``*.wit`` with its dependencies under ``deps/``.
Source: TypeAlias = "bytes | str | PathLike[str]"


@dataclass(frozen=True, slots=True)
class PackageSummary:
    """What a valid WIT package holds."""

    name: str  #: for example ``acme:greet@1.0.0``
    interfaces: tuple[str, ...]  #: in the order of the text
    worlds: tuple[str, ...]  #: in the order of the text
    functions: int  #: how many its interfaces declare


def describe(source: Source, *, world: str | None = None, name: str = "text.wit") -> World:
    """Return what a component, or a world of a WIT package, imports and exports.

    Args:
        source: a component, or WIT; text up to 2 MiB, binaries up to 256 MiB.
        world: for WIT, the world's name; may be left out if there is only one.
        name: what errors call ``source`` if it is text.

    Raises:
        ComponentInvalid: the bytes are no component.
        WitInvalid: the WIT does not parse or resolve, cannot be read, passes a
            limit, or has no such world; ``file``, ``line`` and ``column`` say where.
    """
    return decode_world(_native.resolve_json(source, world=world, name=name))


def world_text(source: Source, *, name: str = "text.wit") -> str:
    """Return the world of a component, or a WIT package, with all it uses as WIT.

    Raises:
        ComponentInvalid: the bytes are no component.
        WitInvalid: the WIT does not parse or resolve, cannot be read, or passes a limit.
    """
    return _native.world_text(source, name=name)


def validate(source: Source, *, name: str = "text.wit") -> PackageSummary:
    """Check a WIT package: it parses, resolves, and has a binary form.

    Raises:
        ComponentInvalid: the bytes are no component.
        WitInvalid: the WIT does not parse or resolve, cannot be read, or passes a limit.
    """
    package, interfaces, worlds, functions = _native.validate(source, name=name)
    return PackageSummary(package, tuple(interfaces), tuple(worlds), functions)
