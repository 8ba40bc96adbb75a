"""Every row of the threat list has a test, or a line that says why not."""

from __future__ import annotations

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
ROWS = (
    {f"W-{number:02}" for number in range(1, 32)}
    | {f"DC-{number:02}" for number in range(1, 16)}
    # Of the faults, those that many actors make: a storm of traps, and what comes back.
    | {"R-07", "R-18"}
)
TEST_ROW = re.compile(r"test_(w|dc|r)(\d\d)_\w+")


def rows_with_tests() -> set[str]:
    rows = set()
    for path in HERE.glob("test_*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and (match := TEST_ROW.fullmatch(node.name)):
                rows.add(f"{match[1].upper()}-{match[2]}")
    return rows


def rows_with_reasons() -> set[str]:
    text = (HERE / "README.md").read_text(encoding="utf-8")
    _, _, rest = text.partition("## Rows without a test")
    section, _, _ = rest.partition("\n## ")
    return set(re.findall(r"^\| ((?:W|DC|R)-\d\d) \| \S.{20,} \|$", section, flags=re.MULTILINE))


def test_every_row_has_a_test_or_a_reason() -> None:
    tested, excused = rows_with_tests(), rows_with_reasons()

    assert tested | excused == ROWS
    assert not tested & excused, "a reason for a row that has a test by now"


def test_every_attack_names_its_row() -> None:
    nameless = [
        f"{path.name}: {node.name}"
        for path in HERE.glob("test_*.py")
        if path.name != Path(__file__).name
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
        and node.name.startswith("test_")
        and not TEST_ROW.fullmatch(node.name)
    ]

    assert not nameless
