"""What holds traffic back: when to try again, when to stop trying, and how much is too much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from airssys_wasm.config.figures import SECONDS_MAX, is_number, is_whole, printed
from airssys_wasm.errors import ValueMismatch

_RATE_MAX: Final = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often, and when, a request that failed is tried again.

    Args:
        attempts_max: attempts altogether, 1 to 1000; 1 is no retry.
        first_delay_seconds: before the second attempt, 0 or more.
        delay_seconds_max: no wait is longer; at least the first.
        factor: each wait is so many times the one before, 1 or more.
        jitter: each is shorter by a random part of at most this share, 0 to 1.

    Raises:
        ValueMismatch: a figure is outside its range.
    """

    attempts_max: int = 5
    first_delay_seconds: float = 0.1
    delay_seconds_max: float = 30.0
    factor: float = 2.0
    jitter: float = 0.1

    def __post_init__(self) -> None:
        """Refuse nonsense when it is made, not when it is used."""
        _whole("attempts_max", self.attempts_max, 1000)
        _number("first_delay_seconds", self.first_delay_seconds, 0)
        _number("delay_seconds_max", self.delay_seconds_max, self.first_delay_seconds)
        _number("factor", self.factor, 1)
        _number("jitter", self.jitter, 0, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """When an actor that keeps failing is asked no more for a while.

    Args:
        failures_max: it opens with this failure within the window, 1 to 1000.
        window_seconds: more than 0.
        cool_down_seconds: so long ``CircuitOpen`` is all there is; then it lets probes
            through. More than 0.
        probes: successes that close it again, 1 to 1000; one failure opens it.

    Raises:
        ValueMismatch: a figure is outside its range.
    """

    failures_max: int = 5
    window_seconds: float = 10.0
    cool_down_seconds: float = 5.0
    probes: int = 1

    def __post_init__(self) -> None:
        """Refuse nonsense when it is made, not when it is used."""
        _whole("failures_max", self.failures_max, 1000)
        _number("window_seconds", self.window_seconds, 1e-9)
        _number("cool_down_seconds", self.cool_down_seconds, 1e-9)
        _whole("probes", self.probes, 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How much an actor may send.

    Args:
        messages_per_second: in the long run, 1 to 10 000 000.
        burst: at once, 1 to 4 294 967 295.

    Raises:
        ValueMismatch: a figure is outside its range.
    """

    messages_per_second: int
    burst: int = 1

    def __post_init__(self) -> None:
        """Refuse nonsense when it is made, not when it is used."""
        _whole("messages_per_second", self.messages_per_second, _RATE_MAX)
        _whole("burst", self.burst, 2**32 - 1)


def _whole(name: str, value: object, most: int) -> None:
    if not is_whole(value, 1, most):
        raise ValueMismatch(f"{name}: {printed(value)} is no whole number from 1 to {most}", name)


def _number(name: str, value: object, low: float, high: float = SECONDS_MAX) -> None:
    if not is_number(value, low, high):
        raise ValueMismatch(f"{name}: {printed(value)} is no number from {low:g} to {high:g}", name)
