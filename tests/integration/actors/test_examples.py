"""The actors under ``examples/``, spawned, used, and made to fail."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import airssys_wasm as aw
from airssys_wasm import sdk
from airssys_wasm.components import load

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "examples"
LIMITS = aw.Limits(memory_bytes_max=4 * aw.MIB, call_seconds_max=5.0)

# A first build compiles the standard library; on a busy machine that takes minutes.
pytestmark = pytest.mark.timeout(1_200)

Built = Callable[[str], aw.Component]


@pytest.fixture(scope="module")
def built(engine: aw.Engine, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build an example, once."""
    folder = tmp_path_factory.mktemp("examples")
    known: dict[str, aw.Component] = {}

    def build(name: str) -> aw.Component:
        if name not in known:
            path = folder / f"{Path(name).name}.wasm"
            known[name] = engine.load(sdk.build(EXAMPLES / name, path, locked=True))
        return known[name]

    return build


@pytest.fixture
def host(engine: aw.Engine) -> Iterator[Any]:
    with aw.Host.blocking(engine=engine, limits=LIMITS) as host:
        yield host


def refused_start(error: aw.ComponentError) -> tuple[str, str]:
    why = error.value
    assert isinstance(why, aw.Variant)
    return why.case, str(why.value)


def functions(component: aw.Component) -> dict[str, list[str]]:
    """What a component imports, without the interfaces that have types alone."""
    return {name: list(found) for name, found in component.imports.items() if found}


def test_echo_gives_bytes_back_and_says_what_it_reads(host: Any, built: Built) -> None:
    echo = host.spawn("acme/echo", built("echo"))

    assert echo.ask(b"\0\xff", codec="raw").payload == b"\0\xff"
    with pytest.raises(aw.CodecError, match="raw"):
        echo.ask({"n": 1})
    assert functions(built("echo")) == {}


def test_the_counter_keeps_its_state_and_imports_nothing(host: Any, built: Built) -> None:
    counter = host.spawn("acme/counter", built("counter"))

    assert counter.ask({"Add": 3}).value == {"count": 3, "incarnation": 1, "predecessor": None}
    assert counter.ask({"Add": 4}, codec="json").value["count"] == 7
    counter.send({"Add": 1})
    assert counter.ask("Read").value["count"] == 8
    assert functions(built("counter")) == {}


@pytest.mark.parametrize(
    ("message", "codec", "reason", "words"),
    [
        ("Sub", "cbor", "malformed", "unknown variant `Sub`"),
        ({"Add": "x"}, "json", "malformed", "expected u64 at line 1"),
        ({"Add": -1}, "cbor", "malformed", "invalid value: integer `-1`"),
        ({"Add": 2**64 - 1}, "cbor", "refused", "too much"),
    ],
)
def test_what_the_counter_does_not_take_is_refused_and_changes_nothing(
    host: Any, built: Built, message: object, codec: str, reason: str, words: str
) -> None:
    counter = host.spawn("acme/counter", built("counter"))
    counter.send({"Add": 5})

    with pytest.raises(aw.MessageRefused) as caught:
        counter.ask(message, codec=codec)

    assert caught.value.reason == reason
    assert words in str(caught.value)
    assert counter.ask("Read").value == {"count": 5, "incarnation": 1, "predecessor": None}


def test_deep_and_broken_messages_do_not_end_an_actor(host: Any, built: Built) -> None:
    counter = host.spawn("acme/counter", built("counter"))
    deep: Any = None
    for _ in range(200):
        deep = [deep]

    for message in ({"Add": deep}, {"Ignored": deep}, deep):
        with pytest.raises(aw.MessageRefused):
            counter.ask(message)

    assert counter.incarnation == 1


@pytest.mark.parametrize("language", ["rust", "python"])
def test_a_crash_starts_anew_and_the_next_incarnation_knows_why(
    engine: aw.Engine, built: Built, language: str
) -> None:
    python = language == "python"
    limits = aw.Limits(memory_bytes_max=64 * aw.MIB, call_seconds_max=5.0) if python else LIMITS
    name = "python-counter" if python else "counter"
    component = engine.load(sdk.build_cached(EXAMPLES / name)) if python else built(name)
    with aw.Host.blocking(engine=engine, limits=limits) as host:
        counter = host.spawn("acme/counter", component)
        assert counter.ask({"Add": 12}).value["count"] == 12
        assert counter.ask({"Share": 4}, codec="json").value["count"] == 3

        with pytest.raises(aw.ActorFailed) as caught:
            counter.ask({"Share": 0})
        assert caught.value.kind == "trapped"

        fresh = counter.ask("Read").value
        assert (fresh["count"], fresh["incarnation"]) == (0, 2)
        assert "airssys:core/lifecycle@1.0.0#handle-message" in fresh["predecessor"]
        with pytest.raises(aw.CodecError, match=r"cbor.*json"):
            counter.ask(b"Read", codec="raw")


def test_the_timer_answers_at_its_time_and_many_at_once(host: Any, built: Built) -> None:
    own = ["acme/timer"]
    timer = host.spawn("acme/timer", built("timer"), grant=aw.Grant(send=own, receive=own))

    def remind(milliseconds: int) -> tuple[float, str]:
        note = f"after {milliseconds}"
        message = {"Remind": {"after_milliseconds": milliseconds, "note": note}}
        value: str = timer.ask(message, timeout=10.0).value
        return time.monotonic(), value

    began = time.monotonic()
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(remind, [600, 200, 400]))

    assert [note for _, note in answers] == ["after 600", "after 200", "after 400"]
    for (ended, _), seconds in zip(answers, [0.6, 0.2, 0.4], strict=True):
        assert seconds <= ended - began < seconds + 2.0
    with pytest.raises(aw.MessageRefused, match="for itself"):
        timer.ask({"Wait": 1})


def test_the_timer_does_not_start_without_leave_to_send(host: Any, built: Built) -> None:
    with pytest.raises(aw.ComponentError) as caught:
        host.spawn("acme/timer", built("timer"))

    assert refused_start(caught.value) == (
        "initialization-failed",
        "not granted: messaging.send acme/timer/0",
    )


POOL = {"piece": 1_000, "timeout_milliseconds": 2_000, "attempts_max": 2}


def pool_of(host: Any, built: Built, workers: list[str], **settings: object) -> Any:
    for name in workers:
        hears = aw.Grant(receive=["acme/dispatcher"])
        host.spawn(name, built("worker-pool/worker"), grant=hears)
    return host.spawn(
        "acme/dispatcher",
        built("worker-pool/dispatcher"),
        grant=aw.Grant(send=["acme/*"]),
        config={"workers": workers, **POOL, **settings},
    )


def test_the_pool_shares_out_and_adds_up(host: Any, built: Built) -> None:
    dispatcher = pool_of(host, built, ["acme/one", "acme/two", "acme/three"])

    counted = dispatcher.ask({"start": 0, "end": 50_000}, timeout=30.0).value
    assert counted == {"primes": 5_133, "pieces": 50, "retries": 0}
    assert dispatcher.ask({"start": 5, "end": 5}).value["primes"] == 0
    for name in ("acme/one", "acme/two", "acme/three"):
        assert host.find(name).mailbox["delivered"] >= 5


def test_the_pool_goes_on_without_a_worker_that_stopped(host: Any, built: Built) -> None:
    dispatcher = pool_of(host, built, ["acme/one", "acme/two"])
    host.stop("acme/two")

    counted = dispatcher.ask({"start": 0, "end": 10_000}, timeout=30.0).value

    assert counted == {"primes": 1_229, "pieces": 10, "retries": 0}
    host.stop("acme/one")
    with pytest.raises(aw.MessageRefused, match="no worker is left"):
        dispatcher.ask({"start": 0, "end": 10_000}, timeout=30.0)


def test_the_pool_says_what_failed_in_the_end(host: Any, built: Built) -> None:
    dispatcher = pool_of(host, built, ["acme/one"], piece=200_000)

    with pytest.raises(aw.MessageRefused, match="longer than 100000"):
        dispatcher.ask({"start": 0, "end": 200_000})


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (b"", "settings: there are none"),
        (b"workers", "settings: codec 0x55"),
        ({"workers": []}, "settings: missing field"),
        ({"workers": [], **POOL}, "one at least"),
    ],
)
def test_a_pool_with_bad_settings_does_not_start(
    host: Any, built: Built, config: Any, words: str
) -> None:
    with pytest.raises(aw.ComponentError) as caught:
        host.spawn("acme/pool", built("worker-pool/dispatcher"), config=config)

    case, why = refused_start(caught.value)
    assert case == "configuration-invalid"
    assert words in why


TEXT = (ROOT / "README.md").read_text(encoding="utf-8") * 3


def pipeline(host: Any, *, fail_at_piece: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run the text through the pipeline that ships; the first analyser fails at a piece."""
    names = [f"acme/analyser/{number}" for number in range(3)]
    hears = aw.Grant(receive=["acme/splitter"])
    for name in names:
        fails = {"fail_at_piece": fail_at_piece} if name == names[0] else {}
        host.spawn(name, load("pipeline-analyser"), grant=hears, config=fails)
    reporter = host.spawn("acme/reporter", load("pipeline-reporter"), grant=hears)
    splitter = host.spawn(
        "acme/splitter",
        load("pipeline-splitter"),
        grant=aw.Grant(send=["acme/analyser/*", "acme/reporter"]),
        config={
            "analysers": names,
            "reporter": "acme/reporter",
            "piece_bytes": 1_000,
            "timeout_milliseconds": 5_000,
            "attempts_max": 3,
        },
    )
    for start in range(0, len(TEXT), 4_321):
        splitter.ask({"Part": TEXT[start : start + 4_321]}, timeout=30.0)
    progress = splitter.ask("End", timeout=30.0).value
    return progress, reporter.ask("Sums").value


def counted_at_once(engine: aw.Engine) -> dict[str, int]:
    component = engine.load(load("text-stats"))
    with component.instantiate(limits=LIMITS) as instance:
        report = instance.call("airssys:text-stats/analyser#analyse", TEXT.encode())
    return {name.replace("-", "_"): count for name, count in report["counts"].items()}


@pytest.mark.parametrize("fail_at_piece", [0, 1, 4])
def test_the_pipeline_counts_what_one_component_counts_even_if_an_analyser_crashes(
    host: Any, engine: aw.Engine, fail_at_piece: int
) -> None:
    progress, sums = pipeline(host, fail_at_piece=fail_at_piece)

    assert sums["counts"] == counted_at_once(engine)
    assert sums["pieces"] == progress["pieces"] > 10
    crashed = fail_at_piece > 0
    assert progress["retries"] >= crashed
    assert host.find("acme/analyser/0").incarnation == 1 + crashed


def test_a_piece_that_is_told_twice_counts_once(host: Any) -> None:
    reporter = host.spawn("acme/reporter", load("pipeline-reporter"))
    names = [
        "bytes", "characters", "letters", "words", "sentences", "paragraphs", "lines",
        "syllables", "longest_word",
    ]  # fmt: skip
    piece = {"Piece": {"number": 1, "counts": dict.fromkeys(names, 2)}}

    for _ in range(2):
        assert reporter.ask(piece).value == {"pieces": 1, "counts": dict.fromkeys(names, 2)}
    assert reporter.ask("Begin").value == {"pieces": 0, "counts": dict.fromkeys(names, 0)}
