"""The demonstration, from the installed command."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

Run = Callable[..., CompletedProcess[str]]

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "spec" / "demo-output.md"
SECONDS_MAX = 10.0


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "storm.txt"
    path.write_text("A storm came up. Nobody had seen it coming, and so nobody ran.\n", "utf-8")
    return path


def play(airssys_wasm: Run, *arguments: str) -> dict[str, Any]:
    ran = airssys_wasm("demo", "--json", *arguments)
    assert ran.returncode == 0, ran.stderr
    shown: dict[str, Any] = json.loads(ran.stdout)
    return shown


def test_the_demo_holds_in_time_and_says_so(airssys_wasm: Run) -> None:
    # The first run compiles an interpreter, on as much of the machine as is free:
    # what it takes says nothing of the program. It has to come through.
    assert airssys_wasm("demo").returncode == 0
    started = time.perf_counter()
    ran = airssys_wasm("demo")
    seconds = time.perf_counter() - started

    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    assert "the host held" in ran.stdout
    assert "LICENSE and README" in ran.stdout
    assert seconds < SECONDS_MAX


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminals of this kind")
def test_who_waits_at_a_terminal_is_told_why(program: Path, home: Path, text: Path) -> None:
    import pty  # noqa: PLC0415 - not there on Windows

    reader, terminal = pty.openpty()
    try:
        ran = subprocess.run(  # noqa: S603 - our own program
            [program, "demo", text],
            env={**os.environ, "AIRSWASM_HOME": str(home), "TERM": "xterm"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=terminal,
            timeout=120,
            check=True,
        )
        seen = os.read(reader, 65_536)
    finally:
        os.close(terminal)
        os.close(reader)

    assert b"the first time compiles a Python interpreter" in seen
    assert b"\x1b" not in ran.stdout
    assert b"the host held" in ran.stdout


def test_the_demo_needs_no_compiler_and_no_checkout(airssys_wasm: Run) -> None:
    assert airssys_wasm("demo", PATH="").returncode == 0


def test_each_attack_ends_in_its_own_error(airssys_wasm: Run, text: Path) -> None:
    shown = play(airssys_wasm, str(text))

    assert {scene["name"]: scene["error"] for scene in shown["attacked"]} == {
        "fuel-bomb": "FuelExhausted",
        "infinite-loop": "CallTimeout",
        "memory-hog": "OutOfMemory",
    }
    assert shown["held"] is True


def test_the_receipts_show_that_the_attacks_ran(airssys_wasm: Run, text: Path) -> None:
    costs = {s["name"]: s["cost"] for s in play(airssys_wasm, str(text))["attacked"]}

    assert costs["fuel-bomb"]["fuel"] >= 9_000_000
    assert 0.25 <= costs["infinite-loop"]["seconds"] < 0.25 + 0.1
    assert 1 << 20 < costs["memory-hog"]["memory_bytes_peak"] <= 2 << 20


def test_the_refusal_names_what_would_grant_it(airssys_wasm: Run, text: Path) -> None:
    refused = play(airssys_wasm, str(text))["refused"]

    assert refused["error"] == "ImportMissing"
    wanted = dict(refused["missing"])
    assert any("wasi:filesystem/preopens" in name for name in wanted)
    assert all(wanted.values())


def test_the_crash_is_told_and_the_counts_are_the_same(airssys_wasm: Run, text: Path) -> None:
    shown = play(airssys_wasm, str(text))
    scene = shown["recovered"]

    (restart,) = scene["crashed"]["restarts"]
    assert (restart["reason"], restart["attempt"], restart["incarnation"]) == ("trapped", 1, 2)
    assert scene["undisturbed"]["restarts"] == []
    figures = shown["reported"]["figures"]["storm.txt"]["counts"]
    assert scene["crashed"]["counts"] == scene["undisturbed"]["counts"] == figures
    assert scene["held"] is True


def test_the_crash_is_shown_to_people(airssys_wasm: Run) -> None:
    words = airssys_wasm("demo").stdout

    assert re.search(r"demo/analyser/\d is made to crash at piece \d+ of its share", words)
    assert "trapped: unreachable in airssys:core/lifecycle@1.0.0#handle-message" in words
    assert re.search(
        r"restarted .* later, attempt 1 of 3\n  incarnation 2 counted \d+ piece", words
    )
    assert "the counts match: no piece lost, none counted twice" in words


# What the demo would see if the actors lost a word, and if the crash did not come.
FAULTS = {
    "THE COUNTS DIFFER": (
        "count = scene._count_alone",
        "scene._count_alone = lambda *told: {**count(*told), 'words': count(*told)['words'] + 1}",
    ),
    "nobody was seen to crash": ("scene._half_way = lambda shares: ('1', 10**9)",),
}


@pytest.mark.parametrize("said", FAULTS)
def test_a_demo_that_did_not_hold_says_so_and_fails(home: Path, text: Path, said: str) -> None:
    lines = (
        "import sys",
        "from airssys_wasm.cli.main import main",
        "from airssys_wasm.demo import pipeline as scene",
        *FAULTS[said],
        "sys.argv = ['airssys-wasm', 'demo', sys.argv[1]]",
        "main()",
    )
    ran = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", "\n".join(lines), text],
        env={**os.environ, "AIRSWASM_HOME": str(home)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )

    assert ran.returncode == 1, ran.stderr
    assert said in ran.stdout
    assert "THE HOST DID NOT HOLD" in ran.stdout


def test_the_figures_are_of_the_text_that_was_given(airssys_wasm: Run, text: Path) -> None:
    shown = play(airssys_wasm, str(text))

    assert shown["reported"]["source"] == "storm.txt"
    counts = shown["reported"]["figures"]["storm.txt"]["counts"]
    assert counts["words"] == len(text.read_text("utf-8").split())
    assert counts["sentences"] == 2
    assert shown["reported"]["report"].startswith("#")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", "Grüße, 世界! 🌍".encode()])
def test_any_file_is_a_text(airssys_wasm: Run, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.txt"
    path.write_bytes(content)

    assert play(airssys_wasm, str(path))["held"] is True


def test_the_json_has_the_documented_schema(airssys_wasm: Run, text: Path) -> None:
    documented = json.loads(
        re.findall(r"```json\n(.*?)```", SCHEMA.read_text("utf-8"), re.DOTALL)[0]
    )

    assert shape(play(airssys_wasm, str(text))) == shape(documented)


def shape(value: object) -> object:
    """Return the kinds of ``value`` all the way down, without its contents."""
    match value:
        case dict():
            return {name: shape(item) for name, item in value.items()}
        case list() if value:
            return [shape(value[0])]
        case bool():
            return "boolean"
        case int() | float() | None:
            return "number"  # null where there is none, fuel for one
        case _:
            return type(value).__name__
