"""The picture at the top of ``errors.py`` can be believed."""

from __future__ import annotations

import ast
import inspect
from typing import TYPE_CHECKING

from airssys_wasm import errors

if TYPE_CHECKING:
    from pathlib import Path

INDENT = 2


def drawn_tree() -> dict[str, str | None]:
    """Name of each error in the docstring → name of the one it hangs under."""
    assert errors.__doc__ is not None
    parents: list[str] = []
    tree: dict[str, str | None] = {}
    for line in errors.__doc__.splitlines()[2:]:
        if not line.strip():
            continue
        depth, name = (len(line) - len(line.lstrip())) // INDENT, line.split()[0]
        del parents[depth:]
        tree[name] = parents[-1] if parents else None
        parents.append(name)
    return tree


def test_every_error_is_in_the_tree_of_the_docstring() -> None:
    assert drawn_tree().keys() == set(errors.__all__)


def test_the_tree_is_drawn_as_the_classes_inherit() -> None:
    for name, parent in drawn_tree().items():
        bases = [base.__name__ for base in getattr(errors, name).__bases__]
        assert bases[0] == (parent or "Exception"), name


def test_no_exception_is_defined_anywhere_else(python_files: list[Path], root: Path) -> None:
    known = set(errors.__all__) | {"Exception", "BaseException"}
    strays = [
        f"{path.relative_to(root)}:{node.lineno} {node.name}"
        for path in python_files
        if path.is_relative_to(root / "python" / "airssys_wasm")
        and path.name != "errors.py"
        # Modules of guests run in the guest: nobody here ever sees what they raise.
        and not path.is_relative_to(root / "python" / "airssys_wasm" / "sdk" / "guest")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
        and any(
            isinstance(base, ast.Name | ast.Attribute) and name_of(base) in known
            for base in node.bases
        )
    ]

    assert not strays


def name_of(node: ast.Name | ast.Attribute) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr


def test_every_error_is_raised_by_a_test(python_files: list[Path], root: Path) -> None:
    expected = {
        name_of(node)
        for path in python_files
        if path.is_relative_to(root / "tests")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name | ast.Attribute)
        and name_of(call.func) == "raises"
        for argument in call.args
        for node in ast.walk(argument)
        if isinstance(node, ast.Name | ast.Attribute)
    }
    # A base is raised through the classes below it.
    bases = {parent for parent in drawn_tree().values() if parent}

    assert set(errors.__all__) - bases <= expected


def test_every_error_says_what_its_attributes_are() -> None:
    for name in errors.__all__:
        kind = getattr(errors, name)
        own = vars(kind).get("__init__")
        if own is None or name == "ComponentError":
            continue
        facts = [
            fact for fact in inspect.signature(own).parameters if fact not in {"self", "message"}
        ]
        assert all(fact in (kind.__doc__ or "") for fact in facts), name
