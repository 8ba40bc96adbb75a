"""The places of all actors of a host."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from airssys_wasm.actor import Exited, Group, Restarting
from airssys_wasm.errors import ActorStopped, AirssysError, ChildInvalid, NameTaken
from airssys_wasm.host.lease import Lease
from airssys_wasm.host.seat import Seat

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airssys_wasm.actor import (
        Child,
        Event,
        ExitListener,
        Running,
        StartReason,
        SupervisionEvent,
    )
    from airssys_wasm.broker import Broker
    from airssys_wasm.host.handlers import HandlerSource
    from airssys_wasm.host.source import Source

_OVER: Final = {"stopping", "stopped"}
#: As long as whoever stops an actor waits for a call that does not let itself be interrupted.
_LINGER_SECONDS: Final = 1.0
_GONE_POLL_SECONDS: Final = 0.002


class Seats:
    """Starts the children of a host; the ``Spawner`` of its supervisors.

    Args:
        broker: where actors are registered.
        tell: told what happens to them.
    """

    def __init__(self, broker: Broker, tell: Callable[[Event], None]) -> None:
        self._broker = broker
        self._tell = tell
        self._by_name: dict[str, Seat] = {}
        #: Hooks of actors that are gone.
        self._settling: set[asyncio.Task[None]] = set()

    async def start(self, child: Child, reason: StartReason, exited: ExitListener) -> Running:
        """Start one incarnation of a child."""
        lease = child.source
        if not isinstance(lease, Lease):
            raise TypeError(f"child {child.name!r}: {type(lease).__name__} is no lease")
        seat = self._by_name.get(child.name)
        if seat is None and lease.was_started and lease.above:
            # It was over, and its group has it again.
            seat = self.take(child.name, lease)
        if seat is None:
            # It was given up meanwhile, and its name with it.
            raise ActorStopped(f"actor {child.name!r} was stopped", child.name)
        if seat.lease is not lease:
            raise NameTaken(
                f"name {child.name!r}: it went to another actor when this one was over; "
                "hint: stop that one, or choose another name"
            )
        running = await seat.sit(lease.source, reason, exited)
        lease.was_started = True
        return running

    def take(self, name: str, lease: Lease) -> Seat:
        """Make the seat of a child that is ready to be started.

        Raises:
            ChildInvalid: its name is no address.
            NameTaken: another actor has its name.
        """
        source = lease.source
        mailbox = source.mailbox
        try:
            native = self._broker.register(
                name,
                messages_max=mailbox.messages_max,
                bytes_max=mailbox.bytes_max,
                when_full=mailbox.when_full,
                receive=source.receive,
            )
        except ValueError as error:
            if isinstance(error, AirssysError):
                raise
            raise ChildInvalid(str(error), name) from None
        if source.rate is not None:
            native.limit_sending(source.rate.messages_per_second, source.rate.burst)
        seat = self._by_name[native.name] = Seat(native, lease, self._tell)
        return seat

    def take_pool(
        self, name: str, names: Sequence[str], source: Source | HandlerSource, routing: str
    ) -> Seat:
        """Make the seats of a pool: one for each member, and one that stands for them.

        Args:
            name: that of the pool.
            names: those of its members.
            source: what each is made of.
            routing: who gets a message.

        Raises:
            ChildInvalid: one of the names is no address; nothing was made.
            NameTaken: another actor has one of the names; nothing was made.
        """
        seats: list[Seat] = []
        try:
            seats.extend(self.take(member, Lease(source)) for member in names)
            native = self._broker.register_pool(
                name, [seat.native for seat in seats], routing, receive=source.receive
            )
        except BaseException:
            for seat in seats:
                self.give_up(seat.native.name)
            raise
        front = self._by_name[native.name] = Seat(native, Lease(source), self._tell)
        front.members = seats
        for seat in seats:
            seat.pool = front
        return front

    def find(self, name: str) -> Seat | None:
        """Return the seat of a name."""
        return self._by_name.get(name)

    def full_name(self, name: str, above: tuple[str, ...]) -> str:
        """Return the address that a name stands for, if an actor of a group has it."""
        native = self._broker.find(name)
        seat = self._by_name.get(native.name) if native is not None else None
        return seat.native.name if seat is not None and seat.above == above else name

    def below(self, above: tuple[str, ...]) -> list[Seat]:
        """Return all seats in a group, and in those within it, in the order they were taken."""
        depth = len(above)
        return [seat for seat in self._by_name.values() if seat.above[:depth] == above]

    def of(self, child: Child) -> list[Seat]:
        """Return the seats of a child that is ready to be started, and of all below it."""
        if isinstance(child.source, Group):
            return [seat for one in child.source.children for seat in self.of(one)]
        seat = self._by_name.get(child.name)
        return [seat] if seat is not None and seat.lease is child.source else []

    def own(self, name: str, above: tuple[str, ...]) -> list[Seat]:
        """Return the seat that a child of a supervisor has, if it is an actor."""
        seat = self._by_name.get(name)
        return [seat] if seat is not None and seat.above == above else []

    def started_below(self, above: tuple[str, ...]) -> list[Seat]:
        """Return the seats of a group that runs or ran.

        Others may have come for its name already, and wait for their start.
        """
        return [seat for seat in self.below(above) if seat.has_sat]

    def give_up_all(self, seats: Sequence[Seat]) -> None:
        """Stop actors for good, the last one first, but nobody who has their names by now."""
        for seat in reversed(seats):
            if self._by_name.get(seat.native.name) is seat:
                self.give_up(seat.native.name)

    def give_up(self, name: str) -> None:
        """Stop an actor for good: whoever waits for it is told."""
        if (seat := self._by_name.pop(name, None)) is not None:
            seat.exited = None
            seat.native.stop()
            if seat.is_heard:
                settling = asyncio.ensure_future(seat.settle())
                self._settling.add(settling)
                settling.add_done_callback(self._settling.discard)
            pool = seat.pool
            # One whose handler is on its way out will not come back either.
            if pool and all(one.native.status in _OVER for one in pool.members):
                self.give_up(pool.native.name)

    async def gone(self, seats: Sequence[Seat]) -> None:
        """Wait until actors that were given up are gone, and their names free.

        A call that runs is interrupted, and the interruption takes effect at its next look. One
        that cannot be is not waited for any longer than a second.
        """
        deadline = time.monotonic() + _LINGER_SECONDS
        for seat in seats:
            while seat.native.status == "stopping":
                if time.monotonic() > deadline:
                    return
                await asyncio.sleep(_GONE_POLL_SECONDS)

    def give_up_child(self, name: str, above: tuple[str, ...]) -> None:
        """Stop for good a child that is over: an actor, or all of a group, the last one first."""
        own = [seat for seat in self.own(name, above) if seat.has_sat]
        self.give_up_all(own + self.started_below((*above, name)))

    def give_up_dynamic(self, above: tuple[str, ...]) -> None:
        """Stop for good the actors that a group has only since it runs, the last one first."""
        self.give_up_all([seat for seat in self.below(above) if seat.lease.is_dynamic])

    def has_hook(self, event: SupervisionEvent) -> bool:
        """Whether a hook may be called for what a supervisor did."""
        if not isinstance(event, Exited | Restarting):
            return False
        seat = self._by_name.get(event.child)
        return seat is not None and seat.has_hooks

    def run_hooks(self, event: SupervisionEvent, told: Event) -> None:
        """Call the hook for what a supervisor did; nobody waits for it."""
        if not isinstance(event, Exited | Restarting):
            return
        seat = self._by_name.get(event.child)
        if seat is None:
            return
        if isinstance(event, Restarting):
            seat.run_later("on_restart", told)
        elif told.kind == "failed":
            seat.run_later("on_error", told)

    def abandon(self) -> None:
        """Close all instances although nobody runs the tasks that look after them."""
        for seat in tuple(self._by_name.values()):
            seat.exited = None
            if seat.instance is not None:
                seat.instance.close()

    async def settle(self) -> None:
        """Wait until the hooks that nobody waited for have ended."""
        seats = tuple(self._by_name.values())
        await asyncio.gather(*self._settling, *(seat.settle() for seat in seats))
