"""What a host says to many, and what is heard of it: topics, events, dead letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airssys_wasm.broker import MESSAGES_MAX, BlockingSubscription, Subscription, listen
from airssys_wasm.errors import ValueMismatch
from airssys_wasm.host.events import EVENTS_MAX, BlockingEvents, Events
from airssys_wasm.host.letters import BlockingDeadLetters, DeadLetters

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airssys_wasm.broker import Broker, Overflow
    from airssys_wasm.codec import Borsh
    from airssys_wasm.errors import MessagingError
    from airssys_wasm.host.events import Reporter


def _receivers(names: Iterable[str]) -> list[str]:
    hint = 'hint: ["namespace/name", ...]'
    if isinstance(names, str):
        # It is one of its letters after the other too.
        raise ValueMismatch(f"names: {names!r} is one address; {hint}", "names")
    try:
        return list(dict.fromkeys(names))
    except TypeError:
        raise ValueMismatch(f"names: {names!r} are no addresses; {hint}", "names") from None


class Outlets:
    """The part of a host that speaks to many.

    Args:
        broker: the actors and who has subscribed.
        reporter: tells what happens.
    """

    def __init__(self, broker: Broker, reporter: Reporter) -> None:
        self._broker = broker
        self._reporter = reporter

    async def publish(
        self,
        topic: str,
        value: object,
        *,
        codec: str = "cbor",
        schema: Borsh | None = None,
        trace: str | None = None,
    ) -> int:
        """Publish on a topic; return how many subscribers took the message.

        Nobody is waited for. Where a subscriber's mailbox is full, its policy decides; if
        that is to let senders wait, the message is a dead letter of that subscriber, as with
        ``"reject"``.

        Args:
            topic: names of ``a-z 0-9 _ -`` joined by dots, at most 256 bytes.
            value: the message.
            codec: ``"cbor"``, ``"json"``, ``"borsh"`` with its ``schema``, or ``"raw"``.
            schema: for borsh.
            trace: the trace it belongs to, a ``traceparent`` of W3C Trace Context; none unless
                told.

        Raises:
            TopicInvalid: the topic is not written as it must be.
            CodecError: the value has no form in the codec.
            MessageTooLarge: it is larger than a message may be.
            ActorStopped: the host is closed.
        """
        return self._broker.publish(topic, value, codec=codec, schema=schema, trace=trace)

    def subscribe(
        self,
        pattern: str,
        *,
        messages_max: int = MESSAGES_MAX,
        when_full: Overflow = "drop-oldest",
    ) -> Subscription:
        """Listen to what is published from now on; ``async with`` ends it.

        Args:
            pattern: a topic in which ``*`` is any one name, and ``#`` at the end any rest,
                also none.
            messages_max: messages that wait to be read, 1 or more; their bytes together are
                at most 16 MiB.
            when_full: ``"drop-oldest"`` or ``"drop-newest"``; both are counted in
                ``dropped``. A listener that does not read holds nobody up.

        Raises:
            TopicInvalid: the pattern is not written as it must be.
            SubscriptionsFull: there are too many.
            ValueMismatch: an option is outside its range, or not of its kind.
            ActorStopped: the host is closed.
        """
        native = listen(self._broker, pattern, messages_max, when_full)
        return Subscription(native, pattern)

    async def broadcast(
        self,
        names: Iterable[str],
        value: object,
        *,
        codec: str = "cbor",
        schema: Borsh | None = None,
        trace: str | None = None,
    ) -> dict[str, MessagingError]:
        """Send one message to many actors, and wait for none of them.

        Args:
            names: their addresses, at most 1000; each gets it once.
            value: the message.
            codec: as for ``publish``.
            schema: for borsh.
            trace: the trace it belongs to, a ``traceparent`` of W3C Trace Context; none unless
                told.

        Returns:
            Those that did not get it, with why: ``ActorNotFound``, ``ActorStopped``,
            ``MailboxFull``, ``MessageTooLarge``.

        Raises:
            CodecError: the value has no form in the codec.
            ValueMismatch: ``names`` is one text, or no addresses, or there are too many.
        """
        receivers = _receivers(names)
        failed = self._broker.broadcast(receivers, value, codec=codec, schema=schema, trace=trace)
        return dict(failed)

    def events(self, *, events_max: int = EVENTS_MAX) -> Events:
        """Return what happens to actors from now on, to be read with ``async for``.

        Args:
            events_max: events that wait to be read; past them the oldest are lost, and an
                event of the kind ``"missed"`` says how many.

        Raises:
            ValueMismatch: ``events_max`` is not 1 or more.
        """
        return self._reporter.listen(Events, events_max)

    @property
    def dead_letters(self) -> DeadLetters:
        """Messages that nobody handled."""
        return DeadLetters(self._broker)


class BlockingOutlets:
    """The same for code without an event loop.

    Args:
        outlets: whose broker and reporter it has.
    """

    def __init__(self, outlets: Outlets) -> None:
        self._broker = outlets._broker  # noqa: SLF001 - its twin
        self._reporter = outlets._reporter  # noqa: SLF001 - its twin

    def publish(
        self,
        topic: str,
        value: object,
        *,
        codec: str = "cbor",
        schema: Borsh | None = None,
        trace: str | None = None,
    ) -> int:
        """Publish on a topic; return how many took it; see ``Host.publish``.

        Handlers of subscribers that are idle may run on this thread.
        """
        return self._broker.publish(
            topic, value, codec=codec, schema=schema, trace=trace, may_block=True
        )

    def subscribe(
        self,
        pattern: str,
        *,
        messages_max: int = MESSAGES_MAX,
        when_full: Overflow = "drop-oldest",
    ) -> BlockingSubscription:
        """Listen to what is published from now on; ``with`` ends it; see ``Host.subscribe``."""
        native = listen(self._broker, pattern, messages_max, when_full)
        return BlockingSubscription(native, pattern)

    def broadcast(
        self,
        names: Iterable[str],
        value: object,
        *,
        codec: str = "cbor",
        schema: Borsh | None = None,
        trace: str | None = None,
    ) -> dict[str, MessagingError]:
        """Send one message to many; return those that did not get it; see ``Host.broadcast``."""
        receivers = _receivers(names)
        failed = self._broker.broadcast(
            receivers, value, codec=codec, schema=schema, trace=trace, may_block=True
        )
        return dict(failed)

    def events(self, *, events_max: int = EVENTS_MAX) -> BlockingEvents:
        """Return what happens from now on, to be read with ``for``; see ``Host.events``."""
        return self._reporter.listen(BlockingEvents, events_max)

    @property
    def dead_letters(self) -> BlockingDeadLetters:
        """Messages that nobody handled."""
        return BlockingDeadLetters(self._broker)
