"""What componentize-py leaves in a component is told from an interface of the same name."""

from __future__ import annotations

import pytest

from airssys_wasm import wit

LEFT = "init: func(app-name: string, symbols: list<string>, stub-wasi: bool) -> result<_, string>;"


def exports_of(body: str) -> list[str]:
    return [*wit.describe(f"package a:b; world w {{ export {body} }}").exports]


def test_the_initialiser_of_a_finished_build_is_no_export() -> None:
    assert exports_of(f"exports: interface {{ {LEFT} }} export f: func();") == [""]
    assert "AppName" not in wit.stub_text(
        wit.describe(f"package a:b; world w {{ export exports: interface {{ {LEFT} }} }}")
    )


@pytest.mark.parametrize(
    "body",
    [
        "exports: interface { init: func(app-name: string); }",
        f"exports: interface {{ {LEFT} more: func(); }}",
        f"starts: interface {{ {LEFT} }}",
    ],
)
def test_whatever_else_has_its_name_is_one(body: str) -> None:
    assert exports_of(body) == [body.partition(":")[0]]
