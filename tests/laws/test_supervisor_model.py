"""The supervisor does what its model does, at the same times, whatever happens to it."""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.laws.supervisor_model import ChildScript, Command, Model, Script, Trace, Verb
from tests.unit.actor.fake_host import NORMAL, TRAPPED, Behaviour, FakeHost
from tests.unit.actor.virtual_time import run

from airssys_wasm.actor import Backoff, Child, Supervisor
from airssys_wasm.errors import SupervisionError

FIRST_NAMES, EXTRA_NAMES = "abcd", "ef"
NAMES = FIRST_NAMES + EXTRA_NAMES
HANGS = 1e6  # seconds; nothing in a trace waits for so long


def seconds(low: int, high: int) -> st.SearchStrategy[float]:
    return st.integers(low, high).map(lambda milliseconds: milliseconds / 1000)


SCRIPTS = st.builds(
    Script,
    start_seconds=seconds(1, 1500) | st.just(HANGS),
    starts=st.sampled_from([True, True, True, False]),
    lives_seconds=seconds(1, 8000) | st.none(),
    fails=st.sampled_from([True, True, False]),
    stop_seconds=seconds(1, 1500) | st.just(HANGS),
)
# A first start that fails ends all: it is one case of many.
FIRST_SCRIPTS = st.tuples(SCRIPTS, st.integers(0, 2**32)).map(
    lambda drawn: replace(
        drawn[0],
        starts=drawn[1] % 41 != 7,
        start_seconds=HANGS if drawn[1] % 41 == 8 else 0.01 * (drawn[1] % 41),
    )
)


def children(name: str) -> st.SearchStrategy[ChildScript]:
    return st.builds(
        ChildScript,
        name=st.just(name),
        restart=st.sampled_from(["permanent", "permanent", "transient", "temporary"]),
        stop_seconds_max=st.sampled_from([0.0, 0.7, 1.1, 1e5]),
        start_seconds_max=st.sampled_from([1.3, 2.9]),
        # A first start that fails ends all: let it be one case of many.
        scripts=st.tuples(FIRST_SCRIPTS, SCRIPTS, SCRIPTS, SCRIPTS) | st.tuples(SCRIPTS, SCRIPTS),
    ).map(_mortal)


def _mortal(child: ChildScript) -> ChildScript:
    """Nobody waits without end for one that never stops: that would be the end of the trace."""
    if child.stop_seconds_max < HANGS / 10:
        return child
    scripts = tuple(
        replace(script, stop_seconds=min(script.stop_seconds, 2.0)) for script in child.scripts
    )
    return replace(child, scripts=scripts)


COMMANDS = st.builds(
    Command,
    time=seconds(1, 12_000),
    verb=st.sampled_from(["terminate", "restart", "restart", "delete"]),
    name=st.sampled_from(NAMES),
) | st.builds(
    Command, time=seconds(1, 12_000), verb=st.just("add"), name=st.sampled_from(EXTRA_NAMES)
)

TRACES = st.builds(
    Trace,
    strategy=st.sampled_from(["one-for-one", "one-for-all", "rest-for-one"]),
    intensity=st.sampled_from([0, 1, 2, 3, 5, 10, 20]),
    within=seconds(500, 30_000),
    first_wait=st.sampled_from([0.0, 0.11, 0.9]),
    longest_wait=st.sampled_from([0.9, 3.1]),
    factor=st.sampled_from([1.0, 2.0]),
    quiet=seconds(500, 10_000),
    children=st.integers(1, len(FIRST_NAMES)).flatmap(
        lambda count: st.tuples(*(children(name) for name in FIRST_NAMES[:count]))
    ),
    extras=st.tuples(*(children(name) for name in EXTRA_NAMES)),
    commands=st.lists(COMMANDS, max_size=10).map(tuple),
    stops_at=seconds(5_000, 25_000),
)


def apart(trace: Trace) -> Trace:
    """Move each time a little, so that no two things happen at once by chance."""
    chance = random.Random(7)  # noqa: S311 - no secret

    def moved(time: float) -> float:
        return time + chance.random() / 1000

    def script(given: Script) -> Script:
        lives = given.lives_seconds
        return replace(
            given,
            start_seconds=moved(given.start_seconds),
            lives_seconds=None if lives is None else moved(lives),
            stop_seconds=moved(given.stop_seconds),
        )

    def child(given: ChildScript) -> ChildScript:
        return replace(
            given,
            stop_seconds_max=given.stop_seconds_max and moved(given.stop_seconds_max),
            start_seconds_max=moved(given.start_seconds_max),
            scripts=tuple(script(each) for each in given.scripts),
        )

    return replace(
        trace,
        children=tuple(child(each) for each in trace.children),
        extras=tuple(child(each) for each in trace.extras),
        commands=tuple(replace(each, time=moved(each.time)) for each in trace.commands),
        stops_at=moved(trace.stops_at),
    )


def behaviour(script: Script) -> Behaviour:
    return Behaviour(
        start_seconds=script.start_seconds,
        start_fails=not script.starts,
        stop_seconds=script.stop_seconds,
        exits_after=script.lives_seconds,
        exit=TRAPPED if script.fails else NORMAL,
    )


def described(child: ChildScript) -> Child:
    return Child(
        child.name,
        "module",
        restart=child.restart,
        shutdown=child.stop_seconds_max,
        start_seconds_max=child.start_seconds_max,
    )


def supervised(trace: Trace) -> tuple[FakeHost, Supervisor]:
    everyone = (*trace.children, *trace.extras)
    host = FakeHost(
        **{child.name: [behaviour(each) for each in child.scripts] for child in everyone}
    )
    supervisor = host.supervise(
        *(described(child) for child in trace.children),
        strategy=trace.strategy,
        intensity=trace.intensity,
        within=trace.within,
        backoff=Backoff(
            first_seconds=trace.first_wait,
            max_seconds=trace.longest_wait,
            factor=trace.factor,
            jitter=0.0,
            quiet_seconds=trace.quiet,
        ),
    )
    return host, supervisor


async def obey(supervisor: Supervisor, trace: Trace, command: Command) -> None:
    await asyncio.sleep(command.time)
    with contextlib.suppress(SupervisionError):
        match command.verb:
            case "add":
                script = next(child for child in trace.extras if child.name == command.name)
                await supervisor.start_child(described(script))
            case "terminate":
                await supervisor.terminate_child(command.name)
            case "restart":
                await supervisor.restart_child(command.name)
            case "delete":
                await supervisor.delete_child(command.name)


async def played(trace: Trace) -> tuple[list[tuple[float, str, str]], float, bool]:
    """Return what the host saw, when the supervisor ended, and whether it gave up."""
    host, supervisor = supervised(trace)
    loop = asyncio.get_running_loop()

    async def start() -> None:
        with contextlib.suppress(SupervisionError):
            await supervisor.start()

    async def stop() -> None:
        await asyncio.sleep(trace.stops_at)
        await supervisor.stop()

    starting = asyncio.create_task(start())
    others = [asyncio.create_task(obey(supervisor, trace, command)) for command in trace.commands]
    others.append(asyncio.create_task(stop()))
    await asyncio.sleep(0)
    ended = await supervisor.wait()
    ended_at = loop.time()
    await asyncio.gather(starting, *others)
    assert not any(made.is_alive for made in host.all)
    deeds = [(deed.time, deed.verb, deed.child) for deed in host.deeds]
    return deeds, ended_at, ended.gave_up_on is not None


def by_child(deeds: list[tuple[float, str, str]]) -> dict[str, list[tuple[float, str]]]:
    """Return what happened to each child. Between children, only times say what was first."""
    return {
        name: [(round(time, 6), verb) for time, verb, child in deeds if child == name]
        for name in NAMES
    }


def agrees(trace: Trace) -> None:
    trace = apart(trace)
    model = Model(trace)
    model.play()
    deeds, ended_at, gave_up = run(played(trace))

    assert by_child(deeds) == by_child(model.deeds)
    assert model.ended_at is not None
    assert math.isclose(ended_at, model.ended_at, abs_tol=1e-6)
    assert gave_up is model.gave_up


@settings(max_examples=300)
@given(TRACES)
def test_the_supervisor_agrees_with_its_model(trace: Trace) -> None:
    agrees(trace)


def random_trace(seed: int) -> Trace:
    """Return a trace that goes on for longer than those that shrink well."""
    chance = random.Random(seed)  # noqa: S311 - no secret

    def script(*, first: bool) -> Script:
        odds = 40 if first else 6
        return Script(
            start_seconds=HANGS if chance.randrange(odds) == 0 else chance.uniform(0.001, 1.5),
            starts=chance.randrange(odds) != 0,
            lives_seconds=None if chance.randrange(3) == 0 else chance.uniform(0.001, 6.0),
            fails=chance.randrange(3) != 0,
            stop_seconds=HANGS if chance.randrange(8) == 0 else chance.uniform(0.001, 1.5),
        )

    def child(name: str) -> ChildScript:
        return _mortal(
            ChildScript(
                name,
                chance.choice(["permanent", "permanent", "transient", "temporary"]),
                chance.choice([0.0, 0.7, 1.1, 1e5]),
                chance.choice([1.6, 2.9]),
                (script(first=True), *(script(first=False) for _ in range(chance.randrange(1, 8)))),
            )
        )

    def command() -> Command:
        verb: Verb = chance.choice(["add", "add", "terminate", "restart", "restart", "delete"])
        names = EXTRA_NAMES if verb == "add" else NAMES
        return Command(chance.uniform(0.1, 12.0), verb, chance.choice(names))

    return Trace(
        strategy=chance.choice(["one-for-one", "one-for-all", "rest-for-one"]),
        intensity=chance.choice([0, 1, 3, 5, 10, 20, 50]),
        within=chance.uniform(0.5, 30.0),
        first_wait=chance.choice([0.0, 0.11, 0.9]),
        longest_wait=chance.choice([0.9, 3.1]),
        factor=chance.choice([1.0, 2.0]),
        quiet=chance.uniform(0.5, 10.0),
        children=tuple(child(name) for name in FIRST_NAMES[: chance.randrange(1, 5)]),
        extras=tuple(child(name) for name in EXTRA_NAMES),
        commands=tuple(command() for _ in range(chance.randrange(12))),
        stops_at=chance.uniform(5.0, 25.0),
    )


def agree_on(seeds: range) -> None:
    for seed in seeds:
        try:
            agrees(random_trace(seed))
        except BaseException as error:
            error.add_note(f"random_trace({seed})")
            raise


@pytest.mark.parametrize("chunk", range(8))
def test_the_supervisor_agrees_with_its_model_on_random_traces(chunk: int) -> None:
    agree_on(range(chunk * 250, (chunk + 1) * 250))


@pytest.mark.soak
@pytest.mark.parametrize("chunk", range(20))
def test_the_supervisor_agrees_with_its_model_on_20_000_more(chunk: int) -> None:
    agree_on(range(10**6 + chunk * 1_000, 10**6 + (chunk + 1) * 1_000))
