"""Components from the tool chains of JavaScript and Python run unchanged."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import airssys_wasm as aw
from airssys_wasm import components, sdk
from airssys_wasm.sdk.outline import outline
from airssys_wasm.sdk.sources import sources_root

CRATES = Path(__file__).parents[2] / "components"
SLUGS = "acme:slug/slugs"

# The first run on a machine fetches the tool; an interpreter takes tens of MiB.
build_time = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def javascript(engine: aw.Engine) -> aw.Component:
    return engine.load(sdk.build_cached(CRATES / "js-slug"))


@pytest.fixture(scope="module")
def roomy() -> aw.Limits:
    return aw.Limits(memory_bytes_max=256 * aw.MIB, call_seconds_max=20.0)


@build_time
def test_javascript_imports_no_more_than_its_world_names(javascript: aw.Component) -> None:
    assert set(javascript.imports) == {""}, "the world itself, and no interface"
    assert set(javascript.imports[""]) == {"announce"}


@build_time
def test_javascript_answers_and_calls_the_embedder(
    javascript: aw.Component, roomy: aw.Limits
) -> None:
    heard: list[str] = []
    options = {"separator": "-", "max-length": None}
    with javascript.instantiate(limits=roomy, imports={"announce": heard.append}) as instance:
        slugify = f"{SLUGS}#slugify"
        assert instance.call(slugify, "Crème Brûlée, twice!", options) == "creme-brulee-twice"
        assert instance.call(slugify, "A long title", {**options, "max-length": 7}) == "a-long"
        assert instance.call(f"{SLUGS}#slugify-all", ["Ab", "ab", "Cd"]) == ["ab", "ab-2", "cd"]
        assert instance.call(f"{SLUGS}#letters", "banana b") == [("a", 3), ("b", 2), ("n", 2)]

    assert heard == ["creme-brulee-twice", "a-long"]


@build_time
def test_what_javascript_throws_is_the_err_of_its_result(
    javascript: aw.Component, roomy: aw.Limits
) -> None:
    options = {"separator": "/", "max-length": None}
    with javascript.instantiate(limits=roomy, imports={"announce": str}) as instance:
        with pytest.raises(aw.ComponentError) as bad:
            instance.call(f"{SLUGS}#slugify", "title", options)
        with pytest.raises(aw.ComponentError) as empty:
            instance.call(f"{SLUGS}#slugify", "?!", {**options, "separator": "_"})

    assert bad.value.value == aw.Variant("bad-separator", "/")
    assert empty.value.value == aw.Variant("empty")


@build_time
def test_javascript_that_does_not_parse_is_said_by_its_tool(tmp_path: Path) -> None:
    (tmp_path / "wit").mkdir()
    (tmp_path / "wit" / "w.wit").write_text("package a:b; world w { export f: func(); }")
    (tmp_path / "package.json").write_text('{"main": "w.js"}')
    (tmp_path / "w.js").write_text("export function f( {")

    with pytest.raises(aw.BuildError, match=r"w\.js: does not parse") as caught:
        sdk.build(tmp_path)

    assert "failed to parse JS source" in caught.value.output
    assert f"{tmp_path / 'w.js'}:1\nexport function f( {{" in str(caught.value)
    assert "node_modules" not in str(caught.value)


@build_time
def test_python_that_fails_at_its_import_is_told_in_its_own_lines(tmp_path: Path) -> None:
    (tmp_path / "wit").mkdir()
    (tmp_path / "wit" / "w.wit").write_text("package a:b; world w { export f: func(); }")
    (tmp_path / "app.py").write_text("import helper\n")
    (tmp_path / "helper.py").write_text("print(1 / 0)\n")

    with pytest.raises(aw.BuildError) as caught:
        sdk.build(tmp_path)

    told = str(caught.value).splitlines()
    assert told[1] == "Traceback (most recent call last):"
    assert told[2] == f'  File "{tmp_path}/app.py", line 1, in <module>'
    assert told[-1] == "ZeroDivisionError: division by zero"
    assert "AssertionError" not in str(caught.value)
    assert not [*tmp_path.rglob("__pycache__")]


@build_time
def test_python_builds_to_what_ships(tmp_path: Path) -> None:
    source = tmp_path / "markdown-report"
    products = shutil.ignore_patterns("__pycache__")
    shutil.copytree(sources_root() / "examples" / source.name, source, ignore=products)
    before = [*source.rglob("*")]

    path = sdk.build(source, tmp_path / "report.wasm")

    assert [*source.rglob("*")] == before, "a build leaves nothing beside the sources"

    assert outline(path.read_bytes()) == outline(components.load("markdown-report"))
