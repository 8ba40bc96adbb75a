"""How much a mailbox holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from airssys_wasm.config import MIB
from airssys_wasm.config.figures import is_whole, printed
from airssys_wasm.errors import ValueMismatch

WhenFull: TypeAlias = Literal["block", "reject", "drop-newest", "drop-oldest"]

_MESSAGES_CEILING: Final = 2**32 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """What waits in front of an actor, at most.

    Args:
        messages_max: messages that wait, 1 to 4 294 967 295.
        bytes_max: their bytes together, at least 1; a message that is larger than that
            alone is never accepted.
        when_full: what happens to one message more. ``"block"``: its sender waits, and
            ``try_send`` raises ``MailboxFull``, as it is for all while ``messages_max``
            senders wait; ``"reject"``: ``MailboxFull``;
            ``"drop-newest"``: it is dropped; ``"drop-oldest"``: the oldest that are not
            more urgent make way.

    Raises:
        ValueMismatch: a figure is outside its range, or no policy is called so.
    """

    messages_max: int = 1000
    bytes_max: int = 16 * MIB
    when_full: WhenFull = "block"

    def __post_init__(self) -> None:
        """Refuse nonsense when it is made, not when it is used."""
        _whole("messages_max", self.messages_max, _MESSAGES_CEILING)
        _whole("bytes_max", self.bytes_max, 2**63 - 1)
        if self.when_full not in get_args(WhenFull):
            words = ", ".join(map(repr, get_args(WhenFull)))
            raise ValueMismatch(
                f"when_full: {self.when_full!r} is no policy; hint: one of {words}", "when_full"
            )


def _whole(name: str, value: object, most: int) -> None:
    if not is_whole(value, 1, most):
        raise ValueMismatch(f"{name}: {printed(value)} is no whole number from 1 to {most}", name)
