"""Exits, and the words that guests read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from airssys_wasm.actor import Exit, ExitKind, StopReason
from airssys_wasm.errors import CallTimeout, FuelExhausted, OutOfMemory, Trapped

LIFECYCLE = Path(__file__).parents[3] / "wit" / "core" / "lifecycle.wit"


def words_of(enum: str) -> set[str]:
    body = re.search(rf"enum {enum} \{{(.*?)\n    \}}", LIFECYCLE.read_text("utf-8"), re.DOTALL)
    assert body is not None
    return set(re.findall(r"^        ([a-z-]+),$", body[1], re.MULTILINE))


def test_the_kinds_are_the_words_of_the_interface_and_four_more() -> None:
    kinds = {str(kind) for kind in ExitKind}

    assert kinds - words_of("failure-kind") == {"normal", "shutdown", "exception", "killed"}
    assert words_of("failure-kind") < kinds


def test_the_reasons_to_stop_are_the_words_of_the_interface() -> None:
    assert {str(reason) for reason in StopReason} == words_of("shutdown-reason")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Trapped("unreachable"), ExitKind.TRAPPED),
        (CallTimeout("after 1 s"), ExitKind.TIMED_OUT),
        (TimeoutError(), ExitKind.TIMED_OUT),
        (FuelExhausted("1000 units"), ExitKind.OUT_OF_FUEL),
        (OutOfMemory("1 MiB"), ExitKind.OUT_OF_MEMORY),
        (KeyError("name"), ExitKind.EXCEPTION),
    ],
)
def test_an_error_says_what_kind_of_exit_it_is(error: Exception, kind: ExitKind) -> None:
    end = Exit.of(error)

    assert (end.kind, end.error) == (kind, error)
    assert type(error).__name__ in end.detail


def test_a_start_that_raises_is_a_failed_initialization_unless_the_error_says_more() -> None:
    def of(error: Exception) -> ExitKind:
        return Exit.of(error, otherwise=ExitKind.INITIALIZATION_FAILED).kind

    assert of(OSError("no such file")) is ExitKind.INITIALIZATION_FAILED
    assert of(Trapped("unreachable")) is ExitKind.TRAPPED


def test_only_two_kinds_are_clean() -> None:
    assert {kind for kind in ExitKind if Exit(kind).is_clean} == {
        ExitKind.NORMAL,
        ExitKind.SHUTDOWN,
    }


@pytest.mark.parametrize("character", ["a", "é", "世", "🦀", "\ud800"])
def test_a_detail_is_cut_to_a_kibibyte_of_whole_characters(character: str) -> None:
    detail = Exit(ExitKind.TRAPPED, character * 2000).detail

    assert 1020 < len(detail.encode()) <= 1024
    assert set(detail) <= {character, "?"}


def test_an_exit_prints_as_one_line() -> None:
    assert str(Exit(ExitKind.TRAPPED, "unreachable")) == "trapped: unreachable"
    assert str(Exit(ExitKind.NORMAL)) == "normal"


class Wordless(Exception):
    def __str__(self) -> str:
        raise RuntimeError


def test_an_error_that_cannot_say_what_it_is_is_named() -> None:
    assert str(Exit.of(Wordless())) == "exception: Wordless"


def test_a_detail_can_always_be_written() -> None:
    assert Exit(ExitKind.TRAPPED, "a\ud800").detail == "a?"
