"""Actors on a real host that do what their messages say, beside their model."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from tests.laws.broker_mailbox import Note
from tests.laws.broker_model import Letter, Listener, Member, Model

import airssys_wasm as aw
from airssys_wasm.broker import Lease

Seen = dict[str, Any]

OUTCOMES: Final[dict[type[BaseException], str]] = {
    aw.MessageRefused: "refused",
    aw.ActorFailed: "failed",
    aw.MessageDropped: "dropped",
    aw.MailboxFull: "full",
    aw.ActorStopped: "stopped",
    aw.MessageTooLarge: "too-large",
    aw.ActorNotFound: "unknown",
    asyncio.CancelledError: "cancelled",
}
PRIORITIES: Final = ("low", "normal", "high")
#: Turns of the event loop before it is given time, and how often it is given some.
TURNS, LOOKS, LOOK_SECONDS = 300, 2_000, 0.001


class Body:
    """What stands in a message: its number and what is to be done with it."""

    @staticmethod
    def of(note: Note, size: int) -> bytes:
        return f"{note.number} {note.do} ".encode().ljust(size, b".")

    @staticmethod
    def read(payload: bytes) -> tuple[int, str]:
        number, do, _ = payload.decode().split(" ")
        return int(number), do


class Play:
    """One trace on the host, and the same on the model; they must look the same.

    Args:
        host: where the actors are.
        model: what should become of everything.
        size_of: how long the body of a message of a weight is.
    """

    def __init__(self, host: aw.Host, model: Model, size_of: Callable[[int], int]) -> None:
        self.host = host
        self.model = model
        self.size_of = size_of
        self.actors: dict[str, aw.Actor] = {}
        self.listeners: list[aw.Subscription] = []
        self.read: list[list[tuple[int, str | None]]] = []
        self.logs: dict[str, list[tuple[int, str, int]]] = {name: [] for name in model.members}
        self.made: Counter[str] = Counter()
        self.gates: dict[int, asyncio.Event] = {}
        self.leases: dict[str, Lease] = {}
        self.outcomes: dict[int, str] = {}
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self.batches: list[list[Note]] = []
        self.orphans = host._broker.orphans

    def handler(self, name: str) -> Callable[[], Any]:
        """Return what makes the handlers of an actor."""
        play = self

        class Handler:
            def __init__(self) -> None:
                play.made[name] += 1
                self.incarnation = play.made[name]

            async def handle(self, message: aw.Message) -> bytes:
                number, do = Body.read(message.payload)
                play.logs[name].append((number, message.kind, self.incarnation))
                match do:
                    case "refuse":
                        raise aw.HandlerRefusal("as it was told")
                    case "fail":
                        raise RuntimeError("as it was told")
                    case "hold":
                        await play.gates.setdefault(number, asyncio.Event()).wait()
                return message.payload

        return Handler

    # Operations; each does the same on both sides

    def body(self, note: Note) -> bytes:
        return Body.of(note, self.size_of(note.weight))

    def try_send(self, name: str, note: Note) -> None:
        got = "sent"
        try:
            self.actors[name].try_send(self.body(note), codec="raw", **how(note))
        except aw.MessagingError as error:
            got = OUTCOMES[type(error)]
        same("try_send", got, self.model.try_send(name, note))

    def send(self, name: str, note: Note) -> None:
        actor, body = self.actors[name], self.body(note)
        self.follow(note.number, lambda: actor.send(body, codec="raw", **how(note)))
        self.model.send(name, note)

    def ask(self, name: str, note: Note) -> None:
        actor, body = self.actors[name], self.body(note)
        self.follow(note.number, lambda: actor.ask(body, codec="raw", timeout=60.0), body)
        self.model.ask(name, note)

    def try_send_many(self, name: str, notes: Sequence[Note]) -> None:
        bodies = [self.body(note) for note in notes]
        got: int | str
        try:
            got = self.actors[name].try_send_many(bodies, codec="raw")
        except aw.MessagingError as error:
            got = OUTCOMES[type(error)]
        same("try_send_many", got, self.model.try_send_many(name, notes))

    def send_many(self, name: str, number: int, notes: Sequence[Note]) -> None:
        actor, bodies = self.actors[name], [self.body(note) for note in notes]
        self.follow(number, lambda: actor.send_many(bodies, codec="raw"))
        self.model.send_many(name, number, notes)

    def ask_many(self, name: str, notes: list[Note]) -> None:
        actor, bodies = self.actors[name], [self.body(note) for note in notes]

        async def asked() -> None:
            got = await actor.ask_many(bodies, codec="raw", timeout=60.0, return_exceptions=True)
            for note, body, one in zip(notes, bodies, got, strict=True):
                self.outcomes[note.number] = self.told(one, body)

        self.tasks[notes[0].number] = asyncio.ensure_future(asked())
        self.batches.append(notes)
        self.model.ask_many(name, notes)

    def follow(
        self, number: int, what: Callable[[], Awaitable[object]], body: bytes | None = None
    ) -> None:
        async def followed() -> None:
            try:
                got: object = await what()
            except (aw.MessagingError, asyncio.CancelledError) as error:
                got = error
            self.outcomes[number] = self.told(got, body)

        self.tasks[number] = asyncio.ensure_future(followed())

    def told(self, got: object, body: bytes | None) -> str:
        if isinstance(got, BaseException):
            return OUTCOMES[type(got)]
        if isinstance(got, aw.Reply):
            return "reply" if got.payload == body else f"a reply to {got.payload!r}"
        return "sent"

    async def cancel(self, note: Note) -> None:
        await self.cancelled(note.number)
        self.model.cancel(note)

    async def cancelled(self, number: int) -> None:
        self.tasks[number].cancel()
        await asyncio.wait({self.tasks[number]})

    async def cancel_batch(self, notes: list[Note]) -> None:
        """Of a batch that is given up nobody hears how any of it ended."""
        await self.cancelled(notes[0].number)
        self.batches.remove(notes)
        for note in notes:
            self.model.cancel(note)
            del self.model.outcomes[note.number]

    async def stall(self, name: str) -> None:
        self.leases[name] = await self.actors[name]._seat.native.lease()
        self.model.stall(name)

    def release(self, name: str) -> None:
        self.leases.pop(name).release()
        self.model.release(name)

    def let_go(self, member: Member) -> None:
        assert member.held is not None
        self.gates.setdefault(member.held.number, asyncio.Event()).set()
        self.model.let_go(member)

    async def stop(self, name: str) -> None:
        await self.host.stop(name)
        self.model.stop(name)

    async def listen(self, listener: Listener) -> None:
        self.listeners.append(
            self.host.subscribe(
                listener.pattern,
                messages_max=listener.messages_max,
                when_full=listener.when_full,
            )
        )
        self.model.listeners.append(listener)

    async def publish(self, note: Note, topic: str) -> None:
        taken = await self.host.publish(topic, self.body(note), codec="raw")
        same("publish", taken, self.model.publish(note.number, topic))

    async def hear(self, place: int) -> None:
        """Read one message of a listener that has some."""
        message = await self.listeners[place].get(timeout=1.0)
        got = (Body.read(message.payload)[0], message.topic)
        same("hear", got, self.model.listeners[place].notes.pop(0))

    async def broadcast(self, names: Sequence[str], note: Note) -> None:
        failed = await self.host.broadcast(names, self.body(note), codec="raw")
        got = {name: OUTCOMES[type(error)] for name, error in failed.items()}
        notes = [Note(note.number, note.weight) for _ in names]
        same("broadcast", got, self.model.broadcast(names, notes))

    async def replay(self, letter: Letter) -> None:
        real = next(one for one in self.host.dead_letters if as_seen(one) == as_known(letter))
        got = "sent"
        try:
            await self.host.dead_letters.replay(real)
        except aw.MessagingError as error:
            got = OUTCOMES[type(error)]
        same("replay", got, self.model.replay(letter))

    def discard(self, letter: Letter) -> None:
        real = next(one for one in self.host.dead_letters if as_seen(one) == as_known(letter))
        self.host.dead_letters.discard(real)
        self.model.letters.remove(letter)

    # What both sides look like

    def known(self) -> Seen:
        model = self.model
        outcomes = dict(model.outcomes)
        for notes in self.batches:
            # They end together.
            if any(note.number not in outcomes for note in notes):
                for note in notes:
                    outcomes.pop(note.number, None)
        return {
            "actors": {
                name: (one.status, one.incarnation, one.box.seen(), one.log)
                for name, one in model.members.items()
            },
            "outcomes": outcomes,
            "letters": sorted(map(as_known, model.letters)),
            "listeners": [(len(one.notes), one.dropped) for one in model.listeners],
            "orphans": model.orphans,
        }

    def seen(self) -> Seen:
        return {
            "actors": {
                name: (one.status, one.incarnation, one._seat.native.mailbox, self.logs[name])
                for name, one in self.actors.items()
                if name in self.logs
            },
            "outcomes": self.outcomes,
            "letters": sorted(map(as_seen, self.host.dead_letters)),
            "listeners": [(one.waiting, one.dropped) for one in self.listeners],
            "orphans": self.host._broker.orphans - self.orphans,
        }

    async def rest(self, name: str) -> None:
        """Wait until an actor, or each behind the name, is as idle as it looks.

        A handler that has answered may still be on its way out. Whether it is decides who of a
        pool is the least busy, and whether a request goes by the mailbox.
        """
        pool = self.model.pools.get(name)
        for member in pool.members if pool is not None else [self.model.members[name]]:
            if member.status == "running" and not member.is_busy:
                lease = await self.actors[member.name]._seat.native.lease()
                lease.release()

    async def agree(self) -> None:
        """Give the host the time it needs to look like the model."""
        # What was begun as a task begins now.
        await asyncio.sleep(0)
        known = self.known()
        for _ in range(TURNS):
            if self.seen() == known:
                return
            await asyncio.sleep(0)
        for _ in range(LOOKS):
            if self.seen() == known:
                return
            await asyncio.sleep(LOOK_SECONDS)
        raise AssertionError("\n".join(differences(known, self.seen())))

    async def end(self) -> None:
        """Let everything come to its end, and take it away."""
        model = self.model
        while busy := [one for one in model.members.values() if one.is_busy]:
            for member in busy:
                if member.stalled:
                    self.release(member.name)
                else:
                    self.let_go(member)
                await self.agree()
        for place, listener in enumerate(model.listeners):
            while listener.notes:
                await self.hear(place)
            self.listeners[place].close()
        for name, member in model.members.items():
            if not member.box.closed:
                await self.stop(name)
        await self.agree()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)
        # Nothing comes after the end.
        await asyncio.sleep(0)
        same("at the end", self.seen(), self.known())
        same("who is left", [name for name in self.actors if name in self.host.actors], [])
        self.host.dead_letters.clear()


def same(what: str, seen: object, known: object) -> None:
    assert seen == known, f"{what}: the model has {known}, the host {seen}"


def how(note: Note) -> dict[str, Any]:
    """Return the options a message is sent with."""
    options: dict[str, Any] = {"priority": PRIORITIES[note.rank]}
    if note.is_late:
        options["ttl"] = 0
    return options


def differences(known: Seen, seen: Seen, path: str = "") -> list[str]:
    """Say where the model and the host differ."""
    found = []
    for key in known.keys() | seen.keys():
        one, other = known.get(key), seen.get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            found += differences(one, other, f"{path}/{key}")
        elif one != other:
            found.append(f"{path}/{key}: the model has {one}, the host {other}")
    return found


def as_seen(letter: aw.DeadLetter) -> tuple[str, str, int]:
    return letter.receiver, letter.reason, Body.read(letter.payload)[0]


def as_known(letter: Letter) -> tuple[str, str, int]:
    return letter.receiver, letter.reason, letter.note.number


@contextlib.contextmanager
def named(what: str) -> Any:
    """Say which trace it was that failed."""
    try:
        yield
    except BaseException as error:
        error.add_note(what)
        raise
