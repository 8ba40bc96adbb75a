"""What ``import airssys_wasm as aw`` gives."""

from __future__ import annotations

import ast
import inspect
from typing import TYPE_CHECKING

import pytest

import airssys_wasm as aw
from airssys_wasm import errors

if TYPE_CHECKING:
    from pathlib import Path


def test_no_public_name_is_said_twice() -> None:
    assert len(aw.__all__) == len(set(aw.__all__))


@pytest.mark.parametrize("name", aw.__all__)
def test_a_public_name_exists_and_is_documented(name: str) -> None:
    thing = getattr(aw, name)

    if inspect.isclass(thing) or callable(thing):
        assert (inspect.getdoc(thing) or "").strip(), name


def test_every_error_is_public() -> None:
    assert set(errors.__all__) <= set(aw.__all__)


@pytest.fixture(scope="module")
def said_in_stubs(root: Path) -> set[str]:
    """``Class.member`` of native code: its documentation stands in the stubs."""
    return {
        f"{kind.name}.{member.name}"
        for stub in (root / "python" / "airssys_wasm" / "_native").glob("*.pyi")
        for kind in ast.parse(stub.read_text(encoding="utf-8")).body
        if isinstance(kind, ast.ClassDef)
        for member in kind.body
        if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef)
        if ast.get_docstring(member)
    }


def test_no_public_method_is_undocumented(said_in_stubs: set[str]) -> None:
    bare = [
        f"{name}.{attribute}"
        for name in aw.__all__
        if inspect.isclass(thing := getattr(aw, name))
        and thing.__module__.startswith("airssys_wasm")
        for attribute, value in vars(thing).items()
        if not attribute.startswith("_")
        and (callable(value) or isinstance(value, property) or inspect.isgetsetdescriptor(value))
        and not (inspect.getdoc(value) or "").strip()
        and f"{name}.{attribute}" not in said_in_stubs
    ]

    assert not bare
