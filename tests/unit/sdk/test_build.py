"""What a build refuses before any tool runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from airssys_wasm.errors import BuildError
from airssys_wasm.sdk import build
from airssys_wasm.sdk.build import write
from airssys_wasm.sdk.rust import _PROGRESS, _PatchWarning
from airssys_wasm.sdk.scripting import _about_the_guest


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
    (tmp_path / "guest.js").write_text("")
    with pytest.raises(BuildError, match="no folder wit"):
        build(tmp_path)

    (tmp_path / "wit").mkdir()
    (tmp_path / "wit" / "two.wit").write_text("package a:b; world one {} world two {}")
    with pytest.raises(BuildError, match="worlds: one, two"):
        build(tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", r"package\.json: cannot be read: .*\nhint: write JSON, such as "),
        ("{broken", r"cannot be read: .* line 1 column 2 .*\nhint: write JSON"),
        ("[" * 100_000, "cannot be read: "),
        ("\udcff", "cannot be read: "),
        ("[]", r'names no "main" module\nhint: add "main": '),
        ("{}", 'names no "main" module'),
        ('{"main": 1}', 'names no "main" module'),
        ('{"main": "gone.js"}', r'there is no "main" module gone\.js\nhint: correct "main"'),
    ],
    ids=["empty", "broken", "deep", "not UTF-8", "list", "none", "number", "gone"],
)
def test_a_package_without_a_main_module_is_refused(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text(text, encoding="utf-8", errors="surrogateescape")

    with pytest.raises(BuildError, match=told):
        build(tmp_path)


def test_a_place_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    guest = tmp_path / "guest"
    guest.mkdir()
    (guest / "Cargo.toml").write_text("[package")
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(BuildError, match=r"guest: is a folder\nhint: name the file too, such as"):
        build(guest, guest)
    with pytest.raises(BuildError, match=r"x\.wasm: cannot be .*file is no folder .*\nhint: "):
        build(guest, tmp_path / "file" / "below" / "x.wasm")
    with pytest.raises(BuildError, match=r"Cargo\.toml"):
        build(guest, tmp_path / "new" / "folder" / "x.wasm")


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


@pytest.mark.parametrize(
    "line", ["   Compiling core v0.0.0", "    Updating crates.io index", "  Downloaded syn v3.0.9"]
)
def test_what_cargo_says_of_its_progress_is_left_out(line: str) -> None:
    assert _PROGRESS.match(line)


@pytest.mark.parametrize(
    "line",
    ["  Unable to update it", " --> src/lib.rs:1:9", "warning: unused variable: `x`", "Caused by:"],
)
def test_what_cargo_says_of_a_failure_stays(line: str) -> None:
    assert not _PROGRESS.match(line)


def test_a_tool_of_scripts_is_quoted_without_its_own_frames() -> None:
    """As jco 1.15 and componentize-py 0.25 word it."""
    of_jco = (
        "Error: Exception while evaluating top-level script\nm.js:1:7 Error: x\n  @m.js:1:7\n"
        "    at componentize (file:///tools/node_modules/@bytecodealliance/c.js:302:11)\n"
        "    at async file:///tools/node_modules/@bytecodealliance/jco/src/jco.js:485:17\n"
        "    at async open (node:internal/fs/promises:637:25)\n    at guest (m.js:3:1)\n\n"
    )
    of_python = "Traceback …\nValueError: x\n\n\nCaused by:\n    ValueError: x\n"

    assert _about_the_guest(of_jco).splitlines() == [
        "Error: Exception while evaluating top-level script",
        "m.js:1:7 Error: x",
        "  @m.js:1:7",
        "    at guest (m.js:3:1)",
    ]
    assert _about_the_guest(of_python) == "Traceback …\nValueError: x\n"
    assert "Caused by" in _about_the_guest("failed\n\nCaused by:\n    another reason\n")
