"""Puts a show on a terminal; where there is none, the same words come out plain."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table
from rich.text import Text

from airssys_wasm.demo.scenes import Attacked, Cost, Recovered, Refused, Reported, Restart
from airssys_wasm.demo.show import Show

__all__ = ["cost_text", "render"]

_KIB = 1024
#: Below this many columns a table is all ellipses.
_TABLE_COLUMNS_MIN = 72


def render(show: Show, console: Console) -> None:
    """Print every scene of ``show`` and the verdict.

    Args:
        show: what happened.
        console: a terminal gets colours and tables, a pipe gets plain lines.
    """
    _reported(show.reported, console)
    _recovered(show.recovered, console)
    _heading("Attacks on the host, each beside a component that goes on working", console)
    for scene in show.attacked:
        _attacked(scene, console)
    _heading("A component that wants what it was not granted", console)
    _refused(show.refused, console)
    console.print()
    verdict = Text("the host held", style="bold green")
    if not show.held:
        verdict = Text("THE HOST DID NOT HOLD", style="bold red")
    console.print(Text.assemble(verdict, f", {show.seconds:.2f} s in all"))


def _has_room(console: Console) -> bool:
    return console.is_terminal and console.width >= _TABLE_COLUMNS_MIN


def _heading(text: str, console: Console) -> None:
    console.print()
    console.print(Text(text, style="bold underline" if console.is_terminal else ""))
    console.print()


def _reported(scene: Reported, console: Console) -> None:
    _heading(f"Two components read {scene.source}", console)
    if _has_room(console):
        # Without links to click: what a guest links to is to be seen.
        console.print(Markdown(scene.report, hyperlinks=False))
        console.print()
        console.print(_receipts(scene.costs))
    else:
        # Markdown is made to be read as it stands, in a narrow window too.
        console.print(Text(scene.report.rstrip()))
        console.print()
        for name, cost in scene.costs.items():
            console.print(Text(f"receipt {name}: {cost_text(cost)}"))


def _receipts(costs: dict[str, Cost]) -> Table:
    table = Table(title="receipts", title_justify="left")
    table.add_column("component")
    for column in ("time", "fuel", "memory peak", "host calls", "bytes in", "bytes out"):
        table.add_column(column, justify="right")
    for name, cost in costs.items():
        table.add_row(
            name,
            _time(cost.seconds),
            _fuel(cost.fuel),
            _memory(cost.memory_bytes_peak),
            str(cost.host_calls),
            f"{cost.bytes_in:,}",
            f"{cost.bytes_out:,}",
        )
    return table


def _recovered(scene: Recovered, console: Console) -> None:
    _heading("Actors count the same text, and one of them crashes half-way", console)
    first = "the first " if scene.bytes_read < scene.bytes_total else ""
    console.print(
        Text(
            f"splitter -> {len(scene.crashed.shares)} analysers in a pool -> reporter; "
            f"{first}{scene.bytes_read:,} bytes in {_pieces(scene.undisturbed.pieces_added)}"
        )
    )
    for restart in scene.crashed.restarts:
        _restart(restart, scene, console)
    if not scene.fail_at_piece:
        console.print(Text("there is nothing to count, and so nothing to crash at"))
    elif not scene.crashed.restarts:
        console.print(Text("nobody was seen to crash and to be restarted", style="red"))
    console.print()
    if _has_room(console):
        console.print(_counts(scene))
    else:
        console.print(Text("counts: one component | actors | actors with the crash"))
        for name, *counts in _rows(scene):
            console.print(Text(f"  {name}: {' | '.join(counts)}"))
    matches = Text("the counts match: no piece lost, none counted twice", style="green")
    if not scene.matches:
        matches = Text("THE COUNTS DIFFER", style="bold red")
    console.print(matches)


def _restart(restart: Restart, scene: Recovered, console: Console) -> None:
    share = scene.crashed.shares.get(restart.actor, 0)
    console.print(
        Text.assemble(
            (restart.actor, "bold"),
            f" is made to crash at piece {scene.fail_at_piece} of its share\n  ",
            (restart.reason, "green"),
            f": {restart.detail}\n"
            f"  restarted {_time(restart.delay_seconds)} later, attempt {restart.attempt} of "
            f"{restart.attempts_max}\n  incarnation {restart.incarnation} counted "
            f"{_pieces(share - scene.fail_at_piece)} after that\n"
            "  the splitter gave the lost piece out again\n",
        ),
        end="",
    )


def _pieces(count: int) -> str:
    return "1 piece" if count == 1 else f"{count:,} pieces"


def _counts(scene: Recovered) -> Table:
    table = Table(title="counts", title_justify="left")
    table.add_column("")
    for column in ("one component", "actors", "actors with the crash"):
        table.add_column(column, justify="right")
    for row in _rows(scene):
        table.add_row(*row)
    return table


def _rows(scene: Recovered) -> Iterator[tuple[str, str, str, str]]:
    undisturbed, crashed = scene.undisturbed, scene.crashed
    yield "pieces", "-", f"{undisturbed.pieces_added:,}", f"{crashed.pieces_added:,}"
    for name, alone in scene.alone.items():
        one, other = undisturbed.counts.get(name, 0), crashed.counts.get(name, 0)
        yield name.replace("-", " "), f"{alone:,}", f"{one:,}", f"{other:,}"


def _attacked(scene: Attacked, console: Console) -> None:
    ended = f"{scene.error} ({scene.kind})" if scene.error else "nothing stopped it"
    console.print(
        Text.assemble(
            (scene.name, "bold"),
            f" {scene.does}; limit {scene.limit}\n  ",
            (ended, "green" if scene.held else "red"),
            f": {scene.message}\n",
            (f"  receipt: {cost_text(scene.cost)}\n", "dim"),
            ("  bystander: ", "dim"),
            ("same answer as before" if scene.bystander_unharmed else "HARMED", "dim"),
        )
    )


def _refused(scene: Refused, console: Console) -> None:
    # The lines behind the first are the list that follows below.
    first_line = scene.message.partition("\n")[0]
    console.print(
        Text.assemble(
            (scene.name, "bold"),
            f" wants {scene.wants}\n  ",
            (scene.error or "nothing stopped it", "green" if scene.held else "red"),
            f": {first_line}",
        )
    )
    for wanted, hint in scene.missing:
        console.print(Text(f"  {wanted}\n    hint: {hint}", style="dim"))


def cost_text(cost: Cost) -> str:
    """Return ``cost`` as one line."""
    fuel = "" if cost.fuel is None else f", fuel {_fuel(cost.fuel)}"
    return (
        f"{_time(cost.seconds)}, memory peak {_memory(cost.memory_bytes_peak)}{fuel}, "
        f"{cost.host_calls} host calls, {cost.bytes_in:,} bytes in, {cost.bytes_out:,} bytes out"
    )


def _time(seconds: float) -> str:
    return f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.1f} us"  # noqa: PLR2004


def _fuel(fuel: int | None) -> str:
    return "-" if fuel is None else f"{fuel:,}"


def _memory(size_bytes: int) -> str:
    return f"{size_bytes / _KIB:,.0f} KiB"
