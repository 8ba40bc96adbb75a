"""True of all WIT: the model survives printing, and every stub is Python."""

from __future__ import annotations

import ast
import keyword
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from airssys_wasm import wit
from airssys_wasm.wit.model import World

WORDS = sorted({"a", "url", "self", "call", "variant", "person", *keyword.kwlist, "int", "list"})
PRIMITIVES = [
    "bool", "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "f32", "f64", "char", "string",
]  # fmt: skip

# A WIT name is kebab-case; `%` lets it be any word, keywords of WIT included.
names = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(
    lambda words: "-".join(word.lower() for word in words)
)


def distinct(*, at_most: int) -> st.SearchStrategy[list[str]]:
    return st.lists(names, min_size=1, max_size=at_most, unique=True)


def types(known: list[str]) -> st.SearchStrategy[str]:
    leaves = st.sampled_from(PRIMITIVES + [f"%{name}" for name in known])
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            inner.map(lambda one: f"list<{one}>"),
            inner.map(lambda one: f"option<{one}>"),
            inner.map(lambda one: f"result<_, {one}>"),
            st.tuples(inner, inner).map(lambda two: f"result<{two[0]}, {two[1]}>"),
            st.lists(inner, min_size=1, max_size=3).map(lambda some: f"tuple<{', '.join(some)}>"),
        ),
        max_leaves=5,
    )


@st.composite
def definitions(draw: st.DrawFn, name: str, known: list[str]) -> str:
    """One named type, made of those before it."""
    members = [f"%{member}" for member in draw(distinct(at_most=4))]
    kind = draw(st.sampled_from(["record", "variant", "enum", "flags", "type", "resource"]))
    typed = [f"{member}: {draw(types(known))}" for member in members]
    match kind:
        case "record":
            return f"record %{name} {{ {', '.join(typed)} }}"
        case "variant":
            cases = [draw(st.sampled_from([m, f"{m}({draw(types(known))})"])) for m in members]
            return f"variant %{name} {{ {', '.join(cases)} }}"
        case "type":
            return f"type %{name} = {draw(types(known))};"
        case "resource":
            methods = " ".join(f"{m}: func(x: {draw(types(known))});" for m in members)
            return f"resource %{name} {{ {methods} }}"
        case _:
            return f"{kind} %{name} {{ {', '.join(members)} }}"


@st.composite
def packages(draw: st.DrawFn) -> str:
    """A package with one interface, imported and exported or one of both."""
    known: list[str] = []
    body: list[str] = []
    all_names = draw(distinct(at_most=6))
    split = draw(st.integers(0, len(all_names) - 1))
    for name in all_names[:split]:
        body.append(draw(definitions(name, list(known))))
        known.append(name)
    for name in all_names[split:]:
        params = [f"%{p}: {draw(types(known))}" for p in draw(distinct(at_most=3))]
        result = draw(st.sampled_from(["", f" -> {draw(types(known))}"]))
        body.append(f"%{name}: func({', '.join(params)}){result};")
    uses = draw(st.sampled_from(["import %i;", "export %i;", "import %i; export %i;"]))
    return f"package p:q@1.2.3; interface %i {{ {' '.join(body)} }} world w {{ {uses} }}"


def unnamed(world: World) -> World:
    return replace(world, name="", docs="")


@settings(max_examples=100, deadline=None)
@given(packages())
def test_printed_wit_reads_as_the_same_model(text: str) -> None:
    printed = wit.world_text(text)

    assert unnamed(wit.describe(printed)) == unnamed(wit.describe(text))


@settings(max_examples=100, deadline=None)
@given(packages())
def test_every_stub_is_python_with_names_of_its_own(text: str) -> None:
    world = wit.describe(text)

    for importable in (False, True):
        tree = ast.parse(wit.stub_text(world, importable=importable))
        declared = [
            node.name if isinstance(node, ast.ClassDef) else ast.unparse(target)
            for node in tree.body
            if isinstance(node, ast.ClassDef | ast.Assign | ast.AnnAssign)
            for target in ([node.target] if isinstance(node, ast.AnnAssign) else [node])
        ]
        classes = [name.partition(" = ")[0] for name in declared]
        assert len(classes) == len(set(classes))
        compile(tree, "stub", "exec")


@settings(max_examples=50, deadline=None)
@given(packages())
def test_every_exported_function_can_be_called_by_its_full_name(text: str) -> None:
    world = wit.describe(text)
    stub = wit.stub_text(world)

    for interface in world.exports.values():
        for function in interface.functions.values():
            assert f'"{interface.name}#{function.name}"' in stub
