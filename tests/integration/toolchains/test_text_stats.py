"""``text-stats`` against counts that are known from how a text was made."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import airssys_wasm as aw
from airssys_wasm.components import load

ANALYSER = "airssys:text-stats/analyser"
Report = dict[str, Any]

#: Seven code points that are one character.
FAMILY = "👩\u200d👩\u200d👧\u200d👦"


@pytest.fixture(scope="module")
def stats(engine: aw.Engine, limits: aw.Limits) -> Iterator[aw.Instance]:
    component = engine.load(load("text-stats"))
    assert component.imports == {}
    with component.instantiate(limits=limits) as instance:
        yield instance


def analyse(stats: aw.Instance, text: str | bytes) -> Report:
    data = text.encode() if isinstance(text, str) else text
    report: Report = stats.call(f"{ANALYSER}#analyse", data)
    return report


def analyse_chunks(stats: aw.Instance, chunks: Sequence[bytes]) -> Report:
    with stats.call(f"{ANALYSER}#[constructor]analysis") as analysis:
        for chunk in chunks:
            stats.call(f"{ANALYSER}#[method]analysis.feed", analysis, chunk)
        report: Report = stats.call(f"{ANALYSER}#[method]analysis.finish", analysis)
    return report


# A text by construction: paragraphs of sentences of words, wrapped anywhere.
WORDS = st.sampled_from(
    ["the", "foxes", "jumped", "naïve", "Zürich", "makes", "table", "wanted", "42", "I", "queue"]
)
SENTENCES = st.lists(WORDS, min_size=1, max_size=12)
PARAGRAPHS = st.lists(st.tuples(SENTENCES, st.sampled_from(".!?")), min_size=1, max_size=5)
TEXTS = st.lists(PARAGRAPHS, min_size=1, max_size=6)


def sentence(words: list[str], end: str) -> str:
    # A capital letter after the stop: a small one may go on with the sentence.
    return " ".join(["Then", *words]) + end


def written(paragraphs: list[list[tuple[list[str], str]]], space: str, blank: str) -> str:
    blocks = (space.join(sentence(*one) for one in paragraph) for paragraph in paragraphs)
    return blank.join(blocks)


def syllables(word: str) -> int:
    """An independent reading of the published rules, by patterns."""
    word = word.lower()
    groups = len(re.findall("[aeiouyïü]+", word))
    silent = re.search("[^aeiouyïü](?:e|(?<![td])ed|(?<![sxzcgh])es)$", word)
    heard = re.search("[^aeiouyïü]le$", word)
    return max(1, groups - bool(silent and not heard))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    paragraphs=TEXTS,
    space=st.sampled_from([" ", "\n", "\r\n", "\n  "]),
    blank=st.sampled_from(["\n\n", "\r\n\r\n", "\n \t\n", "\n\n\n\n"]),
)
def test_counts_are_those_the_text_was_made_of(
    stats: aw.Instance, paragraphs: list[Any], space: str, blank: str
) -> None:
    text = written(paragraphs, space, blank)
    sentences = [one for paragraph in paragraphs for one in paragraph]
    words = [word for one, _ in sentences for word in ["Then", *one]]

    counts = analyse(stats, text)["counts"]

    assert counts == {
        "bytes": len(text.encode()),
        "characters": len(text.replace("\r\n", "\n")),
        "letters": sum(map(len, words)),
        "words": len(words),
        "sentences": len(sentences),
        "paragraphs": len(paragraphs),
        "lines": len(text.split("\n")),
        "syllables": sum(map(syllables, words)),
        "longest-word": max(map(len, words)),
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    text=st.text(
        st.one_of(st.characters(codec="utf-8"), st.sampled_from(" \n\r\u0301.")), max_size=400
    ),
    cuts=st.lists(st.integers(0, 1_600), max_size=12),
)
def test_where_the_text_is_cut_into_chunks_does_not_matter(
    stats: aw.Instance, text: str, cuts: list[int]
) -> None:
    data = text.encode()
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    chunks = [data[start:end] for start, end in itertools.pairwise(places)]

    assert analyse_chunks(stats, chunks) == analyse(stats, data)


def test_a_paragraph_beyond_the_block_is_counted_alike_in_any_chunks(stats: aw.Instance) -> None:
    data = ("Wörter ohne Ende " * 12_000).encode()
    whole = analyse(stats, data)

    assert whole["counts"]["words"] == 36_000
    for size in (1_000, 65_535, 65_536, 65_537):
        chunks = [data[start : start + size] for start in range(0, len(data), size)]
        assert analyse_chunks(stats, chunks) == whole


def test_readability_is_that_of_the_published_formulas(stats: aw.Instance) -> None:
    report = analyse(stats, "The cat sat on the mat. It was happy there, and it wanted milk.\n")
    words, sentences, letters, syllables_ = 14, 2, 47, 16

    counts, found = report["counts"], report["readability"]

    assert (counts["words"], counts["sentences"]) == (words, sentences)
    assert (counts["letters"], counts["syllables"]) == (letters, syllables_)
    assert found == pytest.approx(
        {
            "flesch-reading-ease": 206.835 - 1.015 * 14 / 2 - 84.6 * 16 / 14,
            "flesch-kincaid-grade": 0.39 * 14 / 2 + 11.8 * 16 / 14 - 15.59,
            "automated-readability-index": 4.71 * 47 / 14 + 0.5 * 14 / 2 - 21.43,
            "coleman-liau-index": 0.0588 * (100 * 47 / 14) - 0.296 * (100 * 2 / 14) - 15.8,
        }
    )


@pytest.mark.parametrize(
    ("text", "field", "count"),
    [
        # A family, two flags, and an accent behind its letter: four, and two spaces.
        (f"{FAMILY} 🇩🇪🇫🇷 e\u0301", "characters", 6),
        ("can't stop", "words", 2),
        ("3.14 and 1,000", "words", 3),
        ("日本", "words", 2),  # no dictionary: each ideograph stands for itself
        ("снег идёт", "words", 2),
        ("--- *** !!!", "words", 0),
        ("a\n\n---\n\nb", "paragraphs", 2),
        ("\n\n\n", "lines", 3),
        ("a\nb", "lines", 2),
        ("", "lines", 0),
        ("\ufeffab", "characters", 2),
        ("\ufeffab", "bytes", 5),
        ("a\ufeffb", "characters", 3),
        ("Wow! Really? Yes.", "sentences", 3),
        ("See 3.5 and e.g. this", "sentences", 1),
        ("rhythm", "syllables", 1),
        ("cafe\u0301", "syllables", 2),
        ("日本", "syllables", 2),
    ],
)  # fmt: skip
def test_text_of_many_scripts(stats: aw.Instance, text: str, field: str, count: int) -> None:
    assert analyse(stats, text)["counts"][field] == count


@pytest.mark.parametrize("text", ["", " \n\t\n", "...", "\ufeff"])
def test_a_text_without_words_has_no_readability(stats: aw.Instance, text: str) -> None:
    assert analyse(stats, text)["readability"] is None


@pytest.mark.parametrize(
    ("data", "case", "offset"),
    [
        (b"\xff", "not-utf8", 0),
        (b"ab\xc3(", "not-utf8", 2),
        (b"\xed\xa0\x80", "not-utf8", 0),  # a lone surrogate
        (b"ab\xe2\x82", "cut-short", 2),
        ("äö".encode()[:-1], "cut-short", 2),
    ],
)
def test_bytes_that_are_no_text_are_located(
    stats: aw.Instance, data: bytes, case: str, offset: int
) -> None:
    single = [data[at : at + 1] for at in range(len(data))]

    for chunks in ([data], single):
        with pytest.raises(aw.ComponentError) as caught:
            analyse_chunks(stats, chunks)
        assert caught.value.value == aw.Variant(case, offset)


def test_a_finished_or_failed_analysis_takes_no_more(stats: aw.Instance) -> None:
    feed = f"{ANALYSER}#[method]analysis.feed"
    with stats.call(f"{ANALYSER}#[constructor]analysis") as analysis:
        stats.call(feed, analysis, b"once")
        stats.call(f"{ANALYSER}#[method]analysis.finish", analysis)
        with pytest.raises(aw.ComponentError) as finished:
            stats.call(feed, analysis, b"more")
    with stats.call(f"{ANALYSER}#[constructor]analysis") as analysis:
        for _ in range(2):
            with pytest.raises(aw.ComponentError) as failed:
                stats.call(feed, analysis, b"ab\xff")
            assert failed.value.value == aw.Variant("not-utf8", 2)

    assert finished.value.value == aw.Variant("finished")


def test_it_runs_inside_a_standard_memory_limit(engine: aw.Engine) -> None:
    """Four megabytes of text pass through one of memory."""
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=10.0)
    chunk = ("A line of words, none of them long.\n" * 8 + "\n").encode()
    with engine.load(load("text-stats")).instantiate(limits=limits) as stats:
        report = analyse_chunks(stats, [chunk * 50] * 280)

    assert report["counts"]["bytes"] == len(chunk) * 50 * 280 > 4_000_000
    assert report["counts"]["paragraphs"] == 50 * 280
