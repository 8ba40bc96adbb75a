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

import os
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from airssys_wasm.wit.declarations import (
    Declarations,
    closing,
    ok_part,
    parameters,
    reached_types,
    returned,
    shadowing,
)
from airssys_wasm.wit.model import WORLD_LEVEL
from airssys_wasm.wit.names import value_name
from airssys_wasm.wit.source_text import (
    block,
    docstring,
    in_quotes,
    signature,
    typed_dict,
    with_body,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airssys_wasm.wit.annotations import Annotator
    from airssys_wasm.wit.model import Function, World

__all__ = ["stub_text", "write_stubs"]

#: Packages whose interfaces the host gives itself; the embedder writes nothing for them.
_HOST_PACKAGES = ("wasi:", "airssys:")

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
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        # mkstemp makes the file private; a source file is as open as the umask says.
        umask = os.umask(0)
        os.umask(umask)
        Path(name).chmod(0o666 & ~umask)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


class _Stub:
    """One file in the making."""

    def __init__(self, world: World, *, importable: bool) -> None:
        self._world = world
        self._importable = importable
        self._supplied = {
            name: interface
            for name, interface in world.imports.items()
            if interface.functions and not name.startswith(_HOST_PACKAGES)
        }
        protocols = [_protocol_key(name) for name in self._supplied if name != WORLD_LEVEL]
        functions = [
            function
            for interface in (*world.exports.values(), *self._supplied.values())
            for function in interface.functions.values()
        ]
        self._declared = Declarations(
            world, reached_types(world, functions), protocols, importable=importable
        )
        self._annotate = self._declared.annotate

    def text(self) -> str:
        parts = [
            *self._declared.lines(),
            *self._protocols(),
            *self._imports(),
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

    def _protocols(self) -> Iterator[list[str]]:
        for name, interface in self._supplied.items():
            if name == WORLD_LEVEL:
                continue
            self._annotate.used.add("Protocol")
            members: dict[str, list[Function]] = {}
            for function in interface.functions.values():
                member = value_name(_supplied_name(function))
                members.setdefault(member, []).append(function)
            annotate = replace(self._annotate, shadowed=shadowing(members))
            body = docstring(interface.docs or f"What the embedder gives as `{name}`.")
            for member, functions in members.items():
                body += ["", *self._supplied_method(member, functions, annotate)]
            yield [f"class {self._protocol_name(name)}(Protocol):", *block(body)]

    def _protocol_name(self, interface: str) -> str:
        return self._declared.class_names[_protocol_key(interface)]

    def _supplied_method(
        self, member: str, functions: list[Function], annotate: Annotator
    ) -> list[str]:
        if len(functions) > 1:
            # Methods of several resources meet in one: which is meant shows in
            # the first argument alone.
            self._annotate.used.add("Any")
            return [f"def {member}(self, *args: Any) -> Any: ..."]
        (function,) = functions
        spelled = {param.name: annotate.taken(param.type) for param in function.params}
        params = ["self", *parameters(function, spelled, {"self"})]
        head = signature(
            f"def {member}", [*params, "/"], f" -> {self._answer(function, annotate)}:"
        )
        return with_body(head, docstring(function.docs, closing(function, self._world)))

    def _answer(self, function: Function, annotate: Annotator) -> str:
        """What the embedder's function returns: at once, or when it is awaited."""
        self._annotate.used.add("Awaitable")
        given = annotate.given(ok_part(function, self._world))
        return f"{given} | Awaitable[{given}]"

    def _imports(self) -> Iterator[list[str]]:
        if not self._supplied:
            return
        self._annotate.used.add("TypedDict")
        short = _short_names(self._supplied)
        entries = []
        for name, interface in self._supplied.items():
            if name != WORLD_LEVEL:
                entries.append((short[name], self._quoted(self._protocol_name(name))))
                continue
            entries += [
                (function.name, self._quoted(self._callable(function)))
                for function in interface.functions.values()
            ]
        yield ["#: What `instantiate(imports=...)` takes.", *typed_dict("Imports", entries)]

    def _callable(self, function: Function) -> str:
        self._annotate.used.add("Callable")
        params = ", ".join(self._annotate.taken(param.type) for param in function.params)
        return f"Callable[[{params}], {self._answer(function, self._annotate)}]"

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
        short = _short_names(self._world.exports)
        for name, interface in self._world.exports.items():
            prefixes = [f"{one}#" if one else "" for one in dict.fromkeys((short[name], name))]
            for function in interface.functions.values():
                literal = annotate.literal([prefix + function.name for prefix in prefixes])
                spelled = {param.name: annotate.given(param.type) for param in function.params}
                params = parameters(function, spelled, {"self", "function"})
                docs = docstring(function.docs, closing(function, self._world))
                yield literal, params, returned(function, annotate), docs

    def _quoted(self, annotation: str) -> str:
        return in_quotes(annotation) if self._importable else annotation


def _supplied_name(function: Function) -> str:
    """The name of the embedder's method: a constructor goes by its resource."""
    return function.resource if function.kind == "constructor" else function.item_name


def _protocol_key(interface: str) -> tuple[str, str]:
    """What stands for an interface's class among the types: no type's name ends in ``#``."""
    return interface, interface.partition("@")[0].rpartition("/")[2] + "#"


def _short_names(interfaces: Iterable[str]) -> Mapping[str, str]:
    """Leave out the version of each identifier that is the only one of its name."""
    unversioned = {name: name.partition("@")[0] for name in interfaces}
    often = Counter(unversioned.values())
    return {name: short if often[short] == 1 else name for name, short in unversioned.items()}


def _import_lines(used: set[str]) -> Iterator[str]:
    if "builtins" in used:
        yield "import builtins"
    for module, names in _MODULES.items():
        if module == "airssys_wasm" and used & set(names):
            yield ""
        if wanted := [name for name in names if name in used]:
            yield f"from {module} import {', '.join(wanted)}"
