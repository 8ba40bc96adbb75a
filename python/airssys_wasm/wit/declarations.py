"""The types of a world as Python declarations."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from airssys_wasm.wit.annotations import SPELLED_BUILTINS, Annotator, Spelling, parts_of
from airssys_wasm.wit.model import (
    WORLD_LEVEL,
    Enum,
    Flags,
    Function,
    Interface,
    Named,
    Record,
    ResourceType,
    ResultType,
    Type,
    TypeDef,
    TypeShape,
    VariantType,
    World,
)
from airssys_wasm.wit.names import Taken, distinct_names, value_name
from airssys_wasm.wit.signature import type_text
from airssys_wasm.wit.source_text import (
    alias,
    block,
    comment,
    docstring,
    in_quotes,
    signature,
    typed_dict,
    with_body,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = [
    "Declarations",
    "closing",
    "ok_part",
    "parameters",
    "reached_types",
    "returned",
    "shadowing",
    "supplied_interfaces",
]


#: Packages whose interfaces the host gives itself; the embedder writes nothing for them.
_HOST_PACKAGES = ("wasi:", "airssys:")


def supplied_interfaces(world: World) -> dict[str, Interface]:
    """Return the imports that the embedder gives, by name."""
    return {
        name: interface
        for name, interface in world.imports.items()
        if interface.functions and not name.startswith(_HOST_PACKAGES)
    }


def reached_types(world: World, interfaces: Iterable[Interface]) -> list[Named]:
    """Return every named type that functions use, each after those it is made of."""
    reach = _Reach(world)
    for interface in interfaces:
        for function in interface.functions.values():
            if function.resource:
                reach.named(Named(function.resource, interface.name))
            reach.function(function)
    return list(reach.types)


class _Reach:
    """A walk over the types of functions."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.types: dict[Named, None] = {}

    def function(self, function: Function) -> None:
        for param in function.params:
            self.named(param.type)
        if function.result is not None:
            self.named(function.result)

    def named(self, type_: Type) -> None:
        resolved, definition = self._world.resolve(type_)
        if definition is None:
            self._parts(resolved)
        elif isinstance(resolved, Named) and resolved not in self.types:
            self._parts(definition.shape)
            self.types[resolved] = None

    def _parts(self, shape: TypeShape) -> None:
        for part in parts_of(shape):
            self.named(part)


def shadowing(members: Iterable[str]) -> frozenset[str]:
    """Return the builtins that a class with these members hides inside itself."""
    return SPELLED_BUILTINS & frozenset(members)


def parameters(
    function: Function, spell: Mapping[str, str], taken: Iterable[str] = ()
) -> list[str]:
    """Return ``name: type`` for each parameter in ``spell``, none of a name in ``taken``."""
    return [
        f"{value_name(param.name, taken)}: {spell[param.name]}"
        for param in function.params
        if param.name in spell
    ]


class Declarations:
    """Declares the types of a world, each once.

    Args:
        world: the world.
        types: the types to declare, each after those it is made of.
        further: class names wanted beside the types, as interface and name.
        importable: write for a module that is imported, not for a stub: there a
            name must not be used before it is defined, so it is quoted.
    """

    def __init__(
        self,
        world: World,
        types: Sequence[Named],
        further: Iterable[tuple[str, str]] = (),
        *,
        importable: bool,
    ) -> None:
        self._world = world
        self._types = types
        self._importable = importable
        self.class_names = distinct_names([*((one.interface, one.name) for one in types), *further])
        self._taken = Taken(self.class_names.values())
        self.annotate = Annotator(world, {})
        spellings: dict[Named, Spelling] = {}
        self.annotate.spellings = spellings
        # In order: whether a variant needs two names depends on what it is made of.
        for one in types:
            spellings[one] = self._spelling(one)

    def lines(self) -> Iterator[list[str]]:
        """Yield the declaration of each type, in order."""
        for one in self._types:
            definition = self._world.type_of(one)
            match definition.shape:
                case Record():
                    yield from self._record(one, definition)
                case VariantType():
                    yield from self._variant(one, definition)
                case Enum(cases):
                    words = [case.name for case in cases]
                    yield self._alias(one, definition, [self.annotate.literal(words)])
                case Flags(cases):
                    words = [case.name for case in cases]
                    meaning = f"frozenset[{self.annotate.literal(words)}]"
                    yield self._alias(one, definition, [meaning])
                case ResourceType() if self._is_exported(one):
                    yield self._resource(one, definition)
                case ResourceType() if not self._has_methods(one):
                    # Some object, of the embedder or of the host: nobody calls it.
                    self.annotate.used.add("Any")
                    name = self.annotate.spellings[one].taken
                    yield self._alias(one, definition, ["Any"], name)
                case ResourceType():
                    pass  # Declared where the embedder's classes are.
                case _:
                    raise AssertionError(f"{one} is an alias, and aliases are followed")

    def _spelling(self, one: Named) -> Spelling:
        name = self.class_names[one.interface, one.name]
        shape = self._world.type_of(one).shape
        if isinstance(shape, Record):
            taken = self._taken.name(f"{name}Dict")
            return Spelling(given=f"{name} | {taken}", taken=taken)
        if isinstance(shape, ResourceType) and not self._is_exported(one):
            # Its plain name is that of the class among its interface's attributes.
            taken = self._taken.name(f"{name}Object")
            return Spelling(given=taken, taken=taken)
        if isinstance(shape, VariantType) and self._differs(shape):
            return Spelling(given=name, taken=self._taken.name(f"{name}Taken"))
        return Spelling(given=name, taken=name)

    def free_name(self, wanted: str) -> str:
        """Return a class name that is free, ``wanted`` if it is."""
        return self._taken.name(wanted)

    def _is_exported(self, one: Named) -> bool:
        """Whether the component makes these handles; a world's own resources are imports."""
        return one.interface in self._world.exports and one.interface != WORLD_LEVEL

    def _has_methods(self, one: Named) -> bool:
        """Whether the embedder writes a class for a resource that it gives."""
        if one.interface == WORLD_LEVEL:
            return False
        interface = supplied_interfaces(self._world).get(one.interface)
        return interface is not None and any(
            function.resource == one.name for function in interface.functions.values()
        )

    def _differs(self, shape: VariantType) -> bool:
        spell = self.annotate
        return spell.cases(shape.cases, given=True) != spell.cases(shape.cases, given=False)

    def _record(self, one: Named, definition: TypeDef) -> Iterator[list[str]]:
        shape = definition.shape
        assert isinstance(shape, Record)  # the caller matched it
        spelling = self.annotate.spellings[one]
        entries = [
            (field.name, self._quoted(self.annotate.taken(field.type))) for field in shape.fields
        ]
        self.annotate.used |= {"TypedDict", "dataclass"}
        yield [*comment(definition.docs), *typed_dict(spelling.taken, entries)]

        members = [value_name(field.name) for field in shape.fields]
        annotate = self._inside(members)
        body = docstring(definition.docs)
        body += [""] if body else []
        for member, field in zip(members, shape.fields, strict=True):
            body.append(f"{member}: {annotate.given(field.type)}")
            body += docstring(field.docs)
        name = self.class_names[one.interface, one.name]
        yield ["@dataclass(frozen=True, slots=True)", f"class {name}:", *block(body or ["..."])]

    def _variant(self, one: Named, definition: TypeDef) -> Iterator[list[str]]:
        shape = definition.shape
        assert isinstance(shape, VariantType)  # the caller matched it
        spelling = self.annotate.spellings[one]
        for name in dict.fromkeys((spelling.given, spelling.taken)):
            cases = self.annotate.cases(shape.cases, given=name == spelling.given)
            yield self._alias(one, definition, cases, name)

    def _alias(
        self, one: Named, definition: TypeDef, choices: Sequence[str], name: str = ""
    ) -> list[str]:
        self.annotate.used.add("TypeAlias")
        docs = [definition.docs]
        if isinstance(definition.shape, Enum | Flags | VariantType):
            cases = definition.shape.cases
            docs += [f"{case.name}: {case.docs}" for case in cases if case.docs]
        name = name or self.class_names[one.interface, one.name]
        return [*comment("\n".join(docs)), *alias(name, choices, quoted=self._importable)]

    def _resource(self, one: Named, definition: TypeDef) -> list[str]:
        name = self.class_names[one.interface, one.name]
        methods = [
            function
            for function in self._world.exports[one.interface].functions.values()
            if function.kind == "method" and function.resource == one.name
        ]
        self.annotate.used |= {"Protocol", "Self"}
        body = docstring(definition.docs or f"A handle of the component's `{one.name}`.")
        body += self._method_calls(methods)
        body += ["", "@property", "def closed(self) -> bool:"]
        body += block(['"""Whether it was dropped or given away, or its instance is closed."""'])
        body += ["", "def drop(self) -> None:", *block(['"""Give the handle back."""'])]
        body += ["", "def __enter__(self) -> Self: ...", ""]
        body.append("def __exit__(self, *_exception: object) -> None: ...")
        return [f"class {name}(Protocol):", *block(body)]

    def _method_calls(self, methods: Sequence[Function]) -> Iterator[str]:
        """Yield ``call``, overloaded by the name of the method."""
        for method in methods:
            yield ""
            if len(methods) > 1:
                self.annotate.used.add("overload")
                yield "@overload"
            spelled = {param.name: self.annotate.given(param.type) for param in method.params[1:]}
            given = parameters(method, spelled, {"self", "method"})
            params = ["self", f"method: {self.annotate.literal([method.item_name])}", *given, "/"]
            head = signature("def call", params, f" -> {returned(method, self.annotate)}:")
            yield from with_body(head, docstring(method.docs, closing(method, self._world)))

    def _inside(self, members: Iterable[str]) -> Annotator:
        """The annotator for the body of a class with these members."""
        return replace(self.annotate, shadowed=shadowing(members))

    def _quoted(self, annotation: str) -> str:
        """A name may stand before its definition in a stub, and in quotes."""
        return in_quotes(annotation) if self._importable else annotation


def returned(function: Function, annotate: Annotator) -> str:
    """Spell what a call gives: of a result, the ok part."""
    return annotate.taken(ok_part(function, annotate.world))


def ok_part(function: Function, world: World) -> Type | None:
    """Return what a call gives in the good case."""
    result = _result(function, world)
    return result.ok if isinstance(result, ResultType) else function.result


def closing(function: Function, world: World) -> list[str]:
    """Return the part of a docstring that says how a call fails."""
    result = _result(function, world)
    if not isinstance(result, ResultType):
        return []
    what = "no value" if result.err is None else f"a ``{type_text(result.err)}`` as its ``value``"
    return ["Raises:", f"    ComponentError: the err case, with {what}."]


def _result(function: Function, world: World) -> Type | None:
    """Return the result with aliases followed: a named ``result`` raises like any other."""
    return None if function.result is None else world.resolve(function.result)[0]
