"""The scene with the crash: it happens, it is told, and the counts come out the same."""

from __future__ import annotations

import pytest

import airssys_wasm as aw
from airssys_wasm import components
from airssys_wasm.demo.cast import USEFUL, Cast
from airssys_wasm.demo.pipeline import TEXT_BYTES_MAX, recover
from airssys_wasm.demo.scenes import Recovered
from airssys_wasm.demo.texts import Text

# Paragraphs of several lines and lengths, blank lines of blanks, characters of many bytes.
PARAGRAPHS = "".join(
    f"Paragraph {n} is short. " + "Grüße, 世界! 🌍\n" * (n % 5) + "\n" + "\n  \n\r\n" * (n % 3)
    for n in range(200)
)
TEXT = Text("paragraphs.txt", PARAGRAPHS.encode())
LIMITS = aw.Limits(memory_bytes_max=2 * aw.MIB, call_seconds_max=5.0)


@pytest.fixture(scope="module")
def cast(engine: aw.Engine) -> Cast:
    return Cast(engine, [name for name in USEFUL if name != "markdown-report"])


@pytest.fixture(scope="module")
def scene(cast: Cast) -> Recovered:
    return recover(cast, [TEXT])


def counted_at_once(engine: aw.Engine, content: bytes) -> dict[str, int]:
    """What text-stats says of the whole text in one call, without a line of the demo."""
    component = engine.load(components.load("text-stats"))
    with component.instantiate(limits=LIMITS) as instance:
        found = instance.call("airssys:text-stats/analyser#analyse", content)
    counts: dict[str, int] = found["counts"]
    return counts


def test_an_analyser_really_crashes_and_is_restarted_with_the_reason(scene: Recovered) -> None:
    (restart,) = scene.crashed.restarts

    assert restart.actor in scene.crashed.shares
    assert restart.reason == "trapped"
    assert restart.detail == "unreachable in airssys:core/lifecycle@1.0.0#handle-message"
    assert (restart.attempt, restart.attempts_max, restart.incarnation) == (1, 3, 2)
    assert restart.delay_seconds > 0
    assert scene.crashed.retries == 1
    # It was in the middle of its share, and the new one went on with the rest.
    assert 1 < scene.fail_at_piece < scene.crashed.shares[restart.actor]
    assert (scene.undisturbed.restarts, scene.undisturbed.retries) == ((), 0)


def test_the_counts_are_those_of_the_run_without_the_crash_and_of_one_component(
    scene: Recovered, engine: aw.Engine
) -> None:
    counts = counted_at_once(engine, TEXT.content)

    assert scene.undisturbed.counts == scene.crashed.counts == scene.alone == counts
    assert counts["bytes"] == len(TEXT.content)
    assert scene.held


def test_no_piece_is_lost_and_none_is_counted_twice(scene: Recovered) -> None:
    runs = scene.undisturbed, scene.crashed

    assert {run.pieces_cut for run in runs} == {run.pieces_added for run in runs}
    assert scene.crashed.pieces_added > 20
    for run in runs:
        # Each was given to an analyser once, and the lost one once more.
        assert sum(run.shares.values()) == run.pieces_cut + run.retries
        assert min(run.shares.values()) > 1


def test_the_texts_stay_apart(cast: Cast, engine: aw.Engine) -> None:
    # Neither ends in a line end: put together they would have a word and a line less.
    contents = [b"One two", b"three four. " * 300]
    scene = recover(cast, [Text(f"{n}.txt", content) for n, content in enumerate(contents)])

    one, other = (counted_at_once(engine, content) for content in contents)
    expected = {name: one[name] + other[name] for name in one}
    assert scene.crashed.counts == {**expected, "longest-word": 5}
    assert scene.source == "0.txt and 1.txt"
    assert scene.held


@pytest.mark.parametrize("content", [b"word", b"\n", b"\0" * 2000, b"one paragraph. " * 9000])
def test_a_text_of_one_piece_can_lose_it_and_still_counts_it(cast: Cast, content: bytes) -> None:
    scene = recover(cast, [Text("one.txt", content)])

    assert (scene.crashed.pieces_added, scene.fail_at_piece, scene.crashed.retries) == (1, 1, 1)
    assert len(scene.crashed.restarts) == 1
    assert scene.held


@pytest.mark.parametrize("contents", [[], [b""], [b"", b""]])
def test_without_a_piece_there_is_no_crash(cast: Cast, contents: list[bytes]) -> None:
    scene = recover(cast, [Text("empty.txt", content) for content in contents])

    assert (scene.fail_at_piece, scene.crashed.restarts) == (0, ())
    assert set(scene.crashed.counts.values()) == {0}
    assert scene.held


# One paragraph that no message of two pieces could hold; and many of them.
@pytest.mark.parametrize("paragraph", ["é" * 300_000, "é " * 9_999 + "\n\n"])
def test_of_a_long_text_the_beginning_is_counted(
    cast: Cast, engine: aw.Engine, paragraph: str
) -> None:
    content = b"x" + (paragraph * 40).encode()
    scene = recover(cast, [Text("long.txt", content)])

    assert TEXT_BYTES_MAX - 1 <= scene.bytes_read <= TEXT_BYTES_MAX < scene.bytes_total
    assert scene.crashed.counts == counted_at_once(engine, content[: scene.bytes_read])
    assert scene.held
