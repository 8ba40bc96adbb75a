"""Options that are not of their kind, refused when they are given."""

from __future__ import annotations

from airssys_wasm.errors import ValueMismatch


def require_kind(name: str, given: object, kind: type) -> None:
    """Return if an option is of its kind, or was not given.

    Raises:
        ValueMismatch: it is something else.
    """
    if given is not None and not isinstance(given, kind):
        raise ValueMismatch(f"{name}: {given!r}; hint: {kind.__name__}(...)", name)
