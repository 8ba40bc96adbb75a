"""What can be seen: one dataclass for each scene, and for what a call cost."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import airssys_wasm as aw

__all__ = ["Attacked", "Cost", "Counted", "Recovered", "Refused", "Reported", "Restart"]


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
class Restart:
    """A supervisor started an actor anew, as the host's events told it.

    Attributes:
        actor: its address.
        reason: how its predecessor ended, such as ``"trapped"``.
        detail: the same for people.
        attempt: which restart this was, from 1.
        attempts_max: how many are allowed before it is given up.
        delay_seconds: how long the supervisor waited before it.
        incarnation: which instance serves now; the first one was 1.
    """

    actor: str
    reason: str
    detail: str
    attempt: int
    attempts_max: int
    delay_seconds: float
    incarnation: int


@dataclass(frozen=True, slots=True)
class Counted:
    """Actors counted a text together.

    Attributes:
        pieces_cut: pieces that the splitter had counted and passed on.
        pieces_added: different pieces that the reporter added up.
        retries: pieces that were given out again because an analyser failed.
        counts: what the reporter came to.
        shares: address of an analyser → pieces it was given, lost ones included.
        restarts: those that were seen.
        seconds: how long it took, start and end of the actors included.
    """

    pieces_cut: int
    pieces_added: int
    retries: int
    counts: dict[str, int]
    shares: dict[str, int]
    restarts: tuple[Restart, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Recovered:
    """An actor crashed half-way through the work, and the work came out the same.

    Attributes:
        source: the names of what was read.
        bytes_read: how much of it was counted, its beginning.
        bytes_total: how much there is.
        fail_at_piece: which piece of its share an analyser failed at, from 1; 0 if the
            text has none.
        alone: what one component counts in one piece.
        undisturbed: what the actors did when none of them failed.
        crashed: what they did when one did.
    """

    source: str
    bytes_read: int
    bytes_total: int
    fail_at_piece: int
    alone: dict[str, int]
    undisturbed: Counted
    crashed: Counted

    @property
    def matches(self) -> bool:
        """Tell whether all three came to the same, and each piece was added once."""
        runs = (self.undisturbed, self.crashed)
        pieces = {pieces for run in runs for pieces in (run.pieces_cut, run.pieces_added)}
        return all(run.counts == self.alone for run in runs) and len(pieces) == 1

    @property
    def recovers(self) -> bool:
        """Tell whether the crash that was wanted, and no other, was followed by a restart."""
        wanted = int(self.fail_at_piece > 0)
        restarts = self.crashed.restarts
        return (
            not self.undisturbed.restarts
            and len(restarts) == wanted
            and self.crashed.retries >= wanted
            and all(one.attempt > 0 and one.incarnation > 1 for one in restarts)
        )

    @property
    def held(self) -> bool:
        """Tell whether it crashed, went on, and lost nothing."""
        return self.matches and self.recovers


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


def as_data(scene: Reported | Recovered | Attacked | Refused) -> dict[str, Any]:
    """Return the scene as JSON can say it, with its verdict where it has one."""
    verdict = {} if isinstance(scene, Reported) else {"held": scene.held}
    return {**asdict(scene), **verdict}
