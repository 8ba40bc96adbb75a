"""Writes a report in Markdown; knows nothing of components, so that it runs anywhere.

A text is any object with the fields of the interface's ``text`` record.
"""
# ruff: noqa: INP001 - the guest's tool loads this by path; a folder of guests is no package

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Protocol

#: Silent reading of English prose, words a minute: Brysbaert 2019, doi 10.1016/j.jml.2019.104047.
WORDS_PER_MINUTE = 238

#: From which Flesch reading ease a text reads how: the table of Flesch 1949.
EASE = (
    (90.0, "very easy"),
    (80.0, "easy"),
    (70.0, "fairly easy"),
    (60.0, "plain English"),
    (50.0, "fairly difficult"),
    (30.0, "difficult"),
)
HARDEST = "very difficult"

#: A text this short, in words, is too small a sample for the formulas (Flesch 1948).
SAMPLE_WORDS = 100

# What Markdown would take for its own, anywhere in a line.
_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~&])")

_COUNTED = ("words", "sentences", "paragraphs", "lines", "characters")
_HEADER = ("Text", *(name.capitalize() for name in _COUNTED), "Reading ease", "Grade")


class Counts(Protocol):
    """What was counted in a text."""

    bytes: int
    characters: int
    letters: int
    words: int
    sentences: int
    paragraphs: int
    lines: int
    syllables: int
    longest_word: int


class Readability(Protocol):
    """A text's readability by four formulas."""

    flesch_reading_ease: float
    flesch_kincaid_grade: float
    automated_readability_index: float
    coleman_liau_index: float


class Text(Protocol):
    """One text that was analysed."""

    name: str
    counts: Counts
    readability: Readability | None


class NoTexts(ValueError):
    """There is nothing to report about."""


class Impossible(ValueError):
    """A text's figures contradict each other."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


def render(title: str, texts: Iterable[Text]) -> str:
    """Return the report: a table of all texts, then a paragraph on each.

    Raises:
        NoTexts: ``texts`` is empty.
        Impossible: a text's figures contradict each other.
    """
    longest_first = sorted(texts, key=lambda text: (-text.counts.words, text.name))
    if not longest_first:
        raise NoTexts
    for text in longest_first:
        check(text)
    blocks = [f"# {escape(title)}", "\n".join(table(longest_first))]
    blocks.extend(f"## {escape(text.name)}\n\n{describe(text)}" for text in longest_first)
    return "\n\n".join(blocks) + "\n"


def check(text: Text) -> None:
    """Return if the figures can be those of one text.

    Raises:
        Impossible: they cannot.
    """
    counts = text.counts
    for larger, smaller in (
        ("bytes", "characters"),
        ("characters", "letters"),
        ("letters", "words"),
        ("syllables", "words"),
        ("words", "sentences"),
        ("sentences", "paragraphs"),
        ("characters", "longest_word"),
    ):
        if getattr(counts, larger) < getattr(counts, smaller):
            raise Impossible(text.name, f"fewer {larger} than {smaller}".replace("_", " "))
    if counts.words and not counts.sentences:
        raise Impossible(text.name, "words, and no sentence that holds them")
    if (text.readability is None) != (counts.words == 0):
        raise Impossible(text.name, "readability belongs to a text with words, and only to one")


def table(texts: Iterable[Text]) -> Iterator[str]:
    """Yield the lines of the table; figures stand to the right."""
    yield _row(_HEADER)
    yield _row((":--",) + ("--:",) * (len(_HEADER) - 1))
    for text in texts:
        counts, found = text.counts, text.readability
        numbers = [f"{getattr(counts, name):,}" for name in _COUNTED]
        indices = ["–", "–"]
        if found is not None:
            indices = [f"{found.flesch_reading_ease:.1f}", f"{grade(found):.1f}"]
        yield _row([escape(text.name), *numbers, *indices])


def describe(text: Text) -> str:
    """Return a paragraph on how a text reads."""
    counts, found = text.counts, text.readability
    if found is None:
        return f"No words in {plural(counts.bytes, 'byte')}."
    shape = (
        f"{plural(counts.words, 'word')} in {plural(counts.sentences, 'sentence')}, "
        f"{counts.words / counts.sentences:.1f} to a sentence; "
        f"{counts.syllables / counts.words:.2f} syllables and "
        f"{counts.letters / counts.words:.1f} letters to a word, "
        f"{plural(counts.longest_word, 'character')} in the longest."
    )
    effort = (
        f"It takes {duration(counts.words)} to read and is **{ease(found)}** "
        f"(Flesch reading ease {found.flesch_reading_ease:.1f})."
    )
    grades = (
        f"Grades: Flesch–Kincaid {found.flesch_kincaid_grade:.1f}, "
        f"ARI {found.automated_readability_index:.1f}, "
        f"Coleman–Liau {found.coleman_liau_index:.1f}."
    )
    sentences = [shape, effort, grades]
    if counts.words < SAMPLE_WORDS:
        sentences.append(f"Fewer than {SAMPLE_WORDS} words: take these grades as a hint.")
    return " ".join(sentences)


def grade(found: Readability) -> float:
    """Return the middle of the three grades, which no single odd figure can move."""
    return sorted(
        (
            found.flesch_kincaid_grade,
            found.automated_readability_index,
            found.coleman_liau_index,
        )
    )[1]


def ease(found: Readability) -> str:
    """Return how a text reads, in words."""
    for least, words in EASE:
        if found.flesch_reading_ease >= least:
            return words
    return HARDEST


def duration(words: int) -> str:
    """Return how long a text takes to read."""
    minutes = round(words / WORDS_PER_MINUTE)
    if minutes < 1:
        return "less than a minute"
    hours, minutes = divmod(minutes, 60)
    parts = [plural(count, unit) for count, unit in ((hours, "hour"), (minutes, "minute")) if count]
    return " and ".join(parts)


def plural(count: int, noun: str) -> str:
    """Return a count with its noun."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def escape(text: str) -> str:
    """Return ``text`` on one line, with nothing in it that Markdown would act on."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
