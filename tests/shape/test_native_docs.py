"""What ``help()`` says of a native class is what its stub says."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from typing import TYPE_CHECKING

import pytest

import airssys_wasm as aw

if TYPE_CHECKING:
    from pathlib import Path

#: Native classes that users meet as themselves, by the stub that documents them.
MET = {
    "runtime": ["Instance", "Receipt", "Resource", "Variant"],
    "broker": ["Reply", "Message", "DeadLetter"],
}


def documented(root: Path, module: str, name: str) -> dict[str, str]:
    """What a stub says of a class (under the empty name) and of its methods."""
    stub = root / "python" / "airssys_wasm" / "_native" / f"{module}.pyi"
    for node in ast.parse(stub.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            methods = [item for item in node.body if isinstance(item, ast.FunctionDef)]
            texts = {"": ast.get_docstring(node)} | {
                method.name: ast.get_docstring(method) for method in methods
            }
            return {name: text for name, text in texts.items() if text}
    return {}


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module, names in MET.items() for name in names]
)
def test_help_says_what_the_stub_says(root: Path, module: str, name: str) -> None:
    native = getattr(importlib.import_module(f"airssys_wasm._native.{module}"), name)
    texts = documented(root, module, name)
    told = {
        method: inspect.getdoc(getattr(native, method) if method else native) for method in texts
    }

    assert "" in texts
    assert told == texts


def test_no_native_class_of_the_package_is_left_out() -> None:
    named = {name for name in aw.__all__ if inspect.isclass(getattr(aw, name))}
    # Python's own classes are of the module that they stand in.
    native = {name for name in named if getattr(aw, name).__module__ == "airssys_wasm"}

    assert native == {name for names in MET.values() for name in names}


#: The methods by which a message is sent, and their twins that block.
TWINS = {
    "ask": "ask_waiting",
    "send": "send_waiting",
    "ask_many": "ask_many_waiting",
    "send_many": "send_many_waiting",
    "try_send": "try_send",
    "try_send_many": "try_send_many",
}
OPTION_ROW = re.compile(r"^\| `(\w+)=` \|[^|]*\| ([^|]+) \|$", re.MULTILINE)
OPTION_LINE = re.compile(r"^    - ``(\w+)``(?:, of ([^:]+))?:", re.MULTILINE)


@pytest.fixture(scope="module")
def options(root: Path) -> dict[str, set[str]]:
    """The methods of a native actor that take each option."""
    stub = root / "python" / "airssys_wasm" / "_native" / "broker.pyi"
    kinds = ast.parse(stub.read_text(encoding="utf-8")).body
    (actor,) = (kind for kind in kinds if isinstance(kind, ast.ClassDef) and kind.name == "Actor")
    taken: dict[str, set[str]] = {}
    for method in actor.body:
        if isinstance(method, ast.FunctionDef) and method.name in {*TWINS, *TWINS.values()}:
            for option in method.args.kwonlyargs:
                taken.setdefault(option.arg, set()).add(method.name)
    return taken


def test_a_method_that_blocks_takes_the_options_of_its_twin(options: dict[str, set[str]]) -> None:
    assert len(options) > 1
    for methods in options.values():
        assert methods == {*methods & {*TWINS}, *(TWINS[name] for name in methods & {*TWINS})}


def test_the_guide_and_the_face_say_which_method_takes_which_option(
    root: Path, options: dict[str, set[str]]
) -> None:
    taken = {option: methods & {*TWINS} for option, methods in options.items()}
    guide = (root / "docs" / "actors.md").read_text(encoding="utf-8")
    rows = {option: named(of) for option, of in OPTION_ROW.findall(guide)}
    lines = {option: named(of) for option, of in OPTION_LINE.findall(aw.Actor.__doc__ or "")}

    assert rows == taken
    # One word is said with the codec.
    assert lines == {option: of for option, of in taken.items() if option != "schema"}


def named(text: str) -> set[str]:
    return set(re.findall(r"`+(\w+)`+", text)) or set(TWINS)
