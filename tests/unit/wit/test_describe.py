"""What a component or package says of itself, as the Python model."""

from __future__ import annotations

from pathlib import Path

import pytest

from airssys_wasm import wit
from airssys_wasm._native import componentize
from airssys_wasm.errors import BuildError, ComponentInvalid, WitInvalid
from airssys_wasm.wit.model import Flags, Handle, Named, Record, ResultType, VariantType

WORLDS = Path(__file__).parent / "worlds"

# (module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))
ADD_MODULE = bytes.fromhex(
    "0061736d01000000 0107016002 7f7f017f 03020100 0707010361646400 00 0a0901070020 0020016a0b"
)
ADD_WIT = "package acme:sum@1.0.0; world sum { export add: func(a: s32, b: s32) -> s32; }"


def add_component() -> bytes:
    return componentize.encode(componentize.embed(ADD_MODULE, ADD_WIT))


def test_functions_stand_under_their_interface_and_the_worlds_own_under_the_empty_name() -> None:
    world = wit.describe(WORLDS / "greet.wit")

    assert list(world.exports) == ["acme:greet/api@1.0.0", wit.WORLD_LEVEL]
    assert str(world.exports["acme:greet/api@1.0.0"]["greet"]) == "greet(person: person) -> string"
    assert str(world.exports[wit.WORLD_LEVEL]["add"]) == "add(a: s32, b: s32) -> s32"
    assert world.name == "acme:greet/greeter@1.0.0"
    assert not world.imports


def test_documentation_comes_along() -> None:
    api = wit.describe(WORLDS / "greet.wit").exports["acme:greet/api@1.0.0"]

    assert api.docs == "The one interface."
    assert api["greet"].docs == "Greet somebody."
    person = api.types["person"]
    assert person.docs == "Somebody to greet."
    assert isinstance(person.shape, Record)
    assert [field.docs for field in person.shape.fields] == ["", "In full years."]


def test_every_type_has_its_place_in_the_model() -> None:
    world = wit.describe(WORLDS / "everything.wit")

    nested = world.exports["nasty:types/nested@0.2.0-rc.1"]
    assert isinstance(nested.types["permissions"].shape, Flags)
    assert isinstance(nested.types["shape"].shape, VariantType)
    walk = nested["walk"].result
    assert isinstance(walk, ResultType)
    assert walk.err == Named("shape", nested.name)
    text = {function.name: str(function) for function in nested.functions.values()}
    assert text["outcome"] == "outcome(r: result<u8, string>) -> result<result<u8, string>, result>"


def test_resources_keep_their_functions_apart() -> None:
    counters = wit.describe(WORLDS / "everything.wit").exports["nasty:types/counters@0.2.0-rc.1"]

    kinds = {one.name: (one.kind, one.resource) for one in counters.functions.values()}
    assert kinds["[constructor]counter"] == ("constructor", "counter")
    assert kinds["[static]counter.parse"] == ("static", "counter")
    assert kinds["[method]counter.absorb"] == ("method", "counter")
    assert kinds["largest"] == ("function", "")
    absorb = counters["[method]counter.absorb"]
    assert [param.type for param in absorb.params] == [
        Handle(Named("counter", counters.name), borrowed=True),
        Handle(Named("counter", counters.name), borrowed=False),
    ]
    assert str(absorb) == "counter.absorb(other: counter) -> result<_, string>"


def test_aliases_lead_to_the_type_behind_them() -> None:
    world = wit.describe(WORLDS / "everything.wit")
    names = "nasty:types/names@0.2.0-rc.1"

    resolved, definition = world.resolve(Named("again", names))

    assert resolved == Named("instance", names)
    assert definition is world.interfaces[names].types["instance"]


def test_the_order_of_the_text_is_kept() -> None:
    world = wit.describe("package a:b; interface i { z: func(); a: func(); } world w { export i; }")

    assert list(world.exports["a:b/i"]) == ["z", "a"]


def test_a_component_is_described_from_its_bytes() -> None:
    component = add_component()

    world = wit.describe(component)

    assert str(world.exports[""]["add"]) == "add(a: s32, b: s32) -> s32"
    assert "export add: func(a: s32, b: s32) -> s32;" in wit.world_text(component)


def test_the_model_of_a_component_is_that_of_its_wit() -> None:
    assert wit.describe(add_component()).exports == wit.describe(ADD_WIT).exports


def test_our_own_packages_are_valid(pytestconfig: pytest.Config) -> None:
    trees = sorted(path.parent for path in (pytestconfig.rootpath / "wit").glob("*/*.wit"))

    assert trees
    for tree in dict.fromkeys(trees):
        assert wit.validate(tree).name.startswith("airssys:")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (b"", "empty"),
        (b"\0asm\x01\0\0\0", "core module"),
        (b"PK\x03\x04", "not WebAssembly"),
        (b"\0asm\x0d\0\x01\0\xff", "cannot be read"),
    ],
)
def test_bytes_that_are_no_component_say_what_they_are(source: bytes, words: str) -> None:
    with pytest.raises(ComponentInvalid, match=words):
        wit.describe(source)


def test_wrong_wit_says_where() -> None:
    with pytest.raises(WitInvalid) as caught:
        wit.describe("package a:b;\nworld w { export x; }", name="mine.wit")

    error = caught.value
    assert (error.file, error.line, error.column) == ("mine.wit", 2, 18)
    assert str(error).startswith("mine.wit:2:18: ")


def test_a_world_must_be_named_where_there_are_several() -> None:
    two = "package a:b; world one {} world two { import f: func(); }"

    with pytest.raises(WitInvalid, match="worlds here: one, two"):
        wit.describe(two)
    assert list(wit.describe(two, world="two").imports) == [""]


def test_a_module_that_says_nothing_in_wit_is_no_component() -> None:
    with pytest.raises(BuildError, match="hint: build it with a binding generator"):
        componentize.encode(ADD_MODULE)


def test_a_world_that_the_module_does_not_fill_is_refused() -> None:
    world = "package a:b; world w { export subtract: func(); }"

    with pytest.raises(BuildError, match="exports `subtract`, which the module does not"):
        componentize.encode(componentize.embed(ADD_MODULE, world))
