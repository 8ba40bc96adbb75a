"""No case of OTP's suite was forgotten."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.unit.actor.otp.cases import CASES, NO_COUNTERPART


def ported() -> set[str]:
    return {
        node.name.removeprefix("test_")
        for path in Path(__file__).parent.glob("test_*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_each_case_is_ported_or_has_a_reason() -> None:
    assert set(CASES) - ported() == set(NO_COUNTERPART)


def test_no_case_is_both_ported_and_without_counterpart() -> None:
    assert not ported() & set(NO_COUNTERPART)
