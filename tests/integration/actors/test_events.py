"""``events``: what the embedder hears of actors."""

from __future__ import annotations

import asyncio
import gc
import threading
from typing import TYPE_CHECKING

import pytest

import airssys_wasm as aw

if TYPE_CHECKING:
    from airssys_wasm.host import BlockingEvents, Events

LIMITS = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=0.5)


async def up_to(events: Events, kind: str) -> list[aw.Event]:
    """All events, the first of a kind included."""
    found: list[aw.Event] = []
    while not found or found[-1].kind != kind:
        found.append(await events.get(timeout=10.0))
    return found


def test_a_life_is_told_in_order(engine: aw.Engine, handler: aw.Component) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            events, others = host.events(), host.events()
            actor = await host.spawn("acme/echo", handler)
            await actor.send(b"!", codec="raw")
            told = await up_to(events, "restarted")
            assert [event.kind for event in told if event.kind != "dead-letter"] == [
                "started",
                "failed",
                "restarting",
                "restarted",
            ]
            by_kind = {event.kind: event for event in told}
            assert by_kind["started"] == aw.Event(kind="started", actor="acme/echo", incarnation=1)
            assert by_kind["failed"].reason == "trapped"
            assert "unreachable" in by_kind["failed"].detail
            restarted = by_kind["restarted"]
            assert (restarted.reason, restarted.attempt, restarted.attempts_max) == (
                "trapped",
                1,
                3,
            )
            assert restarted.incarnation == 2
            assert restarted.delay_seconds == by_kind["restarting"].delay_seconds > 0
            assert by_kind["dead-letter"].reason == "actor-failed"
            assert by_kind["dead-letter"].letter == 1
            await host.stop("acme/echo")
            assert [event.kind for event in await up_to(events, "stopped")] == ["ended", "stopped"]
            # Each listener hears all of it.
            assert len(await up_to(others, "stopped")) == len(told) + 2

    asyncio.run(main())


def test_an_actor_that_is_given_up_says_so(engine: aw.Engine, handler: aw.Component) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            events = host.events()
            actor = await host.spawn("acme/echo", handler)
            for _ in range(4):
                await actor.send(b"!", codec="raw")
            told = await up_to(events, "stopped")
            kinds = [event.kind for event in told if event.kind != "dead-letter"]
            assert kinds == [
                "started",
                *["failed", "restarting", "restarted"] * 3,
                "failed",
                "given-up",
                "stopped",
            ]
            assert [event.attempt for event in told if event.kind == "restarted"] == [1, 2, 3]

    asyncio.run(main())


def test_nothing_is_lost_that_happens_after_listening_began(
    engine: aw.Engine, handler: aw.Component
) -> None:
    with aw.Host.blocking(engine=engine, limits=LIMITS) as host:
        heard: list[aw.Event] = []
        events = host.events()
        reader = threading.Thread(target=lambda: heard.extend(events))
        reader.start()
        for number in range(50):
            host.spawn(f"acme/actor{number}", handler)
    # The end of the host ends the reading, after all that it did itself.
    reader.join(10)
    assert not reader.is_alive()
    names = {f"acme/actor{number}" for number in range(50)}
    for kind in ("started", "ended", "stopped"):
        assert {event.actor for event in heard if event.kind == kind} == names
        assert sum(event.kind == kind for event in heard) == 50


def test_a_listener_that_does_not_read_is_told_how_much_it_missed(
    engine: aw.Engine, handler: aw.Component
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            events = host.events(events_max=3)
            for number in range(10):
                await host.spawn(f"acme/actor{number}", handler)
            assert events.dropped == 7
            missed = await events.get()
            assert (missed.kind, missed.count) == ("missed", 7)
            assert [(await events.get()).actor for _ in range(3)] == [
                "acme/actor7",
                "acme/actor8",
                "acme/actor9",
            ]
            with pytest.raises(aw.ValueMismatch):
                host.events(events_max=0)

    asyncio.run(main())


def test_a_flood_of_dead_letters_costs_no_event_of_an_actor(
    engine: aw.Engine, handler: aw.Component
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            events = host.events(events_max=50_000)
            mailbox = aw.Mailbox(messages_max=1, when_full="drop-newest")
            actor = await host.spawn("acme/echo", handler, mailbox=mailbox)
            actor.try_send(b"?", codec="raw")
            await asyncio.sleep(0.05)
            for _ in range(25_000):
                actor.try_send(1)
            told = await up_to(events, "failed")
            missed = sum(event.count for event in told if event.kind == "missed")
            letters = sum(event.kind == "dead-letter" for event in told)
            # One waits in the mailbox; the one that never ended is a letter too.
            assert missed + letters in {24_999, 25_000}
            assert missed > 0

    asyncio.run(main())


def test_a_listener_that_nobody_holds_is_forgotten(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            for _ in range(100):
                host.events()
            gc.collect()
            kept = host.events()
            assert len(host._reporter._listeners) == 1
            kept.close()

    asyncio.run(main())


def test_threads_begin_to_listen_while_things_happen(
    engine: aw.Engine, handler: aw.Component
) -> None:
    with aw.Host.blocking(engine=engine, limits=LIMITS) as host:
        kept: list[BlockingEvents] = []

        def listen() -> None:
            kept.extend(host.events() for _ in range(500))

        threads = [threading.Thread(target=listen) for _ in range(4)]
        for thread in threads:
            thread.start()
        for number in range(30):
            host.spawn(f"acme/actor{number}", handler)
        for thread in threads:
            thread.join()
        assert len(host._reporter._listeners) == 2000
        host.stop("acme/actor0")
        assert all(events.waiting >= 2 for events in kept)


@pytest.mark.parametrize("shutdown", ["immediate", 0.05, 5.0])
def test_an_actor_that_is_stopped_has_not_failed_however_it_is_stopped(
    engine: aw.Engine, handler: aw.Component, shutdown: float
) -> None:
    told: list[tuple[str, str]] = []

    def noting(hook: str) -> object:
        async def note(event: aw.Event) -> None:
            if hook == "before_stop" and shutdown == 0.05:
                # It does not stop in time, and is killed.
                await asyncio.sleep(20)
            told.append((hook, event.kind))

        return note

    async def main() -> None:
        hooks = aw.Hooks(
            **{name: noting(name) for name in ("before_stop", "after_stop", "on_error")}  # type: ignore[arg-type]
        )
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            events = host.events()
            await host.spawn("acme/echo", handler, shutdown=shutdown, hooks=hooks)
            await host.stop("acme/echo")
            await asyncio.sleep(0.05)
        assert [event.kind async for event in events] == ["started", "ended", "stopped"]

    asyncio.run(main())
    assert ("after_stop", "stopped") in told
    assert "on_error" not in [hook for hook, _ in told]
