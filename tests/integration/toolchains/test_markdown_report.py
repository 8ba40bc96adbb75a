"""``markdown-report``: the same Python inside a component and outside of it."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from tests.source_files import load_source

import airssys_wasm as aw
from airssys_wasm.components import load
from airssys_wasm.sdk.sources import sources_root

RENDER = "airssys:markdown-report/reporter#render"
ANALYSE = "airssys:text-stats/analyser#analyse"

TEXTS = {
    "easy.txt": "The cat sat. The dog ran. We all had fun in the sun. " * 12,
    "hard | one.txt": "Organisational interoperability necessitates considerable deliberation. "
    * 9,
    "one.txt": "One.",
    "empty.txt": "",
}


@pytest.fixture(scope="module")
def reporter(engine: aw.Engine) -> Iterator[aw.Instance]:
    component = engine.load(load("markdown-report"))
    assert component.imports == {}
    # An interpreter and its library take tens of MiB.
    limits = aw.Limits(memory_bytes_max=128 * aw.MIB, call_seconds_max=20.0)
    with component.instantiate(limits=limits) as instance:
        yield instance


@pytest.fixture(scope="module")
def analysed(engine: aw.Engine, limits: aw.Limits) -> list[dict[str, Any]]:
    with engine.load(load("text-stats")).instantiate(limits=limits) as stats:
        return [
            {"name": name, **stats.call(ANALYSE, text.encode())} for name, text in TEXTS.items()
        ]


@pytest.fixture(scope="module")
def source() -> ModuleType:
    """The component's own source, run by this interpreter."""
    path = sources_root() / "examples" / "markdown-report" / "report.py"
    return load_source(path, "markdown_report_source")


def as_object(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return SimpleNamespace(**{key.replace("-", "_"): as_object(one) for key, one in value.items()})


def test_one_components_result_is_the_others_argument(
    reporter: aw.Instance, analysed: list[dict[str, Any]], source: ModuleType
) -> None:
    report = reporter.call(RENDER, "Four *texts*", analysed)

    assert report == source.render("Four *texts*", [as_object(text) for text in analysed])
    assert report.startswith("# Four \\*texts\\*\n\n| Text | Words |")
    headings = [line for line in report.splitlines() if line.startswith("## ")]
    assert headings == ["## easy.txt", "## hard \\| one.txt", "## one.txt", "## empty.txt"]
    assert "**very easy**" in report
    assert "**very difficult**" in report
    assert "No words in 0 bytes." in report


def test_no_texts_and_impossible_figures_are_the_interfaces_errors(
    reporter: aw.Instance, analysed: list[dict[str, Any]]
) -> None:
    with pytest.raises(aw.ComponentError) as empty:
        reporter.call(RENDER, "None", [])
    assert empty.value.value == aw.Variant("no-texts")

    text = analysed[0]
    more_words = {**text, "counts": {**text["counts"], "words": 10_000}}
    with pytest.raises(aw.ComponentError) as impossible:
        reporter.call(RENDER, "More", [more_words])
    assert impossible.value.value == aw.Variant(
        "impossible", ("easy.txt", "fewer letters than words")
    )

    no_readability = {**text, "readability": None}
    with pytest.raises(aw.ComponentError, match="readability belongs"):
        reporter.call(RENDER, "Less", [no_readability])


@pytest.mark.parametrize(
    ("words", "spoken"),
    [(1, "less than a minute"), (238, "1 minute"), (238 * 59, "59 minutes"), (238 * 61, "1 hour")],
)
def test_the_time_to_read_is_said_in_words(words: int, spoken: str, source: ModuleType) -> None:
    assert source.duration(words).startswith(spoken)
