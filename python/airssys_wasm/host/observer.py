"""What happens to the actors of a host: told to whom it concerns, and logged."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airssys_wasm.actor import Exited, GaveUp, Stopped, SupervisionEvent
from airssys_wasm.host.events import log_event, native_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from airssys_wasm.broker import Broker
    from airssys_wasm.host.events import Reporter
    from airssys_wasm.host.seats import Seats

_LOG = logging.getLogger(__name__)


class Observer:
    """Hears of supervisors and of the broker, on the loop of the host.

    Args:
        broker: whose events are taken.
        reporter: tells who listens.
        seats: the places of all actors.
        within_seconds: of the window in which the host counts restarts.
        forget: told of a child that nobody restarts, with the groups it is in.
    """

    def __init__(
        self,
        broker: Broker,
        reporter: Reporter,
        seats: Seats,
        within_seconds: float,
        forget: Callable[[str, tuple[str, ...]], None],
    ) -> None:
        self._broker = broker
        self._reporter = reporter
        self._seats = seats
        self._within_seconds = within_seconds
        self._forget = forget

    def supervised(self, event: SupervisionEvent) -> None:
        """Take note of what a supervisor did."""
        if self._reporter.has_listeners or self._seats.has_hook(event):
            told = self._reporter.event_of(event)
            if told is not None:
                self._seats.run_hooks(event, told)
                self._reporter.tell(told)
        else:
            self._reporter.note(event)
        log_event(event, self._within_seconds)
        above = event.path[1:]
        if isinstance(event, GaveUp) or (isinstance(event, Exited) and event.is_over):
            # Nobody restarts it: whoever waits for it is told. At once, while no other one can
            # have been started under its name. What a group was made with it keeps: it may be
            # restarted as a whole.
            own = self._seats.own(event.child, above)
            is_dynamic = any(seat.lease.is_dynamic for seat in own)
            self._seats.give_up_child(event.child, above)
            if not above or is_dynamic:
                self._forget(event.child, above)
        elif isinstance(event, Stopped) and above:
            # It comes back, if it does, with what it was made with.
            self._seats.give_up_dynamic(above)

    def drain(self) -> None:
        """Take note of all that the broker tells."""
        for told in self._broker.take_events():
            what, actor, number, kind, detail = told
            seat = self._seats.find(actor)
            if what == "ended" and seat is not None:
                if seat.serving is None or not seat.serving.is_logged:
                    _LOG.warning("actor %r failed: %s", actor, detail)
                seat.ended(number, kind, detail)
            elif (event := native_event(told)) is not None:
                if what == "dead-letter":
                    _LOG.debug("a message to %r was not handled: %s", actor, detail)
                elif what == "denied":
                    _LOG.warning("actor %r was denied: %s", actor, event.detail)
                elif what == "stopped":
                    self._reporter.forget(actor)
                self._reporter.tell(event)
