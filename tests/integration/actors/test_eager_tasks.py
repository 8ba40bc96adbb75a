"""An application whose event loop begins tasks at once."""

from __future__ import annotations

import asyncio

import pytest
from tests.integration.actors import eager
from tests.integration.actors.test_groups import SOON
from tests.integration.actors.waiting import until

import airssys_wasm as aw
from airssys_wasm.actor import RestartType


class Works:
    """Answers at once, fails when told to, and takes its time when told how much."""

    async def handle(self, message: aw.Message) -> object:
        if message.value == "fail":
            raise RuntimeError("told to")
        if isinstance(message.value, float):
            await asyncio.sleep(message.value)
        return message.value


def test_a_task_has_begun_when_it_is_made() -> None:
    done: list[str] = []

    async def at_once() -> asyncio.Task[None] | None:
        done.append("at once")
        return asyncio.current_task()

    async def in_two_steps() -> None:
        done.append("first")
        await asyncio.sleep(0)
        done.append("second")

    async def main() -> None:
        own = asyncio.current_task()
        task = asyncio.create_task(at_once())
        assert task.done()
        assert task.result() is task
        assert asyncio.current_task() is own
        stepping = asyncio.ensure_future(in_two_steps())
        assert done == ["at once", "first"]
        await stepping
        assert done == ["at once", "first", "second"]
        stepping = asyncio.ensure_future(in_two_steps())
        stepping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stepping
        assert done[-1] == "first"

    eager.run(main())


def test_python_actors_serve_fail_come_back_and_end(engine: aw.Engine) -> None:
    told: list[tuple[str, int]] = []

    async def note(event: aw.Event) -> None:
        told.append((event.kind, event.incarnation))

    hooks = aw.Hooks(before_start=note, after_start=note, on_error=note, on_restart=note)

    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            actor = await host.spawn("acme/works", Works, hooks=hooks, handler_seconds_max=0.5)

            @host.actor("acme/asks")
            async def asks(message: aw.Message) -> object:
                return (await actor.ask(message.value)).value

            # A handler that never waits is done before its task is anybody's.
            assert [(await actor.ask(number)).value for number in range(300)] == [*range(300)]
            many = await actor.ask_many(range(1000))
            assert [reply.value for reply in many] == [*range(1000)]
            assert (await host.find("acme/asks").ask("x")).value == "x"
            with pytest.raises(aw.ActorFailed) as caught:
                await actor.ask("fail")
            assert isinstance(caught.value.__cause__, RuntimeError)
            assert (await actor.ask(0.01)).value == 0.01
            assert actor.incarnation == 2
            # What runs past its time is cancelled, and so is what is stopped.
            with pytest.raises(aw.ActorFailed) as caught:
                await actor.ask(60.0)
            assert caught.value.kind == "timed-out"
            assert (await actor.ask(1)).value == 1
            finishing = asyncio.create_task(actor.ask(0.1))
            await host.stop("acme/works")
            assert (await finishing).value == 0.1
            assert host.actors == ["acme/asks"]

    eager.run(main())
    first, second = told[:2], told[2:6]
    assert first == [("starting", 1), ("started", 1)]
    assert second == [("failed", 1), ("restarting", 1), ("starting", 2), ("started", 2)]


def test_components_and_pools_do_too(engine: aw.Engine, handler: aw.Component) -> None:
    async def main() -> None:
        limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=0.5)
        async with aw.Host(engine=engine, limits=limits) as host:
            pool = await host.spawn("acme/echo", handler, pool=3, health=aw.Health())
            tasks = [asyncio.create_task(pool.ask(number)) for number in range(50)]
            assert sorted([(await task).value for task in tasks]) == [*range(50)]
            with pytest.raises(aw.ActorFailed):
                await pool.ask(b"!", codec="raw")
            await until("it is back", lambda: {one.status for one in pool.members} == {"running"})
            await host.stop("acme/echo")
            assert host.actors == []

    eager.run(main())


@pytest.mark.parametrize("restart", ["transient", "temporary"])
def test_a_group_that_has_ended_gives_its_names_back(
    engine: aw.Engine, restart: RestartType
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            children = [aw.Child(name, Works) for name in ("acme/first", "acme/second")]
            group = await host.supervise(
                "acme/group", children=children, intensity=0, restart=restart, backoff=SOON
            )
            first, second = group.children
            with pytest.raises(aw.ActorFailed):
                await first.ask("fail")
            await until("all are gone", lambda: host.actors == [])
            with pytest.raises(aw.ActorStopped):
                await second.ask(1)
            again = await host.supervise("acme/group", children=children)
            assert [(await one.ask(1)).value for one in again.children] == [1, 1]

    eager.run(main())
