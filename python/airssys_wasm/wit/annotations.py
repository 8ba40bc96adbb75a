"""Types of WIT as types of Python.

A type has two spellings. *Given* is what Python may hand over: a record as its
dataclass or as a dict, a list as any sequence. *Taken* is what Python gets: a
record as a dict, a list as a list. Every taken type fits where it is given.
"""

from __future__ import annotations

import builtins
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airssys_wasm.wit.model import (
    AsyncType,
    Case,
    Handle,
    ListType,
    MapType,
    Named,
    OptionType,
    Primitive,
    Record,
    ResultType,
    TupleType,
    Type,
    TypeShape,
    VariantType,
    World,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["SPELLED_BUILTINS", "Annotator", "Spelling", "parts_of"]

_PRIMITIVES = {
    "bool": "bool",
    "f32": "float",
    "f64": "float",
    "char": "str",
    "string": "str",
} | {f"{sign}{bits}": "int" for sign in "us" for bits in (8, 16, 32, 64)}


@dataclass(frozen=True, slots=True)
class Spelling:
    """The two names of one generated type; they are the same for most."""

    given: str
    taken: str


@dataclass(slots=True)
class Annotator:
    """Spells types; ``used`` collects what the file has to import.

    Args:
        world: where names are looked up.
        spellings: the generated types, by interface and name.
        shadowed: names of builtins that the class being written redefines.
    """

    world: World
    spellings: Mapping[Named, Spelling]
    used: set[str] = field(default_factory=set)
    shadowed: frozenset[str] = frozenset()

    def given(self, type_: Type | None) -> str:
        """Spell what Python may hand over; ``None`` where there is no value."""
        return "None" if type_ is None else self._spell(type_, given=True)

    def taken(self, type_: Type | None) -> str:
        """Spell what Python gets."""
        return "None" if type_ is None else self._spell(type_, given=False)

    def literal(self, words: Iterable[str]) -> str:
        """Spell one of some words."""
        return self._use("Literal") + "[" + ", ".join(f'"{word}"' for word in words) + "]"

    def case(self, name: str, payload: str) -> str:
        """Spell one case of a variant."""
        return f"{self._use('Variant')}[{self.literal([name])}, {payload}]"

    def cases(self, cases: Sequence[Case], *, given: bool) -> list[str]:
        """Spell the cases of a variant.

        Taken, each case has its own type, so that checking ``case`` narrows
        ``value``. Given, one type covers all: a checker infers ``Variant("a", 1)``
        against one type, and not against a union of them. A case without a value
        may be given by its name alone.
        """
        if not given:
            return [self.case(case.name, self.taken(case.type)) for case in cases]
        payloads = dict.fromkeys(self.given(case.type) for case in cases)
        if any(payload.endswith(" | None") for payload in payloads):
            payloads.pop("None", None)
        words = self.literal(case.name for case in cases)
        bare = [case.name for case in cases if case.type is None]
        whole = f"{self._use('Variant')}[{words}, {' | '.join(payloads)}]"
        return [whole, self.literal(bare)] if bare else [whole]

    def builtin(self, name: str) -> str:
        """Spell a builtin, with its module where a member of the class hides it."""
        return f"{self._use('builtins')}.{name}" if name in self.shadowed else name

    def _use(self, name: str) -> str:
        self.used.add(name)
        return name

    def _spell(self, type_: Type, *, given: bool) -> str:
        resolved, definition = self.world.resolve(type_)
        if definition is not None and isinstance(resolved, Named):
            return self._named(resolved, given=given)
        spell = self.given if given else self.taken
        match resolved:
            case Primitive(name):
                # What is no plain value, `error-context`, has no spelling.
                python = _PRIMITIVES.get(name)
                return self._use("Any") if python is None else self.builtin(python)
            case ListType(element):
                return self._list(element, given=given)
            case MapType(key, value):
                return f"{self.builtin('dict')}[{spell(key)}, {spell(value)}]"
            case OptionType(some):
                return self._option(some, given=given)
            case TupleType(items):
                inside = ", ".join(spell(item) for item in items) or "()"
                return f"{self.builtin('tuple')}[{inside}]"
            case ResultType(ok, err):
                sides = (Case("ok", ok), Case("err", err))
                # By its name alone, a side of a result is not taken.
                return " | ".join(self.cases(sides, given=given)[: 1 if given else 2])
            case Handle(resource):
                return self._named(resource, given=given)
            case AsyncType() | Named():
                return self._use("Any")

    def _option(self, some: Type, *, given: bool) -> str:
        inner = self._spell(some, given=given)
        resolved, _ = self.world.resolve(some)
        if not isinstance(resolved, OptionType):
            return f"{inner} | None"
        # An option inside an option has two empty values; the inner one is wrapped.
        wrapped = self.case("some", inner)
        return f"{inner} | {wrapped}" if given else f"{wrapped} | None"

    def _named(self, name: Named, *, given: bool) -> str:
        resolved, _ = self.world.resolve(name)
        if not isinstance(resolved, Named):
            return self._use("Any")
        spelling = self.spellings[resolved]
        return spelling.given if given else spelling.taken

    def _list(self, element: Type, *, given: bool) -> str:
        resolved, _ = self.world.resolve(element)
        if resolved == Primitive("u8"):
            # Every bytes-like object is a sequence of int to a type checker.
            plain = self.builtin("bytes")
            return f"{plain} | {self._use('Sequence')}[{self.builtin('int')}]" if given else plain
        if given:
            return f"{self._use('Sequence')}[{self.given(element)}]"
        return f"{self.builtin('list')}[{self.taken(element)}]"


def parts_of(shape: TypeShape) -> list[Type]:
    """Return the types that a definition or type is made of."""
    match shape:
        case Record(fields):
            return [one.type for one in fields]
        case VariantType(cases):
            return _present(case.type for case in cases)
        case ListType(one) | OptionType(one) | Handle(one):
            return [one]
        case MapType(key, value):
            return [key, value]
        case TupleType(items):
            return list(items)
        case ResultType(ok, err):
            return _present((ok, err))
        case AsyncType(_, item):
            return _present([item])
        case _:
            return []


def _present(types: Iterable[Type | None]) -> list[Type]:
    return [one for one in types if one is not None]


#: Builtins that generated annotations name.
SPELLED_BUILTINS = frozenset(
    {*_PRIMITIVES.values(), "bytes", "dict", "frozenset", "list", "object", "tuple"}
) & frozenset(dir(builtins))
