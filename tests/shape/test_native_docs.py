"""What ``help()`` says of a native class is what its stub says."""

from __future__ import annotations

import ast
import importlib
import inspect
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
