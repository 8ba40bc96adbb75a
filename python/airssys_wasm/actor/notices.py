"""What the embedder is told of actors as it happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from airssys_wasm.broker import Message

EventKind: TypeAlias = Literal[
    "starting",
    "started",
    "failed",
    "restarting",
    "restarted",
    "stopping",
    "ended",
    "stopped",
    "given-up",
    "escalated",
    "abandoned",
    "health",
    "dead-letter",
    "denied",
    "message",
    "missed",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to an actor, or to a group of actors.

    Args:
        kind: ``"started"`` it serves; ``"failed"`` an instance has ended by itself, or did
            not start; ``"restarting"`` that is decided, and ``"restarted"`` done;
            ``"ended"`` an instance has ended as it should, or was stopped; ``"stopped"``
            the actor, or the group, is gone for good; ``"given-up"`` and ``"escalated"`` once
            too often; ``"abandoned"`` a start or stop does not even end when it is cancelled;
            ``"health"`` it changed; ``"dead-letter"`` nobody handled a message;
            ``"denied"`` a component wanted to say what it was not granted, told once for
            each thing and at most 64 times for an instance; ``"missed"`` events were lost,
            because nobody read them. Hooks also get ``"starting"``, ``"stopping"`` and
            ``"message"``, of which listeners hear nothing.
        actor: address of the actor, or name of the group; of a dead letter, its receiver.
        incarnation: which of its instances, from 1; 0 where that is of no matter.
        reason: how it failed, such as ``"trapped"``; the health; why a letter is dead; what
            was denied, such as ``"messaging.send"``.
        detail: for people.
        attempt: which restart of the window this is, from 1; 0 if it is none.
        attempts_max: how many the window allows.
        delay_seconds: how long the restart waits.
        letter: number of the dead letter; 0 if it was not kept.
        count: how many events were missed; of a message, how many before it were.
        message: the message; ``None`` for all other kinds.
    """

    kind: EventKind
    actor: str = ""
    incarnation: int = 0
    reason: str = ""
    detail: str = ""
    attempt: int = 0
    attempts_max: int = 0
    delay_seconds: float = 0.0
    letter: int = 0
    count: int = 0
    message: Message | None = None
