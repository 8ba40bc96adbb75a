"""The event loop that a host belongs to."""

from __future__ import annotations

import asyncio

from airssys_wasm.errors import ActorStopped, SupervisionError


def require(own: asyncio.AbstractEventLoop | None) -> None:
    """Return if the loop of a host is the one that runs here.

    Raises:
        ActorStopped: nobody runs it any more.
        SupervisionError: another one runs here, or none (``other-loop``).
    """
    if own is None or own.is_closed():
        raise ActorStopped("the event loop of the host was closed; hint: make a new host")
    try:
        running: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
    except RuntimeError:
        running = None
    if running is not own:
        where = "no event loop runs here" if running is None else "this is another event loop"
        raise SupervisionError(
            f"{where}, and the host belongs to the one it was opened in; "
            "hint: do it there, or take aw.Host.blocking()",
            "",
            "other-loop",
        )
