"""``make bench``: measure against the peers, and print one table.

Usage: ``table.py [--json FILE]``. Ends with status 1 if a promise was missed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import guests
import programs
from actor_rows import (
    PYTHON_PEERS,
    RUST_PEERS,
    has_erlang,
    measure_actors,
)
from codec_rows import SIDES, codec_rows
from promises import Row, duration, table
from rounds import HERE, Figure, Worker, compare, workers

#: Bytes of memory of each instance in the dense profile: one page.
DENSE_BYTES = 64 * 1024
OURS = "airssys-wasm"
#: The sides that can be called; the others have codecs alone.
CALLERS = (OURS, "wasmtime-py", "Extism", "Cython")

Figures = dict[str, Figure]


def against(path: str, figures: Figures, bars: tuple[str, ...], promise: float | None) -> Row:
    """Hold our time against the best of ``bars``."""
    bar = min(bars, key=lambda name: figures[name].min)
    others = ", ".join(
        f"{name} {duration(figure.min)}" for name, figure in figures.items() if name != OURS
    )
    ratio = figures[bar].min / figures[OURS].min
    return Row(path, duration(figures[OURS].min), others, ratio, promise)


def calls(all_sides: dict[str, Worker]) -> list[Row]:
    peers = ("wasmtime-py", "Extism")
    sides = {name: all_sides[name] for name in CALLERS}
    rows = [
        against("scalar call", compare(sides.values(), "add"), peers, 33),
        against("1 KiB echo", compare(sides.values(), "echo", 1024), peers, 18),
    ]
    # wasmtime-py takes a tenth of a second for one: fewer rounds say as much.
    figures = compare(sides.values(), "echo", 65536, rounds=8)
    rows.append(against("64 KiB echo", figures, peers, 3))
    for side in sides.values():
        side.prove()
    return rows + with_backtraces(all_sides[OURS])


def with_backtraces(ours: Worker) -> list[Row]:
    """The same beside Extism in the shell of a developer of Rust: its calls make errors."""
    extism = Worker("Extism", backtraces=True)
    try:
        sides = (ours, extism)
        rows = [
            against("scalar call, RUST_BACKTRACE=1", compare(sides, "add"), ("Extism",), None),
            against(
                "1 KiB echo, RUST_BACKTRACE=1", compare(sides, "echo", 1024), ("Extism",), None
            ),
        ]
        extism.prove()
    finally:
        extism.close()
    return rows


def spawns(sides: dict[str, Worker]) -> list[Row]:
    three = [sides[name] for name in (OURS, "wasmtime-py", "Extism")]
    return [against("spawn, cached", compare(three, "spawn"), ("wasmtime-py",), 4)]


def loads(sides: dict[str, Worker], rust: dict[str, Any], heavy: Path) -> Row:
    loaded = compare([sides[OURS]], "load", str(heavy))[OURS]
    compiled = compare([sides["wasmtime-py"]], "compile", str(heavy))["wasmtime-py"]
    bars = {"wasmtime": rust["compile"]["bare"]["min"], "wasmtime-py": compiled.min}
    megabytes = rust["compile"]["artefact_bytes"] / 1e6
    return Row(
        f"load {megabytes:.1f} MB from disk",
        duration(loaded.min),
        "compile: " + ", ".join(f"{name} {duration(time)}" for name, time in bars.items()),
        min(bars.values()) / loaded.min,
        200,
    )


def imports(sides: dict[str, Worker], rust: dict[str, Any]) -> list[Row]:
    figures = compare([sides[OURS], sides["wasmtime-py"]], "import_many")
    ours, bar = figures[OURS].min, figures["wasmtime-py"].min
    native = rust["host_function"]
    return [
        Row(
            "host function in Python",
            duration(ours),
            f"wasmtime-py {duration(bar)} ({bar / ours:.1f}×)",
            ours,
            400,
            "at most",
            "ns",
        ),
        Row(
            "host function in Rust",
            duration(native["ours"]["min"]),
            f"by value {duration(native['ours_by_value']['min'])}, "
            f"bare {duration(native['bare_typed']['min'])}",
            native["ours"]["min"],
            150,
            "at most",
            "ns",
        ),
    ]


def asynchronous(sides: dict[str, Worker], rust: dict[str, Any]) -> list[Row]:
    ours = sides[OURS]
    figures = {name: compare([ours], name)[OURS].min for name in ("add", "add_async")}
    return [
        Row(
            "await call_async(), inline",
            duration(figures["add_async"]),
            f"call() {duration(figures['add'])}",
            figures["add_async"] / figures["add"],
        ),
        rust_row("call_async from Rust", rust["call_async"], None),
    ]


def rust_row(path: str, figures: dict[str, Any], promise: float | None) -> Row:
    ours, bare = figures["ours"]["min"], figures["bare"]["min"]
    return Row(path, duration(ours), f"bare {duration(bare)}", ours / bare, promise, "at most")


def kernels(rust: dict[str, Any]) -> list[Row]:
    rows = []
    for name, sides in rust["kernels"].items():
        least = {side: figure["min"] for side, figure in sides.items()}
        if sides["bare_epochs"]["share_of_first"] != 1.0:
            raise RuntimeError("the bare crate has to be the first contestant")
        # One percent is less than what rounds differ by: pairs of one round say more.
        epochs = (sides["ours_epochs"]["share_of_first"] - 1) * 100
        rows.append(
            Row(
                f"epochs: {name}",
                duration(least["ours_epochs"]),
                f"bare with epochs {duration(least['bare_epochs'])}, "
                f"without {duration(least['bare'])} "
                f"({percent(least['bare_epochs'], least['bare']):+.1f} %)",
                abs(epochs),
                1,
                "at most",
                "%",
            )
        )
    for name, sides in rust["kernels"].items():
        least = {side: figure["min"] for side, figure in sides.items()}
        rows.append(
            Row(
                f"fuel: {name}",
                duration(least["ours_fuel"]),
                f"bare with fuel {duration(least['bare_fuel'])}",
                percent(least["ours_fuel"], least["ours_epochs"]),
                unit="% over epochs",
            )
        )
    return rows


def percent(one: float, other: float) -> float:
    return (one / other - 1) * 100


def memory() -> list[Row]:
    runs = {
        "live instance, 10 000": _memory(guests.SMALL, 10_000),
        "live echo guest, 10 000": _memory(guests.ECHO, 10_000),
        "live instance, dense, 100 000": _memory(guests.SMALL, 100_000, DENSE_BYTES),
    }
    rows = []
    for path, told in runs.items():
        kib = told["idle_bytes"] / 1024
        rows.append(
            Row(
                path,
                f"{kib:.1f} KiB idle, {told['called_bytes'] / 1024:.1f} called",
                f"{told['mappings']} mappings, {told['total_bytes'] / 1e6:.0f} MB in all",
                kib,
                24,
                "at most",
                "KiB",
            )
        )
    return rows


def _memory(guest: Path, count: int, *dense_bytes: int) -> dict[str, Any]:
    numbers = map(str, (count, *dense_bytes))
    command = [sys.executable, str(HERE / "memory.py"), str(guest), *numbers]
    told: dict[str, Any] = json.loads(_output(command))
    if not told["live"] == told["answered"] == count:
        raise RuntimeError(f"{told} instead of {count} live instances")
    return told


def _output(command: list[str]) -> str:
    # Errors go to our own standard error, where they can be read.
    return subprocess.run(  # noqa: S603 - our own words, no shell
        command, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def measure_rust(ratios: str, heavy: Path) -> dict[str, Any]:
    measured: dict[str, Any] = json.loads(_output([ratios, str(heavy)]))
    return measured


def heading() -> str:
    peers = ", ".join(
        f"{name} {version(name)}"
        for name in (*PYTHON_PEERS, "wasmtime", "extism", "cython", "cbor2", "orjson", "msgspec")
    )
    cores = sorted(os.sched_getaffinity(0))
    return (
        f"airssys-wasm {version('airssys-wasm')} beside {peers}, {rust_peers()}, {erlang()}\n"
        f"{platform.platform()}, CPython {platform.python_version()}, "
        f"{os.cpu_count()} cores, on cores {cores}\n"
        f"least of the rounds, forth and back; load average {os.getloadavg()[0]:.1f}\n"
    )


def rust_peers() -> str:
    locked = programs.versions()
    return ", ".join(f"{name} {locked[name]}" for name in RUST_PEERS)


def erlang() -> str:
    if not has_erlang():
        return "no Erlang, for there is no escript on PATH"
    asked = "io:put_chars(erlang:system_info(otp_release)), halt()."
    return "Erlang/OTP " + _output(["erl", "-noshell", "-eval", asked])


def build_floor() -> None:
    """Compile the Cython baseline beside its source, if it changed."""
    cythonize = [sys.executable, "-m", "Cython.Build.Cythonize", "--inplace", "--quiet"]
    _output([*cythonize, str(HERE / "floor.pyx")])


def measure(directory: Path) -> list[Row]:
    heavy = directory / "heavy.wasm"
    heavy.write_bytes(guests.heavy())
    built = programs.build()
    rust = measure_rust(built["ratios"], heavy)
    with workers((*CALLERS, *SIDES[1:])) as sides:
        rows = calls(sides)
        rows.append(rust_row("typed call from Rust", rust["scalar"], 1.1))
        rows += [
            rust_row(f"{int(size) // 1024} KiB echo from Rust", figures, 1.1)
            for size, figures in rust["echo"].items()
        ]
        rows += spawns(sides)
        rows.append(rust_row("spawn from Rust", rust["spawn"], None))
        rows.append(loads(sides, rust, heavy))
        rows += imports(sides, rust)
        rows += asynchronous(sides, rust)
        rows += codec_rows(sides)
    rows += measure_actors(guests.actor(directory), built)
    return rows + kernels(rust) + memory()


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", type=Path, help="write the rows to this file too")
    given = arguments.parse_args()
    build_floor()
    with tempfile.TemporaryDirectory(prefix="airssys-bench-") as directory:
        rows = measure(Path(directory))
    print(heading())
    print(table(rows))
    if given.json:
        given.json.write_text(json.dumps([row.__dict__ | {"kept": row.kept} for row in rows]))
    missed = [row.path for row in rows if row.kept is False]
    print(f"\n{len(missed)} missed" + (f": {', '.join(missed)}" if missed else ""))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
