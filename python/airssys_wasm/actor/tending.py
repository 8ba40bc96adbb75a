"""The state of one supervisor, and what each event does to it.

Nothing here waits: an event is taken, the state changes, lives are begun or brought down, and
what comes of that is the next event.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from airssys_wasm.actor import decisions
from airssys_wasm.actor.child import Group
from airssys_wasm.actor.decisions import Escalate, GiveUp, Restart, Stop, Window
from airssys_wasm.actor.events import (
    Escalated,
    Exited,
    GaveUp,
    Restarting,
    Started,
    SupervisionEvent,
)
from airssys_wasm.actor.exits import Exit, ExitKind, StartReason, StopReason
from airssys_wasm.actor.life import (
    HasEnded,
    HasExited,
    HasFailed,
    HasStarted,
    Life,
    Phase,
    Surroundings,
)
from airssys_wasm.actor.restarts import IsDue, Restarts
from airssys_wasm.actor.rounds import Slot
from airssys_wasm.actor.spawner import Running
from airssys_wasm.actor.stops import StopOrder
from airssys_wasm.errors import SupervisionError


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Whoever asked for a start was cancelled."""

    slot: Slot
    starter: asyncio.Future[Running]


TendingEvent: TypeAlias = HasStarted | HasExited | HasFailed | HasEnded | IsDue | Withdrawn


@dataclass(frozen=True, slots=True)
class Outside:
    """What the state needs of its surroundings.

    Args:
        path: the names from the root down to this supervisor.
        lives: what the lives share.
        launch: the coroutine that starts one life.
        post: adds an event to the inbox.
        emit: reports to whoever listens; never raises.
        chance: a random number, 0 to 1.
    """

    path: tuple[str, ...]
    lives: Surroundings
    launch: Callable[[Life], None]
    post: Callable[[TendingEvent], None]
    emit: Callable[[SupervisionEvent], None]
    chance: Callable[[], float]


class Tending:
    """The children of one group."""

    def __init__(self, group: Group, outside: Outside, ready: asyncio.Future[None]) -> None:
        self.group = group
        self.slots: dict[str, Slot] = {}
        #: How the supervisor ends, once that is settled.
        self.closing: Exit | None = None
        #: Whether it has ended.
        self.is_closed = False
        self._outside = outside
        self._ready = ready
        self._windows: dict[str, Window] = {}
        self._restarts = Restarts(
            self.slots,
            alone=group.strategy == "one-for-one",
            loop=outside.lives.loop,
            start=self.start,
            post=outside.post,
            first_is_done=self._all_have_started,
        )
        self._stops: StopOrder | None = None

    # Starting

    def begin(self, reason: StartReason) -> None:
        """Start the children of the group, one after the other."""
        self.slots.update((child.name, Slot(child)) for child in self.group.children)
        self._restarts.begin_first(reason)

    def _all_have_started(self) -> None:
        if not self._ready.done():
            self._ready.set_result(None)

    def start(self, slot: Slot, reason: StartReason) -> None:
        """Begin a life in ``slot``, which is down."""
        slot.life = Life(slot.child, reason, self._outside.lives)
        self._outside.launch(slot.life)

    def watch(self, slot: Slot, starter: asyncio.Future[Running]) -> None:
        """Tell ``starter`` what comes of the start; cancelling it takes the start back."""
        slot.starter = starter

        def when_done(future: asyncio.Future[Running]) -> None:
            if future.cancelled():
                self._outside.post(Withdrawn(slot, future))

        starter.add_done_callback(when_done)

    # Events

    def handle(self, event: TendingEvent) -> None:
        """Take one event. Those of a life that was replaced are nobody's."""
        match event:
            case IsDue(round=due):
                self._restarts.is_due(due)
            case Withdrawn(slot=slot, starter=starter):
                self._withdraw(slot, starter)
            case _:
                slot_of_life = self.slots.get(event.life.child.name)
                if slot_of_life is not None and slot_of_life.life is event.life:
                    self._life(slot_of_life, event)

    def _life(self, slot: Slot, event: HasStarted | HasExited | HasFailed | HasEnded) -> None:
        match event:
            case HasStarted(life=life):
                self._has_started(slot, life)
            case HasExited(life=life, exit=end):
                self._has_exited(slot, life, end)
            case HasFailed(exit=end):
                self._start_failed(slot, end)
            case HasEnded(life=life, exit=end):
                # Unless it had ended by itself before the stop was done.
                is_over = self._is_over(slot, end)
                self._put_down(slot, end, was_stopped=life.exit is None, is_over=is_over)
                self._is_down(slot)

    def _has_started(self, slot: Slot, life: Life) -> None:
        life.is_announced = True
        slot.up_since = self._now
        self._outside.emit(Started(self._outside.path, slot.child.name, life.reason))
        starter, slot.starter = slot.starter, None
        if starter is not None and not starter.done():
            assert life.running is not None
            starter.set_result(life.running)
            slot.forget = False
        if life.phase is not Phase.UP:
            return
        if starter is not None and starter.cancelled():
            life.end(StopReason.STOPPED)
            return
        if slot.round is not None:
            self._restarts.advance(slot.round)
        if life.exit is not None:
            # It ended before its start had returned.
            self._has_exited(slot, life, life.exit)

    def _has_exited(self, slot: Slot, life: Life, end: Exit) -> None:
        life.exit = life.exit or end
        if life.phase is Phase.STOPPING:
            life.hasten()
        if life.phase is not Phase.UP or not life.is_announced:
            return
        life.has_gone()
        self._put_down(slot, end, is_over=self._is_over(slot, end))
        if self._is_wanted_down(slot):
            self._is_down(slot)
        elif decisions.wants_restart(slot.child.restart, end):
            self._has_failed(slot, end, ran_seconds=self._now - slot.up_since)
        else:
            self._has_ended(slot, end)

    def _start_failed(self, slot: Slot, end: Exit) -> None:
        # Otherwise whoever asked for the start is told, or it is tried again.
        is_over = self._is_wanted_down(slot) and self._is_over(slot, end)
        self._put_down(slot, end, is_over=is_over)
        if slot.starter is not None:
            self._refuse_starter(slot, "start-failed", f"could not be started: {end}", end.error)
            self._leave_restart(slot)
            self._is_down(slot)
        elif self._is_wanted_down(slot):
            self._is_down(slot)
        elif slot.round is not None and not slot.round.cause:
            self._first_start_failed(slot, end)
        else:
            self._has_failed(slot, end, ran_seconds=0.0)

    def _first_start_failed(self, slot: Slot, end: Exit) -> None:
        name = slot.child.name
        refusal = self.refusal(name, "start-failed", f"could not be started: {end}")
        refusal.__cause__ = end.error
        if not self._ready.done():
            self._ready.set_exception(refusal)
        self.close(Exit(ExitKind.INITIALIZATION_FAILED, f"{name!r} could not be started: {end}"))

    def _put_down(
        self, slot: Slot, end: Exit, *, was_stopped: bool = False, is_over: bool = False
    ) -> None:
        slot.life = None
        self._outside.emit(Exited(self._outside.path, slot.child.name, end, was_stopped, is_over))

    def _is_over(self, slot: Slot, end: Exit) -> bool:
        if self.closing is not None:
            # Whoever restarts the group starts all that it was made with.
            return False
        if slot.child.restart == "temporary":
            return True
        wants_restart = decisions.wants_restart(slot.child.restart, end)
        return not wants_restart and not self._is_wanted_down(slot)

    def _is_wanted_down(self, slot: Slot) -> bool:
        """Whether an end of the child changes nothing: someone wanted it down anyway."""
        in_restart = slot.round is not None and not slot.round.is_starting
        return self.closing is not None or in_restart or bool(slot.waiting) or slot.forget

    def _is_down(self, slot: Slot) -> None:
        waiting, slot.waiting = slot.waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)
        self._keep_or_drop(slot)
        if self.closing is not None:
            self._close_next()
        elif slot.round is not None:
            self._restarts.advance(slot.round)

    def _keep_or_drop(self, slot: Slot) -> None:
        if slot.round is None:
            self._refuse_starter(slot, "stopped", "was stopped while it started")
        # Someone who waits for its start still gets it, from the restart that stopped it.
        is_new = slot.forget and slot.starter is None
        if is_new or slot.child.restart == "temporary":
            self.drop(slot)

    def _leave_restart(self, slot: Slot) -> None:
        for left in self._restarts.leave(slot):
            if left.life is None:
                self._keep_or_drop(left)

    # Decisions

    def _has_failed(self, slot: Slot, end: Exit, *, ran_seconds: float) -> None:
        child, now = slot.child, self._now
        backoff = child.backoff or self.group.backoff
        slot.streak = decisions.next_streak(slot.streak, ran_seconds, backoff)
        wait = decisions.wait_seconds(backoff, slot.streak, self._outside.chance())
        key, empty = decisions.window_of(self.group, child)
        window = decisions.record_restart(self._windows.get(key, empty), now)
        self._windows[key] = window
        alone = self.group.strategy == "one-for-one"
        order = (child.name,) if alone else tuple(self.slots)
        match decisions.after_failure(self.group, child, order, window, wait):
            case Restart() as restart:
                self._restart(slot, end, restart)
            case Escalate(attempts_max=most):
                self._escalate(slot, end, most)
            case GiveUp(attempts_max=most):
                self._outside.emit(GaveUp(self._outside.path, child.name, end, most))
                self._leave_restart(slot)

    def _has_ended(self, slot: Slot, end: Exit) -> None:
        others = (other for other in self.slots.values() if other is not slot)
        significant_left = slot.child.significant and any(
            other.child.significant and (other.life or other.round) for other in others
        )
        decision = decisions.after_end(
            slot.child, self.group.auto_shutdown, significant_left=significant_left
        )
        self._leave_restart(slot)
        if decision.forget:
            self.drop(slot)
        if isinstance(decision, Stop):
            ended = f"its significant child {slot.child.name!r} ended: {end}"
            self.close(Exit(ExitKind.SHUTDOWN, ended))

    def _escalate(self, slot: Slot, end: Exit, attempts_max: int) -> None:
        path, name = self._outside.path, slot.child.name
        event = Escalated if len(path) > 1 else GaveUp
        self._outside.emit(event(path, name, end, attempts_max))
        detail = (
            f"gave up on {name!r} after more than {attempts_max} restarts "
            f"in {self.group.within:g} s: {end}"
        )
        self.close(Exit(ExitKind.SHUTDOWN, detail, gave_up_on=end))

    def _restart(self, slot: Slot, end: Exit, restart: Restart) -> None:
        name = slot.child.name
        self._outside.emit(
            Restarting(
                self._outside.path,
                name,
                end,
                restart.children,
                restart.attempt,
                restart.attempts_max,
                restart.after_seconds,
            )
        )
        self._restarts.begin(name, end, restart)

    # What users ask for

    def bring_down(
        self, slot: Slot, waiting: asyncio.Future[None], *, for_good: bool = False
    ) -> None:
        """Stop a child; ``waiting`` is told when it is down."""
        if slot.starter is not None:
            self._refuse_starter(slot, "stopped", "was stopped while it started")
        slot.waiting.append(waiting)
        if for_good:
            self._restarts.part(slot)
        else:
            self._leave_restart(slot)
        if slot.life is None:
            self._is_down(slot)
        else:
            slot.life.end(StopReason.STOPPED)

    def drop(self, slot: Slot) -> None:
        """Forget a child that is down."""
        name = slot.child.name
        self._refuse_starter(slot, "stopped", "was stopped with its siblings while it started")
        if self.slots.get(name) is slot:
            del self.slots[name]
            self._windows.pop(name, None)

    def _withdraw(self, slot: Slot, starter: asyncio.Future[Running]) -> None:
        if slot.starter is starter:
            slot.starter = None
            self._leave_restart(slot)
            if slot.life is not None:
                slot.life.end(StopReason.STOPPED)

    def _refuse_starter(
        self, slot: Slot, reason: str, what: str, cause: BaseException | None = None
    ) -> None:
        starter, slot.starter = slot.starter, None
        if starter is not None and not starter.done():
            refusal = self.refusal(slot.child.name, reason, what)
            refusal.__cause__ = cause
            starter.set_exception(refusal)

    def refusal(self, name: str, reason: str, what: str) -> SupervisionError:
        """Return the error for what cannot be done with a child."""
        where = "/".join(self._outside.path)
        return SupervisionError(f"child {name!r} of {where!r} {what}", name, reason)

    # Ending

    def close(self, end: Exit, reason: StopReason = StopReason.STOPPED) -> None:
        """Stop all children, the last one first; then the supervisor has ended with ``end``."""
        if self.closing is not None:
            return
        self.closing = end
        self._stand_down("is stopped with its supervisor")
        self._stops = StopOrder(self.slots.values(), reason)
        self._close_next()

    def _close_next(self) -> None:
        if self._stops is not None and self._stops.advance():
            self.is_closed = True

    def kill(self, end: Exit) -> None:
        """End all children at once, without asking."""
        if self.is_closed:
            return
        self.closing, self.is_closed = end, True
        self._stand_down("was killed with its supervisor")
        for slot in reversed(self.slots.values()):
            if slot.life is not None:
                slot.life.kill()
                self._put_down(slot, Exit(ExitKind.KILLED, end.detail), was_stopped=True)
            for future in slot.waiting:
                if not future.done():
                    future.set_result(None)

    def _stand_down(self, what: str) -> None:
        self._restarts.stand_down()
        for slot in self.slots.values():
            self._refuse_starter(slot, "stopped", what)

    @property
    def _now(self) -> float:
        return self._outside.lives.loop.time()
