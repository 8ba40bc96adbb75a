"""``health=``: an actor that says it is not well, or says nothing."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from tests.integration.actors.test_group_ends import Works
from tests.integration.actors.waiting import until

import airssys_wasm as aw

LIMITS = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=2.0)
OFTEN = aw.Health(interval_seconds=0.03, timeout_seconds=0.2, failures_max=3)


def says(status: int) -> bytes:
    return bytes([ord("H"), status])


def test_what_a_component_says_is_what_it_is(engine: aw.Engine, handler: aw.Component) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            events = host.events()
            actor = await host.spawn("acme/echo", handler, health=OFTEN)
            before: str = actor.health
            assert before == "unknown"
            await until("it is well", lambda: actor.health == "healthy")
            await actor.send(says(1), codec="raw")
            await until("it is less well", lambda: actor.health == "degraded")
            await actor.send(says(3), codec="raw")
            await until("it cannot tell", lambda: actor.health == "unknown")
            await actor.send(says(0), codec="raw")
            await until("it is well again", lambda: actor.health == "healthy")
            assert actor.incarnation == 1
            events.close()
            told = [event.reason async for event in events if event.kind == "health"]
            assert told == ["healthy", "degraded", "unknown", "healthy"]

    asyncio.run(main())


def test_an_unhealthy_instance_ends_with_that_reason(
    engine: aw.Engine, handler: aw.Component
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            events = host.events()
            actor = await host.spawn("acme/echo", handler, health=OFTEN)
            await actor.send(says(2), codec="raw")
            await until("it is degraded first", lambda: actor.health == "degraded")
            assert actor.incarnation == 1
            event = await events.get()
            while event.kind != "restarted":
                event = await events.get(timeout=5.0)
            assert (event.reason, event.incarnation) == ("unhealthy", 2)
            assert "3 checks" in event.detail
            # A new instance starts with a clean record.
            await until("it is well", lambda: actor.health == "healthy")
            assert (await actor.ask("x")).value == "x"

    asyncio.run(main())


@pytest.mark.parametrize("sick", [8, 9])
def test_one_that_traps_or_never_ends_in_health_ends_at_once(
    engine: aw.Engine, handler: aw.Component, sick: int
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            events = host.events()
            lazy = aw.Health(interval_seconds=0.03, timeout_seconds=0.1, failures_max=1000)
            actor = await host.spawn("acme/echo", handler, health=lazy)
            await actor.send(says(sick), codec="raw")
            event = await events.get()
            while event.kind != "failed":
                event = await events.get(timeout=5.0)
            assert event.reason == "unhealthy"
            assert (await actor.ask("x", timeout=5.0)).value == "x"
            assert actor.incarnation == 2
        assert engine.live_instances == 0

    asyncio.run(main())


def test_a_busy_actor_answers_in_time_or_it_counts(
    engine: aw.Engine, handler: aw.Component
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            patient = aw.Health(interval_seconds=0.03, timeout_seconds=5.0, failures_max=1)
            strict = aw.Health(interval_seconds=0.03, timeout_seconds=0.1, failures_max=2)
            one = await host.spawn("acme/one", handler, health=patient)
            two = await host.spawn("acme/two", handler, health=strict)
            await until("both are well", lambda: {one.health, two.health} == {"healthy"})
            began = time.monotonic()
            busy = [asyncio.ensure_future(a.ask(b"?", codec="raw")) for a in (one, two)]
            with pytest.raises(aw.ActorFailed):
                await busy[1]
            # Ended by its health, long before the limit of the call.
            assert time.monotonic() - began < 1.5
            with pytest.raises(aw.ActorFailed) as caught:
                await busy[0]
            assert caught.value.kind == "timed-out"
            assert time.monotonic() - began > 1.5

    asyncio.run(main())


def test_checks_of_a_busy_actor_do_not_pile_up(engine: aw.Engine, handler: aw.Component) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            often = aw.Health(interval_seconds=0.001, timeout_seconds=0.002, failures_max=10**6)
            actor = await host.spawn("acme/echo", handler, health=often)
            native = actor._seat.native
            asked = 0
            lease = native.lease

            class Counting:
                """The same actor, counting the turns that are asked for."""

                def __getattr__(self, name: str) -> object:
                    nonlocal asked
                    asked += name == "lease"
                    return getattr(native, name)

            actor._seat.native = Counting()  # type: ignore[assignment]
            await until("it is well", lambda: actor.health == "healthy")
            held = await lease()
            before = asked
            await asyncio.sleep(0.3)
            assert asked - before <= 1
            found: str = actor.health
            assert found == "degraded"
            held.release()
            await until("it is well again", lambda: actor.health == "healthy")
            assert (await actor.ask("x")).value == "x"

    asyncio.run(main())


def test_checks_never_come_between(engine: aw.Engine, handler: aw.Component) -> None:
    """While messages flow, each is answered by the one instance there is."""

    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            busy = aw.Health(interval_seconds=0.001, timeout_seconds=1.0, failures_max=1)
            actor = await host.spawn("acme/echo", handler, health=busy)
            for turn in range(30):
                replies = await actor.ask_many([[turn, n] for n in range(50)])
                assert [reply.value for reply in replies] == [[turn, n] for n in range(50)]
                await asyncio.sleep(0.002)
            assert (actor.incarnation, actor.health) == (1, "healthy")
            count = await actor.ask(b"#", codec="raw")
            assert int.from_bytes(count.payload, "little") == 30 * 50 + 1

    asyncio.run(main())


def test_a_check_of_the_embedder(engine: aw.Engine, handler: aw.Component) -> None:
    async def main() -> None:
        answers: list[object] = [True, "degraded", True]
        asked: list[str] = []

        async def check(actor: aw.Actor) -> bool | str:
            asked.append(actor.name)
            answer = answers.pop(0) if answers else True
            if isinstance(answer, BaseException):
                raise answer
            if answer == "hang":
                while True:
                    try:
                        await asyncio.sleep(60)
                    except asyncio.CancelledError:
                        answers.append(True)
            assert isinstance(answer, bool | str)
            return answer

        health = aw.Health(interval_seconds=0.03, timeout_seconds=0.05, failures_max=3, check=check)
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            events = host.events()
            actor = await host.spawn("acme/echo", handler, health=health)
            await until("it was less well", lambda: not answers)
            assert set(asked) == {"acme/echo"}
            # Nonsense, an exception and silence are failures too.
            answers.extend(["fine", RuntimeError("down"), False])
            event = await events.get()
            while event.kind != "failed":
                event = await events.get(timeout=5.0)
            assert event.reason == "unhealthy"
            await until("it is back", lambda: actor.incarnation == 2)
            # One that hangs and does not even end when it is cancelled holds up nobody.
            answers.append("hang")
            await until("it is degraded", lambda: actor.health == "degraded")
            await until("it is well", lambda: actor.health == "healthy")
            assert actor.incarnation == 2

    # A check that swallows its cancellation would keep the loop from closing.
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(main())
    finally:
        loop.close()


def test_there_must_be_something_to_ask(engine: aw.Engine, handler: aw.Component) -> None:
    with aw.Host.blocking(engine=engine, limits=LIMITS) as host:
        mute = "(component (core module $m) (core instance (instantiate $m)))"
        with pytest.raises(aw.ExportMissing, match="health"):
            host.spawn("acme/mute", mute, health=aw.Health())
        assert host.actors == []
        actor = host.spawn("acme/echo", handler, health=OFTEN)
        until_well = time.monotonic() + 5
        while actor.health != "healthy":
            assert time.monotonic() < until_well
            time.sleep(0.01)


@pytest.mark.parametrize(
    "wrong",
    [
        {"interval_seconds": 0},
        {"timeout_seconds": float("inf")},
        {"failures_max": 0},
        {"failures_max": True},
        {"check": 3},
        {"check": lambda: True},
        {"interval_seconds": "1"},
    ],
)
def test_nonsense_is_refused_when_it_is_made(wrong: dict[str, object]) -> None:
    with pytest.raises(aw.ChildInvalid, match=next(iter(wrong))):
        aw.Health(**wrong)  # type: ignore[arg-type]


def test_a_check_may_be_a_plain_function_which_holds_nobody_up(engine: aw.Engine) -> None:
    threads = set()

    def check(actor: aw.Actor) -> str:
        threads.add(threading.current_thread())
        time.sleep(0.01)
        return "healthy" if actor.incarnation else "unhealthy"

    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            health = aw.Health(interval_seconds=0.03, timeout_seconds=1.0, check=check)
            actor = await host.spawn("acme/works", Works, health=health)
            await until("it is well", lambda: actor.health == "healthy")
            assert actor.incarnation == 1

    asyncio.run(main())
    assert threads
    assert threading.main_thread() not in threads


def test_a_plain_check_that_hangs_is_a_failure_and_holds_nobody_up(engine: aw.Engine) -> None:
    let_go = threading.Event()

    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            health = aw.Health(
                interval_seconds=0.02,
                timeout_seconds=0.05,
                failures_max=2,
                check=lambda _: let_go.wait(30.0),
            )
            hangs = await host.spawn("acme/hangs", Works, health=health, restart="temporary")
            other = await host.spawn("acme/other", Works)
            await until("it is over", lambda: host.actors == ["acme/other"])
            assert (hangs.status, (await other.ask(1, timeout=1.0)).value) == ("stopped", 1)

    began = time.monotonic()
    try:
        asyncio.run(main())
        assert time.monotonic() - began < 10.0
    finally:
        let_go.set()
