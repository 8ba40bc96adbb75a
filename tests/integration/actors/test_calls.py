"""``actor.call``: a call that ends the instance is an end like that in a message."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest
from tests.integration.actors.waiting import until

import airssys_wasm as aw

if TYPE_CHECKING:
    from collections.abc import Callable

LIMITS = aw.Limits(memory_bytes_max=2 * aw.MIB, call_seconds_max=0.5)
HANDLE = "airssys:core/lifecycle#handle-message"
RAW = 0x55


async def trap(actor: aw.Actor) -> None:
    with pytest.raises(aw.Trapped):
        await actor.call(HANDLE, 0, RAW, b"!")


async def run_on(actor: aw.Actor) -> None:
    with pytest.raises(aw.CallTimeout):
        await actor.call(HANDLE, 0, RAW, b"?")


async def cancel(actor: aw.Actor) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(actor.call(HANDLE, 0, RAW, b"?"), 0.1)


@pytest.mark.parametrize(
    ("fail", "kind"), [(trap, "trapped"), (run_on, "timed-out"), (cancel, "killed")]
)
def test_one_that_fails_is_an_end_like_any_other(
    engine: aw.Engine,
    handler: aw.Component,
    caplog: pytest.LogCaptureFixture,
    fail: Callable[[aw.Actor], object],
    kind: str,
) -> None:
    told: list[str] = []

    async def on_error(event: aw.Event) -> None:
        told.append(event.reason)

    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            events = host.events()
            hooks = aw.Hooks(on_error=on_error)
            actor = await host.spawn("acme/echo", handler, hooks=hooks)
            await fail(actor)  # type: ignore[misc]
            # Nobody else pays for it, and it needs no message to be seen.
            assert (await actor.ask(b"innocent", codec="raw")).payload == b"innocent"
            await until("it is back", lambda: actor.status == "running")
            assert actor.incarnation == 2
            assert (await actor.call(HANDLE, 0, RAW, b"x")) == b"x"
            assert len(host.dead_letters) == 0
            await until("the hook was called", lambda: told == [kind])
        heard = [(event.kind, event.reason) async for event in events]
        assert heard.count(("failed", kind)) == 1
        assert heard.count(("restarted", kind)) == 1

    with caplog.at_level(logging.WARNING, "airssys_wasm.host"):
        asyncio.run(main())
    assert caplog.text.count("actor 'acme/echo' failed: ") == 1


def test_what_fails_and_leaves_the_instance_alive_ends_nothing(
    engine: aw.Engine, handler: aw.Component
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            actor = await host.spawn("acme/echo", handler)
            with pytest.raises(aw.ExportMissing):
                await actor.call("no-such-function")
            with pytest.raises(aw.ValueMismatch):
                await actor.call(HANDLE, "not a number")
            with pytest.raises(aw.ComponentError):
                await actor.call(HANDLE, 0, RAW, b"-")
            await asyncio.sleep(0.05)
            assert (actor.status, actor.incarnation) == ("running", 1)

    asyncio.run(main())


def test_a_failed_call_counts_when_the_actor_is_given_up(
    engine: aw.Engine, handler: aw.Component
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            temporary = await host.spawn("acme/once", handler, restart="temporary")
            await trap(temporary)
            await until("it is gone", lambda: host.actors == [])
            assert temporary.status == "stopped"

    asyncio.run(main())
