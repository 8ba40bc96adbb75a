"""Random trees of children that fail, hang and do not listen: it always comes to an end."""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import replace

import pytest
from tests.unit.actor.fake_host import FOREVER, Behaviour, FakeHost
from tests.unit.actor.virtual_time import now, run, settle

from airssys_wasm.actor import Backoff, Child, Exit, ExitKind, Group, Stopped, Supervisor
from airssys_wasm.errors import SupervisionError

LONGEST_DEAF_SECONDS = 50.0


class RandomTree:
    """A tree, and what each worker in it does."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - no secret
        self.behaviours: dict[str, list[Behaviour]] = {}
        self.group = self.make_group("w", depth=3)

    def odds(self, one_in: int) -> bool:
        return self.chance.randrange(one_in) == 0

    def make_behaviour(self, *, first: bool) -> Behaviour:
        rare = 30 if first else 5
        hang = self.odds(rare)
        return Behaviour(
            start_seconds=FOREVER if hang else self.chance.uniform(0.0, 0.5),
            start_fails=self.odds(rare),
            deaf_seconds=LONGEST_DEAF_SECONDS if self.odds(4) else 0.0,
            stop_seconds=FOREVER if self.odds(6) else self.chance.uniform(0.0, 0.5),
            stop_fails=self.odds(10),
            deaf_stop_seconds=LONGEST_DEAF_SECONDS if self.odds(4) else 0.0,
            exits_after=self.chance.uniform(0.0, 4.0) if self.odds(2) else None,
            exit=Exit(self.chance.choice(list(ExitKind))),
            exits_early=self.odds(20),
        )

    def make_worker(self, name: str) -> Child:
        count = self.chance.randrange(5)
        later = [self.make_behaviour(first=False) for _ in range(count)]
        self.behaviours[name] = [self.make_behaviour(first=True), *later]
        return Child(
            name,
            "module",
            restart=self.chance.choice(["permanent", "transient", "temporary"]),
            shutdown=self.chance.choice([0.0, 0.3, 1.0, "immediate", "infinity"]),
            start_seconds_max=1.0,
        )

    def make_group(self, path: str, depth: int) -> Group:
        children = []
        for number in range(self.chance.randrange(1, 4)):
            name = f"{path}{number}"
            child = self.make_worker(name)
            if depth and self.odds(2):
                child = replace(
                    Child(name, self.make_group(name, depth - 1)),
                    restart=child.restart,
                    shutdown=self.chance.choice([0.5, "immediate", "infinity"]),
                )
            children.append(child)
        return Group(
            children=children,
            strategy=self.chance.choice(["one-for-one", "one-for-all", "rest-for-one"]),
            intensity=self.chance.randrange(6),
            within=self.chance.uniform(0.5, 20.0),
            backoff=Backoff(first_seconds=self.chance.choice([0.0, 0.1])),
        )


async def ask(tree: RandomTree, supervisor: Supervisor, name: str) -> None:
    match tree.chance.randrange(4):
        case 0:
            await supervisor.terminate_child(name)
        case 1:
            await supervisor.restart_child(name)
        case 2:
            await supervisor.delete_child(name)
        case _:
            await supervisor.start_child(tree.make_worker("new"))


async def meddle(tree: RandomTree, supervisor: Supervisor) -> None:
    """Ask for this and that, and give up waiting now and then."""
    names = [*tree.behaviours, "new"]
    for _ in range(10):
        await asyncio.sleep(tree.chance.uniform(0.0, 2.0))
        with contextlib.suppress(SupervisionError, TimeoutError):
            asked = ask(tree, supervisor, tree.chance.choice(names))
            await asyncio.wait_for(asked, tree.chance.choice([0.1, 1.0, 10.0]))
        with contextlib.suppress(SupervisionError):
            began = now()
            await supervisor.count()
            assert now() == began


async def live_and_end(seed: int) -> None:
    tree = RandomTree(seed)
    host = FakeHost(**tree.behaviours)
    # What a tree makes up while it runs belongs to the host too.
    host.behaviours = tree.behaviours
    supervisor = Supervisor(tree.group, host, on_event=host.events.append)
    # A child that never stops and may take for ever holds up a start that needs it down.
    starting = asyncio.create_task(supervisor.start())
    await asyncio.wait({starting}, timeout=30.0)
    await meddle(tree, supervisor)
    began = now()
    await supervisor.stop(seconds_max=20.0)
    assert now() <= began + 20.1
    with contextlib.suppress(SupervisionError):
        await starting
    ends = [event for event in host.events if isinstance(event, Stopped)]
    assert [event.path for event in ends].count(("root",)) == 1
    # Those that did not listen come to their ends.
    await settle(2 * LONGEST_DEAF_SECONDS + 10.0)
    assert not any(made.is_alive for made in host.all)


@pytest.mark.parametrize("chunk", range(5))
def test_whatever_happens_it_ends_and_leaves_nothing_behind(chunk: int) -> None:
    """``run`` sees to it that no task is left and no exception lost."""
    for seed in range(chunk * 60, (chunk + 1) * 60):
        try:
            run(live_and_end(seed))
        except BaseException as error:
            error.add_note(f"RandomTree({seed})")
            raise
