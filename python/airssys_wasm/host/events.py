"""``host.events()``: what happens to actors, for whoever listens."""

from __future__ import annotations

import logging
import threading
import weakref
from typing import TYPE_CHECKING, Final, TypeVar

from airssys_wasm.actor import (
    Abandoned,
    Escalated,
    Event,
    Exited,
    ExitKind,
    GaveUp,
    Restarted,
    Restarting,
    Started,
    Stopped,
    SupervisionEvent,
)
from airssys_wasm.broker import BlockingListening, Listening, Queue
from airssys_wasm.errors import ValueMismatch

if TYPE_CHECKING:
    from collections.abc import Callable

_LOG = logging.getLogger(__name__)
EVENTS_MAX: Final = 10_000
_CEILING: Final = 2**32 - 1


E = TypeVar("E", "Events", "BlockingEvents")


class _Hearing:
    """The queue of one listener, who is told when events were lost."""

    def __init__(self, native: Queue) -> None:
        self._native = native
        self._told = 0

    def hear(self, event: Event) -> None:
        self._native.push(event)

    def missed(self) -> Event | None:
        dropped = self._native.dropped
        if dropped == self._told:
            return None
        missed, self._told = dropped - self._told, dropped
        return Event(kind="missed", count=missed, detail="nobody read them in time")


class Events(Listening[Event]):
    """What happened since ``host.events()`` was called, in order.

    Where events were lost because nobody read them, an event of the kind ``"missed"`` says
    how many, in their place.
    """

    def __init__(self, native: Queue) -> None:
        """Read from a queue."""
        super().__init__(native)
        self._hearing = _Hearing(native)

    def hear(self, event: Event) -> None:
        """Add an event; the oldest make way."""
        self._hearing.hear(event)

    def _take(self) -> Event | None:
        return self._hearing.missed() or super()._take()


class BlockingEvents(BlockingListening[Event]):
    """The same for code without an event loop."""

    def __init__(self, native: Queue) -> None:
        """Read from a queue."""
        super().__init__(native)
        self._hearing = _Hearing(native)

    def hear(self, event: Event) -> None:
        """Add an event; the oldest make way."""
        self._hearing.hear(event)

    def _next(self, timeout: float | None) -> Event | None:
        # A second look: the loss may have come while it waited.
        return self._hearing.missed() or super()._next(timeout)


class Reporter:
    """Tells all listeners of a host.

    Args:
        incarnation: of an actor by its address, 0 if there is none.
    """

    def __init__(self, incarnation: Callable[[str], int]) -> None:
        self._incarnation = incarnation
        # A listener that nobody holds any more is no listener. The tuple is replaced, not
        # changed: others than the thread of the loop begin to listen too.
        self._listeners: tuple[weakref.ref[Events | BlockingEvents], ...] = ()
        self._lock = threading.Lock()
        self._delays: dict[str, float] = {}
        self._is_closed = False

    def listen(self, kind: type[E], events_max: int) -> E:
        """Return what reads all events from now on.

        Raises:
            ValueMismatch: ``events_max`` is outside its range.
        """
        whole = isinstance(events_max, int) and not isinstance(events_max, bool)
        if not whole or not 1 <= events_max <= _CEILING:
            raise ValueMismatch(
                f"events_max: {events_max!r} is no whole number from 1 to {_CEILING}", "events_max"
            )
        listener = kind(Queue(items_max=events_max, when_full="drop-oldest"))
        with self._lock:
            self._keep(listener)
        # Asked last: it may have closed meanwhile.
        if self._is_closed:
            listener.close()
        return listener

    def _keep(self, listener: Events | BlockingEvents) -> None:
        kept = (one for one in self._listeners if one() is not None)
        self._listeners = (*kept, weakref.ref(listener))

    @property
    def has_listeners(self) -> bool:
        """Whether anybody may listen."""
        return bool(self._listeners)

    def close(self) -> None:
        """Let all listeners read to the end."""
        self._is_closed = True
        for listener in self._alive():
            listener.close()

    def tell(self, event: Event) -> None:
        """Tell everybody."""
        for listener in self._alive():
            listener.hear(event)

    def _alive(self) -> list[Events | BlockingEvents]:
        return [one for reference in self._listeners if (one := reference()) is not None]

    def event_of(self, event: SupervisionEvent) -> Event | None:
        """Return what listeners are told of what a supervisor did."""
        match event:
            case Started(child=name, reason=reason):
                delay = self._delays.pop(name, 0.0)
                if not isinstance(reason, Restarted):
                    return Event(kind="started", actor=name, incarnation=self._incarnation(name))
                return Event(
                    kind="restarted",
                    actor=name,
                    incarnation=self._incarnation(name),
                    reason=str(reason.failure),
                    detail=reason.detail,
                    attempt=reason.attempt,
                    attempts_max=reason.attempts_max,
                    delay_seconds=delay,
                )
            case Exited(child=name, exit=end, was_stopped=was_stopped):
                return Event(
                    kind="ended" if end.is_clean or was_stopped else "failed",
                    actor=name,
                    incarnation=self._incarnation(name),
                    reason=str(end.kind),
                    detail=end.detail,
                )
            case Restarting(child=name, exit=end):
                self.note(event)
                return Event(
                    kind="restarting",
                    actor=name,
                    incarnation=self._incarnation(name),
                    reason=str(end.kind),
                    detail=end.detail,
                    attempt=event.attempt,
                    attempts_max=event.attempts_max,
                    delay_seconds=event.after_seconds,
                )
            case GaveUp(child=name, exit=end) | Escalated(child=name, exit=end):
                self._delays.pop(name, None)
                return Event(
                    kind="given-up" if isinstance(event, GaveUp) else "escalated",
                    actor=name,
                    reason=str(end.kind),
                    detail=end.detail,
                    attempts_max=event.attempts_max,
                )
            case Abandoned(child=name):
                return Event(kind="abandoned", actor=name)
            case Stopped(path=path, exit=end):
                # That of the host itself is the end of the events.
                if len(path) == 1:
                    return None
                detail = end.detail
                return Event(kind="stopped", actor=path[-1], reason=str(end.kind), detail=detail)

    def note(self, event: SupervisionEvent) -> None:
        """Keep what is told with a later event, though nobody listens to this one."""
        if isinstance(event, Restarting):
            self._delays.update(dict.fromkeys(event.children, event.after_seconds))
        elif isinstance(event, Started | GaveUp | Escalated):
            self._delays.pop(event.child, None)

    def forget(self, name: str) -> None:
        """Forget an actor that is gone for good."""
        self._delays.pop(name, None)


def log_event(event: SupervisionEvent, within_seconds: float) -> None:
    """Log what the embedder must hear of, even if nobody listens to events."""
    if isinstance(event, GaveUp):
        _LOG.error(
            "%r given up after %d restarts in %g s: %s",
            event.child,
            event.attempts_max,
            within_seconds,
            event.exit,
        )
    elif isinstance(event, Restarting) and event.exit.kind is ExitKind.UNHEALTHY:
        # Its instance did not fail by itself, which is logged where it is seen.
        _LOG.warning("actor %r is restarted: %s", event.child, event.exit)


def denial(actor: str, action: str, resource: str, *, by_receiver: bool) -> str:
    """Say what an actor was denied, and the grant that would allow it."""
    # A grant is for a component, all its instances.
    who = _component(actor)
    if action == "messaging.send":
        resource = _component(resource)
    if by_receiver:
        return f"{resource!r} does not hear {who!r}; hint: Grant(receive=[{who!r}]) for the former"
    field = action.removeprefix("messaging.")
    return f"{action} {resource!r}; hint: Grant({field}=[{resource!r}]) for {who!r}"


def _component(address: str) -> str:
    return "/".join(address.split("/")[:2])


def native_event(told: tuple[str, str, int, str, str]) -> Event | None:
    """Return what listeners are told of an event of the broker."""
    match told:
        case ("stopped", actor, _, _, _):
            return Event(kind="stopped", actor=actor)
        case ("dead-letter", actor, number, reason, detail):
            return Event(
                kind="dead-letter", actor=actor, letter=number, reason=reason, detail=detail
            )
        case ("denied", actor, by_receiver, action, resource):
            detail = denial(actor, action, resource, by_receiver=bool(by_receiver))
            return Event(kind="denied", actor=actor, reason=action, detail=detail)
        case ("letters-missed", _, number, _, _):
            return Event(kind="missed", count=number, reason="dead-letter")
        case _:
            return None
