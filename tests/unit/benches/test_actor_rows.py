"""The rows of actors hold all that is promised about them, and notice what is missed."""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
#: Nanoseconds of ours that keep every promise, and of peers that are slow enough for it.
QUICK, SLOW = 9.0, 1e6
#: Each promise, in the words of the table: bound and unit.
PROMISED = {
    "tell by name": "≤ 100 ns",
    "ask by name": "≤ 100 ns",
    "messages on one core": "≥ 10.0 M/s",
    "messages into a component on one core": "≥ 3.0 M/s",
    "a component replaced after a trap": "≤ 10.0 µs",
    "ask from Python into a component": "≤ 600 ns",
    "ask from Python, answer read": "≥ 13.0×",
    "await ask(), inline": "≤ 1000 ns",
}


class Side:
    """A contestant that takes as long as it is told."""

    def __init__(self, name: str, nanoseconds: float) -> None:
        self.name = name
        self._nanoseconds = nanoseconds

    def round(self, _operation: str, *_arguments: Any) -> float:
        return self._nanoseconds


@pytest.fixture
def benches(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module, as its own folder sees it."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(ROOT / "benches" / "python"))
    yield importlib.import_module("actor_rows")
    for name in set(sys.modules) - before:
        del sys.modules[name]


def rows(benches: Any, ours: float, peers: float) -> list[Any]:
    native = [benches.OURS, benches.COMPONENTS, *benches.RUST_PEERS, "Erlang"]
    python = [benches.OURS, *benches.PYTHON_PEERS, benches.QUEUE]

    def sides(names: list[str]) -> dict[str, Side]:
        return {name: Side(name, ours if name == benches.OURS else peers) for name in names}

    found = benches.native_rows(sides(native))
    return [*found, *benches.python_rows(sides(python), "guest.wasm")]


def test_each_promise_has_its_row_and_no_row_invents_one(benches: Any) -> None:
    found = {
        row.path: row.cells()[4] for row in rows(benches, QUICK, SLOW) if row.promise is not None
    }

    assert found == PROMISED


def test_a_run_that_is_quick_enough_keeps_all_of_them(benches: Any) -> None:
    assert {row.kept for row in rows(benches, QUICK, SLOW)} == {True, None}


def test_a_run_that_is_too_slow_misses_all_of_them(benches: Any) -> None:
    late = [row for row in rows(benches, 20_000.0, 21_000.0) if row.promise is not None]

    assert len(late) == len(PROMISED)
    assert [row.cells()[5] for row in late] == ["MISSED"] * len(PROMISED)


def test_a_ratio_is_held_against_the_quickest_peer(benches: Any) -> None:
    pair = {"airssys-wasm": benches.Figure(100.0, 100.0), "slow": benches.Figure(9e3, 9e3)}
    quick = {"quick": benches.Figure(1200.0, 1200.0)}

    assert benches.promised("ask from Python, answer read", pair).kept
    assert not benches.promised("ask from Python, answer read", pair | quick).kept


def test_the_document_names_each_path_with_its_promise() -> None:
    text = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("|")]

    for path, promise in PROMISED.items():
        bound = promise.replace(".0", "").replace("1000 ns", "1 µs")
        assert any(path in line and bound in line for line in lines), (path, bound)


@contextmanager
def driven(benches: Any, answers: list[dict[str, Any]]) -> Iterator[Any]:
    """A worker whose process gives these answers."""
    script = f"import sys\nfor _ in sys.stdin: print({json.dumps(answers.pop())!r}, flush=True)"
    with benches.workers({"side": [sys.executable, "-c", script]}) as sides:
        yield sides


def test_a_side_that_handled_less_than_was_timed_ends_the_run(benches: Any) -> None:
    with (
        driven(benches, [{"calls": 9, "made": 10}]) as sides,
        pytest.raises(RuntimeError, match="side: made 10 calls, 9 answered"),
    ):
        benches.prove(sides)
    with driven(benches, [{"calls": 10, "made": 10}]) as sides:
        benches.prove(sides)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux pins processes to cores")
def test_a_side_keeps_to_its_cores_and_the_run_to_its_own(benches: Any) -> None:
    before = os.sched_getaffinity(0)
    core = max(before)
    script = "import os\ninput()\nprint('{\"nanoseconds\": %d}' % max(os.sched_getaffinity(0)))"
    command = [sys.executable, "-c", script]

    with benches.workers({"side": command}, {core}) as sides:
        assert os.sched_getaffinity(0) == before
        assert sides["side"].round("where") == core
