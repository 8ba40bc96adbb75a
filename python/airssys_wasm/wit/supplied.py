"""What the embedder gives to a component, as ``Protocol`` classes.

An interface is an object with a method for each function. A resource of it is a
class among its attributes: calling it is the constructor, its static functions are
its own, and the methods are those of the objects it makes::

    class Lookup:
        class Session:
            def __init__(self, key: str) -> None: ...
            def find(self, id: int) -> dict[str, object]: ...
        def open(self) -> Session: ...
"""

from __future__ import annotations

import keyword
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from airssys_wasm.wit.annotations import Spelling
from airssys_wasm.wit.declarations import closing, ok_part, parameters, shadowing
from airssys_wasm.wit.model import WORLD_LEVEL, Named
from airssys_wasm.wit.names import class_name, value_name
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
    from airssys_wasm.wit.declarations import Declarations
    from airssys_wasm.wit.model import Function, Interface

__all__ = ["Supplied", "protocol_key", "short_names"]


def protocol_key(interface: str) -> tuple[str, str]:
    """What stands for an interface's class among the types: no type's name ends in ``#``."""
    return interface, interface.partition("@")[0].rpartition("/")[2] + "#"


def short_names(interfaces: Iterable[str]) -> Mapping[str, str]:
    """Leave out the version of each identifier that is the only one of its name."""
    unversioned = {name: name.partition("@")[0] for name in interfaces}
    often = Counter(unversioned.values())
    return {name: short if often[short] == 1 else name for name, short in unversioned.items()}


class Supplied:
    """Writes the classes that the embedder's objects are to fit.

    Args:
        interfaces: what ``supplied_interfaces`` returned.
        declared: the types that they speak of.
        importable: write for a module that is imported, not for a stub.
    """

    def __init__(
        self, interfaces: Mapping[str, Interface], declared: Declarations, *, importable: bool
    ) -> None:
        self._interfaces = interfaces
        self._declared = declared
        self._annotate = self._own_side(declared.annotate)
        self._importable = importable

    def lines(self) -> Iterator[list[str]]:
        """Yield each class, then ``Imports`` with all of them."""
        for name, interface in self._interfaces.items():
            if name != WORLD_LEVEL:
                yield from self._interface(interface)
        if self._interfaces:
            yield self._imports()

    def _own_side(self, annotate: Annotator) -> Annotator:
        """Tell the embedder's resources from the component's.

        An interface that is both imported and exported has two resources of each
        name; the declared types are the component's.
        """
        spellings = dict(annotate.spellings)
        for interface in self._interfaces.values():
            if interface.name == WORLD_LEVEL or interface.name not in annotate.world.exports:
                continue
            for resource in _resources(interface):
                name = self._declared.free_name(f"{class_name(resource)}Object")
                spellings[Named(resource, interface.name)] = Spelling(name, name)
        return replace(annotate, spellings=spellings)

    def _interface(self, interface: Interface) -> Iterator[list[str]]:
        functions = [one for one in interface.functions.values() if not one.resource]
        members: list[list[str]] = []
        for resource in _resources(interface):
            own = [one for one in interface.functions.values() if one.resource == resource]
            spelled = self._annotate.taken(Named(resource, interface.name))
            methods = [one for one in own if one.kind == "method"]
            yield self._class(spelled, f"What the embedder makes as `{resource}`.", methods)
            maker = f"type[{spelled}]"
            if made := [one for one in own if one.kind != "method"]:
                maker = self._declared.free_name(f"{class_name(resource)}Class")
                yield self._class(maker, f"What makes the embedder's `{resource}`.", made)
            members.append(["@property", f"def {_class_attribute(resource)}(self) -> {maker}: ..."])
        name = self._declared.class_names[protocol_key(interface.name)]
        docs = interface.docs or f"What the embedder gives as `{interface.name}`."
        yield self._class(name, docs, functions, members)

    def _class(
        self,
        name: str,
        docs: str,
        functions: Iterable[Function],
        members: Iterable[list[str]] = (),
    ) -> list[str]:
        self._annotate.used.add("Protocol")
        named = {_member(one): one for one in functions}
        annotate = replace(self._annotate, shadowed=shadowing(named))
        body = docstring(docs)
        for lines in members:
            body += ["", *lines]
        for member, function in named.items():
            body += ["", *self._method(member, function, annotate)]
        return [f"class {name}(Protocol):", *block(body)]

    def _method(self, member: str, function: Function, annotate: Annotator) -> list[str]:
        own = function.params[1:] if function.kind == "method" else function.params
        spelled = {param.name: annotate.taken(param.type) for param in own}
        params = ["self", *parameters(function, spelled, {"self"})]
        if function.kind == "constructor":
            # A class is called, and not awaited.
            answer = annotate.given(ok_part(function, annotate.world))
        else:
            answer = self._answer(function, annotate)
        head = signature(f"def {member}", [*params, "/"], f" -> {answer}:")
        return with_body(head, docstring(function.docs, closing(function, annotate.world)))

    def _answer(self, function: Function, annotate: Annotator) -> str:
        """What the embedder's function returns: at once, or when it is awaited."""
        self._annotate.used.add("Awaitable")
        given = annotate.given(ok_part(function, annotate.world))
        return f"{given} | Awaitable[{given}]"

    def _imports(self) -> list[str]:
        self._annotate.used.add("TypedDict")
        short = short_names(self._interfaces)
        entries = []
        for name, interface in self._interfaces.items():
            if name != WORLD_LEVEL:
                protocol = self._declared.class_names[protocol_key(name)]
                entries.append((short[name], self._quoted(protocol)))
                continue
            entries += [
                (function.name, self._quoted(self._callable(function)))
                for function in interface.functions.values()
            ]
        return ["#: What `instantiate(imports=...)` takes.", *typed_dict("Imports", entries)]

    def _callable(self, function: Function) -> str:
        self._annotate.used.add("Callable")
        params = ", ".join(self._annotate.taken(param.type) for param in function.params)
        return f"Callable[[{params}], {self._answer(function, self._annotate)}]"

    def _quoted(self, annotation: str) -> str:
        return in_quotes(annotation) if self._importable else annotation


def _resources(interface: Interface) -> list[str]:
    """Return the resources that have functions, in the order of the WIT."""
    functions = interface.functions.values()
    return list(dict.fromkeys(one.resource for one in functions if one.resource))


def _class_attribute(resource: str) -> str:
    """Return where the embedder's class for ``resource`` is found: ``Session``."""
    name = class_name(resource)
    return value_name(resource) if keyword.iskeyword(name) else name


def _member(function: Function) -> str:
    return "__call__" if function.kind == "constructor" else value_name(function.item_name)
