"""Rounds in ABBA order over contestants that are processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).resolve().parent
#: Rounds of each contestant; the first warms up and is not counted.
ROUNDS = 16
#: What a developer's shell may ask of Rust, and a user's does not.
BACKTRACES = ("RUST_BACKTRACE", "RUST_LIB_BACKTRACE")


@dataclass(frozen=True)
class Figure:
    """Nanoseconds of one operation, over all rounds."""

    min: float
    median: float


class Worker:
    """A contestant that waits for orders.

    Args:
        name: what the table calls it.
        command: what it is; the contestant of its name in ``worker.py`` by default.
        cores: those that it may use; all by default.
        backtraces: whether each error of Rust walks the stack.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str] = (),
        cores: Collection[int] = (),
        *,
        backtraces: bool = False,
    ) -> None:
        self.name = name
        with _on(cores):
            self._process = subprocess.Popen(  # noqa: S603 - our own words, no shell
                list(command) or python(name),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=_environment() | ({"RUST_BACKTRACE": "1"} if backtraces else {}),
            )

    def _ask(self, operation: str, arguments: list[Any]) -> dict[str, Any]:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"operation": operation, "arguments": arguments}) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.name} ended during {operation}{arguments}")
        told: dict[str, Any] = json.loads(answer)
        return told

    def round(self, operation: str, *arguments: Any) -> float:
        return float(self._ask(operation, list(arguments))["nanoseconds"])

    def prove(self) -> None:
        """Fail unless its guest answered each call that was timed."""
        told = self._ask("finish", [])
        if told["calls"] != told["made"]:
            raise RuntimeError(f"{self.name}: made {told['made']} calls, {told['calls']} answered")

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()


def python(contestant: str) -> list[str]:
    """The command of a contestant of ``worker.py``."""
    return [sys.executable, str(HERE / "worker.py"), contestant]


def _environment() -> dict[str, str]:
    """Ours, without what makes each error of Rust walk the stack."""
    return {name: value for name, value in os.environ.items() if name not in BACKTRACES}


@contextmanager
def _on(cores: Collection[int]) -> Iterator[None]:
    """A process that is started meanwhile has these cores."""
    if not cores:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def workers(
    names: Iterable[str] | Mapping[str, Sequence[str]], cores: Collection[int] = ()
) -> Iterator[dict[str, Worker]]:
    """Contestants by name, each with its command if that is not its name."""
    commands = names if isinstance(names, Mapping) else dict.fromkeys(names, ())
    with ExitStack() as stack:
        running = {}
        for name, command in commands.items():
            running[name] = Worker(name, command, cores)
            stack.callback(running[name].close)
        yield running


def compare(
    sides: Iterable[Worker], operation: str, *arguments: Any, rounds: int = ROUNDS
) -> dict[str, Figure]:
    """Run one operation on each side in turn, forth and back."""
    order = list(sides)
    samples: dict[str, list[float]] = {side.name: [] for side in order}
    for index in range(rounds):
        for side in order:
            nanoseconds = side.round(operation, *arguments)
            if index:
                samples[side.name].append(nanoseconds)
        order.reverse()
    return {name: Figure(min(found), median(found)) for name, found in samples.items()}
