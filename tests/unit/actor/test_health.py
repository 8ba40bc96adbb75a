"""What is made of an actor's answers."""

from __future__ import annotations

import itertools

import pytest

from airssys_wasm.actor.health import HealthStatus, as_status, judged, worse
from airssys_wasm.errors import ChildInvalid

ALL: list[HealthStatus] = ["unknown", "healthy", "degraded", "unhealthy"]


@pytest.mark.parametrize(
    ("answer", "failures", "most", "found"),
    [
        ("healthy", 0, 3, "healthy"),
        ("degraded", 0, 1, "degraded"),
        ("unknown", 0, 1, "unknown"),
        ("unhealthy", 1, 3, "degraded"),
        ("unhealthy", 2, 3, "degraded"),
        ("unhealthy", 3, 3, "unhealthy"),
        ("unhealthy", 1, 1, "unhealthy"),
    ],
)
def test_so_many_failures_in_a_row_are_too_many(
    answer: HealthStatus, failures: int, most: int, found: HealthStatus
) -> None:
    assert judged(answer, failures, most) == found


def test_of_two_answers_the_worse_one_counts() -> None:
    for one, other in itertools.product(ALL, ALL):
        assert worse(one, other) == worse(other, one)
        assert ALL.index(worse(one, other)) == max(ALL.index(one), ALL.index(other))


def test_a_check_says_it_in_words_or_as_a_truth() -> None:
    assert [as_status(truth) for truth in (True, False)] == ["healthy", "unhealthy"]
    for word in ALL:
        assert as_status(word) == word
    for nonsense in ("fine", None, 1, b"healthy"):
        with pytest.raises(ChildInvalid, match="hint:"):
            as_status(nonsense)
