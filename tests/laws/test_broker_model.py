"""The host does what the model of the broker does, whatever is sent, stalled, failed or stopped."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
from tests.laws.broker_mailbox import Box, Deed, Note, WhenFull
from tests.laws.broker_model import Listener, Member, Model, Pool
from tests.laws.broker_play import Body, Play, named
from tests.laws.supervised import Supervised

import airssys_wasm as aw

AT_ONCE = aw.Backoff(first_seconds=0.0, max_seconds=0.0)
SHORT, LONG = 20, 100
POLICIES: tuple[WhenFull, ...] = ("block", "reject", "drop-newest", "drop-oldest")
TOPICS = ["a", "b", "a.b", "a.b.c", "a.c", "b.c"]
PATTERNS = ["a", "a.*", "a.#", "#", "*", "*.b", "*.*", "b.#", "a.*.c", "*.b.#"]
EVER = 10**6


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Actors fail here by the thousand, as they are told; nobody wants to read that."""
    loggers = [logging.getLogger(name) for name in ("airssys_wasm.host", "airssys_wasm.actor")]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    yield
    for logger in loggers:
        logger.setLevel(logging.NOTSET)


class Trace:
    """What happens is chosen while it happens: by chance, and by what the model knows."""

    def __init__(self, host: aw.Host, seed: int, envelope: int) -> None:
        self.host = host
        self.chance = random.Random(seed)  # noqa: S311 - no secret
        self.tag = f"acme/trace-{seed}"
        self.envelope = envelope
        self.numbers = iter(range(1, EVER))
        self.strategy: Literal["one-for-one", "one-for-all", "rest-for-one"] = self.pick(
            "one-for-one", "one-for-one", "one-for-all", "rest-for-one"
        )
        self.intensity = self.pick(EVER, EVER, 0, 1, 2)
        children = [f"{self.tag}-{letter}" for letter in "abc"[: self.chance.randint(1, 3)]]
        self.restarts = {
            name: self.pick("permanent", "permanent", "transient", "temporary") for name in children
        }
        supervised = Supervised(self.strategy, self.intensity, self.restarts)
        members = [Member(name, self.box()) for name in children]
        self.pool = f"{self.tag}-pool" if self.odds(3) else None
        if self.pool:
            box = self.box()
            self.pool_box = box
            members += [
                Member(
                    f"{self.pool}/{number}",
                    Box(box.messages_max, box.bytes_max, box.when_full),
                    is_child=False,
                )
                for number in range(1, self.chance.randint(2, 3) + 1)
            ]
        self.model = Model(members, supervised)
        self.play = Play(host, self.model, lambda weight: LONG if weight > envelope else SHORT)
        self.routing: Literal["round-robin", "least-loaded"] = self.pick(
            "round-robin", "least-loaded"
        )
        self.done: list[str] = []

    def pick(self, *choices: Any) -> Any:
        return self.chance.choice(choices)

    def odds(self, one_in: int) -> bool:
        return self.chance.randrange(one_in) == 0

    def box(self) -> Box:
        weights = self.envelope + LONG
        bytes_max = self.pick(EVER, EVER, 2 * weights, 3 * self.envelope, weights - 1)
        return Box(self.chance.randint(1, 4), bytes_max, self.pick(*POLICIES))

    def mailbox(self, box: Box) -> aw.Mailbox:
        return aw.Mailbox(
            messages_max=box.messages_max, bytes_max=box.bytes_max, when_full=box.when_full
        )

    async def begin(self) -> None:
        play, model = self.play, self.model
        group = await self.host.supervise(
            f"{self.tag}-group",
            strategy=self.strategy,
            intensity=self.intensity,
            within=60_000.0,
            backoff=AT_ONCE,
            restart="temporary",
            children=[
                aw.Child(
                    name,
                    play.handler(name),
                    restart=restart,
                    shutdown="immediate",
                    mailbox=self.mailbox(model.members[name].box),
                )
                for name, restart in self.restarts.items()
            ],
        )
        play.actors.update({actor.name: actor for actor in group.children})
        if self.pool:
            await self.begin_pool(self.pool)
        for _ in range(self.chance.randrange(3)):
            listener = Listener(
                self.pick(*PATTERNS),
                self.chance.randint(1, 3),
                self.pick("drop-oldest", "drop-newest"),
            )
            await play.listen(listener)

    async def begin_pool(self, name: str) -> None:
        members = [one for one in self.model.members.values() if not one.is_child]
        names = iter(member.name for member in members)

        def make() -> Any:
            return self.play.handler(next(names))()

        pool = await self.host.spawn(
            name,
            make,
            pool=len(members),
            routing=self.routing,
            shutdown="immediate",
            mailbox=self.mailbox(self.pool_box),
        )
        self.play.actors[name] = pool
        self.play.actors.update({actor.name: actor for actor in pool.members})
        self.model.pools[name] = Pool(members, self.routing)

    # What may happen now

    def note(self, kind: Literal["tell", "ask"], do: Deed, *, plain: bool = False) -> Note:
        weight = self.envelope + (LONG if self.odds(3) else 0)
        if plain or kind == "ask":
            return Note(next(self.numbers), weight, do, kind)
        rank = self.pick(0, 1, 1, 1, 2)
        return Note(next(self.numbers), weight, do, kind, rank, is_late=self.odds(6))

    def deed(self, name: str) -> Deed:
        deed: Deed = self.pick("echo", "echo", "echo", "refuse", "fail", "hold")
        return deed if self.may(name, deed) else "echo"

    def may(self, name: str, deed: Deed) -> bool:
        """Whether it can be said what happens if this is told to an actor.

        One that fails may take its siblings along; when those are in the middle of something,
        it is the clock that says what they still do.
        """
        member = self.model.members.get(name)
        if deed in ("echo", "refuse"):
            return True
        if member is None or not member.is_child:
            return False
        if self.is_each_for_itself:
            return True
        others = [one for one in self.model.members.values() if one.is_child and one is not member]
        if deed == "fail":
            return not any(one.is_busy for one in others) and not self.will_fail(member)
        return not any(self.will_fail(one) for one in others)

    @property
    def is_each_for_itself(self) -> bool:
        """Whether a failure is nobody else's business."""
        return self.strategy == "one-for-one" and self.intensity == EVER

    def will_fail(self, member: Member) -> bool:
        waiting = [*member.box.notes, *(waiter.note for waiter in member.box.line)]
        # What follows somebody in the line is not known here: whoever is busy may fail yet.
        return any(note.do == "fail" for note in waiting) or bool(member.box.line)

    def target(self) -> str:
        names = [*self.model.members, *self.model.pools, *self.model.pools]
        return self.chance.choice(names)

    async def step(self) -> None:
        what: Callable[[], Any] = self.pick(
            self.tell,
            self.tell,
            self.tell,
            self.ask,
            self.ask,
            self.ask,
            self.many,
            self.stall,
            self.stall,
            self.release,
            self.release,
            self.let_go,
            self.cancel,
            self.stop,
            self.publish,
            self.hear,
            self.broadcast,
            self.letter,
        )
        did = what()
        if did is not None:
            await did
        await self.play.agree()

    async def tell(self) -> None:
        name = self.target()
        if name in self.model.pools:
            await self.play.rest(name)
        note = self.note("tell", self.deed(name))
        self.did("tell", name, note)
        if self.odds(2):
            self.play.try_send(name, note)
        else:
            self.play.send(name, note)

    async def ask(self) -> None:
        name = self.target()
        await self.play.rest(name)
        note = self.note("ask", self.deed(name))
        self.did("ask", name, note)
        self.play.ask(name, note)

    async def many(self) -> None:
        name = self.target()
        pool = self.model.pools.get(name)
        if pool is not None and all(one.load is None for one in pool.members):
            return
        if pool is not None:
            await self.play.rest(name)
        kind: Literal["tell", "ask"] = self.pick("tell", "ask")
        count = self.chance.randint(1, 6)
        notes = [self.note(kind, self.deed(name), plain=True) for _ in range(count)]
        if not self.is_each_for_itself:
            # The second of two failures would meet its siblings on their way.
            for note in [note for note in notes if note.do == "fail"][1:]:
                note.do = "echo"
        self.did("many", name, notes)
        if kind == "ask":
            self.play.ask_many(name, notes)
        elif self.odds(2):
            self.play.try_send_many(name, notes)
        else:
            self.play.send_many(name, next(self.numbers), notes)

    async def stall(self) -> None:
        name = self.chance.choice(list(self.model.members))
        member = self.model.members[name]
        if member.is_busy or member.status != "running" or not self.may_stall(member):
            return
        self.did("stall", name)
        await self.play.stall(name)

    def may_stall(self, member: Member) -> bool:
        return not member.is_child or self.may(member.name, "hold")

    def release(self) -> None:
        stalled = [one.name for one in self.model.members.values() if one.stalled]
        if stalled:
            name = self.chance.choice(stalled)
            self.did("release", name)
            self.play.release(name)

    def let_go(self) -> None:
        holding = [one for one in self.model.members.values() if one.held]
        if holding:
            member = self.chance.choice(holding)
            self.did("let go", member.name)
            self.play.let_go(member)

    async def cancel(self) -> None:
        waiting = [note for note in self.sent() if note.number not in self.model.outcomes]
        batches = [
            notes
            for notes in self.play.batches
            if any(note.number not in self.model.outcomes for note in notes)
        ]
        if batches and self.odds(3):
            notes = self.chance.choice(batches)
            self.did("cancel", notes)
            await self.play.cancel_batch(notes)
        elif waiting:
            note = self.chance.choice(waiting)
            self.did("cancel", note)
            await self.play.cancel(note)

    def sent(self) -> list[Note]:
        """What waits in lines and mailboxes, or is worked on, and whose sender waits alone."""
        found = []
        for member in self.model.members.values():
            inside = [*member.box.notes, *([member.held] if member.held else [])]
            found += [note for note in inside if note.kind == "ask"]
            found += [waiter.note for waiter in member.box.line]
        alone = {number for number in self.play.tasks if number not in self.batched()}
        return [note for note in found if note.number in alone and note.is_wanted]

    def batched(self) -> set[int]:
        return {note.number for notes in self.play.batches for note in notes}

    async def stop(self) -> None:
        if not self.odds(3):
            return
        name = self.chance.choice(list(self.model.members))
        member = self.model.members[name]
        if member.status != "running" or member.held:
            return
        self.did("stop", name)
        await self.play.stop(name)

    async def publish(self) -> None:
        note, topic = self.note("tell", "echo", plain=True), self.pick(*TOPICS)
        self.did("publish", topic, note)
        await self.play.publish(note, topic)

    async def hear(self) -> None:
        full = [place for place, one in enumerate(self.model.listeners) if one.notes]
        if full:
            await self.play.hear(self.chance.choice(full))

    async def broadcast(self) -> None:
        names = [*self.model.members, f"{self.tag}-nobody"]
        names = self.chance.sample(names, self.chance.randint(1, len(names)))
        note = self.note("tell", "echo", plain=True)
        self.did("broadcast", names, note)
        await self.play.broadcast(names, note)

    async def letter(self) -> None:
        letters = [one for one in self.model.letters if self.may(one.receiver, one.note.do)]
        if not letters:
            return
        letter = self.chance.choice(letters)
        self.did("letter", letter)
        if self.odds(4):
            self.play.discard(letter)
        else:
            await self.play.replay(letter)

    def did(self, *what: object) -> None:
        self.done.append(" ".join(map(str, what)))

    async def run(self) -> None:
        await self.begin()
        self.did(self.strategy, self.intensity, self.restarts, self.routing)
        for one in self.model.members.values():
            self.did(one.name, one.box.messages_max, one.box.bytes_max, one.box.when_full)
        await self.play.agree()
        for _ in range(self.chance.randint(4, 16)):
            await self.step()
        await self.play.end()


async def envelope_of(host: aw.Host) -> int:
    """Return what a message weighs in a mailbox beside a long body."""

    @host.actor("acme/scales")
    async def scales(message: aw.Message) -> None:
        del message

    actor = host.find("acme/scales")
    await actor.ask(1)
    lease = await actor._seat.native.lease()
    actor.try_send(Body.of(Note(1, 0), SHORT), codec="raw")
    weight = actor.mailbox["bytes"]
    actor.try_send(Body.of(Note(1, 0), LONG), codec="raw")
    assert actor.mailbox["bytes"] == 2 * weight + LONG
    lease.release()
    await host.stop("acme/scales")
    host.dead_letters.clear()
    return weight


def agree_on(engine: aw.Engine, seeds: range) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            envelope = await envelope_of(host)
            for seed in seeds:
                trace = Trace(host, seed, envelope)
                with named(f"seed {seed}"):
                    try:
                        await asyncio.wait_for(trace.run(), 60)
                    except BaseException as error:
                        error.add_note("\n".join(trace.done))
                        raise

    asyncio.run(main())


@pytest.mark.parametrize("chunk", range(4))
def test_the_host_agrees_with_its_model(engine: aw.Engine, chunk: int) -> None:
    agree_on(engine, range(chunk * 500, (chunk + 1) * 500))


@pytest.mark.soak
@pytest.mark.parametrize("chunk", range(20))
def test_the_host_agrees_with_its_model_on_20_000_more(engine: aw.Engine, chunk: int) -> None:
    agree_on(engine, range(10**6 + chunk * 1_000, 10**6 + (chunk + 1) * 1_000))
