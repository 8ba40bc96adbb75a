"""The WIT of ``airssys:*`` is laid beside a guest's own, where it names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from airssys_wasm._native import wit as native_wit
from airssys_wasm.sdk.scripting import with_interfaces


def guest(folder: Path, text: str) -> Path:
    wit = folder / "guest" / "wit"
    wit.mkdir(parents=True)
    (wit / "world.wit").write_text(text)
    return wit


def supplied(folder: Path, text: str) -> set[str]:
    copy = with_interfaces(guest(folder, text), folder / "copy")
    native_wit.validate(copy)
    return {path.name for path in (copy / "deps").glob("*")}


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("export airssys:core/lifecycle@1.0.0;", {"airssys-core"}),
        ("import airssys:core/messaging@1.0.0; export run: func();", {"airssys-core"}),
        ("/// as airssys:core/lifecycle has it\n export run: func();", set()),
        ("export run: func();", set()),
    ],
)
def test_what_a_world_names_is_supplied(tmp_path: Path, line: str, names: set[str]) -> None:
    assert supplied(tmp_path, f"package acme:guest;\nworld guest {{\n{line}\n}}\n") == names


@pytest.mark.parametrize("package", ["filesystem", "network", "process"])
def test_what_a_package_needs_comes_along(tmp_path: Path, package: str) -> None:
    text = f"package acme:guest;\nworld guest {{ include airssys:{package}/imports@1.0.0; }}\n"

    assert f"airssys-{package}" in supplied(tmp_path, text)


def test_what_the_guest_brings_along_stands(tmp_path: Path) -> None:
    wit = guest(tmp_path, "package acme:guest;\nworld guest { import airssys:core/own; }\n")
    (wit / "deps" / "mine").mkdir(parents=True)
    own = "package airssys:core;\ninterface own { run: func(); }\n"
    (wit / "deps" / "mine" / "own.wit").write_text(own)

    copy = with_interfaces(wit, tmp_path / "copy")

    assert [path.name for path in (copy / "deps").iterdir()] == ["mine"]
    assert (copy / "deps" / "mine" / "own.wit").read_text() == own
