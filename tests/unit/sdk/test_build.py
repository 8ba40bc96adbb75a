"""What a build refuses before any tool runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from airssys_wasm.errors import BuildError
from airssys_wasm.sdk import build
from airssys_wasm.sdk.build import write
from airssys_wasm.sdk.rust import _PatchWarning


def test_a_folder_without_a_guest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"holds no guest\nhint: a Rust crate has Cargo\.toml"):
        build(tmp_path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[package", "Cargo.toml"),
        ("[workspace]\nmembers = []\n", "no .package. with a name"),
        ("\udcff", "Cargo.toml"),
    ],
    ids=["not TOML", "a workspace", "not UTF-8"],
)
def test_a_manifest_that_names_no_crate_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "Cargo.toml").write_text(text, encoding="utf-8", errors="surrogateescape")

    with pytest.raises(BuildError, match=reason):
        build(tmp_path)


@pytest.mark.parametrize("stack_bytes", [0, 16 * 1024 - 16, 16 * 1024 + 1, 17 * 1024 * 1024])
def test_a_stack_that_cannot_be_is_refused(stack_bytes: int, tmp_path: Path) -> None:
    (tmp_path / "Cargo.toml").write_text('[package]\nname = "x"\n')

    with pytest.raises(BuildError, match="stack_bytes"):
        build(tmp_path, stack_bytes=stack_bytes)


def test_a_scripted_guest_needs_one_world(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"main": "guest.js"}')
    with pytest.raises(BuildError, match="no folder wit"):
        build(tmp_path)

    (tmp_path / "wit").mkdir()
    (tmp_path / "wit" / "two.wit").write_text("package a:b; world one {} world two {}")
    with pytest.raises(BuildError, match="worlds: one, two"):
        build(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}"])
def test_a_package_without_a_main_module_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text(text)

    with pytest.raises(BuildError, match='names no "main" module'):
        build(tmp_path)


def test_a_component_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(BuildError, match=r"file.x\.wasm: cannot be written: .*\nhint: "):
        write(tmp_path / "file" / "x.wasm", b"")


def test_an_author_does_not_hear_of_the_patch_for_the_sdk() -> None:
    """As cargo 1.96 words it where the standard library is built along."""
    said = [
        "   Compiling core v0.0.0",
        "warning: patch `airssys-sdk v0.1.0 (/sdk)` was not used in the crate graph",
        "help: Check that the patched package version and available features are compatible",
        "      with the dependency requirements. If the patch has a different version from",
        "      version. This may also occur with an optional dependency that is not enabled.",
        "    Finished `release` profile [optimized] target(s) in 0.1s",
        "warning: unused variable: `x`",
        " --> src/lib.rs:3:9",
    ]

    assert list(filter(_PatchWarning(), said)) == [said[0], *said[-3:]]
