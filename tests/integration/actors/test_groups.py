"""``supervise``: actors that are restarted together."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from tests.integration.actors.waiting import until

import airssys_wasm as aw

LIMITS = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=0.5)
SOON = aw.Backoff(first_seconds=0.01, max_seconds=0.02)
NAMES = ["acme/first", "acme/second", "acme/third"]


def children(handler: aw.Component, names: list[str] = NAMES) -> list[aw.Child]:
    return [aw.Child(name, handler) for name in names]


@pytest.mark.parametrize(
    ("strategy", "incarnations"),
    [("one-for-one", [1, 2, 1]), ("rest-for-one", [1, 2, 2]), ("one-for-all", [2, 2, 2])],
)
def test_who_is_restarted_with_whom(
    engine: aw.Engine, handler: aw.Component, strategy: str, incarnations: list[int]
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            group = await host.supervise(
                "acme/pipeline",
                strategy=strategy,  # type: ignore[arg-type]
                children=children(handler),
                backoff=SOON,
            )
            assert [actor.name for actor in group.children] == NAMES
            assert host.actors == sorted(NAMES)
            second = host.find("acme/second")
            with pytest.raises(aw.ActorFailed):
                await second.ask(b"!", codec="raw")
            for actor in group.children:
                assert (await actor.ask("x", timeout=5.0)).value == "x"
            await until(
                "as it must be",
                lambda: [actor.incarnation for actor in group.children] == incarnations,
            )

    asyncio.run(main())


def test_transient_siblings_that_were_stopped_come_back_with_their_mailboxes(
    engine: aw.Engine, handler: aw.Component
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            group = await host.supervise(
                "acme/pipeline",
                strategy="one-for-all",
                children=[aw.Child(name, handler, restart="transient") for name in NAMES],
                backoff=aw.Backoff(first_seconds=0.2),
            )
            first, second, _ = group.children
            await first.send(b"!", codec="raw")
            await until("it is down", lambda: second.status == "failed")
            # It is neither forgotten nor closed: it waits for its sibling.
            assert (await second.ask("still here", timeout=5.0)).value == "still here"
            assert second.incarnation == 2

    asyncio.run(main())


def test_a_group_that_fails_too_often_is_restarted_and_at_last_given_up(
    engine: aw.Engine, handler: aw.Component
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            events = host.events()
            other = await host.spawn("acme/other", handler)
            group = await host.supervise(
                "acme/pipeline",
                strategy="one-for-all",
                children=children(handler),
                intensity=1,
                backoff=SOON,
            )
            first = group.children[0]
            added = await group.start_child(aw.Child("acme/added", handler))
            for turn in range(8):
                await until("it serves", lambda: first.status in {"running", "stopped"})
                if first.status == "stopped":
                    break
                with pytest.raises(aw.ActorFailed):
                    await first.ask(b"!", codec="raw", timeout=20.0)
                if turn == 1:
                    # The group has ended once; what was added to it does not come back.
                    await until("it is gone", lambda: added.status == "stopped")
            await until("it is given up", lambda: first.status == "stopped")
            await until("all are", lambda: host.actors == ["acme/other"])
            with pytest.raises(aw.ActorStopped):
                await first.ask("x")
            with pytest.raises(aw.SupervisionError):
                await group.start_child(aw.Child("acme/late", handler))
            assert (await other.ask("x")).value == "x"
            events.close()
            kinds = [(event.kind, event.actor) async for event in events]
            assert kinds.count(("escalated", "acme/first")) == 4
            assert kinds.count(("restarted", "acme/pipeline")) == 3
            assert kinds.count(("given-up", "acme/pipeline")) == 1

    asyncio.run(main())


def test_children_come_and_go_while_it_runs(engine: aw.Engine, handler: aw.Component) -> None:
    with aw.Host.blocking(engine=engine, limits=LIMITS) as host:
        group = host.supervise("acme/pool", children=children(handler))
        added = group.start_child(
            aw.Child("acme/added", handler, mailbox=aw.Mailbox(messages_max=5))
        )
        assert added.ask(1).value == 1
        assert [actor.name for actor in group.children] == [*NAMES, "acme/added"]
        group.stop_child("acme/second")
        host.stop("acme/third")
        assert host.actors == ["acme/added", "acme/first"]
        with pytest.raises(aw.SupervisionError):
            group.stop_child("acme/second")
        # A name that was given back can be had again.
        group.start_child(aw.Child("acme/second", handler))
        group.stop()
        assert host.actors == []
        with pytest.raises(aw.ActorStopped):
            added.ask(1)
        with pytest.raises(aw.SupervisionError):
            group.stop()
        again = host.supervise("acme/pool", children=children(handler))
        assert len(again.children) == 3
        assert (again.name, again.strategy) == ("acme/pool", "one-for-one")


def test_a_group_that_cannot_start_leaves_nothing(engine: aw.Engine, handler: aw.Component) -> None:
    mute = "(component (core module $m) (core instance (instantiate $m)))"

    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            await host.spawn("acme/taken", handler)
            with pytest.raises(aw.ExportMissing):
                await host.supervise(
                    "acme/pipeline",
                    children=[*children(handler), aw.Child("acme/mute", mute)],
                )
            assert host.actors == ["acme/taken"]
            with pytest.raises(aw.NameTaken):
                await host.supervise(
                    "acme/pipeline", children=children(handler, ["acme/free", "acme/taken"])
                )
            assert host.actors == ["acme/taken"]
            with pytest.raises(aw.ComponentInvalid):
                await host.supervise("acme/pipeline", children=[aw.Child("acme/bad", b"no")])
            assert (await host.find("acme/taken").ask("x")).value == "x"
            await host.supervise("acme/pipeline", children=children(handler))
            with pytest.raises(aw.SupervisionError):
                await host.supervise("acme/pipeline")
            with pytest.raises(aw.ChildInvalid):
                await host.spawn("acme/group", aw.Group())  # type: ignore[arg-type]
        assert engine.live_instances == 0

    asyncio.run(main())


def test_options_of_a_child_are_checked_and_heeded(
    engine: aw.Engine, handler: aw.Component
) -> None:
    for wrong in (
        {"limits": 5},
        {"grant": "all"},
        {"imports": 3},
        {"config": "text"},
        {"mailbox": 7},
        {"health": 1.0},
        {"hooks": print},
    ):
        with pytest.raises(aw.ChildInvalid, match=next(iter(wrong))):
            aw.Child("acme/echo", handler, **wrong)
    with pytest.raises(aw.ChildInvalid, match="group"):
        aw.Child("acme/echo", aw.Group(), limits=LIMITS)

    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            short = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=0.05)
            child = aw.Child("acme/echo", handler, limits=short, mailbox=aw.Mailbox(messages_max=1))
            group = await host.supervise("acme/pipeline", children=[child], backoff=SOON)
            (actor,) = group.children
            endless = asyncio.ensure_future(actor.ask(b"?", codec="raw"))
            await asyncio.sleep(0.02)
            actor.try_send(1)
            with pytest.raises(aw.MailboxFull):
                actor.try_send(2)
            with pytest.raises(aw.ActorFailed) as caught:
                await endless
            assert caught.value.kind == "timed-out"

    asyncio.run(main())


def test_groups_within_groups(engine: aw.Engine, handler: aw.Component) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            inner = aw.Group(children=children(handler, ["acme/deep"]), intensity=0)
            group = await host.supervise(
                "acme/outer",
                strategy="one-for-all",
                children=[aw.Child("acme/inner", inner), aw.Child("acme/flat", handler)],
                backoff=SOON,
            )
            deep, flat = group.children
            await deep.send(b"!", codec="raw")
            await until("all came back", lambda: (deep.incarnation, flat.incarnation) == (2, 2))
            assert (await deep.ask("x")).value == "x"
            await host.stop("acme/deep")
            assert host.actors == ["acme/flat"]
            await group.stop()
            assert host.actors == []

    asyncio.run(main())


@pytest.mark.parametrize("name", ["worker", "local/worker", "local/worker/0"])
def test_a_child_is_stopped_under_any_form_of_its_name(
    engine: aw.Engine, handler: aw.Component, name: str
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            outside = await host.spawn("outside", handler)
            group = await host.supervise("acme/pipeline", children=children(handler))
            added = await group.start_child(aw.Child("worker", handler))
            assert added.name == "local/worker"
            await group.stop_child(name)
            assert host.actors == ["acme/first", "acme/second", "acme/third", "local/outside"]
            # One that is not in the group is not the group's to stop.
            with pytest.raises(aw.SupervisionError, match="does not exist"):
                await group.stop_child("outside")
            assert outside.status == "running"

    asyncio.run(main())


class Slow:
    async def handle(self, _: aw.Message) -> object:
        await asyncio.sleep(0.3)
        return 1


def test_a_group_that_comes_while_one_of_its_name_is_stopped_is_whole(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            first = await host.supervise("acme-group", children=[aw.Child("acme/old", Slow)])
            host.find("acme/old").try_send(1)
            await asyncio.sleep(0.05)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(first.stop(), 0.05)
            second = None
            for _ in range(100):
                # It may be told that the name is still in use.
                with contextlib.suppress(aw.SupervisionError):
                    child = aw.Child("acme/new", Slow)
                    second = await host.supervise("acme-group", children=[child])
                    break
                await asyncio.sleep(0.01)
            assert second is not None
            await until("the old one is gone", lambda: host.actors == ["acme/new"])
            assert [child.name for child in second.children] == ["acme/new"]
            assert (await host.find("acme/new").ask(1)).value == 1
            await second.stop()
            assert host.actors == []
            await host.spawn("acme/new", Slow)

    asyncio.run(main())


def test_a_start_that_is_cancelled_at_any_time_leaves_nothing(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            kept = [aw.Child("acme/one", Slow), aw.Child("acme/two", Slow)]
            for turns in range(12):
                starting = asyncio.ensure_future(host.supervise("acme-group", children=kept))
                for _ in range(turns):
                    await asyncio.sleep(0)
                if starting.cancel():
                    with pytest.raises(asyncio.CancelledError):
                        await starting
                    await until("nothing is left", lambda: host.actors == [])
                group = None
                for _ in range(100):
                    with contextlib.suppress(aw.SupervisionError, aw.NameTaken):
                        group = await host.supervise("acme-group", children=kept)
                        break
                    await asyncio.sleep(0.01)
                assert group is not None, turns
                assert (await host.find("acme/one").ask(1)).value == 1
                await group.stop()
                assert host.actors == []

    asyncio.run(main())
