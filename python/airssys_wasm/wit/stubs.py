"""Typed Python for the functions of a world.

The file that comes out has, in this order: the types that the functions use, a
``Protocol`` for each interface that the embedder gives, ``Imports`` with all of
them, and ``Instance``, whose ``call`` and ``call_async`` are overloaded by the
name of the function. It is used like this::

    import greeter_stubs

    with component.instantiate(limits=limits) as instance:
        greeter: greeter_stubs.Instance = instance
        greeter.call("acme:greet/api#greet", {"name": "Ada", "age": 36})  # -> str

Records are a dataclass for what is handed over and a ``TypedDict`` for what comes
back (``Person`` and ``PersonDict``); either may be handed over. Under a ``.py`` name
the same text is a module whose dataclasses can be made; under ``.pyi`` it is for
type checkers alone, imported under ``if TYPE_CHECKING``.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from airssys_wasm.wit.declarations import (
    Declarations,
    closing,
    parameters,
    reached_types,
    returned,
    supplied_interfaces,
)
from airssys_wasm.wit.model import WORLD_LEVEL
from airssys_wasm.wit.source_text import (
    block,
    docstring,
    signature,
    with_body,
)
from airssys_wasm.wit.supplied import Supplied, protocol_key, short_names

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from airssys_wasm.wit.model import World

__all__ = ["stub_text", "write_stubs"]

_MODULES = {
    "collections.abc": ("Awaitable", "Callable", "Sequence"),
    "dataclasses": ("dataclass",),
    "typing": ("Any", "Literal", "Protocol", "Self", "TypeAlias", "TypedDict", "overload"),
    "airssys_wasm": ("Variant",),
}


def stub_text(world: World, *, importable: bool = False) -> str:
    """Return typed Python for ``world``; the same world gives the same text.

    Args:
        world: what ``describe`` returned.
        importable: write a module that can be imported, not a stub.
    """
    return _Stub(world, importable=importable).text()


def write_stubs(world: World, path: str | os.PathLike[str]) -> Path:
    """Write typed Python for ``world`` to ``path``, all of it or nothing.

    Args:
        world: what ``describe`` returned.
        path: a file whose name ends in ``.pyi`` for a stub, or in ``.py`` for a
            module that can also be imported; replaced if it exists.

    Returns:
        The path.

    Raises:
        ValueError: ``path`` ends otherwise.
        OSError: the file cannot be written; nothing was changed.
    """
    target = Path(path)
    if target.suffix not in {".py", ".pyi"}:
        raise ValueError(f"{target}: not a Python file; hint: name it .pyi, or .py to import it")
    text = stub_text(world, importable=target.suffix == ".py")
    _replace(target, text)
    return target


def _replace(target: Path, text: str) -> None:
    """Write beside the target and rename, so that no reader sees half a file."""
    beside = target.with_name(f".airssys-wasm-{secrets.token_hex(8)}")
    # "x" makes the file or fails, and makes it as open as the umask says: mkstemp
    # would make it private, and the umask cannot be read without setting it.
    try:
        file = beside.open("x", encoding="utf-8", newline="\n")
    except OSError as error:
        # About the file that was asked for, not about the one beside it.
        error.filename = str(target)
        raise
    try:
        with file:
            file.write(text)
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


class _Stub:
    """One file in the making."""

    def __init__(self, world: World, *, importable: bool) -> None:
        self._world = world
        self._importable = importable
        self._supplied = supplied_interfaces(world)
        protocols = [protocol_key(name) for name in self._supplied if name != WORLD_LEVEL]
        types = reached_types(world, (*world.exports.values(), *self._supplied.values()))
        self._declared = Declarations(world, types, protocols, importable=importable)
        self._annotate = self._declared.annotate
        self._embedder = Supplied(self._supplied, self._declared, importable=importable)

    def text(self) -> str:
        parts = [
            *self._declared.lines(),
            *self._embedder.lines(),
            *self._instance(),
        ]
        used = self._annotate.used
        head = [*docstring(*self._headline()), ""]
        if self._importable:
            head += ["from __future__ import annotations", ""]
        head += list(_import_lines(used))
        # As the formatter has it: a stub is denser than a module.
        gap = "\n\n\n" if self._importable else "\n\n"
        after_imports = gap if parts and parts[0][0].startswith(("class", "@")) else "\n\n"
        body = gap.join("\n".join(part) for part in parts)
        return "\n".join(head).rstrip() + (after_imports + body if body else "") + "\n"

    def _headline(self) -> tuple[str, list[str]]:
        docs = self._world.docs.strip().splitlines()
        return f"Types of {self._world.name}; generated, do not edit.", docs

    def _instance(self) -> Iterator[list[str]]:
        calls = list(self._calls())
        if not calls:
            return
        self._annotate.used.add("Protocol")
        body = ['"""An instance of this component: each of its functions by name."""']
        self._annotate.used.add("Awaitable")
        for method, answer in (("call", "{}"), ("call_async", "Awaitable[{}]")):
            for literal, params, result, docs in calls:
                body.append("")
                if len(calls) > 1:
                    self._annotate.used.add("overload")
                    body.append("@overload")
                arguments = ["self", f"function: {literal}", *params, "/"]
                head = signature(f"def {method}", arguments, f" -> {answer.format(result)}:")
                body += with_body(head, docs)
        yield ["class Instance(Protocol):", *block(body)]

    def _calls(self) -> Iterator[tuple[str, list[str], str, list[str]]]:
        annotate = self._annotate
        short = short_names(self._world.exports)
        for name, interface in self._world.exports.items():
            prefixes = [f"{one}#" if one else "" for one in dict.fromkeys((short[name], name))]
            for function in interface.functions.values():
                literal = annotate.literal([prefix + function.name for prefix in prefixes])
                spelled = {param.name: annotate.given(param.type) for param in function.params}
                params = parameters(function, spelled, {"self", "function"})
                docs = docstring(function.docs, closing(function, self._world))
                yield literal, params, returned(function, annotate), docs


def _import_lines(used: set[str]) -> Iterator[str]:
    if "builtins" in used:
        yield "import builtins"
    for module, names in _MODULES.items():
        if module == "airssys_wasm" and used & set(names):
            yield ""
        if wanted := [name for name in names if name in used]:
            yield f"from {module} import {', '.join(wanted)}"
