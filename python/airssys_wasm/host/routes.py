"""``host.route``: how requests to an actor are made."""

from __future__ import annotations

from dataclasses import astuple
from typing import TYPE_CHECKING

from airssys_wasm.broker import Breaker, Retry
from airssys_wasm.errors import AirssysError, ValueMismatch

if TYPE_CHECKING:
    from airssys_wasm.broker import Broker


def set_route(
    broker: Broker, name: str, *, retry: Retry | None, breaker: Breaker | None, idempotent: bool
) -> None:
    """Say it to the broker; the options are those of ``Host.route``.

    Raises:
        ValueMismatch: the name is no address, an option is not of its kind, or
            ``idempotent`` is said of requests that are never tried again.
    """
    if not isinstance(retry, Retry | None):
        raise ValueMismatch(f"retry: {retry!r}; hint: Retry(attempts_max=...)", "retry")
    if not isinstance(breaker, Breaker | None):
        raise ValueMismatch(f"breaker: {breaker!r}; hint: Breaker(failures_max=...)", "breaker")
    if idempotent and retry is None:
        raise ValueMismatch("idempotent: nothing is tried again; hint: retry=Retry()")
    try:
        broker.set_route(
            name,
            retry=astuple(retry) if retry else None,
            breaker=astuple(breaker) if breaker else None,
            idempotent=idempotent,
        )
    except ValueError as error:
        if isinstance(error, AirssysError):
            raise
        raise ValueMismatch(f"name: {error}", "name") from None
