"""The text of generated stubs."""

from __future__ import annotations

import ast
import dataclasses
import importlib.util
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airssys_wasm import wit
from airssys_wasm.wit.names import class_name, distinct_names, value_name
from airssys_wasm.wit.source_text import docstring

if TYPE_CHECKING:
    from types import ModuleType

WORLDS = Path(__file__).parent / "worlds"


def imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # As an import does it: dataclasses look their module up.
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[spec.name]
    return module


def test_the_same_world_gives_the_same_text() -> None:
    texts = {wit.stub_text(wit.describe(WORLDS / "everything.wit")) for _ in range(3)}

    assert len(texts) == 1


def test_a_module_has_dataclasses_that_can_be_made(tmp_path: Path) -> None:
    world = wit.describe(WORLDS / "greet.wit")

    module = imported(wit.write_stubs(world, tmp_path / "greet_types.py"))

    ada = module.Person("Ada", 36)
    assert dataclasses.asdict(ada) == {"name": "Ada", "age": 36}
    assert module.Person.__doc__ == "Somebody to greet."
    assert module.PersonDict.__required_keys__ == {"name", "age"}


def test_documentation_becomes_docstrings() -> None:
    tree = ast.parse(wit.stub_text(wit.describe(WORLDS / "everything.wit")))

    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    assert ast.get_docstring(classes["Counter"]) == 'Counts "things" \\ and says """so""".'
    overloads = [node for node in classes["Counter"].body if isinstance(node, ast.FunctionDef)]
    absorb = next(node for node in overloads if '"absorb"' in ast.unparse(node).replace("'", '"'))
    assert ast.get_docstring(absorb) == (
        "Merge another one in.\n\nRaises:\n"
        "    ComponentError: the err case, with a ``string`` as its ``value``."
    )


#: Text in which quotes and backslashes are as likely as all else together.
QUOTED = st.lists(
    st.one_of(st.sampled_from(['"', '""', '"""', "\\", "'", "\n", " "]), st.characters())
).map("".join)


@given(QUOTED, st.lists(QUOTED, max_size=2))
@example('say """', [])
@example('"""', [])
@example('x\\"""', [])
@example("ends with \\", [])
@example("", ['Raises: """'])
def test_any_text_is_a_docstring_that_says_it(text: str, closing: list[str]) -> None:
    lines = docstring(text, closing)

    paragraphs = [line.rstrip() for line in text.strip().splitlines()]
    if paragraphs and closing:
        paragraphs += ["", *(line.rstrip() for line in closing)]
    elif closing:
        paragraphs = [" ".join(line.strip() for line in closing).rstrip()]
    said = "\n".join(paragraphs) + ("\n" if len(paragraphs) > 1 else "")
    if not paragraphs:
        assert lines == []
    else:
        assert ast.literal_eval("\n".join(lines)) == said


@pytest.mark.parametrize("text", ['say """', '"""', "ends with \\", '"', '\\"""'])
def test_stubs_of_any_documentation_are_python(text: str, tmp_path: Path) -> None:
    source = f"""
    package a:b;
    world w {{
      record person {{ /// {text}
        name: string }}
      /// {text}
      export f: func(who: person);
    }}
    """

    path = wit.write_stubs(wit.describe(source), tmp_path / "documented_types.py")

    imported(path)
    functions = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node)
    ]
    assert {ast.get_docstring(one) for one in functions} == {text}


def test_a_named_result_raises_like_any_other() -> None:
    text = wit.stub_text(
        wit.describe("package a:b; world w { type r = result<u8>; export f: func() -> r; }")
    )

    assert re.search(r"def call\(.*\) -> int:", text)
    assert "ComponentError: the err case, with no value." in text


def test_interfaces_of_the_host_ask_nothing_of_the_embedder() -> None:
    text = wit.stub_text(
        wit.describe(
            "package airssys:times; interface clock { now: func() -> u64; }"
            " world w { import clock; }"
        )
    )

    assert "Imports" not in text
    assert "now" not in text


def test_only_what_functions_use_is_declared() -> None:
    text = wit.stub_text(
        wit.describe(
            "package a:b; interface i { record used { x: u8 } record idle { y: u8 }"
            " f: func(a: used); } world w { export i; }"
        )
    )

    assert "class Used" in text
    assert "Idle" not in text


def test_a_write_that_fails_leaves_the_old_file_alone(tmp_path: Path) -> None:
    world = wit.describe(WORLDS / "greet.wit")
    kept = wit.write_stubs(world, tmp_path / "kept.pyi")
    before = kept.read_text()
    blocked = tmp_path / "folder.pyi"
    blocked.mkdir()

    with pytest.raises(OSError, match=r"folder\.pyi"):
        wit.write_stubs(world, blocked)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.pyi", "kept.pyi"]
    wit.write_stubs(wit.describe(WORLDS / "supplied.wit"), kept)
    assert kept.read_text() != before


@pytest.mark.skipif(os.name == "nt", reason="Windows has no file modes")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_file_is_as_open_as_the_process_says(umask: int, mode: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        written = wit.write_stubs(wit.describe(WORLDS / "empty.wit"), tmp_path / "empty.pyi")
    finally:
        os.umask(before)

    assert written.stat().st_mode & 0o777 == mode


def test_writing_never_touches_the_umask_of_the_process(tmp_path: Path) -> None:
    # Files that other threads make meanwhile would be open to everybody.
    called: set[str] = set()

    def note(_frame: object, event: str, function: Any) -> None:
        if event == "c_call":
            called.add(function.__name__)

    world = wit.describe(WORLDS / "empty.wit")
    sys.setprofile(note)
    try:
        wit.write_stubs(world, tmp_path / "empty.pyi")
    finally:
        sys.setprofile(None)

    assert "replace" in called
    assert "umask" not in called


def test_a_file_that_is_no_python_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"hint: name it \.pyi"):
        wit.write_stubs(wit.describe(WORLDS / "empty.wit"), tmp_path / "stubs.txt")

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "as_value", "as_class"),
    [
        ("person", "person", "Person"),
        ("first-name", "first_name", "FirstName"),
        ("from", "from_", "From"),
        ("none", "none", "None"),
        ("HTTP-error", "HTTP_error", "HTTPError"),
        ("u-2", "u_2", "U2"),
    ],
)
def test_names_are_spelled_as_python_has_them(name: str, as_value: str, as_class: str) -> None:
    assert value_name(name) == as_value
    assert class_name(name) == as_class


def test_names_that_meet_are_told_apart_by_as_little_as_possible() -> None:
    items = [
        ("a:b/api@1.0.0", "person"),
        ("a:b/api@1.0.0", "error"),
        ("a:b/store@1.0.0", "error"),
        ("c:d/store@1.0.0", "error"),
        ("a:b/x@1.0.0", "none"),
        ("v:v/i@1.0.0", "twice"),
        ("v:v/i@2.0.0", "twice"),
    ]

    assert distinct_names(items) == {
        items[0]: "Person",
        items[1]: "ApiError",
        items[2]: "ABStoreError",
        items[3]: "CDStoreError",
        items[4]: "None_",
        items[5]: "VVI100Twice",
        items[6]: "VVI200Twice",
    }
