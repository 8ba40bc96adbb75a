"""Guests may say and hear what they were granted, and nothing else, as their model says."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.integration.actors.talkers import LIMITS, TALKER
from tests.laws.broker_model import matches
from tests.laws.broker_play import named
from tests.laws.guest_model import Guest, May, Said

import airssys_wasm as aw
from airssys_wasm.broker import Lease

TOPICS = ["a", "a.b", "a.c", "a.b.c", "b"]
PATTERNS = ["a", "a.b", "a.*", "a.#", "*", "*.b", "#", "b.#", "a.b.*"]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Guests fail here as they are told; nobody wants to read that."""
    logger = logging.getLogger("airssys_wasm")
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(logging.NOTSET)


class Trace:
    """Three guests; what they do is chosen by chance while they do it."""

    def __init__(self, host: aw.Host, seed: int) -> None:
        self.host = host
        self.chance = random.Random(seed)  # noqa: S311 - no secret
        self.tag = f"acme/guest{seed}"
        self.guests = [Guest(f"{self.tag}-{one}", self.may()) for one in "abc"]
        self.actors: dict[str, aw.Actor] = {}
        self.leases: dict[str, Lease] = {}
        self.done: list[str] = []
        self.said = 0

    def may(self) -> May:
        addresses = ["**", f"{self.tag}-a", "acme/*-b", "acme/*-?", "acme/*-[ab]"]
        addresses += ["acme/*-{a,c}", "other/*", "other/**", "acme/*"]

        def some(of: list[str]) -> tuple[str, ...]:
            return tuple(self.chance.sample(of, self.chance.randrange(3)))

        # Most may talk to most: two that may not say nothing that could go wrong.
        freely = ("**",) if self.chance.randrange(2) else ()
        addresses = [one for one in addresses if one != "other/**"]
        return May(
            send=(*freely, *some(addresses)),
            receive=(*freely, *some(addresses)),
            publish=some(PATTERNS),
            subscribe=some(PATTERNS),
        )

    async def begin(self, component: aw.Component) -> None:
        group = await self.host.supervise(
            f"{self.tag}-group",
            intensity=10**6,
            backoff=aw.Backoff(first_seconds=0.0, max_seconds=0.0),
            children=[
                aw.Child(
                    one.name,
                    component,
                    shutdown="immediate",
                    grant=aw.Grant(
                        send=list(one.may.send),
                        receive=list(one.may.receive),
                        publish=list(one.may.publish),
                        subscribe=list(one.may.subscribe),
                    ),
                )
                for one in self.guests
            ],
        )
        self.group = group
        self.actors = {actor.name: actor for actor in group.children}

    async def tell(self, guest: Guest, command: str) -> str:
        self.done.append(f"{guest.name}: {command}")
        reply = await self.actors[guest.name].ask(command.encode(), codec="raw", timeout=20.0)
        return reply.payload.decode()

    async def step(self) -> None:
        awake = [one for one in self.guests if not one.stalled]
        self.said += 1
        what: Callable[[Guest], Any] = self.chance.choice(
            [
                self.send,
                self.send,
                self.ask,
                self.request,
                self.publish,
                self.publish,
                self.subscribe,
                self.subscribe,
                self.unsubscribe,
                self.fail,
                self.stall,
                self.release,
                self.announce,
            ]
        )
        if awake:
            await what(self.chance.choice(awake))
        else:
            await self.release(self.guests[0])
        await self.agree()

    async def send(self, guest: Guest) -> None:
        other, text = self.chance.choice(self.guests), f"{self.said}"
        word = self.chance.choice(["send", "urgent"])
        told = await self.tell(guest, f"{word} {other.name} note {text}")
        refusal = guest.refusal(other)
        assert told == (refusal or "done")
        if refusal is None:
            other.gets(Said(text, is_urgent=word == "urgent"))

    async def ask(self, guest: Guest) -> None:
        other = self.chance.choice([one for one in self.guests if not one.stalled])
        told = await self.tell(guest, f"ask {other.name} 10000 echo {self.said}")
        answer = f"{self.said}" if other is not guest else "error: MessagingError::Cycle"
        assert told == (guest.refusal(other) or answer)

    async def request(self, guest: Guest) -> None:
        other, text = self.chance.choice(self.guests), f"{self.said}"
        told = await self.tell(guest, f"request {other.name} 60000 echo {text}")
        refusal = guest.refusal(other)
        assert refusal in (None, told)
        if refusal is None:
            other.gets(Said(text, asker=guest, incarnation=guest.incarnation, request=told))

    async def publish(self, guest: Guest) -> None:
        topic = self.chance.choice(TOPICS)
        told = await self.tell(guest, f"publish {topic} note {self.said}")
        if guest.may.publishes(topic):
            assert told == "done"
            self.spread(topic)
        else:
            assert told == f'error: MessagingError::Denied("messaging.publish {topic}")'

    async def announce(self, guest: Guest) -> None:
        """The embedder publishes, who may always."""
        del guest
        topic = self.chance.choice(TOPICS)
        self.done.append(f"the host: publish {topic}")
        taken = await self.host.publish(topic, f"note {self.said}".encode(), codec="raw")
        assert taken == self.spread(topic)

    def spread(self, topic: str) -> int:
        takers = [
            one
            for one in self.guests
            if any(matches(pattern.split("."), topic.split(".")) for pattern in one.patterns)
        ]
        for one in takers:
            one.gets(Said(f"{self.said}"))
        return len(takers)

    async def subscribe(self, guest: Guest) -> None:
        pattern = self.chance.choice(PATTERNS)
        told = await self.tell(guest, f"subscribe {pattern}")
        if guest.may.subscribes(pattern):
            assert told == "done"
            guest.patterns.add(pattern)
        else:
            assert told == f'error: MessagingError::Denied("messaging.subscribe {pattern}")'

    async def unsubscribe(self, guest: Guest) -> None:
        if guest.patterns:
            pattern = self.chance.choice(sorted(guest.patterns))
            assert await self.tell(guest, f"unsubscribe {pattern}") == "done"
            guest.patterns.remove(pattern)

    async def fail(self, guest: Guest) -> None:
        with pytest.raises(aw.ActorFailed):
            await self.tell(guest, "trap")
        guest.fails()

    async def stall(self, guest: Guest) -> None:
        self.done.append(f"stall {guest.name}")
        self.leases[guest.name] = await self.actors[guest.name]._seat.native.lease()
        guest.stalled = True

    async def release(self, guest: Guest) -> None:
        del guest
        for one in self.guests:
            if one.stalled:
                self.done.append(f"release {one.name}")
                self.leases.pop(one.name).release()
                one.stalled = False
                one.run()
                return

    async def agree(self) -> None:
        """Each that can be asked has noted what it was told, and serves in its incarnation."""
        for one in self.guests:
            if one.stalled:
                continue
            notes: list[str] = []
            for _ in range(300):
                # The first note says how it was started.
                notes = (await self.tell(one, "notes")).split("|")[1:]
                self.done.pop()
                if notes == one.notes:
                    break
                # A callback comes once its request has gone through the other's mailbox.
                await asyncio.sleep(0.001)
            assert notes == one.notes, one.name
            assert self.actors[one.name].incarnation == one.incarnation

    async def run(self, component: aw.Component) -> None:
        await self.begin(component)
        for _ in range(self.chance.randint(4, 20)):
            await self.step()
        for one in self.guests:
            await self.release(one)
        await self.agree()
        await self.group.stop()
        # The last message of one may still be on its way out, and its subscriptions with it.
        takers: list[int] = []
        for _ in range(300):
            takers = [await self.host.publish(topic, 1) for topic in TOPICS]
            if not any(takers):
                return
            await asyncio.sleep(0.001)
        assert takers == [0] * len(TOPICS), "a subscription outlived its guest"


def agree_on(engine: aw.Engine, seeds: range) -> None:
    async def main() -> None:
        component = engine.load(TALKER)
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            for seed in seeds:
                trace = Trace(host, seed)
                with named(f"seed {seed}"):
                    try:
                        await asyncio.wait_for(trace.run(component), 60)
                    except BaseException as error:
                        error.add_note("\n".join([*map(str, trace.guests), *trace.done]))
                        raise

    asyncio.run(main())


@pytest.mark.parametrize("chunk", range(2))
def test_guests_agree_with_their_model(engine: aw.Engine, chunk: int) -> None:
    agree_on(engine, range(chunk * 150, (chunk + 1) * 150))


@pytest.mark.soak
@pytest.mark.parametrize("chunk", range(10))
def test_guests_agree_with_their_model_in_5_000_more(engine: aw.Engine, chunk: int) -> None:
    agree_on(engine, range(10**6 + chunk * 500, 10**6 + (chunk + 1) * 500))
