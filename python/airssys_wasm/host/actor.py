"""``aw.Actor``: the reference to an actor."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from airssys_wasm.errors import ActorStopped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airssys_wasm.actor import HealthStatus
    from airssys_wasm.broker import Reply
    from airssys_wasm.host.seat import Seat
    from airssys_wasm.runtime import Instance


class Actor:
    """An actor by name, whatever instance it has at the time.

    ``send(value, *, codec="cbor", schema=None, priority=None, ttl=None)`` returns when the
    message is accepted, after waiting for room where the mailbox is full; ``try_send`` never
    waits. ``ask(value, *, timeout=5.0, codec="cbor", schema=None)`` awaits the ``Reply``.
    ``codec`` is ``"cbor"``, ``"json"``, ``"borsh"`` with its ``schema``, or ``"raw"`` for
    bytes; ``priority`` ``"low"``, ``"normal"`` or ``"high"``; ``ttl`` seconds after which
    nobody handles the message any more.

    Raises, besides what is wrong with the arguments (``CodecError``, ``ValueError``):

    - ``MailboxFull``, ``ActorStopped``, ``MessageTooLarge``: it was not accepted;
    - ``AskTimeout``, ``ActorFailed``, ``MessageRefused``, ``MessageDropped``: there is no
      reply.
    """

    __slots__ = ("_seat", "ask", "send", "try_send")

    def __init__(self, seat: Seat) -> None:
        """Refer to the actor on a seat."""
        self._seat = seat
        # Bound once: a wrapper would cost as much as the message.
        self.ask = seat.native.ask
        self.send = seat.native.send
        self.try_send = seat.native.try_send

    @property
    def name(self) -> str:
        """Its address."""
        return self._seat.native.name

    @property
    def status(self) -> str:
        """``starting``, ``running``, ``failed``, ``stopping`` or ``stopped``."""
        return self._seat.native.status

    @property
    def incarnation(self) -> int:
        """Which of its instances serves, from 1; grows with each restart."""
        return self._seat.native.incarnation

    @property
    def health(self) -> HealthStatus:
        """``healthy``, ``degraded``, ``unhealthy``; ``unknown`` before the first check."""
        return self._seat.health

    @property
    def mailbox(self) -> dict[str, int]:
        """What its mailbox did, and holds."""
        return self._seat.native.mailbox

    async def call(self, function: str, *args: object) -> Any:  # noqa: ANN401 - as the export has it
        """Call an exported function of its instance; see ``Instance.call_async``.

        Raises:
            ActorStopped: it has no instance now.
        """
        return await _instance(self._seat).call_async(function, *args)

    async def ask_many(self, values: Iterable[object], *, timeout: float = 5.0) -> list[Reply]:  # noqa: ASYNC109 - the deadline is the broker's
        """Ask for each of ``values`` at once; return the replies in their order.

        Raises:
            MessagingError: the first request that has no reply; the others are given up.
        """
        return await asyncio.gather(*(self.ask(value, timeout=timeout) for value in values))

    def __repr__(self) -> str:
        """Name it, and say what it does."""
        return f"<Actor {self.name!r} {self.status}>"


def _instance(seat: Seat) -> Instance:
    if seat.instance is None or seat.native.status not in {"running", "starting"}:
        raise ActorStopped(f"actor {seat.native.name!r} has no instance now", seat.native.name)
    return seat.instance
