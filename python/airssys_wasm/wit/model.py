"""What WIT says, as plain frozen data.

World
  Interface          functions and types under one name; also a mapping of its functions
    Function         parameters, result, documentation
    TypeDef          a type with a name, and what it is: Record, VariantType, Enum,
                     Flags, ResourceType, or an alias of another type
Type                 Primitive, Named, ListType, MapType, OptionType, ResultType,
                     TupleType, Handle, AsyncType
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = [
    "WORLD_LEVEL",
    "AsyncType",
    "Case",
    "Enum",
    "Field",
    "Flags",
    "Function",
    "FunctionKind",
    "Handle",
    "Interface",
    "ListType",
    "MapType",
    "Named",
    "OptionType",
    "Param",
    "Primitive",
    "Record",
    "ResourceType",
    "ResultType",
    "TupleType",
    "Type",
    "TypeDef",
    "TypeShape",
    "VariantType",
    "World",
]

#: The key under which a world's own functions and types stand, beside its interfaces.
WORLD_LEVEL = ""

FunctionKind: TypeAlias = Literal["function", "method", "static", "constructor"]


@dataclass(frozen=True, slots=True)
class Primitive:
    """A type without parts: ``u8``, ``string``, ``bool`` and their like."""

    name: str


@dataclass(frozen=True, slots=True)
class Named:
    """A type by its name; ``interface`` is the key of its home in the world."""

    name: str
    interface: str


@dataclass(frozen=True, slots=True)
class ListType:
    """``list<element>``, or ``list<element, length>`` where the length is fixed."""

    element: Type
    length: int | None = None


@dataclass(frozen=True, slots=True)
class MapType:
    """``map<key, value>``."""

    key: Type
    value: Type


@dataclass(frozen=True, slots=True)
class OptionType:
    """``option<some>``."""

    some: Type


@dataclass(frozen=True, slots=True)
class ResultType:
    """``result<ok, err>``; a part that is ``None`` carries no value."""

    ok: Type | None
    err: Type | None


@dataclass(frozen=True, slots=True)
class TupleType:
    """``tuple<...>``."""

    items: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class Handle:
    """A resource, owned or borrowed for the time of a call."""

    resource: Named
    borrowed: bool


@dataclass(frozen=True, slots=True)
class AsyncType:
    """``stream<item>`` or ``future<item>``, of components with WASI 0.3."""

    kind: Literal["stream", "future"]
    item: Type | None


Type: TypeAlias = (
    Primitive
    | Named
    | ListType
    | MapType
    | OptionType
    | ResultType
    | TupleType
    | Handle
    | AsyncType
)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record."""

    name: str
    type: Type
    docs: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A record: named fields in order."""

    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a variant, enum or set of flags; only a variant's has a type."""

    name: str
    type: Type | None = None
    docs: str = ""


@dataclass(frozen=True, slots=True)
class VariantType:
    """A variant: one of several cases, each with or without a value."""

    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Enum:
    """An enum: one of several names."""

    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Flags:
    """Flags: any set of several names."""

    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A resource: something behind a handle, with functions of its own."""


TypeShape: TypeAlias = Record | VariantType | Enum | Flags | ResourceType | Type


@dataclass(frozen=True, slots=True)
class TypeDef:
    """A type with a name. ``shape`` is a :data:`Type` where it is an alias."""

    name: str
    shape: TypeShape
    docs: str = ""


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of a function."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Function:
    """A function.

    Attributes:
        name: as the component has it, ``greet`` or ``[method]session.close``.
        params: in order; a method's first is its handle, ``self``.
        result: ``None`` where it returns nothing.
        docs: its documentation, empty where the binary has none.
        kind: what it is in its interface.
        resource: the resource it belongs to, empty for a plain function.
        is_async: it is declared ``async``.
    """

    name: str
    params: tuple[Param, ...]
    result: Type | None
    docs: str = ""
    kind: FunctionKind = "function"
    resource: str = ""
    is_async: bool = False

    @property
    def item_name(self) -> str:
        """The name without its resource: ``close`` of ``[method]session.close``."""
        if self.kind == "constructor":
            return "constructor"
        return self.name.rpartition(".")[2]

    def __str__(self) -> str:
        from airssys_wasm.wit.signature import function_text  # noqa: PLC0415 - it prints this

        return function_text(self)


@dataclass(frozen=True, slots=True)
class Interface(Mapping[str, Function]):
    """Functions and types under one name; used as a mapping, it is its functions.

    Attributes:
        name: ``acme:greet/api@1.0.0``, a plain name for an interface written in
            the world, or :data:`WORLD_LEVEL` for what the world itself has.
        functions: by name, in the order of the WIT.
        types: by name, in the order of the WIT.
        docs: its documentation, empty where the binary has none.
    """

    name: str
    functions: Mapping[str, Function]
    types: Mapping[str, TypeDef]
    docs: str = ""

    def __getitem__(self, name: str) -> Function:
        return self.functions[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.functions)

    def __len__(self) -> int:
        return len(self.functions)

    def __str__(self) -> str:
        from airssys_wasm.wit.signature import interface_text  # noqa: PLC0415 - it prints this

        return interface_text(self)


@dataclass(frozen=True, slots=True)
class World:
    """What a component imports and exports.

    Attributes:
        name: ``acme:greet/greeter@1.0.0``; ``root:component/root`` for a binary,
            which does not keep the name of its world.
        imports: interfaces by name; functions that the world itself imports
            stand under :data:`WORLD_LEVEL`, which is absent if there are none.
        exports: the same for what is exported.
        interfaces: every interface whose types are used, by name; for one that
            is imported and exported, the exported one.
        docs: its documentation, empty where the binary has none.
    """

    name: str
    imports: Mapping[str, Interface]
    exports: Mapping[str, Interface]
    interfaces: Mapping[str, Interface]
    docs: str = ""

    def type_of(self, reference: Named) -> TypeDef:
        """Return the definition that ``reference`` names."""
        return self.interfaces[reference.interface].types[reference.name]

    def resolve(self, type_: Type) -> tuple[Type, TypeDef | None]:
        """Follow aliases to the type behind them.

        Returns:
            The type, and its definition if it has one: then it is a
            :class:`Named` whose definition is no alias.
        """
        while isinstance(type_, Named):
            definition = self.type_of(type_)
            if isinstance(definition.shape, Record | VariantType | Enum | Flags | ResourceType):
                return type_, definition
            type_ = definition.shape
        return type_, None
