"""Read, check and print WIT. The face of this module is ``airssys_wasm.wit``.

A ``source`` is bytes (a component, or a WIT package in binary), a string (WIT
text, called ``name`` in errors) or a path (a file, or a directory of ``*.wit``
with its dependencies under ``deps/``). Text is limited to 2 MiB for a package
with its dependencies, binaries to 256 MiB.
"""

from os import PathLike

__all__ = ["resolve_json", "validate", "world_text"]

def resolve_json(
    source: bytes | str | PathLike[str], *, world: str | None = None, name: str = "text.wit"
) -> str:
    """Resolve ``source`` and return it as JSON.

    Args:
        source: what to read.
        world: the world to choose, by name or full identifier; may be left out
            for a component, and for a package with one world.
        name: what errors call ``source`` if it is text.

    Returns:
        ``{"resolve": ..., "package": index, "world": index}``: the resolved
        packages as wit-parser writes them, the package asked for, and the world.

    Raises:
        WitInvalid: the text does not parse or resolve, a file cannot be read,
            a limit is passed, or there is no such world.
        ComponentInvalid: the bytes are no component.
    """

def world_text(source: bytes | str | PathLike[str], *, name: str = "text.wit") -> str:
    """Print the world of a component, or a package, with all it uses as WIT text.

    Raises:
        WitInvalid: the text does not parse or resolve, a file cannot be read,
            or a limit is passed.
        ComponentInvalid: the bytes are no component.
    """

def validate(
    source: bytes | str | PathLike[str], *, name: str = "text.wit"
) -> tuple[str, list[str], list[str], int]:
    """Check a package: it parses, resolves, and has a binary form.

    Returns:
        The package's name, its interfaces, its worlds, and how many functions
        its interfaces declare.

    Raises:
        WitInvalid: the text does not parse or resolve, a file cannot be read,
            or a limit is passed.
        ComponentInvalid: the bytes are no component.
    """
