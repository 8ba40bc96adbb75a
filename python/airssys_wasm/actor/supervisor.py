"""The supervisor as its users see it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import TypeVar

from airssys_wasm.actor.child import Child, Group
from airssys_wasm.actor.decisions import reason_in_group
from airssys_wasm.actor.desk import Begin, Close, Desk, Reports, Request
from airssys_wasm.actor.events import SupervisionEvent
from airssys_wasm.actor.exits import Exit, First, StartReason, StopReason
from airssys_wasm.actor.life import Life
from airssys_wasm.actor.rounds import ChildCounts, ChildInfo, Slot, count
from airssys_wasm.actor.spawner import ExitListener, Running, Spawner
from airssys_wasm.actor.tending import Tending
from airssys_wasm.errors import SupervisionError

T = TypeVar("T")


class Supervisor:
    """Keeps the children of a group running, with the semantics of Erlang/OTP.

    Everything runs on the loop that ``start`` is called on, and its clock is the clock; the
    coroutines below are for that loop. No call waits for a child that hangs, unless it is the
    call that started or stops that child.

    Args:
        group: the children, and how to treat them.
        spawner: what starts a child.
        name: what events and errors call the supervisor.
        above: the names of those above it, from the root down; empty for the root.
        on_event: told what happens, on the loop; what it raises is logged.
        on_exit: told once how the supervisor ended.
        chance: gives random numbers, 0 to 1, for the jitter.
    """

    def __init__(
        self,
        group: Group,
        spawner: Spawner,
        *,
        name: str = "root",
        above: tuple[str, ...] = (),
        on_event: Callable[[SupervisionEvent], None] | None = None,
        on_exit: ExitListener | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.group = group
        self._spawner = spawner
        self._reports = Reports((*above, name), on_event, on_exit)
        self._chance = chance
        self._desk: Desk | None = None
        #: Whether it was stopped before it was started: then it never starts.
        self._is_withdrawn = False

    @property
    def path(self) -> tuple[str, ...]:
        """The names from the root down to this supervisor."""
        return self._reports.path

    async def start(self, reason: StartReason = First()) -> None:  # noqa: B008 - a constant
        """Start the children in order; return when all of them serve.

        Cancelling it stops what has started. A supervisor starts once.

        Args:
            reason: what the children are told.

        Raises:
            SupervisionError: a child could not be started (``start-failed``, with its
                exception as the cause); the others were stopped again. Or the supervisor was
                stopped meanwhile, or started before (``stopped``).
        """
        if self._desk is not None or self._is_withdrawn:
            raise self._reports.ended("was started or stopped before")
        desk = self._desk = Desk(self.group, self._reports, self._launch, self._chance)
        desk.inbox.post(Begin(reason))
        try:
            await asyncio.shield(desk.ready)
        except asyncio.CancelledError:
            await self.stop()
            raise
        except SupervisionError:
            await asyncio.shield(desk.over)
            raise

    async def stop(
        self, reason: StopReason = StopReason.STOPPED, *, seconds_max: float | None = None
    ) -> None:
        """Stop the children, the last one first, each as it says; return when all are down.

        The children of a pool are stopped together, as one.

        Stopping one that has ended, or never started, is not an error. Cancelling it does not
        take the stop back.

        Args:
            reason: what the children are told.
            seconds_max: how long that may take before ``kill``; ``None`` leaves it to the
                children's own limits.
        """
        if self._desk is None:
            self._is_withdrawn = True
            return
        self._desk.inbox.post(Close(reason))
        done, _ = await asyncio.wait({self._desk.over}, timeout=seconds_max)
        if not done:
            self.kill()
            await asyncio.shield(self._desk.over)

    def kill(self) -> None:
        """End all children at once, and theirs, without asking; return without waiting."""
        if self._desk is not None:
            self._desk.kill()
        self._is_withdrawn = True

    async def wait(self) -> Exit:
        """Return how the supervisor ended, when it has.

        Raises:
            SupervisionError: it was never started (``stopped``).
        """
        if self._desk is None:
            raise self._reports.ended("was never started")
        return await asyncio.shield(self._desk.over)

    async def start_child(self, child: Child, *, pool: str = "") -> Running:
        """Add a child after all others and start it; return what runs.

        Cancelling it takes the child back.

        Args:
            child: the child; its name must be new.
            pool: the pool it belongs to, if any. When the supervisor is stopped, the children
                of a pool are stopped together, not one after the other; at most 32 at once.

        Raises:
            ChildInvalid: the group does not do what the child asks for.
            SupervisionError: there is a child of the name, running (``already-started``) or
                not (``already-present``); it could not be started (``start-failed``, with the
                exception as the cause), and is not kept; the supervisor has ended, or the
                child was stopped meanwhile (``stopped``).
        """

        def act(desk: Desk, answer: asyncio.Future[Running]) -> None:
            tending = desk.open()
            self.group.admit(child)
            if (present := tending.slots.get(child.name)) is not None:
                reason = "already-present" if present.life is None else "already-started"
                hint = "hint: another name, or stop that one first"
                what = f"is there: {present.status}; {hint}"
                raise tending.refusal(child.name, reason, what)
            slot = tending.slots[child.name] = Slot(child, forget=True, pool=pool)
            tending.watch(slot, answer)
            tending.start(slot, First())

        return await self._ask(act)

    async def terminate_child(self, name: str, *, for_good: bool = False) -> None:
        """Stop a child as it says, or its restart, and return when it is down.

        It is kept for ``restart_child``, unless it is temporary. Stopping one that is down is
        not an error. Stopping the child whose failure a restart is about ends that restart:
        the siblings it stopped stay down. Cancelling it does not take the stop back.

        Args:
            name: the child.
            for_good: whether nobody is going to start it again: then the siblings that its
                failure has stopped come back without it.

        Raises:
            SupervisionError: no such child (``not-found``), or the supervisor has ended
                (``stopped``).
        """

        def act(desk: Desk, answer: asyncio.Future[None]) -> None:
            tending = desk.open()
            tending.bring_down(_find(tending, name), answer, for_good=for_good)

        await self._ask(act)

    async def restart_child(self, name: str, *, reason: StartReason = First()) -> Running:  # noqa: B008
        """Start a child that is down and kept; return what runs.

        Args:
            name: the child.
            reason: what it is told.

        Raises:
            SupervisionError: no such child (``not-found``); it is not down (``starting``,
                ``running``, ``stopping``, ``restarting``); it could not be started
                (``start-failed``) and stays down; the supervisor has ended (``stopped``).
        """

        def act(desk: Desk, answer: asyncio.Future[Running]) -> None:
            tending = desk.open()
            slot = _find_stopped(tending, name)
            # Whoever starts it by hand has mended it: its waits start over.
            slot.streak = 0
            tending.watch(slot, answer)
            tending.start(slot, reason)

        return await self._ask(act)

    async def delete_child(self, name: str) -> None:
        """Forget a child that is down.

        Raises:
            SupervisionError: no such child (``not-found``); it is not down (``starting``,
                ``running``, ``stopping``, ``restarting``); the supervisor has ended
                (``stopped``).
        """

        def act(desk: Desk, answer: asyncio.Future[None]) -> None:
            tending = desk.open()
            tending.drop(_find_stopped(tending, name))
            answer.set_result(None)

        await self._ask(act)

    async def children(self) -> list[ChildInfo]:
        """Return all children, in start order.

        Raises:
            SupervisionError: the supervisor has ended (``stopped``).
        """

        def act(desk: Desk, answer: asyncio.Future[list[ChildInfo]]) -> None:
            answer.set_result([slot.info() for slot in desk.tending.slots.values()])

        return await self._ask(act)

    async def child(self, name: str) -> ChildInfo:
        """Return one child.

        Raises:
            SupervisionError: no such child (``not-found``), or the supervisor has ended
                (``stopped``).
        """

        def act(desk: Desk, answer: asyncio.Future[ChildInfo]) -> None:
            answer.set_result(_find(desk.tending, name).info())

        return await self._ask(act)

    async def specification(self, name: str) -> Child:
        """Return one child as it was added.

        Raises:
            SupervisionError: no such child (``not-found``), or the supervisor has ended
                (``stopped``).
        """

        def act(desk: Desk, answer: asyncio.Future[Child]) -> None:
            answer.set_result(_find(desk.tending, name).child)

        return await self._ask(act)

    async def count(self) -> ChildCounts:
        """Return how many children there are.

        Raises:
            SupervisionError: the supervisor has ended (``stopped``).
        """

        def act(desk: Desk, answer: asyncio.Future[ChildCounts]) -> None:
            answer.set_result(count(tuple(desk.tending.slots.values())))

        return await self._ask(act)

    # Starting a child

    def _launch(self, life: Life) -> None:
        if isinstance(life.child.source, Group):
            inner = Supervisor(
                life.child.source,
                self._spawner,
                name=life.child.name,
                above=self.path,
                on_event=self._reports.on_event,
                on_exit=life.listener,
                chance=self._chance,
            )
            life.running = inner
            life.begin(_start_group(inner, life.reason))
        else:
            life.begin(_start_worker(self._spawner, life))

    # Asking

    async def _ask(self, act: Callable[[Desk, asyncio.Future[T]], None]) -> T:
        desk = self._desk
        if desk is None or desk.over.done():
            raise self._reports.ended("does not run")
        answer: asyncio.Future[T] = desk.loop.create_future()
        desk.inbox.post(Request(lambda future: act(desk, future), answer))
        return await answer


def _find(tending: Tending, name: str) -> Slot:
    slot = tending.slots.get(name)
    if slot is None:
        raise tending.refusal(name, "not-found", "does not exist")
    return slot


def _find_stopped(tending: Tending, name: str) -> Slot:
    slot = _find(tending, name)
    if slot.status != "stopped":
        hint = "hint: terminate_child() first"
        raise tending.refusal(name, slot.status, f"is {slot.status}; {hint}")
    return slot


async def _start_worker(spawner: Spawner, life: Life) -> Running:
    # What a host returns may be awaitable without being a coroutine, or may raise at once.
    return await spawner.start(life.child, life.reason, life.listener)


async def _start_group(inner: Supervisor, reason: StartReason) -> Running:
    await inner.start(reason_in_group(reason))
    return inner
