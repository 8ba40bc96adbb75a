"""Puts a show on a terminal; where there is none, the same words come out plain."""

from __future__ import annotations

from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table
from rich.text import Text

from airssys_wasm.demo.scenes import Attacked, Cost, Refused, Reported
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


def _heading(text: str, console: Console) -> None:
    console.print()
    console.print(Text(text, style="bold underline" if console.is_terminal else ""))
    console.print()


def _reported(scene: Reported, console: Console) -> None:
    _heading(f"Two components read {scene.source}", console)
    if console.is_terminal and console.width >= _TABLE_COLUMNS_MIN:
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
