"""Output: floods, endless lines, and what drives a terminal."""

from __future__ import annotations

import sys

import pytest
from tests.hostile.attack import OVERSHOOT_BYTES_MAX
from tests.hostile.fresh import in_fresh_process
from tests.hostile.guests import writer

import airssys_wasm as aw

KEPT_BYTES_MAX = 64 * 1024
LIMITS = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=10.0)


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of a process from /proc")
@pytest.mark.parametrize("chunk", ["a line of no meaning\n", "no end", "\x1b[2J", "\n"])
def test_w11_a_flood_of_output_is_kept_in_bounds_and_counted(chunk: str) -> None:
    found = in_fresh_process("flood", chunk=chunk, times=20_000)

    assert found["written"] >= 20_000 * 3900
    assert found["kept"] <= KEPT_BYTES_MAX + 4 * 4096
    assert found["dropped"] >= found["written"] - found["kept"]
    assert found["peak_growth"] <= OVERSHOOT_BYTES_MAX


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of a process from /proc")
def test_w11_empty_lines_cost_the_host_what_they_count_for() -> None:
    found = in_fresh_process("empty_lines", instances=100, lines=200_000)

    assert found["kept"] == KEPT_BYTES_MAX
    assert found["dropped"] == 200_000 - KEPT_BYTES_MAX
    # Its own page or two, its stack, and the lines in a buffer that doubles.
    assert found["growth_each"] <= 3 * KEPT_BYTES_MAX + 128 * aw.KIB


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07"),
        ("\r\x08\x08overwritten", "\\x0d\\x08\\x08overwritten"),
        ("\x00", "\\x00"),
        ("a\tb", "a\tb"),
        ("größe", "größe"),
    ],
)
def test_w11_output_drives_nobodys_terminal(engine: aw.Engine, written: str, read: str) -> None:
    with engine.load(writer(written.encode())).instantiate(limits=LIMITS) as instance:
        instance.call("run", 1)

        assert instance.stdout == read


@pytest.mark.parametrize("character", ["\u009b2J", "\u202e", "\u2066", "\u200f"])
def test_w11_characters_that_turn_a_line_round_are_spelled_out(
    engine: aw.Engine, character: str
) -> None:
    with engine.load(writer(character.encode())).instantiate(limits=LIMITS) as instance:
        instance.call("run", 1)

        assert instance.stdout.isprintable()


def test_w11_bytes_that_are_no_text_are_replaced(engine: aw.Engine) -> None:
    with engine.load(writer(b"\xff\xfe\xc3(ok")).instantiate(limits=LIMITS) as instance:
        instance.call("run", 1)

        assert instance.stdout.endswith("(ok")
        assert instance.stdout.isprintable()


def test_w11_a_flood_ends_at_the_deadline(engine: aw.Engine) -> None:
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=0.2)
    with engine.load(writer(b"x" * 4000 + b"\n")).instantiate(limits=limits) as instance:
        with pytest.raises(aw.CallTimeout):
            instance.call("run", 4_000_000_000)

        assert instance.receipt.seconds <= 0.3
        assert instance.output_bytes_dropped > 0
