"""A child's claim to its name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airssys_wasm.host.handlers import HandlerSource
    from airssys_wasm.host.source import Source


@dataclass(slots=True, eq=False)
class Lease:
    """What a child of a host is made of, and where its seat belongs.

    Names change hands: a seat is a child's own only if it was taken for this very lease. And a
    child that is over has no seat until its supervisor, or the one above, starts it again.

    Args:
        source: what each incarnation is made of.
        above: the groups it is in, from the outermost; empty right under the host.
        is_dynamic: whether its group has it only since it runs.
        was_started: whether it, or the group that has it, was started before.
    """

    source: Source | HandlerSource
    above: tuple[str, ...] = ()
    is_dynamic: bool = False
    was_started: bool = False
