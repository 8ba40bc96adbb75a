"""From a few lines of Rust to a component that runs, through our own encoder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import airssys_wasm as aw
from airssys_wasm import sdk
from airssys_wasm.sdk.outline import fingerprint
from airssys_wasm.sdk.toolchain import cache_dir, install

CRATES = Path(__file__).parents[2] / "components"
PREBUILT = CRATES / "prebuilt"

#: What a useful component may cost its author, in lines.
LINES_MAX = 20

# A first build compiles the standard library; on a busy machine that takes minutes.
build_time = pytest.mark.timeout(1_200)


@pytest.fixture(scope="module")
def workspace() -> Path:
    """A fresh copy of the crates at one place, so that cargo need not start over."""
    install()
    place = cache_dir() / "tests" / "toolchains"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(CRATES, place, ignore=shutil.ignore_patterns("prebuilt", "target"))
    return place


@build_time
def test_a_component_in_fewer_than_twenty_lines_compiles_and_runs(
    workspace: Path, tmp_path: Path, engine: aw.Engine, limits: aw.Limits
) -> None:
    crate = workspace / "words"
    assert len((crate / "src" / "lib.rs").read_text().splitlines()) < LINES_MAX
    lines: list[str] = []

    path = sdk.build(crate, tmp_path / "words.wasm", locked=True, on_line=lines.append)

    component = engine.load(path)
    assert component.imports == {}
    assert lines, "cargo says what it does"
    with component.instantiate(limits=limits) as instance:
        found = instance.call("acme:words/api#count", "to be or perhaps not")
        assert found == {"words": 5, "longest": "perhaps"}
        with pytest.raises(aw.ComponentError) as caught:
            instance.call("acme:words/api#count", " \n")
    assert caught.value.value == "no words"


@build_time
def test_two_builds_in_two_places_give_the_same_code(workspace: Path, tmp_path: Path) -> None:
    """Without the SDK, whose place counts; see ``airssys_wasm.sdk.rebuild``."""
    path = sdk.build(workspace / "echo", tmp_path / "echo.wasm", locked=True)

    assert fingerprint(path.read_bytes()) == fingerprint((PREBUILT / "echo.wasm").read_bytes())


@build_time
def test_what_does_not_compile_is_said_by_the_compiler(workspace: Path) -> None:
    crate = workspace / "words"
    source = crate / "src" / "lib.rs"
    good = source.read_text()
    source.write_text(good.replace("text: &str", "text: usize"))
    try:
        with pytest.raises(aw.BuildError) as caught:
            sdk.build(crate)
    finally:
        source.write_text(good)

    assert "`usize` has no counterpart in WIT: use u32" in caught.value.output
    assert "words/src/lib.rs:12" in caught.value.output
    assert not (crate / "words.wasm").exists()


@build_time
def test_a_misused_actor_is_told_so_at_the_place(workspace: Path) -> None:
    crate = workspace / "messenger"
    source = crate / "src" / "lib.rs"
    good = source.read_text()
    handler = "    fn handle(&mut self"
    line = good[: good.index(handler)].count("\n") + 1
    source.write_text(good.replace(handler, handler.replace("fn", "async fn")))
    try:
        with pytest.raises(aw.BuildError) as caught:
            sdk.build(crate)
    finally:
        source.write_text(good)

    assert "#[handler] cannot be async" in caught.value.output
    assert f"messenger/src/lib.rs:{line}:5" in caught.value.output


@build_time
def test_a_crate_that_makes_no_module_is_told_what_to_add(workspace: Path) -> None:
    crate = workspace / "words"
    manifest = crate / "Cargo.toml"
    good = manifest.read_text()
    manifest.write_text(good.replace('["cdylib"]', '["rlib"]'))
    try:
        with pytest.raises(aw.BuildError, match=r"hint: add `\[lib\]` with `crate-type"):
            sdk.build(crate)
    finally:
        manifest.write_text(good)


def test_a_panic_is_reported_through_the_import_and_then_traps(
    engine: aw.Engine, limits: aw.Limits
) -> None:
    reported: list[str] = []
    component = engine.load(PREBUILT / "panicker.wasm")
    with component.instantiate(limits=limits, imports={"report": reported.append}) as instance:
        assert instance.call("acme:panicker/api#divide", 7, 2) == 3
        assert reported == []
        with pytest.raises(aw.Trapped) as caught:
            instance.call("acme:panicker/api#divide", 7, 0)

    assert caught.value.kind == "unreachable"
    assert len(reported) == 1
    assert reported[0].startswith("panicked at panicker/src/lib.rs:")
    assert reported[0].endswith(": asked to divide 7 by zero")


def test_a_component_without_imports_panics_into_a_bare_trap(
    echo: aw.Component, limits: aw.Limits
) -> None:
    with echo.instantiate(limits=limits) as instance, pytest.raises(aw.Trapped) as caught:
        instance.call("acme:echo/failures#panic", "unheard")

    assert caught.value.kind == "unreachable"
    assert any("failures" in frame for frame in caught.value.backtrace)


def test_a_guest_fits_the_smallest_standard_memory(engine: aw.Engine) -> None:
    limits = aw.Limits(memory_bytes_max=512 * aw.KIB, call_seconds_max=1.0)
    with engine.load(PREBUILT / "words.wasm").instantiate(limits=limits) as instance:
        assert instance.call("acme:words/api#count", "small")["words"] == 1
