"""One show, on a terminal and on a pipe."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from airssys_wasm.demo.render import render
from airssys_wasm.demo.scenes import Attacked, Cost, Counted, Recovered, Refused, Reported, Restart
from airssys_wasm.demo.show import Show

COST = Cost(0.0125, 10_000_000, 1 << 20, 3, 100, 2_000)
ATTACKED = Attacked(
    name="fuel-bomb",
    does="counts [red]for ever[/red]",
    limit="fuel",
    expected="FuelExhausted",
    error="FuelExhausted",
    kind="fuel",
    message="the fuel [bold]ran out",
    cost=COST,
    bystander_unharmed=True,
)
REFUSED = Refused(
    name="file-thief",
    wants="files",
    error="ImportMissing",
    message="not granted",
    missing=(("wasi:filesystem/preopens", "Grant(filesystem_read=[...])"),),
)
UNDISTURBED = Counted(
    pieces_cut=4,
    pieces_added=4,
    retries=0,
    counts={"words": 1234, "longest-word": 9},
    shares={"demo/analyser/1": 2, "demo/analyser/2": 2},
    restarts=(),
    seconds=0.1,
)
RESTART = Restart("demo/analyser/2", "trapped", "unreachable [b]", 1, 3, 0.25, 2)
CRASHED = replace(
    UNDISTURBED,
    retries=1,
    shares={"demo/analyser/1": 2, "demo/analyser/2": 3},
    restarts=(RESTART,),
)
RECOVERED = Recovered(
    source="a.txt",
    bytes_read=7000,
    bytes_total=7000,
    fail_at_piece=1,
    alone=UNDISTURBED.counts,
    undisturbed=UNDISTURBED,
    crashed=CRASHED,
)
SHOW = Show(
    reported=Reported(
        "a.txt", {"a.txt": {"words": 3}}, "# Report\n\nThree words.\n", {"reader": COST}
    ),
    recovered=RECOVERED,
    attacked=(ATTACKED,),
    refused=REFUSED,
    seconds=1.5,
)


def rendered(show: Show, *, terminal: bool, width: int = 100) -> str:
    stream = io.StringIO()
    # The width of a pipe is unbounded; a terminal here is a common one.
    console = Console(
        file=stream, force_terminal=terminal, soft_wrap=not terminal, highlight=False, width=width
    )
    render(show, console)
    return stream.getvalue()


def test_a_pipe_gets_plain_lines_and_the_report_as_markdown() -> None:
    text = rendered(SHOW, terminal=False)

    assert "\x1b" not in text
    assert "# Report\n\nThree words." in text
    assert text.endswith("the host held, 1.50 s in all\n")


def test_a_terminal_gets_colour_and_a_table_of_receipts() -> None:
    text = rendered(SHOW, terminal=True)

    assert "\x1b[" in text
    assert "memory peak" in text


def test_a_narrow_terminal_gets_lines_for_a_table() -> None:
    text = rendered(SHOW, terminal=True, width=40)

    assert "# Report" in text
    assert "receipt reader: 12.50 ms" in text
    assert "…" not in text


@pytest.mark.parametrize("terminal", [True, False])
def test_words_of_a_guest_are_never_markup(*, terminal: bool) -> None:
    text = rendered(SHOW, terminal=terminal)

    assert "[red]for ever[/red]" in text
    assert "the fuel [bold]ran out" in text


@pytest.mark.parametrize("terminal", [True, False])
def test_everything_that_matters_is_on_the_screen(*, terminal: bool) -> None:
    text = rendered(SHOW, terminal=terminal)

    for words in ("FuelExhausted", "10,000,000", "12.50 ms", "1,024 KiB", "3 host calls"):
        assert words in text
    assert "wasi:filesystem/preopens" in text
    assert "Grant(filesystem_read=[...])" in text


@pytest.mark.parametrize(("terminal", "width"), [(True, 100), (True, 72), (False, 100)])
def test_the_restart_and_its_reason_and_all_counts_are_shown(*, terminal: bool, width: int) -> None:
    text = rendered(SHOW, terminal=terminal, width=width)

    assert "demo/analyser/2" in text
    for words in ("trapped", "unreachable [b]", "250.00 ms later", "attempt 1 of 3"):
        assert words in text
    assert "incarnation 2 counted 2 pieces after that" in " ".join(text.split())
    assert text.count("1,234") == 3
    assert "the counts match" in text


def test_where_only_the_beginning_was_counted_it_says_so() -> None:
    show = replace(SHOW, recovered=replace(RECOVERED, bytes_total=7001))

    assert "the first 7,000 bytes in 4 pieces" in rendered(show, terminal=False)
    assert "the first" not in rendered(SHOW, terminal=False)


@pytest.mark.parametrize(
    "crashed",
    [
        replace(CRASHED, counts={"words": 1233, "longest-word": 9}),
        replace(CRASHED, counts={"words": 1234}),
        replace(CRASHED, pieces_added=3),
        replace(CRASHED, pieces_cut=5, pieces_added=5),
    ],
)
def test_a_piece_that_was_lost_or_counted_twice_is_not_hidden(crashed: Counted) -> None:
    show = replace(SHOW, recovered=replace(RECOVERED, crashed=crashed))

    assert not show.held
    assert show.as_data()["recovered"]["held"] is False
    text = rendered(show, terminal=False)
    assert "THE COUNTS DIFFER" in text
    assert "THE HOST DID NOT HOLD" in text


def test_two_runs_that_agree_on_what_is_wrong_do_not_match() -> None:
    alone = {**RECOVERED.alone, "words": 1235}

    assert not replace(RECOVERED, alone=alone).held


@pytest.mark.parametrize(
    "recovered",
    [
        replace(RECOVERED, crashed=replace(CRASHED, restarts=())),
        replace(RECOVERED, crashed=replace(CRASHED, retries=0)),
        replace(RECOVERED, crashed=replace(CRASHED, restarts=(RESTART, RESTART))),
        replace(RECOVERED, crashed=replace(CRASHED, restarts=(replace(RESTART, incarnation=1),))),
        replace(RECOVERED, crashed=replace(CRASHED, restarts=(replace(RESTART, attempt=0),))),
        replace(RECOVERED, undisturbed=CRASHED),
        replace(RECOVERED, fail_at_piece=0),
    ],
)
def test_counts_that_match_without_the_crash_prove_nothing(recovered: Recovered) -> None:
    assert recovered.matches
    assert not recovered.held
    assert "THE HOST DID NOT HOLD" in rendered(replace(SHOW, recovered=recovered), terminal=False)


def test_a_crash_that_nobody_saw_is_not_claimed() -> None:
    show = replace(SHOW, recovered=replace(RECOVERED, crashed=replace(CRASHED, restarts=())))

    assert "nobody was seen to crash" in rendered(show, terminal=False)


def test_a_text_with_nothing_in_it_holds_without_a_crash() -> None:
    nothing = replace(UNDISTURBED, pieces_cut=0, pieces_added=0, counts={"words": 0})
    recovered = Recovered("a.txt", 0, 0, 0, {"words": 0}, nothing, nothing)

    assert recovered.held
    text = rendered(replace(SHOW, recovered=recovered), terminal=True)
    assert "nothing to crash at" in text


@pytest.mark.parametrize(
    "attacked",
    [
        replace(ATTACKED, error=None),
        replace(ATTACKED, error="Trapped"),
        replace(ATTACKED, bystander_unharmed=False),
    ],
)
def test_an_attack_that_went_through_is_not_hidden(attacked: Attacked) -> None:
    show = replace(SHOW, attacked=(ATTACKED, attacked))

    assert not show.held
    assert show.as_data()["held"] is False
    assert "THE HOST DID NOT HOLD" in rendered(show, terminal=False)


def test_a_thief_that_got_in_is_not_hidden() -> None:
    show = replace(SHOW, refused=replace(REFUSED, error=None, missing=()))

    assert not show.held
    assert "nothing stopped it" in rendered(show, terminal=False)


def test_costs_add_up_but_peaks_do_not() -> None:
    both = COST + Cost(1.0, None, 1 << 21, 1, 1, 1)

    assert both == Cost(1.0125, 10_000_000, 1 << 21, 4, 101, 2_001)
    assert COST + Cost.nothing() == COST
