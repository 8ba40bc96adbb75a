"""Rounds in ABBA order over contestants that are processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).resolve().parent
#: Rounds of each contestant; the first warms up and is not counted.
ROUNDS = 16


@dataclass(frozen=True)
class Figure:
    """Nanoseconds of one operation, over all rounds."""

    min: float
    median: float


class Worker:
    """A contestant that waits for orders."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._process = subprocess.Popen(  # noqa: S603 - our own words, no shell
            [sys.executable, str(HERE / "worker.py"), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
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
        self._process.stdin.close()
        self._process.wait(timeout=60)


@contextmanager
def workers(names: Iterable[str]) -> Iterator[dict[str, Worker]]:
    with ExitStack() as stack:
        running = {}
        for name in names:
            running[name] = Worker(name)
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
