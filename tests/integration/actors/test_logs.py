"""What is in the log of ``airssys_wasm`` though nobody listens to events."""

from __future__ import annotations

import asyncio
import logging
from functools import partial

import pytest
from tests.integration.actors.test_groups import SOON
from tests.integration.actors.test_health import OFTEN, says
from tests.integration.actors.waiting import until

import airssys_wasm as aw

LIMITS = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=0.5)


class Failing:
    async def handle(self, message: aw.Message) -> object:
        if message.value == "cancel":
            raise asyncio.CancelledError
        raise RuntimeError("told to")


def returned(actor: aw.Actor) -> bool:
    return actor.incarnation == 2


def said(caplog: pytest.LogCaptureFixture, about: str) -> list[tuple[int, str]]:
    records = [record for record in caplog.records if record.name.startswith("airssys_wasm.host")]
    return [(one.levelno, one.getMessage()) for one in records if about in one.getMessage()]


def test_giving_up_is_an_error_with_the_reason(
    engine: aw.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            actor = await host.spawn("acme/failing", Failing)
            for _ in range(4):
                with pytest.raises(aw.ActorFailed):
                    await actor.ask("x", timeout=10.0)
            await until("it is given up", lambda: actor.status == "stopped")
            group = await host.supervise(
                "acme/group", children=[aw.Child("acme/child", Failing)], intensity=0, backoff=SOON
            )
            (child,) = group.children
            while child.status != "stopped":
                with pytest.raises((aw.ActorFailed, aw.ActorStopped)):
                    await child.ask("x", timeout=10.0)
                await asyncio.sleep(0)

    asyncio.run(main())
    why = "given up after 3 restarts in 60 s: exception: RuntimeError: told to"
    actor, group = said(caplog, "given up")
    assert actor == (logging.ERROR, f"'acme/failing' {why}")
    assert group[0] == logging.ERROR
    assert group[1].startswith("'acme/group' given up after 3 restarts in 60 s: shutdown: gave up")


def test_a_failure_of_a_python_actor_is_there_once_with_its_traceback(
    engine: aw.Engine, handler: aw.Component, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            for name in ("acme/failing", "acme/cancels"):
                await host.spawn(name, Failing)

            @host.actor("acme/slow", handler_seconds_max=0.05)
            async def slow(_: aw.Message) -> None:
                await asyncio.sleep(60)

            await host.spawn("acme/traps", handler)
            for name, value, codec in (
                ("acme/failing", "x", "cbor"),
                ("acme/cancels", "cancel", "cbor"),
                ("acme/slow", "x", "cbor"),
                ("acme/traps", b"!", "raw"),
            ):
                actor = host.find(name)
                with pytest.raises(aw.ActorFailed):
                    await actor.ask(value, codec=codec)
                await until("it is back", partial(returned, actor))

    asyncio.run(main())
    assert said(caplog, "acme/failing") == [(logging.ERROR, "actor 'acme/failing' failed")]
    assert caplog.text.count("RuntimeError: told to") == 1
    # What has no traceback to show is a warning, and none of it is silent.
    for name in ("acme/cancels", "acme/slow", "acme/traps"):
        assert [level for level, _ in said(caplog, name)] == [logging.WARNING], name


def test_who_is_restarted_for_being_unhealthy_is_named(
    engine: aw.Engine, handler: aw.Component, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            actor = await host.spawn("acme/echo", handler, health=OFTEN)
            await actor.send(says(2), codec="raw")
            await until("it is restarted", lambda: actor.incarnation == 2)

    asyncio.run(main())
    ((level, text),) = said(caplog, "acme/echo")
    assert level == logging.WARNING
    assert text.startswith("actor 'acme/echo' is restarted: unhealthy: 3 checks")


def test_who_listens_late_is_told_how_long_the_restart_waited(
    engine: aw.Engine, handler: aw.Component
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            wait = aw.Backoff(first_seconds=0.3, jitter=0.0)
            group = await host.supervise(
                "acme/group", children=[aw.Child("acme/echo", handler)], backoff=wait
            )
            (actor,) = group.children
            await actor.send(b"!", codec="raw")
            await until("it has failed", lambda: actor.status == "failed")
            await asyncio.sleep(0.05)
            events = host.events()
            event = await events.get(timeout=5.0)
            while event.kind != "restarted":
                event = await events.get(timeout=5.0)
            assert event.delay_seconds == 0.3

    asyncio.run(main())
