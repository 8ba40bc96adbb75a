"""The actors of Thespian, which looks their classes up by module."""

from __future__ import annotations

from typing import Any

from actors import COUNT
from thespian.actors import Actor, ActorExitRequest


class Echo(Actor):  # type: ignore[misc] # the peer has no types
    """Answers with what it was sent."""

    handled = 0

    def receiveMessage(self, message: Any, sender: Any) -> None:  # noqa: N802 - as the peer has it
        if isinstance(message, ActorExitRequest):
            return
        if message == COUNT:
            self.send(sender, self.handled)
            return
        self.handled += 1
        self.send(sender, message)


class Sink(Actor):  # type: ignore[misc] # the peer has no types
    """Answers nobody."""

    handled = 0

    def receiveMessage(self, message: Any, sender: Any) -> None:  # noqa: N802 - as the peer has it
        if message == COUNT:
            self.send(sender, self.handled)
        else:
            self.handled += 1
