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


#: An option that is of the wrong kind or outside its range, and what is told of it.
WRONG: list[tuple[str, object, str]] = [
    ("timeout", None, "<class 'NoneType'> is no time to wait; hint: seconds"),
    ("timeout", "x", "<class 'str'> is no time to wait; hint: seconds"),
    ("timeout", True, "<class 'bool'> is no time to wait; hint: seconds"),
    ("timeout", 1e300, "1e300 is no time to wait; hint: seconds"),
    ("timeout", 0, "0 is no time to wait; hint: seconds"),
    ("codec", 5, "<class 'int'> is no codec; hint: \"cbor\""),
    ("codec", "xml", '"xml" is none; hint: "cbor"'),
    ("schema", 5, "<class 'int'> is no schema; hint: codec.Borsh"),
    ("priority", 1, "<class 'int'> is no priority; hint: \"low\""),
    ("priority", "urgent", '"urgent" is none; hint: "low"'),
    ("transcode", "yes", "<class 'str'> is no bool; hint: True"),
    ("return_exceptions", "yes", "<class 'str'> is no bool; hint: True"),
    ("ttl", "x", "<class 'str'> is no time to live; hint: seconds"),
    ("ttl", -1, "-1 is no time to live; hint: seconds"),
    ("ttl", 1e300, "1e300 is no time to live; hint: seconds"),
    ("key", 5, "<class 'int'> is no key; hint: a str"),
    ("trace", 5, "<class 'int'> is no trace; hint: a traceparent"),
    ("trace", "x", '"x" is none; hint: a traceparent'),
]

SENDING = {"codec", "schema", "trace"}
TAKES = {
    "ask": SENDING | {"timeout", "transcode", "key"},
    "ask_many": SENDING | {"timeout", "return_exceptions"},
    "send": SENDING | {"priority", "transcode", "ttl", "key"},
    "try_send": SENDING | {"priority", "transcode", "ttl", "key"},
    "send_many": SENDING,
    "try_send_many": SENDING,
    "publish": SENDING,
    "broadcast": SENDING,
}


def refusal(call: Callable[..., Any], *sent: object, **options: object) -> aw.ValueMismatch:
    async def main() -> None:
        done = call(*sent, **options)
        if asyncio.iscoroutine(done):
            await done

    with pytest.raises(aw.ValueMismatch) as caught:
        asyncio.run(main())
    return caught.value


@pytest.mark.parametrize("verb", sorted(TAKES))
def test_each_option_is_told_by_its_name_with_what_to_write(engine: aw.Engine, verb: str) -> None:
    first = {"publish": ("a.b",), "broadcast": (["acme/counter"],)}.get(verb, ())
    sent = (*first, [1] if verb.endswith("many") else 1)
    wrongs = [wrong for wrong in WRONG if wrong[0] in TAKES[verb]]
    assert {name for name, _, _ in wrongs} == TAKES[verb]
    with aw.Host.blocking(engine=engine) as host:
        counter = host.spawn("acme/counter", Counter)
        for face in (host,) if first else (counter, counter.awaitable):
            for name, wrong, text in wrongs:
                refused = refusal(getattr(face, verb), *sent, **{name: wrong})
                assert str(refused).startswith(f"{name}: {text}")
                assert refused.path == name
        assert counter.mailbox["accepted"] == 0


def test_what_is_sent_or_listened_to_is_told_by_its_name(engine: aw.Engine) -> None:
    five: Any = 5
    many = [f"acme/n{number}" for number in range(1001)]
    with aw.Host.blocking(engine=engine) as host:
        counter = host.spawn("acme/counter", Counter)
        refused: list[tuple[Callable[[], object], str]] = [
            (lambda: counter.ask_many(five), "values: <class 'int'> is nothing to go through"),
            (lambda: counter.send_many(five), "values: <class 'int'>"),
            (lambda: host.publish(five, 1), "topic: <class 'int'> is no topic; hint: "),
            (lambda: host.subscribe(five), "pattern: <class 'int'> is no pattern; hint: "),
            (lambda: host.subscribe("a", when_full=five), "when_full: <class 'int'>"),
            (lambda: host.broadcast([five], 1), "names: <class 'int'> is no address; hint: "),
            (lambda: host.broadcast(many, 1), "names: 1001 receivers are too many; hint: "),
            (lambda: host.route(five), "name: <class 'int'> is no address; hint: "),
        ]
        for refuse, text in refused:
            with pytest.raises(aw.ValueMismatch) as caught:
                refuse()
            assert str(caught.value).startswith(text)


@pytest.mark.parametrize("wrong", [-1, float("nan"), float("inf"), 1e300, "x", True])
def test_both_faces_refuse_a_wait_that_is_none(engine: aw.Engine, wrong: Any) -> None:
    async def main() -> list[str]:
        told = []
        async with aw.Host(engine=engine) as host:
            for listening in (host.subscribe("a"), host.events()):
                with pytest.raises(aw.ValueMismatch) as caught:
                    await listening.get(timeout=wrong)
                told.append(str(caught.value))
        return told

    told = asyncio.run(main())
    with aw.Host.blocking(engine=engine) as host:
        for listening in (host.subscribe("a"), host.events()):
            with pytest.raises(aw.ValueMismatch) as caught:
                listening.get(timeout=wrong)
            told.append(str(caught.value))
    assert len(set(told)) == 1, told
    assert told[0].startswith("timeout: ")
    assert told[0].endswith(" is no time to wait; hint: seconds, 0 to 1e19, or None")


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


@pytest.mark.parametrize("one", ["hello", b"hello", {"a": 1}])
def test_one_message_is_no_batch(engine: aw.Engine, one: Any) -> None:
    with aw.Host.blocking(engine=engine) as host:
        actor = host.spawn("acme/counter", Counter)
        for deed in (actor.send_many, actor.try_send_many, actor.ask_many):
            with pytest.raises(aw.ValueMismatch, match="is one message; hint: "):
                deed(one)
        assert actor.mailbox["delivered"] == 0


async def forgets(message: aw.Message) -> object:
    return Forgotten.host.find("acme/counter").ask(message.value)


class Forgotten:
    host: aw.Host


def test_a_forgotten_await_in_a_handler_is_told(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            Forgotten.host = host
            await host.spawn("acme/counter", Counter)
            host.actor("acme/forgets")(forgets)
            with pytest.raises(aw.ActorFailed, match=r"not awaited; hint: return \(await"):
                await host.find("acme/forgets").ask(1)

    asyncio.run(main())


def test_a_hook_that_cannot_be_called_is_refused_when_it_is_made() -> None:
    takes_nothing: Any = {"on_message": nothing}
    with pytest.raises(aw.ChildInvalid, match=r"on_message: .* hint: def hook\(event\)"):
        aw.Hooks(**takes_nothing)


def test_a_host_that_was_never_opened_says_how(engine: aw.Engine) -> None:
    host: Any = aw.Host(engine=engine)
    with pytest.raises(TypeError, match="async with") as caught, host:
        pass
    assert "aw.Host.blocking()" in str(caught.value)
    with pytest.raises(aw.ActorNotFound, match="the host is not open; hint: async with"):
        host.find("acme/counter")


def test_a_group_is_no_actor_and_that_is_said(engine: aw.Engine) -> None:
    with aw.Host.blocking(engine=engine) as host:
        group = host.supervise("acme/group", children=[aw.Child("acme/counter", Counter)])
        for deed in (host.find, host.stop):
            with pytest.raises(aw.ActorNotFound, match="it is a group; hint: keep what"):
                deed("acme/group")
        group.stop()
        with pytest.raises(aw.ActorNotFound, match=r"there is no actor .acme/group.$"):
            host.find("acme/group")


def test_a_host_closed_before_its_actor_has_started_is_quiet(
    engine: aw.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            host.actor("acme/late")(log)

    asyncio.run(main())
    assert caplog.records == []
