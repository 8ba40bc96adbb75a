"""A broker as simple as it can be: lists, and a scan for each step.

It shares no code with the real one. Who is restarted with whom it asks the model of the
supervisor. It knows no time but "over at once": between two operations everything that can
happen has happened.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tests.laws.broker_mailbox import Box, Note, Sending, Waiter
from tests.laws.supervised import Supervised


@dataclass(eq=False)
class Member:
    """An actor."""

    name: str
    box: Box
    #: Whether the supervisor model knows it; else nothing restarts it, as nothing fails it.
    is_child: bool = True
    incarnation: int = 1
    #: Whether somebody else has its turn.
    stalled: bool = False
    #: What its handler works on until it is let go.
    held: Note | None = None
    stopping: bool = False
    log: list[tuple[int, str, int]] = field(default_factory=list)

    @property
    def status(self) -> str:
        return "stopped" if self.box.closed else "stopping" if self.stopping else "running"

    @property
    def is_busy(self) -> bool:
        return self.stalled or self.held is not None

    @property
    def load(self) -> int | None:
        if self.status != "running":
            return None
        return len(self.box.notes) + self.is_busy


@dataclass(eq=False)
class Pool:
    """Several behind one name."""

    members: list[Member]
    routing: Literal["round-robin", "least-loaded"]
    turn: int = 0

    def pick(self) -> Member | None:
        """Return who gets the next one; nobody, if nobody is left."""
        start = self.turn % len(self.members)
        self.turn += 1
        living = [
            one for one in self.members[start:] + self.members[:start] if one.load is not None
        ]
        if not living or self.routing == "round-robin":
            return living[0] if living else None
        return min(living, key=lambda one: one.load or 0)


@dataclass(eq=False)
class Listener:
    """Somebody outside who listens, and may not read."""

    pattern: str
    messages_max: int
    when_full: Literal["drop-oldest", "drop-newest"]
    notes: list[tuple[int, str]] = field(default_factory=list)
    dropped: int = 0

    def hears(self, topic: str) -> bool:
        return matches(self.pattern.split("."), topic.split("."))

    def take(self, number: int, topic: str) -> None:
        if len(self.notes) == self.messages_max:
            self.dropped += 1
            if self.when_full == "drop-newest":
                return
            self.notes.pop(0)
        self.notes.append((number, topic))


def matches(pattern: Sequence[str], topic: Sequence[str]) -> bool:
    """Say whether a pattern stands for a topic: ``*`` is one name, ``#`` any rest."""
    if not pattern or pattern[0] == "#":
        return not topic or bool(pattern)
    return bool(topic) and pattern[0] in ("*", topic[0]) and matches(pattern[1:], topic[1:])


@dataclass(frozen=True)
class Letter:
    """A message that nobody handled."""

    receiver: str
    reason: str
    note: Note


class Model:
    """All actors of a host, and what became of each message."""

    def __init__(self, members: Sequence[Member], supervised: Supervised) -> None:
        self.members = {member.name: member for member in members}
        self.pools: dict[str, Pool] = {}
        self.listeners: list[Listener] = []
        self.supervised = supervised
        self.letters: list[Letter] = []
        self.outcomes: dict[int, str] = {}
        self.orphans = 0

    # Sending

    def receiver(self, name: str) -> Member | None:
        pool = self.pools.get(name)
        return pool.pick() if pool is not None else self.members[name]

    def try_send(self, name: str, note: Note) -> str:
        """Return ``sent``, or why not."""
        member = self.receiver(name)
        if member is None:
            return "stopped"
        if self.at_once(member, note):
            return "sent"
        became = self.put(member, note)
        if became == "line-up":
            return "full"
        self.run(member)
        return "sent" if became in ("accepted", "dropped") else became

    def send(self, name: str, note: Note) -> None:
        """The outcome is noted under the number of the note, perhaps later."""
        member = self.receiver(name)
        if member is None:
            self.outcomes[note.number] = "stopped"
        elif self.at_once(member, note):
            self.outcomes[note.number] = "sent"
        else:
            self.feed(member, [note], Sending(note.number, 1))
            self.run(member)

    def ask(self, name: str, note: Note) -> None:
        member = self.receiver(name)
        if member is None:
            self.end(note, "stopped")
        elif not self.at_once(member, note):
            self.feed(member, [note], None)
            self.run(member)

    def at_once(self, member: Member, note: Note) -> bool:
        """Have an idle actor handle a message that the mailbox would take as it is."""
        fits = not note.is_late and note.weight <= member.box.bytes_max
        if not fits or member.status != "running" or member.is_busy:
            return False
        member.box.counts["accepted"] += 1
        member.box.counts["delivered"] += 1
        self.handle(member, note)
        self.run(member)
        return True

    def try_send_many(self, name: str, notes: Sequence[Note]) -> int | str:
        """Return how many were accepted, or why it is over with the actor."""
        accepted, touched = 0, []
        result: int | str | None = None
        for note in notes:
            member = self.receiver(name)
            if member is None:
                result = "stopped"
                break
            touched.append(member)
            became = self.put(member, note)
            if became not in ("accepted", "dropped"):
                result = accepted if became in ("line-up", "full") else became
                break
            accepted += 1
        for member in touched:
            self.run(member)
        return accepted if result is None else result

    def send_many(self, name: str, number: int, notes: Sequence[Note]) -> None:
        """The outcome is noted under ``number``."""
        parts = self.parts(name, notes)
        sending = Sending(number, len(parts))
        for member, part in parts:
            self.feed(member, part, sending)
        for member, _ in parts:
            self.run(member)

    def ask_many(self, name: str, notes: Sequence[Note]) -> None:
        parts = self.parts(name, notes)
        for member, part in parts:
            self.feed(member, part, None)
        for member, _ in parts:
            self.run(member)

    def parts(self, name: str, notes: Sequence[Note]) -> list[tuple[Member, list[Note]]]:
        """Who gets what; each is chosen before the first of them is queued."""
        parts: dict[Member, list[Note]] = {}
        for note in notes:
            member = self.receiver(name)
            assert member is not None, "not asked of what has stopped"
            parts.setdefault(member, []).append(note)
        return list(parts.items())

    def put(self, member: Member, note: Note) -> str:
        became, lost = member.box.push(note)
        for one, why in lost:
            self.lose(member, one, why)
        if became == "dropped":
            self.lose(member, note, "dropped")
        return became

    def feed(self, member: Member, notes: list[Note], sending: Sending | None) -> None:
        """Put one after the other; where there is no room, go on when there is."""
        if sending is not None and sending.outcome is not None:
            # What was refused by another member has ended it all.
            return
        for place, note in enumerate(notes):
            became = self.put(member, note)
            if became == "line-up":
                then = self.goes_on(member, note, notes[place + 1 :], sending)
                refused = member.box.line_up(Waiter(note, then, sending))
                if refused is None:
                    if sending is not None and sending.outcome is not None:
                        self.leave_lines(sending)
                    return
                became = refused
            if not self.gets_on(note, became, sending):
                return
        if sending is not None:
            sending.left -= 1
            if not sending.left:
                self.over(sending, "sent")

    def goes_on(
        self, member: Member, note: Note, rest: list[Note], sending: Sending | None
    ) -> Callable[[str], None]:
        def then(became: str) -> None:
            if self.gets_on(note, became, sending):
                self.feed(member, rest, sending)

        return then

    def gets_on(self, note: Note, became: str, sending: Sending | None) -> bool:
        """Whether what stands behind a message is sent too."""
        got_in = became in ("accepted", "dropped")
        if sending is None:
            if not got_in:
                self.end(note, became)
            return True
        if not got_in:
            self.over(sending, became)
        return sending.outcome is None

    def over(self, sending: Sending, outcome: str) -> None:
        if sending.outcome is None:
            sending.outcome = outcome
            self.outcomes[sending.number] = outcome
            self.leave_lines(sending)

    def leave_lines(self, sending: Sending) -> None:
        """Once one was not accepted, none of the others is sent any more."""
        for member in self.members.values():
            line = member.box.line
            if any(waiter.sending is sending for waiter in line):
                line[:] = [waiter for waiter in line if waiter.sending is not sending]
                member.box.admit()

    # What becomes of messages

    def end(self, note: Note, outcome: str) -> None:
        """Tell whoever asked; if they wait no more, it is an orphan, whatever it is."""
        if note.kind != "ask":
            return
        if note.is_wanted:
            self.outcomes[note.number] = outcome
            note.is_wanted = False
        else:
            self.orphans += 1

    def lose(self, member: Member, note: Note, why: str) -> None:
        if note.kind == "ask":
            outcomes = {"actor-failed": "failed", "handler-failed": "refused", "expired": "dropped"}
            self.end(note, outcomes.get(why, why))
        else:
            self.letters.append(Letter(member.name, why, note))

    def run(self, member: Member) -> None:
        """Let it handle all that it can."""
        while member.status == "running" and not member.is_busy:
            note = member.box.pop()
            if note is None:
                return
            member.box.admit()
            if note.is_late:
                self.lose(member, note, "expired")
            elif note.kind != "ask" or note.is_wanted:
                self.handle(member, note)

    def handle(self, member: Member, note: Note) -> None:
        member.log.append((note.number, note.kind, member.incarnation))
        match note.do:
            case "echo":
                self.end(note, "reply")
            case "refuse":
                self.lose(member, note, "handler-failed")
            case "hold":
                member.held = note
            case "fail":
                self.lose(member, note, "actor-failed")
                self.fail(member)

    def let_go(self, member: Member) -> None:
        """What its handler held, it answers."""
        note, member.held = member.held, None
        assert note is not None
        self.end(note, "reply")
        self.run(member)

    def fail(self, member: Member) -> None:
        """Its instance is gone; the supervisor decides about it and its siblings."""
        incarnations = self.supervised.failed(member.name)
        for other in reversed(list(self.members.values())):
            if not other.is_child or other.box.closed or other.stopping:
                continue
            other.incarnation = incarnations[other.name] or other.incarnation
            if not incarnations[other.name]:
                self.close(other)

    def close(self, member: Member) -> None:
        box = member.box
        left, line = box.notes, list(box.line)
        for lane in box.lanes:
            lane.clear()
        box.line.clear()
        box.closed = True
        for note in left:
            self.lose(member, note, "stopped")
        for waiter in line:
            waiter.then("stopped")

    # What else users do

    def stall(self, name: str) -> None:
        self.members[name].stalled = True

    def release(self, name: str) -> None:
        member = self.members[name]
        member.stalled = False
        if member.stopping:
            self.close(member)
        self.run(member)

    def stop(self, name: str) -> None:
        member = self.members[name]
        member.stopping = True
        self.supervised.forget(name)
        if not member.stalled:
            self.close(member)

    def cancel(self, note: Note) -> None:
        """Whoever sent it, or asked, waits no more."""
        self.outcomes[note.number] = "cancelled"
        note.is_wanted = False
        if note.kind == "ask":
            return
        for member in self.members.values():
            waiting = [one for one in member.box.line if one.note is note]
            for one in waiting:
                member.box.line.remove(one)
                # Whoever stood behind it may need less room.
                member.box.admit()
                self.run(member)

    def publish(self, number: int, topic: str) -> int:
        takers = [listener for listener in self.listeners if listener.hears(topic)]
        for listener in takers:
            listener.take(number, topic)
        return len(takers)

    def broadcast(self, names: Sequence[str], notes: Sequence[Note]) -> dict[str, str]:
        """Send one to each, as ``notes``; return those that did not get it, with why."""
        failed: dict[str, str] = {}
        reached = []
        for name, note in zip(names, notes, strict=True):
            if name not in self.members or self.members[name].box.closed:
                failed[name] = "unknown"
                continue
            member = self.members[name]
            became = self.put(member, note)
            if became == "line-up":
                became = "full"
            if became not in ("accepted", "dropped"):
                failed[name] = became
            reached.append(member)
        for member in reached:
            self.run(member)
        return failed

    def replay(self, letter: Letter) -> str:
        member = self.members[letter.receiver]
        if member.box.closed:
            return "unknown"
        note = letter.note
        again = Note(
            note.number, note.weight, do=note.do, kind=note.kind, rank=note.rank, topic=note.topic
        )
        before = len(self.letters)
        if self.at_once(member, again):
            self.letters.remove(letter)
            return "sent"
        became = self.put(member, again)
        if became in ("accepted", "dropped"):
            self.letters.remove(letter)
            self.run(member)
            return "sent"
        assert len(self.letters) >= before
        return "full" if became == "line-up" else became
