"""What is wrong with an argument is said at once, with what to write instead."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

import airssys_wasm as aw


class Counter:
    async def handle(self, message: aw.Message) -> object:
        return message.value


class Deaf:
    async def handle(self) -> None: ...


async def log(_: aw.Message) -> None: ...


async def nothing() -> None: ...


DECORATED: list[tuple[Callable[[Any], object], str]] = [
    (lambda host: host.actor(log), r'hint: @host\.actor\("namespace/name"\)'),
    (lambda host: host.actor("acme/class")(Counter), r"host\.spawn\('acme/class', Counter\)"),
    (lambda host: host.actor("acme/three")(3), "3 is no function"),
    (lambda host: host.actor("acme/nothing")(nothing), r"async def handle\(message\)"),
]


@pytest.mark.parametrize(("decorate", "told"), DECORATED)
def test_what_is_no_handler_makes_no_actor(
    engine: aw.Engine, decorate: Callable[[Any], object], told: str
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            with pytest.raises(aw.ValueMismatch, match=told):
                decorate(host)
            assert host.actors == []

    asyncio.run(main())
    with aw.Host.blocking(engine=engine) as host:
        with pytest.raises(aw.ValueMismatch, match=told):
            decorate(host)
        assert host.actors == []


def test_what_is_no_source_is_told_from_a_class(engine: aw.Engine) -> None:
    source: Any = Counter()
    with aw.Host.blocking(engine=engine) as host:
        with pytest.raises(aw.ValueMismatch, match="pass the class, or lambda: Counter") as caught:
            host.spawn("acme/counter", source)
        assert caught.value.path == "source"
        with pytest.raises(aw.ValueMismatch, match=r"async def handle\(message\)"):
            host.spawn("acme/deaf", Deaf)  # type: ignore[arg-type]
        group = host.supervise("acme/group")
        no_child: Any = Counter
        with pytest.raises(aw.ChildInvalid, match=r"hint: Child\(name, source\)"):
            group.start_child(no_child)
        assert host.actors == []


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("acme/no", "at least 3"),
        ("Acme/counter", "'A' at byte 0"),
        ("acme/counter-", "ends with '-'"),
        (f"acme/{'a' * 65}", "it may have 64"),
        ("two words", "' ' at byte 3"),
    ],
)
def test_a_name_that_is_no_address_is_one_of_our_errors(
    engine: aw.Engine, name: str, told: str
) -> None:
    with aw.Host.blocking(engine=engine) as host:
        for refused in (
            lambda: host.spawn(name, Counter),
            lambda: host.actor(name)(log),
            lambda: host.supervise("acme/group", children=[aw.Child(name, Counter)]),
        ):
            with pytest.raises(aw.ChildInvalid, match=told):
                refused()
        with pytest.raises(aw.ChildInvalid, match="is no address"):
            host.spawn(name, Counter, pool=2)
        with pytest.raises(aw.ValueMismatch, match=told):
            host.route(name)
        assert host.actors == []


def test_options_and_names_of_the_wrong_kind_are_named(engine: aw.Engine) -> None:
    three: Any = 3
    with aw.Host.blocking(engine=engine) as host:
        host.spawn("acme/counter", Counter)
        with pytest.raises(aw.ValueMismatch, match=r"retry: 3; hint: Retry\("):
            host.route("acme/counter", retry=three)
        with pytest.raises(aw.ValueMismatch, match=r"breaker: 3; hint: Breaker\("):
            host.route("acme/counter", breaker=three)
        for refused in (host.find, host.stop):
            with pytest.raises(aw.ValueMismatch, match="name: 3 is no text"):
                refused(three)
        assert host.actors == ["acme/counter"]


def test_one_address_is_not_a_list_of_letters(engine: aw.Engine) -> None:
    three: Any = 3

    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            with pytest.raises(aw.ValueMismatch, match=r'hint: \["namespace/name"'):
                await host.broadcast("acme/counter", 1)

    asyncio.run(main())
    with aw.Host.blocking(engine=engine) as host:
        counter = host.spawn("acme/counter", Counter)
        with pytest.raises(aw.ValueMismatch, match="one address"):
            host.broadcast("acme/counter", 1)
        with pytest.raises(aw.ValueMismatch, match="names: 3"):
            host.broadcast(three, 1)
        assert counter.mailbox["accepted"] == 0
        assert host.broadcast(["acme/counter"], 1) == {}


class Broken:
    def __init__(self) -> None:
        raise RuntimeError("no luck") from KeyError("luck")

    async def handle(self, message: aw.Message) -> object: ...


@pytest.mark.parametrize("bad", [Broken, b"no component"])
def test_which_child_kept_a_group_from_starting_is_in_a_note(engine: aw.Engine, bad: Any) -> None:
    failing = [aw.Child("acme/fine", Counter), aw.Child("acme/bad", bad)]
    nested = [aw.Child("acme/inner", aw.Group(children=failing))]
    with aw.Host.blocking(engine=engine) as host:
        for start in (
            lambda: host.supervise("acme/group", children=failing),
            lambda: host.supervise("acme/group", children=nested),
            lambda: host.spawn("acme/bad", bad),
            lambda: host.spawn("acme/bad", bad, pool=2),
        ):
            with pytest.raises((RuntimeError, aw.ComponentInvalid)) as caught:
                start()
            (note,) = caught.value.__notes__
            assert note.startswith("child 'acme/bad")
            assert note.endswith("could not be started")
            if bad is Broken:
                # What is raised keeps the reason that it was raised with.
                assert isinstance(caught.value.__cause__, KeyError)
        assert host.actors == []
