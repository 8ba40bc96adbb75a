"""The table of docs/supervision.md, and the figures at their edges."""

from __future__ import annotations

import pytest

from airssys_wasm.actor import (
    AutoShutdown,
    Backoff,
    Child,
    Exit,
    ExitKind,
    First,
    Group,
    Restarted,
    RestartType,
    decisions,
)
from airssys_wasm.actor import Strategy as StrategyName
from airssys_wasm.actor.decisions import Escalate, GiveUp, Ignore, Restart, Stop, Window

NORMAL, SHUTDOWN, TRAPPED = (
    Exit(kind) for kind in (ExitKind.NORMAL, ExitKind.SHUTDOWN, ExitKind.TRAPPED)
)


@pytest.mark.parametrize(
    ("restart", "end", "expected"),
    [
        ("permanent", NORMAL, True),
        ("permanent", SHUTDOWN, True),
        ("permanent", TRAPPED, True),
        ("transient", NORMAL, False),
        ("transient", SHUTDOWN, False),
        ("transient", TRAPPED, True),
        ("temporary", NORMAL, False),
        ("temporary", SHUTDOWN, False),
        ("temporary", TRAPPED, False),
    ],
)
def test_who_is_restarted(restart: RestartType, end: Exit, *, expected: bool) -> None:
    assert decisions.wants_restart(restart, end) is expected


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [("one-for-one", "b"), ("rest-for-one", "bc"), ("one-for-all", "abc")],
)
def test_restart_set(strategy: StrategyName, expected: str) -> None:
    assert decisions.children_to_restart("abc", "b", strategy) == tuple(expected)


def recorded(window: Window, *times: float) -> Window:
    for time in times:
        window = decisions.record_restart(window, time)
    return window


def test_three_in_the_window_are_allowed_and_the_fourth_is_not() -> None:
    three = recorded(Window(3, 60.0), 0.0, 1.0, 2.0)

    assert not three.is_exceeded
    assert recorded(three, 3.0).is_exceeded


def test_a_restart_exactly_a_window_ago_still_counts() -> None:
    """As in OTP, which keeps what is not older than the period."""
    three = recorded(Window(3, 60.0), 0.0, 1.0, 2.0)

    assert recorded(three, 60.0).is_exceeded
    assert not recorded(three, 60.001).is_exceeded


def test_a_window_for_no_restarts_allows_none() -> None:
    assert recorded(Window(0, 60.0), 0.0).is_exceeded


def test_a_window_remembers_no_more_than_it_needs() -> None:
    assert len(recorded(Window(3, 1e9), *range(1000)).times) == 4


def waits(backoff: Backoff, count: int) -> list[float]:
    return [decisions.wait_seconds(backoff, streak, 0.5) for streak in range(1, count + 1)]


def test_waits_double_from_100_ms_to_30_s() -> None:
    expected = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]

    assert waits(Backoff(), 11) == pytest.approx(expected)


def test_a_long_streak_does_not_overflow() -> None:
    assert decisions.wait_seconds(Backoff(), 10**9, 0.5) == 30.0


def test_jitter_spreads_a_wait_by_a_tenth_to_either_side() -> None:
    backoff = Backoff()

    assert decisions.wait_seconds(backoff, 1, 0.0) == pytest.approx(0.09)
    assert decisions.wait_seconds(backoff, 1, 1.0) == pytest.approx(0.11)
    assert decisions.wait_seconds(backoff, 20, 1.0) == 30.0
    assert decisions.wait_seconds(backoff, 20, 0.0) == pytest.approx(27.0)


def test_no_first_wait_is_no_wait_at_all() -> None:
    assert waits(Backoff(first_seconds=0.0), 3) == [0.0, 0.0, 0.0]


def test_a_factor_of_1_waits_the_same_each_time() -> None:
    assert waits(Backoff(first_seconds=2.0, factor=1.0), 3) == [2.0, 2.0, 2.0]


def test_a_quiet_time_starts_the_waits_over() -> None:
    backoff = Backoff(quiet_seconds=60.0)

    assert decisions.next_streak(0, 0.0, backoff) == 1
    assert decisions.next_streak(5, 59.9, backoff) == 6
    assert decisions.next_streak(5, 60.0, backoff) == 1


def test_what_is_decided_about_a_failure() -> None:
    together, by_child = Group(strategy="rest-for-one"), Group(counted="by-child")
    child = Child("b", 1)
    one, over = recorded(Window(1, 60.0), 0.0), recorded(Window(1, 60.0), 0.0, 1.0)

    assert decisions.after_failure(together, child, "abc", one, 0.1) == Restart(
        ("b", "c"), 0.1, attempt=1, attempts_max=1
    )
    assert decisions.after_failure(together, child, "abc", over, 0.1) == Escalate(1)
    assert decisions.after_failure(by_child, child, "abc", one, 0.1) == Restart(("b",), 0.1, 1, 1)
    assert decisions.after_failure(by_child, child, "abc", over, 0.1) == GiveUp(1)


def test_what_is_decided_about_an_end() -> None:
    plain = Child("a", 1, restart="transient")
    temporary = Child("a", 1, restart="temporary", significant=True)

    def decided(child: Child, auto: AutoShutdown, *, left: bool) -> Ignore | Stop:
        return decisions.after_end(child, auto, significant_left=left)

    assert decided(plain, "any-significant", left=False) == Ignore(forget=False)
    assert decided(temporary, "never", left=False) == Ignore(forget=True)
    assert decided(temporary, "any-significant", left=True) == Stop(forget=True)
    assert decided(temporary, "all-significant", left=True) == Ignore(forget=True)
    assert decided(temporary, "all-significant", left=False) == Stop(forget=True)


def test_the_window_goes_by_the_name() -> None:
    own = Child("a", 1, intensity=7, within=5.0)

    assert decisions.window_of(Group(), Child("a", 1)) == ("", Window(3, 60.0))
    assert decisions.window_of(Group(counted="by-child"), own) == ("a", Window(7, 5.0))
    assert decisions.window_of(Group(counted="by-child"), Child("b", 1)) == ("b", Window(3, 60.0))


def test_each_child_of_a_restart_is_told_its_own_reason() -> None:
    restart = Restart(("a", "b"), 0.1, attempt=2, attempts_max=3)

    told = decisions.start_reasons("a", TRAPPED, restart)
    assert told["a"] == Restarted(ExitKind.TRAPPED, "", 2, 3)
    assert told["b"] == Restarted(ExitKind.SIBLING_FAILED, "a ended: trapped", 2, 3)
    assert decisions.start_reasons("a", NORMAL, restart)["a"] == First()

    gave_up = Exit(ExitKind.SHUTDOWN, "gave up on 'x'", gave_up_on=TRAPPED)
    assert decisions.start_reasons("a", gave_up, restart)["a"] == Restarted(
        ExitKind.SIBLING_FAILED, "gave up on 'x'", 2, 3
    )
