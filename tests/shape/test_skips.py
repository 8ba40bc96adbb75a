"""A skipped test says why."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SKIPPING = {"skip", "skipif", "xfail", "importorskip"}
SHORTEST_REASON = 12  # characters; "flaky" or "todo" is no reason
BARE_IGNORE = re.compile(r"#\[ignore\s*\]")


def reason_of(call: ast.Call) -> str:
    by_name = {keyword.arg: keyword.value for keyword in call.keywords}
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    given = by_name.get("reason", call.args[0] if name in {"skip", "xfail"} and call.args else None)
    if isinstance(given, ast.Constant):
        return str(given.value)
    # A reason put together at run time says more than a constant could.
    return "" if given is None else ast.unparse(given)


def is_pytest(node: ast.expr) -> bool:
    if not isinstance(node, ast.Attribute) or node.attr not in SKIPPING:
        return False
    return ast.unparse(node.value) in {"pytest", "pytest.mark"}


def test_every_skip_and_expected_failure_has_a_reason(python_files: list[Path], root: Path) -> None:
    without = []
    for path in python_files:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        calls = [
            node for node in ast.walk(tree) if isinstance(node, ast.Call) and is_pytest(node.func)
        ]
        called = {id(call.func) for call in calls}
        bare = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and is_pytest(node) and id(node) not in called
        ]
        short = [call for call in calls if len(reason_of(call)) < SHORTEST_REASON]
        without += [f"{path.relative_to(root)}:{node.lineno}" for node in (*bare, *short)]

    assert not without


def test_every_ignored_rust_test_has_a_reason(files: list[Path], root: Path) -> None:
    without = [
        path.relative_to(root).as_posix()
        for path in files
        if path.suffix == ".rs" and BARE_IGNORE.search(path.read_text(encoding="utf-8"))
    ]

    assert not without
