"""One thing to be timed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Operation:
    """One statement, timed as it stands.

    Args:
        statement: what is timed.
        names: what it uses.
        expected: what it gives, asserted before the clock starts.
        setup: what is run before each round, outside the clock.
        cost: operations that one run of the statement counts as.
        fresh: whether each round is one run behind its own setup.
    """

    statement: str
    names: dict[str, Any]
    expected: Any = None
    setup: str = "pass"
    cost: int = 1
    fresh: bool = False
