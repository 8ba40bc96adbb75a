"""``aw.Actor``: the reference to an actor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airssys_wasm.errors import ActorStopped, ExportMissing
from airssys_wasm.host import pools

if TYPE_CHECKING:
    from airssys_wasm.actor import HealthStatus
    from airssys_wasm.host.seat import Seat
    from airssys_wasm.runtime import Instance, Receipt


class Actor:
    """An actor by name, whatever instance it has at the time.

    ``send(value)`` returns when the message is accepted, after waiting for room where the
    mailbox is full; ``try_send`` never waits. ``ask(value)`` awaits the ``Reply``.

    Many at once, in one crossing of the boundary, in their order: ``ask_many(values)`` awaits
    the replies to all, with one deadline; if one has none, the first of these errors is raised
    when all have ended. ``send_many(values)`` returns when all are accepted, or raises for the
    first that is not, with a note that says how many were; cancelled, it sends nothing more.
    ``try_send_many`` never waits, and returns how many were accepted before the mailbox was
    full; where its policy is to drop, those that were dropped are among them.

    Options, by name, for all of them unless it says for which:

    - ``codec``: ``"cbor"``, the default, ``"json"``, ``"borsh"`` with its ``schema``, or
      ``"raw"`` for bytes. One that the actor does not read is a ``CodecError`` that names
      those it does, and nothing is sent.
    - ``trace``: a ``traceparent`` as W3C Trace Context has it: it is in the message, and in all
      that a component says while it handles that. None by default.
    - ``timeout``, of ``ask`` and ``ask_many``: seconds, 5.0 by default.
    - ``return_exceptions``, of ``ask_many``: errors stand in the places of their replies.
    - ``priority``, of ``send`` and ``try_send``: ``"low"``, ``"normal"`` or ``"high"``.
    - ``ttl``, of ``send`` and ``try_send``: seconds after which nobody handles the message any
      more. No end by default.
    - ``transcode``, of ``send``, ``try_send`` and ``ask``: turn CBOR and JSON into each other
      where the actor declares that it reads only the other one.
    - ``key``, of ``send``, ``try_send`` and ``ask``: text or bytes by which a pool with sticky
      routing chooses the member.

    Raises, besides what is wrong with the arguments (``CodecError``, ``ValueMismatch``):

    - ``MailboxFull``, ``ActorStopped``, ``MessageTooLarge``: it was not accepted;
    - ``AskTimeout``, ``ActorFailed``, ``MessageRefused``, ``MessageDropped``: there is no
      reply.
    """

    __slots__ = (
        "_seat",
        "ask",
        "ask_many",
        "send",
        "send_many",
        "try_send",
        "try_send_many",
    )

    def __init__(self, seat: Seat) -> None:
        """Refer to the actor on a seat."""
        self._seat = seat
        # Bound once: a wrapper would cost as much as the message.
        self.ask = seat.native.ask
        self.send = seat.native.send
        self.try_send = seat.native.try_send
        self.ask_many = seat.native.ask_many
        self.send_many = seat.native.send_many
        self.try_send_many = seat.native.try_send_many

    @property
    def name(self) -> str:
        """Its address."""
        return self._seat.native.name

    @property
    def status(self) -> str:
        """``starting``, ``running``, ``failed``, ``stopping`` or ``stopped``."""
        return pools.status(self._seat)

    @property
    def incarnation(self) -> int:
        """Which of its instances serves, from 1; grows with each restart. 0 for a pool."""
        return self._seat.native.incarnation

    @property
    def health(self) -> HealthStatus:
        """``healthy``, ``degraded``, ``unhealthy``; ``unknown`` before the first check."""
        return self._seat.health

    @property
    def mailbox(self) -> dict[str, int]:
        """What its mailbox did, and holds; for a pool, those of its members together."""
        return pools.mailbox(self._seat)

    @property
    def receipts(self) -> list[Receipt]:
        """What the last calls of its component used, whoever made them, over all its instances.

        At most 16, oldest first, failed ones included; for a pool, those of its members one
        after the other. Empty for Python code. ``aw.suggest_limits`` takes them.
        """
        return pools.receipts(self._seat)

    @property
    def members(self) -> list[Actor]:
        """The actors behind its name, if that is a pool's; each has a name of its own."""
        return [Actor(member) for member in self._seat.members]

    async def call(self, function: str, *args: object) -> Any:  # noqa: ANN401 - as the export has it
        """Call an exported function of its instance; see ``Instance.call_async``.

        A call that traps, runs past a limit or is cancelled ends the instance, as a message
        does: it is restarted.

        Raises:
            ActorStopped: it has no instance now.
            ExportMissing: it is Python code, or stands for a pool.
            AirssysError: as ``Instance.call_async`` raises.
        """
        seat = self._seat
        instance = _instance(seat)
        try:
            return await instance.call_async(function, *args)
        except BaseException as error:
            seat.call_failed(instance, error)
            raise

    def __repr__(self) -> str:
        """Name it, and say what it does."""
        return f"<Actor {self.name!r} {self.status}>"


def _instance(seat: Seat) -> Instance:
    name = seat.native.name
    if seat.members:
        raise ExportMissing(f"actor {name!r} is a pool; hint: call one of actor.members")
    if seat.serving is not None:
        raise ExportMissing(f"actor {name!r} is Python code; hint: ask it")
    instance = seat.instance
    if instance is None or instance.closed or seat.native.status not in {"running", "starting"}:
        raise ActorStopped(f"actor {name!r} has no instance now", name)
    return instance
