"""``host.dead_letters``: messages that nobody handled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airssys_wasm.broker import DeadLetter
from airssys_wasm.config.figures import is_whole, printed
from airssys_wasm.errors import LetterNotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airssys_wasm.broker import Broker


class _Base:
    def __init__(self, broker: Broker) -> None:
        """Look at the dead letters of a host."""
        self._broker = broker

    def __len__(self) -> int:
        """Return how many are kept."""
        return self._broker.dead_letter_counters[0]

    def __iter__(self) -> Iterator[DeadLetter]:
        """Go through those that are kept now, oldest first."""
        return iter(self._broker.dead_letters)

    def __getitem__(self, number: int) -> DeadLetter:
        """Return the letter with a number.

        Raises:
            LetterNotFound: it was replayed, discarded, or made way for newer ones.
        """
        letter = self._broker.dead_letter(_number(number))
        if letter is None:
            raise _missing(number)
        return letter

    @property
    def counters(self) -> dict[str, int]:
        """``letters`` and ``bytes`` kept; ``posted``, ``dropped`` and ``taken`` so far."""
        names = ("letters", "bytes", "posted", "dropped", "taken")
        return dict(zip(names, self._broker.dead_letter_counters, strict=True))

    def discard(self, letter: DeadLetter | int) -> None:
        """Throw a letter away.

        Raises:
            LetterNotFound: there is none with that number any more.
        """
        if not self._broker.discard(_number(letter)):
            raise _missing(letter)

    def clear(self) -> int:
        """Throw all letters away; return how many there were."""
        return self._broker.discard_all()

    def _replay(self, letter: DeadLetter | int, *, may_block: bool) -> None:
        if not self._broker.replay(_number(letter), may_block=may_block):
            raise _missing(letter)

    def __repr__(self) -> str:
        """Say how many there are."""
        return f"<{len(self)} dead letters>"


class DeadLetters(_Base):
    """Messages that nobody handled, newest 1000 or 16 MiB, each with its reason."""

    async def replay(self, letter: DeadLetter | int) -> None:
        """Send a letter to its receiver once more; it is a dead letter no longer.

        It never expires any more. If its receiver fails on it again, it is a new letter.

        Raises:
            LetterNotFound: there is none with that number any more.
            ActorNotFound, ActorStopped, MailboxFull, MessageTooLarge: it was not accepted,
                and stays what it was.
        """
        self._replay(letter, may_block=False)


class BlockingDeadLetters(_Base):
    """The same for code without an event loop."""

    def replay(self, letter: DeadLetter | int) -> None:
        """Send a letter to its receiver once more; see ``DeadLetters.replay``."""
        self._replay(letter, may_block=True)


def _number(letter: DeadLetter | int) -> int:
    number = letter.number if isinstance(letter, DeadLetter) else letter
    # No letter is numbered 0: what is no number of one finds none.
    return number if is_whole(number, 1, 2**64 - 1) else 0


def _missing(letter: DeadLetter | int) -> LetterNotFound:
    number = letter.number if isinstance(letter, DeadLetter) else letter
    return LetterNotFound(
        f"there is no dead letter {printed(number)}; hint: it was replayed or discarded, or made "
        "way for newer ones"
    )
