"""From wit-parser's JSON to the model.

The JSON holds arenas: lists of worlds, interfaces, types and packages that refer
to each other by index. The model holds names instead, so that it can be printed,
compared and kept.
"""

from __future__ import annotations

import json
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from airssys_wasm.wit.model import (
    WORLD_LEVEL,
    AsyncType,
    Case,
    Enum,
    Field,
    Flags,
    Function,
    FunctionKind,
    Handle,
    Interface,
    ListType,
    MapType,
    Named,
    OptionType,
    Param,
    Primitive,
    Record,
    ResourceType,
    ResultType,
    TupleType,
    Type,
    TypeDef,
    TypeShape,
    VariantType,
    World,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["decode_world"]

K = TypeVar("K")
V = TypeVar("V")

_KINDS: Mapping[str, FunctionKind] = {
    "freestanding": "function",
    "method": "method",
    "static": "static",
    "constructor": "constructor",
}


def decode_world(text: str) -> World:
    """Return the world chosen in ``text``, which ``resolve_json`` made."""
    document = json.loads(text)
    return _Decoder(document["resolve"], document["world"]).world()


def _is_leftover(interface: Interface) -> bool:
    """Tell whether this is what componentize-py leaves of its build in a component.

    Through ``exports#init`` it has the interpreter import the guest's modules, before it
    freezes the two. By then it has done its work: it is for no caller.
    """
    if interface.name != "exports" or interface.functions.keys() != {"init"}:
        return False
    parameters = [param.name for param in interface.functions["init"].params]
    return parameters == ["app-name", "symbols", "stub-wasi"]


class _Decoder:
    """Turns one world and all it reaches into the model."""

    def __init__(self, resolve: dict[str, Any], world: int) -> None:
        self._resolve = resolve
        self._world: dict[str, Any] = resolve["worlds"][world]

    def world(self) -> World:
        sides = {side: self._side(side) for side in ("imports", "exports")}
        # A resolved world imports or exports every interface that it takes types
        # from. Last wins: the exported one of an interface that is both.
        interfaces = sides["imports"] | sides["exports"]
        own = self._own_types()
        if WORLD_LEVEL in interfaces or own:
            interfaces[WORLD_LEVEL] = Interface(WORLD_LEVEL, _frozen({}), own)
        return World(
            name=self._qualified(self._world),
            imports=_frozen(sides["imports"]),
            exports=_frozen(sides["exports"]),
            interfaces=_frozen(interfaces),
            docs=_docs(self._world),
        )

    def _side(self, side: str) -> dict[str, Interface]:
        found: dict[str, Interface] = {}
        functions: dict[str, Function] = {}
        for key, item in self._world[side].items():
            if "interface" in item:
                index = item["interface"]["id"]
                interface = self._interface(index)
                if side == "imports" or not _is_leftover(interface):
                    found[interface.name] = interface
            elif "function" in item:
                functions[key] = self._function(item["function"])
        if functions:
            found[WORLD_LEVEL] = Interface(WORLD_LEVEL, _frozen(functions), self._own_types())
        return found

    def _own_types(self) -> Mapping[str, TypeDef]:
        """The types that the world itself declares or takes in with ``use``."""
        types: dict[str, TypeDef] = {}
        for side in ("imports", "exports"):
            for name, item in self._world[side].items():
                if "type" in item:
                    types[name] = self._definition(name, item["type"])
        return _frozen(types)

    @cached_property
    def _interface_names(self) -> list[str]:
        """Name of each interface by index; empty for those of other worlds."""
        interfaces = self._resolve["interfaces"]
        names = [self._qualified(one) if one["name"] else "" for one in interfaces]
        for side in ("imports", "exports"):
            for key, item in self._world[side].items():
                # A key that is no `interface-N` is the plain name it goes by.
                if "interface" in item and not names[item["interface"]["id"]]:
                    names[item["interface"]["id"]] = key
        return names

    def _qualified(self, item: dict[str, Any]) -> str:
        package: str = self._resolve["packages"][item["package"]]["name"]
        name, _, version = package.partition("@")
        return f"{name}/{item['name']}" + (f"@{version}" if version else "")

    def _interface(self, index: int) -> Interface:
        item = self._resolve["interfaces"][index]
        types = {name: self._definition(name, at) for name, at in item["types"].items()}
        functions = {name: self._function(one) for name, one in item["functions"].items()}
        return Interface(
            self._interface_names[index], _frozen(functions), _frozen(types), _docs(item)
        )

    def _function(self, item: dict[str, Any]) -> Function:
        kind, resource = _kind_and_resource(item["kind"])
        plain = kind.removeprefix("async-")
        return Function(
            name=item["name"],
            params=tuple(Param(one["name"], self._type(one["type"])) for one in item["params"]),
            result=None if item.get("result") is None else self._type(item["result"]),
            docs=_docs(item),
            kind=_KINDS[plain],
            resource="" if resource is None else self._resolve["types"][resource]["name"],
            is_async=kind != plain,
        )

    def _definition(self, name: str, index: int) -> TypeDef:
        item = self._resolve["types"][index]
        return TypeDef(name, self._shape(item["kind"]), _docs(item))

    def _shape(self, kind: Any) -> TypeShape:  # noqa: ANN401 - JSON
        match kind:
            case "resource":
                return ResourceType()
            case {"record": {"fields": fields}}:
                return Record(
                    tuple(Field(one["name"], self._type(one["type"]), _docs(one)) for one in fields)
                )
            case {"variant": {"cases": cases}}:
                return VariantType(self._cases(cases))
            case {"enum": {"cases": cases}}:
                return Enum(self._cases(cases))
            case {"flags": {"flags": cases}}:
                return Flags(self._cases(cases))
            case _:
                return self._anonymous(kind)

    def _cases(self, cases: Iterable[dict[str, Any]]) -> tuple[Case, ...]:
        return tuple(
            Case(one["name"], self._optional(one.get("type")), _docs(one)) for one in cases
        )

    def _type(self, reference: str | int) -> Type:
        if isinstance(reference, str):
            return Primitive(reference)
        item = self._resolve["types"][reference]
        if item["name"] is None:
            return self._anonymous(item["kind"])
        return Named(item["name"], self._home(item["owner"]))

    def _home(self, owner: dict[str, int] | None) -> str:
        if owner is not None and "interface" in owner:
            return self._interface_names[owner["interface"]]
        return WORLD_LEVEL

    def _anonymous(self, kind: dict[str, Any]) -> Type:
        ((tag, value),) = kind.items()
        match tag:
            case "list":
                return ListType(self._type(value))
            case "fixed-length-list":
                return ListType(self._type(value[0]), value[1])
            case "map":
                return MapType(self._type(value[0]), self._type(value[1]))
            case "option":
                return OptionType(self._type(value))
            case "tuple":
                return TupleType(tuple(self._type(one) for one in value["types"]))
            case "result":
                return ResultType(self._optional(value["ok"]), self._optional(value["err"]))
            case "handle":
                return self._handle(value)
            case "stream" | "future":
                return AsyncType(tag, self._optional(value))
            case "type":
                return self._type(value)
            case _:
                raise AssertionError(f"wit-parser has no type {tag!r}")

    def _handle(self, value: dict[str, int]) -> Handle:
        ((kind, index),) = value.items()
        item = self._resolve["types"][index]
        resource = Named(item["name"], self._home(item["owner"]))
        return Handle(resource, borrowed=kind == "borrow")

    def _optional(self, reference: str | int | None) -> Type | None:
        return None if reference is None else self._type(reference)


def _kind_and_resource(kind: str | dict[str, int]) -> tuple[str, int | None]:
    if isinstance(kind, str):
        return kind, None
    ((name, resource),) = kind.items()
    return name, resource


def _docs(item: dict[str, Any]) -> str:
    return (item.get("docs") or {}).get("contents") or ""


def _frozen(items: Mapping[K, V]) -> Mapping[K, V]:
    return MappingProxyType(dict(items))
