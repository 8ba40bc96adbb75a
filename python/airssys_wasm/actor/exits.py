"""How an actor ends, why one starts, and why one is asked to stop.

The words are those of ``airssys:core/lifecycle``; three more are for what a component cannot
meet itself: ``exception`` (a Python actor raised), ``killed``, and the two clean ends.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from airssys_wasm.errors import CallTimeout, FuelExhausted, OutOfMemory, Trapped

#: A detail is cut to this; ``lifecycle.restart`` promises guests no more.
DETAIL_BYTES_MAX: Final = 1024


class ExitKind(enum.StrEnum):
    """How an actor ended. Everything but ``normal`` and ``shutdown`` is a failure."""

    NORMAL = "normal"
    """It finished its work."""
    SHUTDOWN = "shutdown"
    """It was asked to stop and did; or a supervisor gave up, or shut itself down."""
    TRAPPED = "trapped"
    """It executed a trap, or a host function failed under it."""
    TIMED_OUT = "timed-out"
    """A call, or its start, ran past its wall-clock limit."""
    OUT_OF_FUEL = "out-of-fuel"
    """A call used up its fuel."""
    OUT_OF_MEMORY = "out-of-memory"
    """It needed more memory than its limit."""
    INITIALIZATION_FAILED = "initialization-failed"
    """It could not be started, or its ``initialize`` returned an error."""
    UNHEALTHY = "unhealthy"
    """It was found unhealthy."""
    SIBLING_FAILED = "sibling-failed"
    """A sibling failed, and the supervisor restarts them together."""
    EXCEPTION = "exception"
    """The code of a Python actor raised."""
    KILLED = "killed"
    """It was ended at once, without being asked to stop, or after it did not."""


_CLEAN: Final = frozenset({ExitKind.NORMAL, ExitKind.SHUTDOWN})
_KINDS_OF_ERRORS: Final = (
    (Trapped, ExitKind.TRAPPED),
    (CallTimeout, ExitKind.TIMED_OUT),
    (TimeoutError, ExitKind.TIMED_OUT),
    (FuelExhausted, ExitKind.OUT_OF_FUEL),
    (OutOfMemory, ExitKind.OUT_OF_MEMORY),
)


@dataclass(frozen=True, slots=True)
class Exit:
    """How one actor, or one supervisor, ended.

    Args:
        kind: what happened.
        detail: for people; cut to 1 KiB of UTF-8.
        error: the exception behind it, if there is one.
        gave_up_on: for a supervisor that gave up: how the child ended that was once too often.
    """

    kind: ExitKind
    detail: str = ""
    error: BaseException | None = field(default=None, compare=False, repr=False)
    gave_up_on: Exit | None = None

    def __post_init__(self) -> None:
        """Keep the detail as short as guests are promised."""
        object.__setattr__(self, "detail", shortened(self.detail))

    @property
    def is_clean(self) -> bool:
        """Whether a transient child is left alone after this."""
        return self.kind in _CLEAN

    @classmethod
    def of(cls, error: BaseException, *, otherwise: ExitKind = ExitKind.EXCEPTION) -> Exit:
        """Return the exit that an exception means.

        Args:
            error: what a call into a component, a start or a Python actor raised.
            otherwise: the kind where the error does not say: ``exception`` for a Python
                actor, ``initialization-failed`` for a start.
        """
        kinds = (kind for error_type, kind in _KINDS_OF_ERRORS if isinstance(error, error_type))
        return cls(next(kinds, otherwise), _told(error), error)

    def __str__(self) -> str:
        """Return kind and detail on one line."""
        return f"{self.kind}: {self.detail}" if self.detail else str(self.kind)


def _told(error: BaseException) -> str:
    name = type(error).__name__
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - the error of a stranger may fail to say what it is
        return name
    return f"{name}: {text}" if text else name


def shortened(text: str) -> str:
    """Return ``text`` as UTF-8 can carry it, cut to ``DETAIL_BYTES_MAX``."""
    return text.encode("utf-8", "replace")[:DETAIL_BYTES_MAX].decode("utf-8", "ignore")


@dataclass(frozen=True, slots=True)
class First:
    """It starts for the first time, or after a clean end."""


@dataclass(frozen=True, slots=True)
class Restarted:
    """The supervisor restarts it.

    Args:
        failure: how the predecessor ended; never one of the clean kinds.
        detail: for people, at most 1 KiB of UTF-8.
        attempt: which restart of the current window this is, from 1.
        attempts_max: how many restarts the window allows before the supervisor gives up.
    """

    failure: ExitKind
    detail: str
    attempt: int
    attempts_max: int


@dataclass(frozen=True, slots=True)
class Updated:
    """It takes over from another version of itself."""

    version: str


StartReason: TypeAlias = First | Restarted | Updated


class StopReason(enum.StrEnum):
    """Why an actor is asked to stop."""

    STOPPED = "stopped"
    """Someone stopped it, or its supervisor ends."""
    UPDATED = "updated"
    """Another version takes over."""
    RESTARTED = "restarted"
    """The supervisor restarts it."""
    HOST_CLOSING = "host-closing"
    """The host is closing."""
