"""One contestant in a process of its own, driven over its standard input and output.

``worker.py NAME``: each line in is a JSON object ``{"operation", "arguments"}``, each line out
``{"nanoseconds"}`` of one operation in one round, or ``{"calls", "made"}`` for ``finish``.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
import timeit
from collections.abc import Callable
from typing import Any

from actors import ACTORS
from contestants import BY_NAME
from messages import PEERS
from operation import Operation

#: How long one round of one operation lasts, in seconds.
ROUND_SECONDS = 0.03
#: Operations whose calls the guest counts.
COUNTED = {"add", "add_async", "echo"}
COUNTED |= {"ask", "answer", "await_ask", "send", "send_many", "ask_many"}
#: One loop for all that is awaited: what a contestant opens there stays open.
LOOP = asyncio.Runner()


class Runner:
    """Times one operation, round after round."""

    def __init__(self, operation: Operation) -> None:
        self.made = operation.cost
        self._cost = operation.cost
        if operation.statement.startswith("await "):
            self._time = _awaiting(operation)
        else:
            self._time = _timer(operation)
        self._number = 1 if operation.fresh else self._enough()
        gc.collect()
        # What is there now will never be looked at again by the collector.
        gc.freeze()

    def _enough(self) -> int:
        number = 1
        while (seconds := self._run(number)) < ROUND_SECONDS / 4:
            number *= 2
        return max(1, int(number * ROUND_SECONDS / seconds))

    def _run(self, number: int) -> float:
        self.made += number * self._cost
        return self._time(number)

    def round(self) -> float:
        """Nanoseconds of one operation."""
        return self._run(self._number) * 1e9 / (self._number * self._cost)


def _timer(operation: Operation) -> Callable[[int], float]:
    names = dict(operation.names)
    exec(operation.setup, names)  # noqa: S102 - our own words
    given = eval(operation.statement, names)  # noqa: S307 - our own words
    assert operation.expected is None or given == operation.expected, given
    return timeit.Timer(operation.statement, operation.setup, globals=operation.names).timeit


def _awaiting(operation: Operation) -> Callable[[int], float]:
    names = dict(operation.names)
    body = f"""
async def once():
    {operation.setup}
    return {operation.statement}
async def many(number):
    {operation.setup}
    began = clock()
    for _ in range(number):
        {operation.statement}
    return clock() - began
"""
    names["clock"] = time.perf_counter
    exec(body, names)  # noqa: S102 - our own words
    given = LOOP.run(names["once"]())
    assert operation.expected is None or given == operation.expected, given

    def run(number: int) -> float:
        return float(LOOP.run(names["many"](number)))

    return run


def main() -> None:
    contestant: Any = (BY_NAME | PEERS | ACTORS)[sys.argv[1]]()
    runners: dict[tuple[Any, ...], Runner] = {}
    for line in sys.stdin:
        wanted = json.loads(line)
        name, arguments = wanted["operation"], wanted["arguments"]
        if name == "finish":
            made = sum(one.made for key, one in runners.items() if key[0] in COUNTED)
            answer = {"calls": contestant.calls(), "made": made}
        else:
            key = (name, *arguments)
            if key not in runners:
                runners[key] = Runner(getattr(contestant, name)(*arguments))
            answer = {"nanoseconds": runners[key].round()}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
