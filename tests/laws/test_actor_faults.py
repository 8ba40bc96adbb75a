"""What is true of actors that crash, hang, stop and restart at any time, whoever talks to them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.laws.recorders import Ledger, Request, number_in, recorder, written

import airssys_wasm as aw
from airssys_wasm.actor import threads as workers

DEEDS: Final = [b"e"] * 8 + [b"z", b"z", b"-", b"!", b"?", b"d"]
POLICIES: Final = ("block", "block", "reject", "drop-newest", "drop-oldest")
STRATEGIES: Final = ("one-for-one", "one-for-one", "one-for-all", "rest-for-one")
RECEIVERS, SENDERS, OPERATIONS = 4, 4, 25
#: Whatever is random here is drawn from a seed; what threads make of it is not.
SEEDS = st.integers(0, 2**32)
EXAMPLES = settings(phases=[Phase.explicit, Phase.generate], database=None)


@pytest.fixture(scope="module")
def component(engine: aw.Engine, tmp_path_factory: pytest.TempPathFactory) -> aw.Component:
    return recorder(engine, tmp_path_factory.mktemp("recorder"))


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Actors fail here as they are told; nobody wants to read that."""
    logger = logging.getLogger("airssys_wasm")
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(logging.NOTSET)


class Plan:
    """What happens: who is there, who says what to whom, who is stopped when."""

    def __init__(self, seed: int, component: aw.Component) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - no secret
        self.component = component
        self.ledger = Ledger()
        self.tag = f"acme/fault-{seed}"
        self.names = [f"{self.tag}-{number}" for number in range(RECEIVERS)]
        self.topic = "faults.all"
        self.published: list[int] = []
        self.ends_early = self.chance.randrange(3) == 0
        self.group: dict[str, Any] = {
            "strategy": self.chance.choice(STRATEGIES),
            "intensity": self.chance.choice([10**6] * 9 + [3]),
            # One that came back would bring back those that were stopped, in their first life.
            "restart": "temporary",
            "backoff": aw.Backoff(first_seconds=0.0, max_seconds=0.01),
            "children": [self.child(name) for name in self.names],
        }

    def child(self, name: str) -> aw.Child:
        is_python = self.chance.randrange(2) == 0
        options = self.ledger.source(name, None if is_python else self.component)
        return aw.Child(
            name,
            options.pop("source"),
            shutdown=self.chance.choice(["immediate", 0.05, 5.0]),
            mailbox=aw.Mailbox(
                messages_max=self.chance.choice([1, 3, 20]), when_full=self.chance.choice(POLICIES)
            ),
            **options,
        )

    def sender(self, number: int) -> Sender:
        return Sender(self, number, random.Random(self.chance.random()))  # noqa: S311 - no secret


class Sender:
    """One that talks to all of them, one operation after the other."""

    def __init__(self, plan: Plan, number: int, chance: random.Random) -> None:
        self.plan = plan
        self.number = number
        self.chance = chance
        self.sequence = 0

    def requests(self, receiver: int, how: str) -> list[Request]:
        """Write down what is about to be sent."""
        requests = []
        for _ in range(self.chance.randint(1, 5) if "many" in how else 1):
            self.sequence += 1
            number = self.plan.ledger.number(self.number, receiver, self.sequence)
            requests.append(Request(number, self.chance.choice(DEEDS), how.startswith("ask")))
        self.plan.ledger.requests.extend(requests)
        return requests

    def operation(self, find: Callable[[str], Any]) -> tuple[list[Request], Callable[[], Any]]:
        """Choose what to do; return what to note, and what does it on an actor."""
        receiver = self.chance.randrange(RECEIVERS)
        how = self.chance.choice(
            ["ask", "ask", "ask", "send", "send", "try_send", "ask_many", "send_many"]
        )
        requests = self.requests(receiver, how)
        bodies = [written(one.deed, one.number) for one in requests]
        options: dict[str, Any] = {"codec": "raw"}
        if how.startswith("ask"):
            options["timeout"] = self.chance.choice([0.002, 0.02, 0.1, 1.0, 5.0])
            for request in requests:
                request.seconds_max = options["timeout"]
        if how == "ask_many":
            options["return_exceptions"] = True
        given: Any = bodies if "many" in how else bodies[0]
        return requests, lambda: getattr(find(self.plan.names[receiver]), how)(given, **options)


def end(requests: list[Request], began: float, got: object) -> None:
    """Note how an operation ended: what it gave, or raised, for all it sent."""
    for place, request in enumerate(requests):
        request.seconds = time.monotonic() - began
        one = got[place] if isinstance(got, list) else got
        if isinstance(one, aw.Reply):
            request.outcome, request.answer = "answered", one.payload
        elif isinstance(one, BaseException):
            assert isinstance(one, aw.MessagingError | asyncio.CancelledError), one
            request.outcome = type(one).__name__
        elif request.is_asked:
            raise AssertionError(f"{one!r} is no answer")
        else:
            request.outcome = "sent"


# The host of an event loop


async def talk(host: aw.Host, sender: Sender) -> None:
    """Do one thing after the other, and now and then give up waiting for it."""
    for _ in range(OPERATIONS):
        requests, do = sender.operation(host.find)
        began = time.monotonic()

        async def done(do: Callable[[], Any] = do) -> object:
            waited = do()
            return None if waited is None else await waited

        task = asyncio.ensure_future(done())
        if sender.chance.randrange(6) == 0:
            await asyncio.sleep(sender.chance.choice([0.0, 0.001, 0.01]))
            task.cancel()
        try:
            end(requests, began, await task)
        except (aw.MessagingError, asyncio.CancelledError) as error:
            end(requests, began, error)
        await asyncio.sleep(sender.chance.choice([0.0, 0.0, 0.002]))


async def meddle(host: aw.Host, plan: Plan, group: Any) -> None:
    """Stop one now and then, and start another under its name."""
    chance = random.Random(plan.chance.random())  # noqa: S311 - no secret
    for _ in range(3):
        await asyncio.sleep(chance.uniform(0.0, 0.05))
        name = chance.choice(plan.names)
        # It may be gone by itself, or on its way.
        with contextlib.suppress(aw.ActorNotFound, aw.SupervisionError, aw.ActorStopped):
            await host.stop(name)
            await asyncio.sleep(chance.choice([0.0, 0.01]))
            with contextlib.suppress(aw.NameTaken):
                await group.start_child(plan.child(name))


async def announce(host: aw.Host, plan: Plan) -> None:
    """Publish while all of this happens."""
    for number in range(OPERATIONS):
        with contextlib.suppress(aw.ActorStopped):
            if await host.publish(plan.topic, written(b"e", number), codec="raw"):
                plan.published.append(number)
        await asyncio.sleep(0.001)


async def live(engine: aw.Engine, plan: Plan) -> None:
    host = aw.Host(engine=engine)
    async with host:
        group = await host.supervise(f"{plan.tag}-group", **plan.group)
        messages = host.subscribe("faults.#")
        others = [
            asyncio.ensure_future(meddle(host, plan, group)),
            asyncio.ensure_future(announce(host, plan)),
        ]
        talks = [asyncio.ensure_future(talk(host, plan.sender(one))) for one in range(SENDERS)]
        if plan.ends_early:
            await asyncio.sleep(plan.chance.uniform(0.01, 0.1))
        else:
            await asyncio.gather(*talks, *others)
    # What still goes on now hears that there is nobody.
    await asyncio.wait_for(asyncio.gather(*talks, *others, return_exceptions=True), 30)
    for task in talks:
        await task
    heard = [number_in(message.payload) async for message in messages]
    assert heard == plan.published
    # What was being made when the host closed is closed by the loop.
    await asyncio.to_thread(nothing_is_open, host, plan)


# The host of threads


def talk_in_thread(host: Any, sender: Sender) -> None:
    for _ in range(OPERATIONS):
        requests, do = sender.operation(host.find)
        began = time.monotonic()
        try:
            end(requests, began, do())
        except aw.MessagingError as error:
            end(requests, began, error)


def meddle_in_thread(host: Any, plan: Plan, group: Any) -> None:
    chance = random.Random(plan.chance.random())  # noqa: S311 - no secret
    for _ in range(3):
        time.sleep(chance.uniform(0.0, 0.05))
        name = chance.choice(plan.names)
        with contextlib.suppress(aw.ActorNotFound, aw.SupervisionError, aw.ActorStopped):
            host.stop(name)
            with contextlib.suppress(aw.NameTaken):
                group.start_child(plan.child(name))


def live_in_threads(engine: aw.Engine, plan: Plan) -> None:
    failures: list[BaseException] = []

    def guarded(what: Callable[..., None], *args: object) -> threading.Thread:
        def run() -> None:
            try:
                what(*args)
            except BaseException as error:  # noqa: BLE001 - raised below, where it fails the test
                failures.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    with aw.Host.blocking(engine=engine) as host:
        group = host.supervise(f"{plan.tag}-group", **plan.group)
        threads = [guarded(talk_in_thread, host, plan.sender(one)) for one in range(SENDERS)]
        threads.append(guarded(meddle_in_thread, host, plan, group))
        if plan.ends_early:
            time.sleep(plan.chance.uniform(0.01, 0.1))
            threads.pop().join()
        else:
            for thread in threads:
                thread.join()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive(), "a request never ends"
    if failures:
        raise failures[0]
    nothing_is_open(host, plan)


# After everything


def nothing_is_open(host: Any, plan: Plan) -> None:
    """No actor, no message and no instance is left, and the laws hold."""
    until(lambda: host.actors, [])
    until(lambda: host.engine.live_instances, 0)
    metrics = host.metrics()
    assert (metrics["actors"], metrics["messages_waiting"], metrics["bytes_waiting"]) == (0, 0, 0)
    counters = host.dead_letters.counters
    assert counters["dropped"] == 0, "there are more letters than are kept"
    plan.ledger.check(list(host.dead_letters))


def until(what: Callable[[], object], wanted: object) -> None:
    """Wait for what ends a moment after the host: threads, and instances on other threads."""
    for _ in range(1000):
        if what() == wanted:
            return
        time.sleep(0.01)
    assert what() == wanted


def held() -> tuple[int, int]:
    """Threads and descriptors of this process.

    Threads of the runtime, and workers, that wait for work linger for ten seconds, and are left
    out. A host that nobody holds any more goes with the next collection, and its timers with it.
    """
    gc.collect()
    threads = [thread_name(task) for task in Path("/proc/self/task").iterdir()]
    descriptors = sum(1 for _ in Path("/proc/self/fd").iterdir())
    busy = sum(name not in ("", "airssys-runtime") for name in threads)
    return busy - len(workers._IDLE), descriptors


def thread_name(task: Path) -> str:
    try:
        return (task / "comm").read_text(encoding="ascii").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def lived(engine: aw.Engine, component: aw.Component, seed: int) -> None:
    asyncio.run(asyncio.wait_for(live(engine, Plan(seed, component)), 60))


def lived_in_threads(engine: aw.Engine, component: aw.Component, seed: int) -> None:
    live_in_threads(engine, Plan(seed, component))


LIVES = pytest.mark.parametrize("live_once", [lived, lived_in_threads])


@LIVES
def test_the_laws_hold_whatever_happens(
    engine: aw.Engine, component: aw.Component, live_once: Callable[..., None]
) -> None:
    # What is made once in a process stays.
    live_once(engine, component, 1)
    before = held()

    @settings(EXAMPLES, max_examples=15)
    @given(SEEDS)
    def holds(seed: int) -> None:
        live_once(engine, component, seed)

    holds()
    until(held, before)


@pytest.mark.soak
@pytest.mark.timeout(1200)
@LIVES
def test_the_laws_hold_whatever_happens_two_thousand_times(
    engine: aw.Engine, component: aw.Component, live_once: Callable[..., None]
) -> None:
    live_once(engine, component, 1)
    before = held()

    @settings(EXAMPLES, max_examples=1000)
    @given(SEEDS)
    def holds(seed: int) -> None:
        live_once(engine, component, seed)

    holds()
    until(held, before)
