"""Actors in Python: ours with a component behind them, and the peers, each in its best shape.

Each handles messages of 32 bytes and counts them:

ask         wait for the answer, on this thread
answer      the same, and read what was answered
await_ask   wait for the answer in a coroutine
send        a thousand messages without an answer, and then wait until they are handled
send_many   the same in batches
ask_many    answers to a batch
spawn       start one and stop it
restart     a failure, another instance in its place, and its first answer
calls       how many messages were handled so far
"""

from __future__ import annotations

import asyncio
import atexit
import logging
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

from operation import Operation

PAYLOAD = bytes(range(64, 96))
#: Messages in one run of ``send``.
SENDS = 1_000
#: Messages of ``send_many`` and ``ask_many``.
BATCH = 64
#: Asks the guest for its count, which that does not grow.
COUNT = b"#"
TRAP = b"!"

Run = Callable[[], Awaitable[None]]


class Actors:
    """This package: actors of a component, on a host for threads and on one for coroutines."""

    def __init__(self) -> None:
        import airssys_wasm as aw

        self._aw = aw
        self._host = aw.Host.blocking()
        self._host.__enter__()
        atexit.register(self._host.__exit__, None, None, None)
        self._actor: Any = None
        self._opened: Any = None
        # Each restart is a warning.
        logging.getLogger("airssys_wasm").setLevel(logging.CRITICAL)

    def _echo(self, guest: str) -> Any:
        if self._actor is None:
            self._actor = self._host.spawn("bench/echo", guest)
        return self._actor

    def ask(self, guest: str) -> Operation:
        return Operation("ask(data)", {"ask": self._echo(guest).ask, "data": PAYLOAD})

    def answer(self, guest: str) -> Operation:
        names = {"ask": self._echo(guest).ask, "data": PAYLOAD}
        return Operation("ask(data).value", names, PAYLOAD)

    def await_ask(self, guest: str) -> Operation:
        names = {"ask": self._echo(guest).awaitable.ask, "data": PAYLOAD}
        return Operation("await ask(data)", names)

    def send(self, guest: str) -> Operation:
        actor = self._echo(guest)
        send, ask = actor.send, actor.ask

        def run() -> None:
            for _ in range(SENDS):
                send(PAYLOAD)
            ask(COUNT, codec="raw")

        return Operation("run()", {"run": run}, cost=SENDS)

    def send_many(self, guest: str) -> Operation:
        actor = self._echo(guest)
        send_many, ask, batch = actor.send_many, actor.ask, [PAYLOAD] * BATCH

        def run() -> None:
            for _ in range(SENDS // BATCH):
                send_many(batch)
            ask(COUNT, codec="raw")

        return Operation("run()", {"run": run}, cost=SENDS // BATCH * BATCH)

    def ask_many(self, guest: str) -> Operation:
        names = {"ask_many": self._echo(guest).ask_many, "batch": [PAYLOAD] * BATCH}
        return Operation("len(ask_many(batch))", names, BATCH, cost=BATCH)

    async def _open(self) -> Any:
        """A host on the loop of this process, and a component to spawn there."""
        if self._opened is None:
            self._opened = self._aw.Host()
            await self._opened.__aenter__()
        return self._opened

    def spawn(self, guest: str) -> Operation:
        numbers = count()

        async def prepare() -> Run:
            host = await self._open()
            component = host.engine.load(guest)

            async def run() -> None:
                name = f"bench/spawned-{next(numbers)}"
                await host.spawn(name, component)
                await host.stop(name)

            return run

        return Operation("await run()", {"prepare": prepare}, setup="run = await prepare()")

    def restart(self, guest: str) -> Operation:
        aw = self._aw

        async def prepare() -> Run:
            host = await self._open()
            group = await host.supervise(
                "bench-restarts",
                children=[aw.Child("bench/fragile", host.engine.load(guest))],
                # Restarted at once, however often.
                intensity=1_000_000,
                within=1.0,
                backoff=aw.Backoff(first_seconds=0.0, max_seconds=0.0),
            )
            [actor] = group.children

            async def run() -> None:
                before = actor.incarnation
                try:
                    await actor.ask(TRAP, codec="raw")
                except aw.ActorFailed:
                    await actor.ask(PAYLOAD)
                assert actor.incarnation == before + 1

            return run

        return Operation("await run()", {"prepare": once(prepare)}, setup="run = await prepare()")

    def calls(self) -> int:
        counted = self._actor.ask(COUNT, codec="raw").payload
        return int.from_bytes(counted, "little")


def once(prepare: Callable[[], Awaitable[Run]]) -> Callable[[], Awaitable[Run]]:
    """What is prepared once for all rounds."""
    prepared: list[Run] = []

    async def given() -> Run:
        if not prepared:
            prepared.append(await prepare())
        return prepared[0]

    return given


class Pykka:
    """Pykka: an actor is a thread with a queue."""

    def __init__(self) -> None:
        import pykka

        class Echo(pykka.ThreadingActor):  # type: ignore[misc] # the peer has no types
            use_daemon_thread = True

            def __init__(self) -> None:
                super().__init__()
                self.handled = 0

            def on_receive(self, message: Any) -> Any:
                if message is COUNT:
                    return self.handled
                self.handled += 1
                return message

        self._echo = Echo
        self._actor = Echo.start()

    def ask(self, _guest: str) -> Operation:
        names = {"ask": self._actor.ask, "data": PAYLOAD}
        return Operation("ask(data)", names, PAYLOAD)

    answer = ask

    def send(self, _guest: str) -> Operation:
        tell, ask = self._actor.tell, self._actor.ask

        def run() -> None:
            for _ in range(SENDS):
                tell(PAYLOAD)
            ask(COUNT)

        return Operation("run()", {"run": run}, cost=SENDS)

    def spawn(self, _guest: str) -> Operation:
        return Operation("start().stop()", {"start": self._echo.start}, expected=True)

    def calls(self) -> int:
        return int(self._actor.ask(COUNT))


class Thespian:
    """Thespian: its quickest system, all actors on the thread that asks."""

    def __init__(self) -> None:
        from thespian import actors
        from thespian_actors import Echo, Sink

        self._system = actors.ActorSystem("simpleSystemBase")
        self._echo_class, self._exit = Echo, actors.ActorExitRequest
        self._echo = self._system.createActor(Echo)
        self._sink = self._system.createActor(Sink)
        atexit.register(self._system.shutdown)

    def ask(self, _guest: str) -> Operation:
        names = {"ask": self._system.ask, "actor": self._echo, "data": PAYLOAD}
        return Operation("ask(actor, data)", names, PAYLOAD)

    answer = ask

    def send(self, _guest: str) -> Operation:
        tell, ask, actor = self._system.tell, self._system.ask, self._sink

        def run() -> None:
            for _ in range(SENDS):
                tell(actor, PAYLOAD)
            ask(actor, COUNT)

        return Operation("run()", {"run": run}, cost=SENDS)

    def spawn(self, _guest: str) -> Operation:
        system, echo, leave = self._system, self._echo_class, self._exit

        def run() -> None:
            system.tell(system.createActor(echo), leave())

        return Operation("run()", {"run": run})

    def calls(self) -> int:
        return sum(int(self._system.ask(actor, COUNT)) for actor in (self._echo, self._sink))


class AsyncioQueue:
    """asyncio: a task behind a queue, answers through futures."""

    def __init__(self) -> None:
        self._handled = 0
        self._inbox: Any = None
        self._task: Any = None

    async def _serving(self) -> asyncio.Queue[Any]:
        if self._task is None:
            self._inbox = asyncio.Queue()
            self._task = asyncio.create_task(self._serve(self._inbox))
        inbox: asyncio.Queue[Any] = self._inbox
        return inbox

    async def _serve(self, inbox: asyncio.Queue[Any]) -> None:
        while True:
            data, answer = await inbox.get()
            self._handled += 1
            if answer is not None:
                answer.set_result(data)
            inbox.task_done()

    def await_ask(self, _guest: str) -> Operation:
        async def prepare() -> Callable[[bytes], Awaitable[Any]]:
            inbox, loop = await self._serving(), asyncio.get_running_loop()

            async def ask(data: bytes) -> Any:
                answer = loop.create_future()
                inbox.put_nowait((data, answer))
                return await answer

            return ask

        names = {"prepare": prepare, "data": PAYLOAD}
        return Operation("await ask(data)", names, PAYLOAD, setup="ask = await prepare()")

    def send(self, _guest: str) -> Operation:
        async def prepare() -> Run:
            inbox = await self._serving()

            async def run() -> None:
                for _ in range(SENDS):
                    inbox.put_nowait((PAYLOAD, None))
                await inbox.join()

            return run

        names = {"prepare": prepare}
        return Operation("await run()", names, cost=SENDS, setup="run = await prepare()")

    def spawn(self, _guest: str) -> Operation:
        async def run() -> None:
            task = asyncio.create_task(self._serve(asyncio.Queue()))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait({task})

        return Operation("await run()", {"run": run})

    def calls(self) -> int:
        return self._handled


#: The contestants, by the names that worker.py knows them by.
ACTORS = {
    "actors": Actors,
    "pykka": Pykka,
    "thespian": Thespian,
    "asyncio.Queue": AsyncioQueue,
}
