"""Asking one instance, again and again, how it is doing."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Final, Protocol

from airssys_wasm.actor.bounded import bounded
from airssys_wasm.actor.health import HealthStatus, as_status, judged, worse
from airssys_wasm.actor.threads import Crew
from airssys_wasm.errors import ActorStopped, AirssysError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from airssys_wasm.actor import Health
    from airssys_wasm.broker import Lease, NativeActor
    from airssys_wasm.host.actor import Actor
    from airssys_wasm.runtime import Instance

#: Checks that hang keep a thread each; with so many, no other plain one is begun.
_THREADS_MAX: Final = 64
_CREW: Final = Crew("checks", _THREADS_MAX)


class Patient(Protocol):
    """Whom the results are told."""

    native: NativeActor

    def is_found(self, number: int, status: HealthStatus, detail: str) -> None:
        """Take note of what an incarnation is."""

    def condemn(self, number: int, detail: str) -> None:
        """End an incarnation: it is unhealthy."""


class Checkup:
    """The checks of one incarnation; a task runs ``run`` for as long as it lives.

    Args:
        patient: whose incarnation it is.
        number: which one.
        health: how often, and how long.
        guest: its instance, and the export that says; ``None`` if there is none.
        check: the embedder's, ready to be called; ``None`` if there is none.
    """

    def __init__(
        self,
        patient: Patient,
        number: int,
        health: Health,
        guest: tuple[Instance, str] | None,
        check: Callable[[], Coroutine[object, object, object]] | None,
    ) -> None:
        self._patient = patient
        self._number = number
        self._health = health
        self._guest = guest
        self._check = check
        self._failures = 0
        #: The turn that an earlier check asked for, and that has not come yet.
        self._overdue: asyncio.Future[Lease] | None = None
        #: Why it cannot go on at all, whatever the threshold.
        self._lost = ""

    async def run(self) -> None:
        """Check until the incarnation is over."""
        while True:
            await asyncio.sleep(self._health.interval_seconds)
            try:
                status, detail = await self._ask()
            except ActorStopped:
                return
            self._failures = self._failures + 1 if status == "unhealthy" else 0
            found = judged(status, self._failures, self._health.failures_max)
            if self._lost:
                found = "unhealthy"
            self._patient.is_found(self._number, found, detail)
            if found == "unhealthy":
                times = f"{self._failures} checks in a row" if self._failures > 1 else "a check"
                self._patient.condemn(self._number, f"{times} failed: {detail}")
                return

    async def _ask(self) -> tuple[HealthStatus, str]:
        status: HealthStatus = "unknown"
        detail = ""
        if self._guest is not None:
            status, detail = await self._ask_guest(*self._guest)
        if self._check is not None and not self._lost:
            answer, said = await self._ask_check(self._check)
            detail = detail if worse(status, answer) == status else said
            status = worse(status, answer)
        return status, detail

    async def _ask_guest(self, instance: Instance, export: str) -> tuple[HealthStatus, str]:
        loop = asyncio.get_running_loop()
        seconds = self._health.timeout_seconds
        until = loop.time() + seconds
        lease = await self._lease(until)
        if lease is None:
            return "unhealthy", f"it was busy for more than {seconds:g} s"
        try:
            left = max(until - loop.time(), 0.001)
            word = await asyncio.wait_for(instance.call_async(export), left)
        except TimeoutError:
            # The call was cut off, and the instance with it.
            self._lost = f"health() took longer than {seconds:g} s"
            return "unhealthy", self._lost
        except AirssysError as error:
            self._lost = f"health() failed: {error}"
            return "unhealthy", self._lost
        finally:
            lease.release()
        return as_status(word), f"health() said {word}"

    async def _lease(self, until: float) -> Lease | None:
        """Return the turn of the actor, or ``None`` if it does not come in time.

        A busy actor has at most one such request in front of it, however often it is asked.
        """
        loop = asyncio.get_running_loop()
        if self._overdue is not None and not self._overdue.done():
            await asyncio.wait({self._overdue}, timeout=until - loop.time())
            if not self._overdue.done():
                return None
        wanted = asyncio.ensure_future(self._patient.native.lease())
        try:
            done, _ = await asyncio.wait({wanted}, timeout=max(until - loop.time(), 0.0))
        except asyncio.CancelledError:
            wanted.cancel()
            raise
        if done:
            return wanted.result()
        wanted.add_done_callback(_give_back)
        self._overdue = wanted
        return None

    async def _ask_check(
        self, check: Callable[[], Coroutine[object, object, object]]
    ) -> tuple[HealthStatus, str]:
        try:
            answer = as_status(await bounded(check(), self._health.timeout_seconds))
        except TimeoutError as error:
            return "unhealthy", f"the check did not answer: {error}"
        except Exception as error:  # noqa: BLE001 - the check of a stranger
            return "unhealthy", f"the check failed: {type(error).__name__}: {error}"
        return answer, f"the check said {answer}"


async def answer_of(check: Callable[[Actor], object], actor: Actor) -> object:
    """Call the embedder's check: a plain function in a thread, where it holds nobody up."""
    is_async = inspect.iscoroutinefunction(check)
    answer = check(actor) if is_async else await _CREW.call(check, actor)
    return await answer if inspect.isawaitable(answer) else answer


def _give_back(wanted: asyncio.Future[Lease]) -> None:
    # It came too late for the check that asked for it.
    if not wanted.cancelled() and wanted.exception() is None:
        wanted.result().release()
