"""One show, on a terminal and on a pipe."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from airssys_wasm.demo.render import render
from airssys_wasm.demo.scenes import Attacked, Cost, Refused, Reported
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
SHOW = Show(
    reported=Reported(
        "a.txt", {"a.txt": {"words": 3}}, "# Report\n\nThree words.\n", {"reader": COST}
    ),
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
