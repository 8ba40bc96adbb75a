"""What can be seen: one dataclass for each scene, and for what a call cost."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import airssys_wasm as aw

__all__ = ["Attacked", "Cost", "Refused", "Reported"]


@dataclass(frozen=True, slots=True)
class Cost:
    """The receipt of a call, or of several together, as plain numbers."""

    seconds: float
    fuel: int | None
    memory_bytes_peak: int
    host_calls: int
    bytes_in: int
    bytes_out: int

    @classmethod
    def of(cls, receipt: aw.Receipt) -> Cost:
        """Copy the figures out of ``receipt``."""
        return cls(
            seconds=receipt.seconds,
            fuel=receipt.fuel,
            memory_bytes_peak=receipt.memory_bytes_peak,
            host_calls=receipt.host_calls,
            bytes_in=receipt.bytes_in,
            bytes_out=receipt.bytes_out,
        )

    @classmethod
    def nothing(cls) -> Cost:
        """Return the cost of no call, to add others to."""
        return cls(0.0, None, 0, 0, 0, 0)

    def __add__(self, other: Cost) -> Cost:
        fuels = [fuel for fuel in (self.fuel, other.fuel) if fuel is not None]
        return Cost(
            seconds=self.seconds + other.seconds,
            fuel=sum(fuels) if fuels else None,
            memory_bytes_peak=max(self.memory_bytes_peak, other.memory_bytes_peak),
            host_calls=self.host_calls + other.host_calls,
            bytes_in=self.bytes_in + other.bytes_in,
            bytes_out=self.bytes_out + other.bytes_out,
        )


@dataclass(frozen=True, slots=True)
class Reported:
    """Two guests did a piece of work: one counted, the other wrote it up.

    Attributes:
        source: the names of what was read.
        figures: name of a text → what ``text-stats`` found in it.
        report: what ``markdown-report`` made of it.
        costs: component name → what its work cost.
    """

    source: str
    figures: dict[str, dict[str, Any]]
    report: str
    costs: dict[str, Cost]


@dataclass(frozen=True, slots=True)
class Attacked:
    """A guest attacked the host.

    Attributes:
        name: the component.
        does: what it tries, in a few words.
        limit: the limit that has to stop it.
        expected: the error that has to end it.
        error: the error that did, or None if it was not stopped.
        kind: the trap kind of that error.
        message: its text.
        cost: what the attack cost until then.
        bystander_unharmed: another instance, alive all the while, still answered right.
    """

    name: str
    does: str
    limit: str
    expected: str
    error: str | None
    kind: str
    message: str
    cost: Cost
    bystander_unharmed: bool

    @property
    def held(self) -> bool:
        """Tell whether the host held, in the way it promised."""
        return self.error == self.expected and self.bystander_unharmed


@dataclass(frozen=True, slots=True)
class Refused:
    """A guest wanted what it was not granted.

    Attributes:
        name: the component.
        wants: what it asks for, in a few words.
        error: the error that refused it, or None if it was let in.
        message: its text.
        missing: ``(import, what would give it)`` for each thing refused.
    """

    name: str
    wants: str
    error: str | None
    message: str
    missing: tuple[tuple[str, str], ...]

    @property
    def held(self) -> bool:
        """Tell whether it was refused with an error that names the way in."""
        return self.error == aw.ImportMissing.__name__ and bool(self.missing)


def as_data(scene: Reported | Attacked | Refused) -> dict[str, Any]:
    """Return the scene as JSON can say it, with its verdict where it has one."""
    verdict = {} if isinstance(scene, Reported) else {"held": scene.held}
    return {**asdict(scene), **verdict}
