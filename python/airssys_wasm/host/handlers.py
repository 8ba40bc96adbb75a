"""Python code in the place of a component: handlers of messages on the host's event loop."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, TypeVar

from airssys_wasm.actor.callables import takes_one
from airssys_wasm.actor.exits import Exit
from airssys_wasm.actor.threads import Crew
from airssys_wasm.codec import BORSH
from airssys_wasm.config.figures import SECONDS_MAX, is_number, printed
from airssys_wasm.errors import CodecError, HandlerRefusal, ValueMismatch

if TYPE_CHECKING:
    from airssys_wasm.actor import ExitListener, Health, Hooks, StopReason
    from airssys_wasm.broker import Courier, Duty, Mailbox, Message
    from airssys_wasm.host.seat import Seat

#: What handles one message: ``async def``, or a plain function, which runs in a thread.
Handler: TypeAlias = Callable[["Message"], Any]
AnyHandler = TypeVar("AnyHandler", bound=Handler)

HANDLER_SECONDS_MAX: Final = 30.0
#: As long as a handler that was cancelled holds up the start of its successor.
_LINGER_SECONDS: Final = 1.0
_OCCUPY_POLL_SECONDS: Final = 0.002
#: Plain functions that hang keep a thread each; with so many, the actor handles nothing more.
_THREADS_MAX: Final = 64
_LOG = logging.getLogger(__name__)


class HandlesMessages(Protocol):
    """A Python actor with state: made anew at each start, with what it kept forgotten."""

    def handle(self, message: Message, /) -> Any:  # noqa: ANN401 - anything its codec can carry
        """Handle a message and return the reply; ``async def``, or plain and in a thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerSource:
    """What a Python child of a host is made of.

    Args:
        make: makes the handler of each incarnation.
        courier: where its messages wait for the event loop.
        handler_seconds_max: how long one message may take.
        mailbox: what waits in front of it.
        health: how often its ``check`` is called; ``None`` is never.
        hooks: what is called around its life.
    """

    make: Callable[[], Handler]
    courier: Courier
    handler_seconds_max: float
    mailbox: Mailbox = field(repr=False)
    health: Health | None = None
    hooks: Hooks | None = None
    #: It sends as the embedder, who has no limit.
    rate: None = None

    @property
    def receive(self) -> list[str]:
        """Actors that it hears: all that may send to it. It is the embedder's own code."""
        return ["**"]

    def __post_init__(self) -> None:
        """Refuse nonsense when it is made, not when it is used."""
        most = self.handler_seconds_max
        if not is_number(most, 0, SECONDS_MAX) or most == 0:
            raise ValueMismatch(
                f"handler_seconds_max: {printed(most)}; hint: seconds, more than 0, "
                f"at most {SECONDS_MAX:g}",
                "handler_seconds_max",
            )

    async def sit(self, seat: Seat, exited: ExitListener) -> HandlerIncarnation:
        """Make a handler and seat it."""
        if seat.serving is not None:
            await seat.serving.gone(_LINGER_SECONDS)
        # Those of its predecessors that hang count too.
        crew = Crew("handlers of it", _THREADS_MAX) if seat.serving is None else seat.serving.crew
        serving = Serving(seat.native.name, self.make(), self.handler_seconds_max, crew)
        seat.serving, seat.exited = serving, exited
        # The message of the one before may still be on its way out.
        while (number := seat.native.occupy_with(serving, self.courier)) is None:
            seat.require_running()
            await asyncio.sleep(_OCCUPY_POLL_SECONDS)
        return HandlerIncarnation(seat, serving, number)


def require_name(name: object) -> None:
    """Return if an actor can be made of the function below, as far as its name goes.

    Raises:
        ValueMismatch: the name is no text; most often the function itself.
    """
    if not isinstance(name, str):
        raise ValueMismatch(
            f'name: {name!r} is no text; hint: @host.actor("namespace/name")', "name"
        )


def require_handler(handler: object, name: str) -> None:
    """Return if ``handler`` can be called with a message.

    Raises:
        ValueMismatch: it is a class, nothing that can be called, or takes no message.
    """
    if isinstance(handler, type):
        kind = handler.__name__
        raise ValueMismatch(
            f"handler: {kind} is a class; hint: host.spawn({name!r}, {kind})", "handler"
        )
    if not callable(handler):
        raise ValueMismatch(
            f"handler: {handler!r} is no function; hint: async def handle(message)", "handler"
        )
    if not takes_one(handler):
        raise ValueMismatch(
            f"handler: {handler!r} cannot be called with a message alone; "
            "hint: async def handle(message)",
            "handler",
        )


def made_by(factory: Callable[[], object]) -> Callable[[], Handler]:
    """Return what makes the handler of each incarnation out of ``factory()``.

    Raises:
        TypeError: a factory cannot be waited for; once it is called: what it made has no
            ``handle``, or one that takes no message.
    """
    if inspect.iscoroutinefunction(factory):
        raise TypeError(
            f"source: {factory!r} is a coroutine function, not a factory; "
            'hint: @host.actor("namespace/name") makes an actor of a function'
        )

    def make() -> Handler:
        made = factory()
        handle: Handler | None = getattr(made, "handle", None)
        if not callable(handle):
            raise TypeError(
                f"{type(made).__name__} handles no messages; "
                "hint: give it `async def handle(self, message)`"
            )
        require_handler(handle, "namespace/name")
        return handle

    return make


def _is_async(handler: Handler) -> bool:
    call = getattr(handler, "__call__", None)  # noqa: B004 - whether that is a coroutine function
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(call)


class Serving:
    """One incarnation of a Python actor: a task for each message, one after the other.

    All but the making happens on the event loop.
    """

    def __init__(self, name: str, handler: Handler, seconds_max: float, crew: Crew) -> None:
        """Begin without a message."""
        self._name = name
        self.crew = crew
        self._handler = handler if _is_async(handler) else _in_thread(handler, crew)
        self._seconds_max = seconds_max
        self._loop = asyncio.get_running_loop()
        # What the sender has in its context is no business of the handler's.
        self._context = contextvars.copy_context()
        self._duty: Duty | None = None
        self._began = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.task: asyncio.Task[None] | None = None
        #: Whether how it failed is in the log, with where.
        self.is_logged = False

    def begin(self, message: Message, duty: Duty) -> None:
        """Start to handle a message; ``duty`` is told what came of it."""
        loop = self._loop
        self._duty, self._began = duty, loop.time()
        self.task = loop.create_task(self._serve(message, duty), context=self._context.copy())
        # One timer looks after all messages: nearly all are done long before it comes.
        if self._timer is None:
            self._timer = loop.call_at(self._began + self._seconds_max, self._look)

    def cancel(self) -> None:
        """Cancel what is being handled, and look after it no more."""
        self._stop_looking()
        if self.task is not None:
            # Where the loop is closed nothing goes on anyway.
            with contextlib.suppress(RuntimeError):
                self.task.cancel()

    def _stop_looking(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def gone(self, seconds_max: float | None) -> None:
        """Wait until a handler that was cancelled has ended, for a while."""
        if self.task is not None and not self.task.done():
            done, _ = await asyncio.wait({self.task}, timeout=seconds_max)
            if not done:
                _LOG.warning("a handler of actor %r goes on although it is over", self._name)

    async def _serve(self, message: Message, duty: Duty) -> None:
        try:
            answer = await self._handler(message)
        except HandlerRefusal as refusal:
            refuse(duty, refusal)
        except CodecError as error:
            if fault := _fault_of(message, error):
                # Whoever sends what nobody can read must not end the actor.
                duty.refuse("malformed", fault)
            else:
                self._fail(duty, error)
        except BaseException as error:
            self._fail(duty, error)
            if not isinstance(error, Exception):
                raise
        else:
            self._answer(duty, answer)

    def _answer(self, duty: Duty, answer: object) -> None:
        try:
            duty.serve(answer)
        except Exception as error:  # noqa: BLE001 - whatever the answer's own code raises
            self._fail(duty, _forgotten_await(error) if inspect.isawaitable(answer) else error)

    def _fail(self, duty: Duty, error: BaseException) -> None:
        duty.fail(error, Exit.of(error).detail)
        # No message comes any more, and the timer would keep all that it has.
        self._stop_looking()
        if isinstance(error, Exception):
            self.is_logged = True
            _LOG.error("actor %r failed", self._name, exc_info=error)

    def _look(self) -> None:
        self._timer = None
        if self.task is None or self.task.done() or self._duty is None:
            return
        due = self._began + self._seconds_max
        if self._loop.time() < due:
            self._timer = self._loop.call_at(due, self._look)
            return
        self._duty.run_past(self._seconds_max)
        self.task.cancel()


def _forgotten_await(error: Exception) -> TypeError:
    forgotten = TypeError("the answer is a call not awaited; hint: return (await ...).value")
    forgotten.__cause__ = error
    return forgotten


def _in_thread(handler: Handler, crew: Crew) -> Handler:
    async def handle(message: Message) -> object:
        value = await crew.call(handler, message)
        return await value if inspect.isawaitable(value) else value

    return handle


def refuse(duty: Duty, refusal: HandlerRefusal) -> None:
    """Hand a refusal to whoever asked."""
    milliseconds = min(math.ceil(refusal.retry_after_seconds * 1000), 2**32 - 1)
    duty.refuse(
        refusal.reason, str(refusal), codecs=list(refusal.codecs), milliseconds=milliseconds
    )


def _fault_of(message: Message, error: CodecError) -> str:
    """Say what is wrong with the payload, if anything is."""
    if message.codec == BORSH:
        # Only the handler has the schema.
        return str(error)
    try:
        _ = message.value
    except CodecError as fault:
        return str(fault)
    return ""


class HandlerIncarnation:
    """One handler on its seat; what a supervisor stops."""

    def __init__(self, seat: Seat, serving: Serving, number: int) -> None:
        """Sit."""
        self._seat = seat
        self._serving = serving
        self.number = number

    async def stop(self, reason: StopReason, *, seconds_max: float | None) -> None:
        """Let it finish its message, and take it away."""
        del seconds_max  # the supervisor cancels this, and kills
        await self._seat.before_stop(str(reason))
        native = self._seat.native
        native.retire_after_message()
        while native.incarnation == self.number and native.status == "running":
            # The loop may not have begun with the message yet.
            await asyncio.sleep(0)
            await self._serving.gone(None)
        self.kill()

    def kill(self) -> None:
        """Take it away at once."""
        if self._seat.native.incarnation == self.number:
            self._seat.let_go()
        self._serving.cancel()
