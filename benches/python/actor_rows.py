"""The rows of actors: ``actor_rows.py`` prints them alone."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import guests
from programs import Built, build
from promises import ACTORS, Row, duration, table
from rounds import Figure, Worker, compare, python, workers

OURS = "airssys-wasm"
ROOT = guests.ROOT
ERLANG = ROOT / "benches" / "erlang" / "peer.escript"
RUST_PEERS = ("tokio", "kameo", "ractor", "actix")
#: Actor libraries; a queue between tasks is not one.
PYTHON_PEERS = ("pykka", "thespian")
QUEUE = "asyncio.Queue"
COMPONENTS = "Extism"

Sides = Mapping[str, Worker]
Figures = dict[str, Figure]


def native_sides(guest: Path, built: Built) -> dict[str, list[str]]:
    """Commands of the sides on one core; Erlang's only where it is installed."""
    commands = {OURS: [built["messages"], str(guest)], COMPONENTS: python(COMPONENTS)}
    commands |= {name: [built["airssys-bench-peers"], name] for name in RUST_PEERS}
    if has_erlang():
        commands["Erlang"] = ["escript", str(ERLANG)]
    return commands


def has_erlang() -> bool:
    return all(map(shutil.which, ("erl", "escript")))


def python_sides() -> dict[str, list[str]]:
    names = {OURS: "actors", **{name: name for name in (*PYTHON_PEERS, QUEUE)}}
    return {name: python(contestant) for name, contestant in names.items()}


def measure_actors(guest: Path, built: Built) -> list[Row]:
    """Start the sides, run them in turn, and give the rows.

    Args:
        guest: a component that takes messages.
        built: the programs in Rust.

    Raises:
        RuntimeError: a side did not handle what was timed.
    """
    one_core = {max(os.sched_getaffinity(0))}
    with workers(native_sides(guest, built), one_core) as native:
        rows = native_rows(native)
        prove(native)
    with workers(python_sides()) as sides:
        rows += python_rows(sides, str(guest))
        prove(sides)
    return rows


def prove(sides: Sides) -> None:
    for side in sides.values():
        side.prove()


def native_rows(sides: Sides) -> list[Row]:
    """What Rust and Erlang do, each on one core."""
    ours = sides[OURS]
    actors = [side for name, side in sides.items() if name != COMPONENTS]
    tell = compare(actors, "tell")
    peers_tell = {name: figure for name, figure in tell.items() if name != OURS}
    call = compare([sides[COMPONENTS]], "echo", 32)
    return [
        promised("tell by name", tell),
        promised("ask by name", compare(actors, "ask")),
        promised("messages on one core", compare([ours], "flood") | peers_tell),
        promised("messages into a component on one core", compare([ours], "guest_flood") | call),
        informed("tell a component, from Rust", compare([ours], "guest_tell") | call),
        informed("ask a component, from Rust", compare([ours], "guest_ask") | call),
        informed("the same on a stack of its own", compare([ours], "guest_ask_aside")),
        promised("a component replaced after a trap", compare([ours], "restart")),
        informed("the same with the trap", compare([ours], "trap_and_restart")),
    ]


def python_rows(sides: Sides, guest: str) -> list[Row]:
    """What Python does."""
    ours, queue = sides[OURS], sides[QUEUE]
    actors = [ours, *(sides[name] for name in PYTHON_PEERS)]
    return [
        promised("ask from Python into a component", compare(actors, "ask", guest)),
        promised("ask from Python, answer read", compare(actors, "answer", guest)),
        promised("await ask(), inline", compare([ours, queue], "await_ask", guest)),
        informed("send from Python, handled", compare([*actors, queue], "send", guest)),
        informed("send_many, each of 64", compare([ours], "send_many", guest)),
        informed("ask_many, each of 64", compare([ours], "ask_many", guest)),
        informed("an actor started and stopped", compare([*actors, queue], "spawn", guest)),
        informed("a restart by its supervisor", compare([ours], "restart", guest)),
    ]


def promised(path: str, figures: Figures) -> Row:
    """A row whose promise stands in ``ACTORS``."""
    promise = ACTORS[path]
    nanoseconds = figures[OURS].min
    measured = {
        "ns": nanoseconds,
        "µs": nanoseconds / 1e3,
        "M/s": 1e3 / nanoseconds,
        "×": _times_the_best(figures),
    }[promise.unit]
    is_rate = promise.unit == "M/s"
    return Row(
        path,
        _rate(nanoseconds) if is_rate else duration(nanoseconds),
        _beside(figures, is_rate=is_rate),
        measured,
        promise.bound,
        promise.sense,
        promise.unit,
    )


def informed(path: str, figures: Figures) -> Row:
    """A row without a promise."""
    ours = figures[OURS].min
    if len(figures) > 1:
        return Row(path, duration(ours), _beside(figures), _times_the_best(figures))
    return Row(path, duration(ours), "", ours / 1e3, unit="µs")


def _times_the_best(figures: Figures) -> float:
    """How many times as long as ours the best of the others takes; 1 if there is none."""
    others = [figure.min for name, figure in figures.items() if name != OURS]
    return min(others, default=figures[OURS].min) / figures[OURS].min


def _beside(figures: Figures, *, is_rate: bool = False) -> str:
    ours = figures[OURS].min
    shown = _rate if is_rate else duration
    return ", ".join(
        f"{name} {shown(figure.min)} ({figure.min / ours:.1f}×)"
        for name, figure in figures.items()
        if name != OURS
    )


def _rate(nanoseconds: float) -> str:
    return f"{1e3 / nanoseconds:.3g} M/s"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="airssys-bench-") as directory:
        guest = guests.actor(Path(directory))
        print(table(measure_actors(guest, build())))


if __name__ == "__main__":
    main()
