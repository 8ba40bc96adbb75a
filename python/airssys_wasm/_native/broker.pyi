"""Actors and their messages. The faces of this module are ``airssys_wasm.broker`` and ``host``."""

from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any, Literal, Protocol, final, overload, type_check_only

from typing_extensions import disjoint_base

from airssys_wasm._native.codec import Borsh
from airssys_wasm._native.runtime import Desk, Engine, Instance, Receipt
from airssys_wasm.errors import AirssysError, MessagingError

__all__ = [
    "Actor",
    "Broker",
    "Courier",
    "DeadLetter",
    "Duty",
    "Lease",
    "Message",
    "Messages",
    "Queue",
    "Reply",
    "address_matches",
    "topic_contains",
    "topic_matches",
]

def address_matches(pattern: str, address: str | None = None) -> bool:
    """Whether a pattern stands for an address; without one, whether it is a pattern.

    Raises:
        ValueError: one of them is not written as it must be.
    """

def topic_matches(pattern: str, topic: str) -> bool:
    """Whether a pattern stands for a topic.

    Raises:
        ValueError: one of them is not written as it must be.
    """

def topic_contains(pattern: str, inner: str) -> bool:
    """Whether a pattern stands for all topics that another stands for.

    Raises:
        ValueError: one of them is not written as it must be.
    """

@final
class Reply:
    """What an actor answered; immutable."""

    @property
    def value(self) -> Any:
        """The answer, read by its codec.

        Raises:
            CodecError: the payload is no value of its codec, or of one that needs a schema.
        """

    @property
    def payload(self) -> bytes:
        """The answer as bytes, without a codec prefix."""

    @property
    def codec(self) -> int:
        """Multicodec number of the payload, such as ``codec.CBOR``."""

    @property
    def receipt(self) -> Receipt | None:
        """What serving the request took; ``None`` if no component did."""

@final
class Message:
    """What came to an actor, or was published; immutable."""

    @property
    def value(self) -> Any:
        """The body, read by its codec each time it is asked for.

        Raises:
            CodecError: the payload is no value of its codec, or of one that needs a schema;
                then ``codec.decode_body(message.codec, message.payload, schema=...)``.
        """

    @property
    def payload(self) -> bytes:
        """The body as bytes, without a codec prefix."""

    @property
    def codec(self) -> int:
        """Multicodec number of the payload, such as ``codec.CBOR``."""

    @property
    def sender(self) -> str | None:
        """Address of the actor that sent it; ``None`` for the embedder."""

    @property
    def topic(self) -> str | None:
        """The topic it was published on; ``None`` if it was not."""

    @property
    def kind(self) -> str:
        """``tell``, ``ask`` (somebody waits for the reply) or ``published``."""

    @property
    def trace(self) -> str | None:
        """The trace it belongs to, a ``traceparent`` of W3C Trace Context; ``None`` for none."""

@final
class Messages:
    """What is published and waits to be read. The face is ``broker.Subscription``."""

    def take(self) -> Message | None:
        """Return the oldest message, or ``None``; never waits. A forked child may not read."""

    def ready(self) -> Awaitable[None]:
        """Await something to look at; one caller at a time."""

    def next(self, timeout: float | None = None) -> Message | None:
        """Wait on this thread; ``None`` when the time is over or the subscription has ended."""

    def close(self) -> None:
        """End the subscription; what came before can still be taken."""

    @property
    def closed(self) -> bool:
        """Whether nothing comes any more."""

    @property
    def dropped(self) -> int:
        """Messages that came when it was full, and were lost or displaced others."""

    def __len__(self) -> int:
        """Messages that wait."""

@final
class Queue:
    """Objects for a listener in another task or thread. It never holds up who fills it."""

    def __new__(cls, *, items_max: int, when_full: str) -> Queue:
        """Make one for at most ``items_max`` items."""

    def push(self, item: object) -> None:
        """Add an item, from any thread."""

    def take(self) -> Any:
        """Return the oldest item, or ``None``; never waits. A forked child may not read."""

    def ready(self) -> Awaitable[None]:
        """Await something to look at; one caller at a time."""

    def next(self, timeout: float | None = None) -> Any:
        """Wait on this thread; ``None`` when the time is over or nothing comes any more."""

    def close(self) -> None:
        """Take nothing more; what is in it can still be taken."""

    @property
    def closed(self) -> bool:
        """Whether nothing comes any more."""

    @property
    def dropped(self) -> int:
        """Items that were lost for want of room."""

    def __len__(self) -> int:
        """Items that wait."""

@final
class DeadLetter:
    """A message that nobody handled; immutable, and still one after it was replayed."""

    @property
    def number(self) -> int:
        """Its number, from 1; a later letter has a higher one."""

    @property
    def receiver(self) -> str:
        """Address of the actor it was for."""

    @property
    def sender(self) -> str | None:
        """Address of the actor that sent it; ``None`` for the embedder."""

    @property
    def topic(self) -> str | None:
        """The topic it was published on; ``None`` if it was not."""

    @property
    def reason(self) -> str:
        """Why nobody handled it: ``mailbox-full``, ``actor-failed``, ``expired``, ..."""

    @property
    def value(self) -> Any:
        """The body, read by its codec each time it is asked for.

        Raises:
            CodecError: the payload is no value of its codec, or of one that needs a schema.
        """

    @property
    def payload(self) -> bytes:
        """The body as bytes, without a codec prefix."""

    @property
    def codec(self) -> int:
        """Multicodec number of the payload, such as ``codec.CBOR``."""

    @property
    def trace(self) -> str | None:
        """The trace it belongs to, a ``traceparent`` of W3C Trace Context; ``None`` for none."""

    @property
    def age_seconds(self) -> float:
        """Seconds since it became one."""

@final
class Lease:
    """The turn of an actor: while it is held, the actor handles nothing."""

    def release(self) -> None:
        """Give it back; more than once does no harm."""

@disjoint_base
class Actor:
    """An actor, whatever instance it has at the time. The face documents the methods."""

    @property
    def name(self) -> str:
        """Its address."""

    @property
    def handle(self) -> int:
        """Its number in this process; never used again."""

    @property
    def incarnation(self) -> int:
        """Grows with each instance it has; 0 before the first."""

    @property
    def status(self) -> str:
        """``starting``, ``running``, ``failed``, ``stopping`` or ``stopped``."""

    @property
    def receipts(self) -> list[Receipt]:
        """What its last calls used, at most 16, oldest first."""

    @property
    def mailbox(self) -> dict[str, int]:
        """What its mailbox did, and holds."""

    def desk(self, *, send: list[str], publish: list[str], subscribe: list[str]) -> Desk:
        """Make what serves the messaging of the instance that it is about to have."""

    def occupy(self, instance: Instance, desk: Desk | None = None) -> int | None:
        """Give it an instance; return the how-manieth, or ``None`` if it takes none now."""

    def forget_subscriptions(self) -> None:
        """End the subscriptions of an instance that never came to be."""

    def lease(self) -> Awaitable[Lease]:
        """Await the turn of the actor, before all its messages."""

    def occupy_with(self, serving: Serving, courier: Courier) -> int | None:
        """The same with Python code, which runs on the loop of ``courier``."""

    def tap(self, *, messages_max: int, bytes_max: int) -> Messages:
        """Give a copy of each message it is handed by its instances from now on; once only."""

    def retire(self) -> None:
        """Take its instance away, interrupting what runs; the mailbox waits for another."""

    def retire_after_message(self) -> None:
        """The same, once it has handled the message it has."""

    def stop(self) -> None:
        """Stop it for good, interrupting what runs."""

    def try_send(
        self,
        value: object,
        *,
        codec: str = "cbor",
        schema: Borsh | None = None,
        priority: str | None = None,
        ttl: float | None = None,
        transcode: bool = False,
        key: str | bytes | None = None,
        trace: str | None = None,
    ) -> None:
        """Send without waiting for room."""

    def send(
        self,
        value: object,
        *,
        codec: str = "cbor",
        schema: Borsh | None = None,
        priority: str | None = None,
        ttl: float | None = None,
        transcode: bool = False,
        key: str | bytes | None = None,
        trace: str | None = None,
    ) -> Coroutine[Any, Any, None]:
        """Send; await room where the mailbox is full."""

    def send_waiting(
        self,
        value: object,
        *,
        codec: str = "cbor",
        schema: Borsh | None = None,
        priority: str | None = None,
        ttl: float | None = None,
        transcode: bool = False,
        key: str | bytes | None = None,
        trace: str | None = None,
    ) -> None:
        """The same on this thread."""

    def try_send_many(
        self,
        values: Iterable[object],
        *,
        codec: str = "cbor",
        schema: Borsh | None = None,
        trace: str | None = None,
    ) -> int:
        """Send in one crossing; return how many were accepted before the mailbox was full."""

    def send_many(
        self,
        values: Iterable[object],
        *,
        codec: str = "cbor",
        schema: Borsh | None = None,
        trace: str | None = None,
    ) -> Coroutine[Any, Any, None]:
        """Send in one crossing; await room where the mailbox is full."""

    def send_many_waiting(
        self,
        values: Iterable[object],
        *,
        codec: str = "cbor",
        schema: Borsh | None = None,
        trace: str | None = None,
    ) -> None:
        """The same on this thread."""

    @overload
    def ask_many(
        self,
        values: Iterable[object],
        *,
        timeout: float = 5.0,
        codec: str = "cbor",
        schema: Borsh | None = None,
        trace: str | None = None,
        return_exceptions: Literal[False] = False,
    ) -> Coroutine[Any, Any, list[Reply]]:
        """Ask in one crossing; await the replies, or exceptions where that is asked for."""

    @overload
    def ask_many(
        self,
        values: Iterable[object],
        *,
        timeout: float = 5.0,
        codec: str = "cbor",
        schema: Borsh | None = None,
        trace: str | None = None,
        return_exceptions: bool,
    ) -> Coroutine[Any, Any, list[Reply | AirssysError]]: ...
    @overload
    def ask_many_waiting(
        self,
        values: Iterable[object],
        *,
        timeout: float = 5.0,
        codec: str = "cbor",
        schema: Borsh | None = None,
        trace: str | None = None,
        return_exceptions: Literal[False] = False,
    ) -> list[Reply]:
        """The same on this thread."""

    @overload
    def ask_many_waiting(
        self,
        values: Iterable[object],
        *,
        timeout: float = 5.0,
        codec: str = "cbor",
        schema: Borsh | None = None,
        trace: str | None = None,
        return_exceptions: bool,
    ) -> list[Reply | AirssysError]: ...
    @property
    def members(self) -> list[Actor]:
        """Those it stands for; empty unless it is a pool."""

    def limit_sending(self, per_second: int, burst: int) -> None:
        """Limit what it sends; the first to say so counts."""

    def declare(self, codecs: Sequence[int]) -> None:
        """Take note of the codecs its handler reads; the first to say so counts."""

    def ask(
        self,
        value: object,
        *,
        timeout: float = 5.0,
        codec: str = "cbor",
        schema: Borsh | None = None,
        transcode: bool = False,
        key: str | bytes | None = None,
        trace: str | None = None,
    ) -> Coroutine[Any, Any, Reply]:
        """Ask; await the reply."""

    def ask_waiting(
        self,
        value: object,
        *,
        timeout: float = 5.0,
        codec: str = "cbor",
        schema: Borsh | None = None,
        transcode: bool = False,
        key: str | bytes | None = None,
        trace: str | None = None,
    ) -> Reply:
        """The same on this thread."""

@type_check_only
class Serving(Protocol):
    """One incarnation of a Python actor, on the event loop."""

    def begin(self, message: Message, duty: Duty, /) -> None:
        """Start to handle a message; ``duty`` is told what came of it."""

    def cancel(self) -> None:
        """Cancel what is being handled."""

@final
class Courier:
    """Brings messages to Python handlers on their event loop."""

    def __new__(cls, event_loop: AbstractEventLoop) -> Courier:
        """Make the courier of a loop."""

@final
class Duty:
    """The duty to say what came of a message. The first to say so counts.

    Dropped, it ends the instance.
    """

    def serve(self, value: object) -> None:
        """Reply, in the codec of the message.

        Raises:
            CodecError: the value has no form in it; nothing was said.
        """

    def refuse(
        self, reason: str, text: str, *, codecs: list[int] = ..., milliseconds: int = 0
    ) -> None:
        """Refuse the message."""

    def fail(self, error: BaseException, text: str) -> None:
        """End the instance with what its handler raised."""

    def run_past(self, seconds: float) -> None:
        """End the instance because its handler takes longer than ``seconds``."""

@final
class Broker:
    """The actors of one host."""

    def __new__(cls, engine: Engine, wake: Callable[[], object]) -> Broker:
        """Make one; ``wake`` is called, from any thread, when there are events to take."""

    def register(
        self,
        name: str,
        *,
        messages_max: int,
        bytes_max: int,
        when_full: str,
        receive: list[str] = ...,
    ) -> Actor:
        """Make an actor that waits for an instance, and hears the actors of ``receive``."""

    def register_pool(
        self, name: str, members: list[Actor], routing: str, *, receive: list[str] = ...
    ) -> Actor:
        """Make a name that stands for several actors, and hears those of ``receive``."""

    def set_route(
        self,
        name: str,
        *,
        retry: tuple[int, float, float, float, float] | None = None,
        breaker: tuple[int, float, float, int] | None = None,
        idempotent: bool = False,
    ) -> None:
        """Say how requests to an actor are made: the figures of ``Retry`` and ``Breaker``."""

    def find(self, name: str) -> Actor | None:
        """Return the actor of a name."""

    @property
    def names(self) -> list[str]:
        """The names of all actors, in no order."""

    def refuse_forked(self) -> None:
        """Raise ``EngineError`` in a process that was forked since the host was made."""

    @staticmethod
    def make_home() -> None:
        """Say that this thread runs the loop of a host, and nothing else until its end."""

    @staticmethod
    def refuse_home() -> None:
        """Raise ``RuntimeError`` on a thread that does."""

    @property
    def requests_open(self) -> int:
        """Requests that wait for their end."""

    @property
    def denials(self) -> int:
        """What components wanted to say and were not granted, so far."""

    @property
    def orphans(self) -> int:
        """Replies that came after their request had ended."""

    @property
    def dead_letters(self) -> list[DeadLetter]:
        """The dead letters that are kept, oldest first."""

    @property
    def dead_letter_counters(self) -> tuple[int, int, int, int, int]:
        """Letters kept and their bytes; posted, dropped for want of room, and taken so far."""

    def dead_letter(self, number: int) -> DeadLetter | None:
        """Return one of them."""

    def replay(self, number: int, *, may_block: bool = False) -> bool:
        """Send one once more; return whether there was such a letter."""

    def discard(self, number: int) -> bool:
        """Throw one away; return whether there was such a letter."""

    def discard_all(self) -> int:
        """Throw all away; return how many there were."""

    def publish(
        self,
        topic: str,
        value: object,
        *,
        codec: str = "cbor",
        schema: Borsh | None = None,
        trace: str | None = None,
        may_block: bool = False,
    ) -> int:
        """Publish; return how many took it. ``may_block``: handlers may hold this thread up."""

    def subscribe(
        self, pattern: str, *, messages_max: int, bytes_max: int, when_full: str
    ) -> Messages:
        """Listen to what is published on topics that match."""

    def broadcast(
        self,
        names: list[str],
        value: object,
        *,
        codec: str = "cbor",
        schema: Borsh | None = None,
        trace: str | None = None,
        may_block: bool = False,
    ) -> list[tuple[str, MessagingError]]:
        """Send one message to many; return those that did not get it, with why."""

    def take_events(self) -> list[tuple[str, str, int, str, str]]:
        """Return what happened since: event, actor, incarnation or letter, kind, detail."""

    def close(self) -> None:
        """Stop all actors, and take no new ones."""
