"""``host.supervise``: actors that are restarted together."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from airssys_wasm.actor import Child, Group, Supervisor
from airssys_wasm.actor.stops import TOGETHER_MAX
from airssys_wasm.errors import ActorStopped, AirssysError, ChildInvalid, SupervisionError
from airssys_wasm.host.actor import Actor
from airssys_wasm.host.nursery import note_child

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from airssys_wasm.host.nursery import Nursery
    from airssys_wasm.host.seat import Seat
    from airssys_wasm.host.seats import Seats

_LOG = logging.getLogger(__name__)


class Grove:
    """The supervisors of a host, and what they need to be asked for.

    Args:
        root: the one above all, or raises if the host is not open.
        seats: the places of all actors.
        nursery: makes children ready.
    """

    def __init__(self, root: Callable[[], Supervisor], seats: Seats, nursery: Nursery) -> None:
        self.root = root
        self.seats = seats
        self.nursery = nursery
        self._stopping: set[asyncio.Future[None]] = set()
        #: The groups right under the host, by the names they have now.
        self._groups: dict[str, Group] = {}

    async def plant_group(self, child: Child) -> RunningGroup:
        """Start a group right under the host.

        Raises:
            AirssysError: what kept it from being started; nothing of it is left.
        """
        admitted = await self.plant(child)
        group = admitted.source
        assert isinstance(group, Group)
        # Unless it is over already.
        if not group.children or self.seats.of(admitted):
            self._groups[child.name] = group
        return RunningGroup(self, child.name, group)

    def has_group(self, name: str) -> bool:
        """Whether a group right under the host has a name."""
        return name in self._groups

    def has(self, name: str, group: Group) -> bool:
        """Whether a group is still the one of its name."""
        return self._groups.get(name) is group

    def forget(self, name: str, above: tuple[str, ...]) -> None:
        """Let go of a child that is over and that nobody restarts, with all it was made of."""
        if not above:
            self._groups.pop(name, None)
        forgetting = asyncio.ensure_future(self._forget(name, above))
        self._stopping.add(forgetting)
        forgetting.add_done_callback(self._stopping.discard)

    async def _forget(self, name: str, above: tuple[str, ...]) -> None:
        # It may be gone by now, or another one may have its name, or the host is closed.
        with contextlib.suppress(SupervisionError, ActorStopped):
            await (await self.supervisor(above)).delete_child(name)

    async def plant(self, child: Child, above: tuple[str, ...] = ()) -> Child:
        """Start a child under a supervisor; return it as it was started.

        Raises:
            AirssysError: what kept it from being started, with a note that names it; nothing
                of it is left.
        """
        await self.supervisor(above)
        admitted = await self.nursery.admit(child, above, is_dynamic=bool(above))
        await self.start(admitted, above)
        return admitted

    async def start(self, admitted: Child, above: tuple[str, ...] = ()) -> None:
        """Start a child whose seats are taken; they are given up if it does not.

        Raises:
            AirssysError: what kept it from being started.
        """
        # Its own: a group that runs under the same name keeps those it has.
        taken = self.seats.of(admitted)
        try:
            await _begin(await self.supervisor(above), admitted)
        except BaseException as error:
            self.seats.give_up_all(taken)
            if (told := _told(error)) is not error:
                raise told from told.__cause__
            raise
        # Also one that was stopped while its group started: it goes with the group.
        for seat in taken:
            seat.lease.was_started = True

    async def plant_pool(self, child: Child, names: Sequence[str], routing: str) -> None:
        """Start the members of a pool, each under the host itself.

        Raises:
            AirssysError: what kept one from being started; nothing of the pool is left.
        """
        members = await self.nursery.admit_pool(child, names, routing)
        taken = [seat for member in members for seat in self.seats.of(member)]
        started = 0
        try:
            for member in members:
                await _begin(self.root(), member, pool=child.name)
                started += 1
        except BaseException as error:
            with contextlib.suppress(AirssysError):
                await self._fell_all(taken[:started])
            self.seats.give_up_all(taken)
            if (told := _told(error)) is not error:
                raise told from told.__cause__
            raise

    async def fell(self, name: str, above: tuple[str, ...]) -> None:
        """Stop a child, an actor or a group, for good."""
        supervisor = await self.supervisor(above)
        child = await supervisor.specification(name)
        await supervisor.terminate_child(name, for_good=True)
        # All that it had until it was down. What else has come under its name meanwhile is
        # another one's.
        taken = self.seats.of(child)
        if child.is_group:
            below = self.seats.below((*above, name))
            taken += [seat for seat in below if seat.lease.is_dynamic]
            self._groups.pop(name, None)
        await _delete(supervisor, name)
        self.seats.give_up_all(taken)
        await self.seats.gone(taken)

    async def fell_pool(self, front: Seat) -> None:
        """Stop the members of a pool together, the last one first, and give up its name.

        Each has the time that it says. One that cannot be stopped keeps no other from it.
        """
        try:
            await self._fell_all(front.members)
        finally:
            self.seats.give_up_all([front])

    async def _fell_all(self, members: Sequence[Seat]) -> None:
        turns = asyncio.Semaphore(TOGETHER_MAX)
        ends = await asyncio.gather(
            *(self._fell_member(member, turns) for member in reversed(members)),
            return_exceptions=True,
        )
        # Often it is one for all of them, as when the host is closed meanwhile.
        errors = {str(error): error for error in ends if error is not None}
        if errors:
            first, *others = errors.values()
            for other in others:
                first.add_note(f"another member: {other}")
            raise first

    async def _fell_member(self, member: Seat, turns: asyncio.Semaphore) -> None:
        name = member.native.name
        if self.seats.find(name) is not member:
            # It was given up, and another one may have its name.
            return
        async with turns:
            supervisor = self.root()
            try:
                await supervisor.terminate_child(name, for_good=True)
                await _delete(supervisor, name)
            except SupervisionError as error:
                # It may have been given up before.
                if error.reason != "not-found":
                    raise
            self.seats.give_up_all([member])
            await self.seats.gone([member])

    async def see_through(self, stop: Coroutine[object, object, None]) -> None:
        """Await a stop, which goes on to its end if whoever waits for it is cancelled.

        Half of one would leave an actor that is found, takes messages and handles none.
        """
        stopping = asyncio.ensure_future(stop)
        self._stopping.add(stopping)
        stopping.add_done_callback(self._is_through)
        await asyncio.shield(stopping)

    def _is_through(self, stopping: asyncio.Future[None]) -> None:
        self._stopping.discard(stopping)
        # Whoever was cancelled does not hear how it went.
        if not stopping.cancelled() and (error := stopping.exception()) is not None:
            _LOG.debug("a stop came to nothing: %s", error)

    async def settle(self) -> None:
        """Wait until the stops that nobody waits for have ended; their supervisors have."""
        if self._stopping:
            await asyncio.wait(tuple(self._stopping))

    async def supervisor(self, above: tuple[str, ...]) -> Supervisor:
        """Return the supervisor of a group.

        Raises:
            SupervisionError: it does not run now.
        """
        found = self.root()
        for name in above:
            running = (await found.child(name)).running
            if not isinstance(running, Supervisor):
                raise SupervisionError(f"group {name!r} does not run now", name, "stopped")
            found = running
        return found


async def _begin(supervisor: Supervisor, child: Child, *, pool: str = "") -> None:
    try:
        await supervisor.start_child(child, pool=pool)
    except SupervisionError as error:
        match error.reason:
            case "already-present":
                # What was given up, or ended by itself, is kept for others to restart: here
                # the name is free.
                is_free = await _is_forgotten(supervisor, child.name)
            case "already-started":
                is_free = await _is_gone(supervisor, child.name)
            case _:
                is_free = False
        if not is_free:
            raise
        await supervisor.start_child(child, pool=pool)


async def _delete(supervisor: Supervisor, name: str) -> None:
    try:
        await supervisor.delete_child(name)
    except SupervisionError as error:
        # A temporary one is forgotten when it ends.
        if error.reason != "not-found":
            raise


async def _is_gone(supervisor: Supervisor, name: str) -> bool:
    """Wait for a child that is on its way out, as after a start that was cancelled."""
    try:
        if (await supervisor.child(name)).status != "stopping":
            return False
        await supervisor.terminate_child(name, for_good=True)
    except SupervisionError as error:
        return error.reason == "not-found"
    return await _is_forgotten(supervisor, name)


async def _is_forgotten(supervisor: Supervisor, name: str) -> bool:
    try:
        await supervisor.delete_child(name)
    except SupervisionError as error:
        return error.reason == "not-found"
    return True


def _told(error: BaseException) -> BaseException:
    """Return what kept a child from being started, with a note that names the child."""
    child = ""
    while isinstance(error, SupervisionError) and error.__cause__ is not None:
        child, error = error.child, error.__cause__
    if child:
        note_child(error, child)
    return error


class RunningGroup:
    """Actors under a supervisor of their own, as ``host.supervise`` started it."""

    def __init__(self, grove: Grove, name: str, group: Group) -> None:
        """Refer to a group, for as long as it has its name."""
        self._grove = grove
        self._group = group
        self.name = name
        self.strategy = group.strategy

    def _require_running(self) -> None:
        if not self._grove.has(self.name, self._group):
            raise SupervisionError(
                f"group {self.name!r} was stopped or given up", self.name, "not-found"
            )

    @property
    def children(self) -> list[Actor]:
        """Its actors, and those of the groups within it, in start order."""
        if not self._grove.has(self.name, self._group):
            return []
        return [Actor(seat) for seat in self._grove.seats.below((self.name,))]

    async def start_child(self, child: Child) -> Actor:
        """Add an actor after all others, and return it when it serves.

        If the group itself is restarted, by the host above it, it comes back with the
        children it was made with, and without this one.

        Args:
            child: as for ``supervise``; no group.

        Raises:
            ChildInvalid: it is no ``Child``, or asks for what the group does not do.
            NameTaken: another actor has the name.
            SupervisionError: the group does not run now.
            AirssysError: it could not be loaded or started.
        """
        if not isinstance(child, Child):
            raise ChildInvalid(f"{child!r} is no child; hint: Child(name, source)")
        if child.is_group:
            raise SupervisionError("a group is no actor; hint: host.supervise", child.name, "group")
        self._require_running()
        started = await self._grove.plant(child, (self.name,))
        seat = self._grove.seats.find(started.name)
        if seat is None:
            raise SupervisionError(f"child {started.name!r} was stopped", started.name, "stopped")
        return Actor(seat)

    async def stop_child(self, name: str) -> None:
        """Stop one of its actors for good; its siblings go on.

        Cancelling it does not take the stop back.

        Raises:
            SupervisionError: no such child, or the group does not run now.
        """
        self._require_running()
        above = (self.name,)
        full = self._grove.seats.full_name(name, above)
        await self._grove.see_through(self._grove.fell(full, above))

    async def stop(self) -> None:
        """Stop its actors, the last one first, and the group, for good.

        Cancelling it does not take the stop back.

        Raises:
            SupervisionError: it has been stopped or given up already (``not-found``).
        """
        self._require_running()
        await self._grove.see_through(self._grove.fell(self.name, ()))

    def __repr__(self) -> str:
        """Name it."""
        return f"<RunningGroup {self.name!r} {self.strategy} of {len(self.children)}>"
