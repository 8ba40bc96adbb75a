"""How a host ends: closed twice, with its loop, or because its supervisor fails."""

from __future__ import annotations

import asyncio
import logging

import pytest

import airssys_wasm as aw

LIMITS = aw.Limits(memory_bytes_max=2 * aw.MIB, call_seconds_max=4.0)


class Stumbles(float):
    """A time within its range that no clock can be added to."""

    def __radd__(self, other: object) -> float:
        raise RuntimeError(f"a stumble over {other!r}"[:20])


def test_a_supervisor_that_fails_ends_the_host_and_says_so(
    engine: aw.Engine, handler: aw.Component, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            events = host.events()
            bad = await host.spawn("acme/bad", handler, shutdown=Stumbles(5.0))

            @host.actor("acme/slow")
            async def slow(_message: aw.Message) -> None:
                await asyncio.sleep(20)

            other = host.find("acme/slow")
            asked = asyncio.ensure_future(other.ask(1, timeout=20.0))
            await asyncio.sleep(0.1)
            with pytest.raises(aw.SupervisionError, match="a stumble"):
                await host.stop("acme/bad")
            with pytest.raises((aw.ActorStopped, aw.ActorFailed)):
                await asyncio.wait_for(asked, 2)
            for actor in (bad, other):
                assert actor.status == "stopped"
                with pytest.raises(aw.ActorStopped):
                    await actor.ask(1)
            with pytest.raises(aw.ActorStopped, match="the host was closed"):
                await host.spawn("acme/more", handler)
            # They end, as with any host that was closed.
            assert [event async for event in events]

    with caplog.at_level(logging.CRITICAL, "airssys_wasm.host.host"):
        asyncio.run(asyncio.wait_for(main(), 10))
    assert "the host ends, its supervisor has ended" in caplog.text
