"""Several actors behind one name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from airssys_wasm.errors import ValueMismatch

if TYPE_CHECKING:
    from airssys_wasm.host.seat import Seat
    from airssys_wasm.runtime import Receipt

Routing: TypeAlias = Literal["round-robin", "random", "least-loaded", "sticky"]

#: Members of one pool at most; each is an instance with a mailbox of its own.
POOL_MAX: Final = 10_000


def require_routing(routing: object, pool: int | None) -> None:
    """Return if messages can be routed so.

    Raises:
        ValueMismatch: nothing is routed so, or there is nothing to route.
    """
    if routing not in get_args(Routing):
        words = ", ".join(map(repr, get_args(Routing)))
        raise ValueMismatch(f"routing: {routing!r} is none; hint: one of {words}", "routing")
    if pool is None and routing != get_args(Routing)[0]:
        raise ValueMismatch(f"routing: {routing!r} is for pools; hint: pool=4", "routing")


def member_names(name: str, count: int) -> list[str]:
    """Return the addresses of a pool's members, numbered from 1.

    Instance 0 is the address without a number, and that is the pool's own.

    Raises:
        ValueMismatch: the name has an instance, or the count is outside its range.
    """
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= POOL_MAX:
        raise ValueMismatch(f"pool: {count!r} is no whole number from 1 to {POOL_MAX}", "pool")
    if name.count("/") > 1:
        raise ValueMismatch(
            f"name: {name!r} is one instance, and a pool has several; hint: namespace/name", "name"
        )
    base = name if "/" in name else f"local/{name}"
    return [f"{base}/{number}" for number in range(1, count + 1)]


def status(seat: Seat) -> str:
    """Say what an actor does; a pool does what the best of its members does."""
    if not seat.members or seat.native.status == "stopped":
        return seat.native.status
    found = {member.native.status for member in seat.members}
    order = ("running", "starting", "failed", "stopping", "stopped")
    return next(word for word in order if word in found)


def mailbox(seat: Seat) -> dict[str, int]:
    """Return what a mailbox did, and holds; of a pool, those of its members together."""
    counted = [member.native.mailbox for member in seat.members] or [seat.native.mailbox]
    return {what: sum(one[what] for one in counted) for what in counted[0]}


def receipts(seat: Seat) -> list[Receipt]:
    """Return the receipts of an actor; of a pool, those of its members one after the other."""
    served = seat.members or [seat]
    return [receipt for one in served for receipt in one.native.receipts]
