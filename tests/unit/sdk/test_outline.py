"""What counts when two builds are compared."""

from __future__ import annotations

import pytest

from airssys_wasm.components import load
from airssys_wasm.errors import ComponentInvalid
from airssys_wasm.sdk.outline import fingerprint, outline

MODULE = b"\0asm\x01\0\0\0"
COMPONENT = b"\0asm\x0d\0\x01\0"


def section(kind: int, content: bytes) -> bytes:
    assert len(content) < 128, "one byte of length is enough for these"
    return bytes([kind, len(content)]) + content


def component(*sections: bytes) -> bytes:
    """A component around one module of these sections."""
    return COMPONENT + section(1, MODULE + b"".join(sections))


def test_names_do_not_count() -> None:
    code = section(10, b"code")
    named = component(code, section(0, b"\x04name" + b"a"))
    renamed = component(code, section(0, b"\x04name" + b"longer"))

    assert fingerprint(named) == fingerprint(renamed) == fingerprint(component(code))


@pytest.mark.parametrize(
    "other",
    [
        component(section(10, b"edoc")),
        component(section(11, b"code")),
        component(section(10, b"code"), section(11, b"data")),
        component(section(10, b"code"), section(0, b"\x07linking")),
        MODULE + section(10, b"code"),
    ],
    ids=["content", "kind", "one more", "another custom section", "layer"],
)
def test_all_else_counts(other: bytes) -> None:
    assert fingerprint(other) != fingerprint(component(section(10, b"code")))


def test_a_component_cut_short_is_refused() -> None:
    whole = component(section(10, b"code"))

    for length in range(len(COMPONENT) + 1, len(whole)):
        with pytest.raises(ComponentInvalid):
            fingerprint(whole[:length])


def test_the_outline_of_a_frozen_interpreter_holds_its_world_and_its_code() -> None:
    found = outline(load("markdown-report"))

    assert "export airssys:markdown-report/reporter@1.0.0" in found.world
    assert "import" not in found.world
    assert found.code.total() >= 3, "an interpreter, its C library and the glue between"
