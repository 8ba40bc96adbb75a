"""``host.subscribe``: what is published, for the embedder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from airssys_wasm._native.broker import Message
from airssys_wasm.broker.listening import BlockingListening, Listening
from airssys_wasm.config import MIB
from airssys_wasm.errors import ValueMismatch

if TYPE_CHECKING:
    from airssys_wasm._native.broker import Broker, Messages

#: What a full subscription does with one message more; nobody waits for it.
Overflow: TypeAlias = Literal["drop-oldest", "drop-newest"]

MESSAGES_MAX: Final = 1000
BYTES_MAX: Final = 16 * MIB
_CEILING: Final = 2**32 - 1


class Subscription(Listening[Message]):
    """What is published on topics that match, since ``host.subscribe`` was called.

    ::

        async with host.subscribe("orders.#") as messages:
            async for message in messages: ...
    """

    def __init__(self, native: Messages, pattern: str) -> None:
        """Read what comes on topics that match the pattern."""
        super().__init__(native)
        self.pattern = pattern

    def __repr__(self) -> str:
        """Name its pattern, and say how many wait."""
        return f'<Subscription "{self.pattern}", {self.waiting} waiting>'


class BlockingSubscription(BlockingListening[Message]):
    """The same for code without an event loop: ``with`` and ``for``."""

    def __init__(self, native: Messages, pattern: str) -> None:
        """Read what comes on topics that match the pattern."""
        super().__init__(native)
        self.pattern = pattern

    def __repr__(self) -> str:
        """Name its pattern, and say how many wait."""
        return f'<BlockingSubscription "{self.pattern}", {self.waiting} waiting>'


def listen(broker: Broker, pattern: str, messages_max: int, when_full: Overflow) -> Messages:
    """Begin to listen.

    Raises:
        ValueMismatch: ``messages_max`` is outside its range, or no policy is called so.
        TopicInvalid: the pattern is not written as it must be.
        SubscriptionsFull: there are too many.
        ActorStopped: the host is closed.
    """
    whole = isinstance(messages_max, int) and not isinstance(messages_max, bool)
    if not whole or not 1 <= messages_max <= _CEILING:
        raise ValueMismatch(
            f"messages_max: {messages_max!r} is no whole number from 1 to {_CEILING}",
            "messages_max",
        )
    return broker.subscribe(
        pattern, messages_max=messages_max, bytes_max=BYTES_MAX, when_full=when_full
    )
