"""Guests that send, ask, publish and answer later."""

from __future__ import annotations

import asyncio
import time

import pytest
from tests.integration.actors.talkers import FREE, LIMITS, TALKER, Talkers, play

import airssys_wasm as aw


def test_a_guest_asks_another(engine: aw.Engine) -> None:
    async def what(talkers: Talkers) -> None:
        assert await talkers.tell("acme/one", "ask acme/two 1000 echo hello") == "hello"
        assert await talkers.tell("acme/one", "ask acme/two 1000 own") == "acme/two/0"
        # Through three of them, and the last asks nobody.
        chain = "ask acme/two 1000 ask acme/three 1000 echo deep"
        assert await talkers.tell("acme/one", chain) == "deep"

    play(engine, ["acme/one", "acme/two", "acme/three"], what)


def test_the_host_says_who_sends(engine: aw.Engine) -> None:
    async def what(talkers: Talkers) -> None:
        assert await talkers.tell("acme/two", "sender") == "0"
        handle = await talkers.tell("acme/one", "ask acme/two 1000 sender")
        assert await talkers.tell("acme/two", f"id-of {handle}") == "acme/one/0"
        told = await talkers.tell("acme/one", "ask acme/two 1000 envelope")
        assert told.startswith("MessageKind::Ask from acme/one/0 codec 0x55 Priority::Normal")

    play(engine, ["acme/one", "acme/two"], what)


def test_an_envelope_says_how_a_message_came(engine: aw.Engine) -> None:
    async def what(talkers: Talkers) -> None:
        before = time.time_ns()
        told = await talkers.tell("acme/one", "envelope", timeout=3.0)
        words = told.split()
        assert told.startswith(
            "MessageKind::Ask from nobody codec 0x55 Priority::Normal left Some("
        )
        assert 2900 <= int(told.split("Some(")[1].split(")")[0]) <= 3000
        assert "numbered true" in told
        # To a few milliseconds.
        assert abs(int(words[-1]) - before) < 50_000_000

    play(engine, ["acme/one"], what)


def test_sending_is_not_asking(engine: aw.Engine) -> None:
    async def what(talkers: Talkers) -> None:
        for number in range(5):
            sent = await talkers.tell("acme/one", f"send acme/two note {number}")
            assert sent == "done"
        assert await talkers.noted("acme/two", 5) == ["0", "1", "2", "3", "4"]
        assert await talkers.tell("acme/one", "send-many acme/two 500 note x") == "done"
        assert len(await talkers.noted("acme/two", 505)) == 505

    play(engine, ["acme/one", "acme/two"], what)


def test_what_is_urgent_comes_first_and_what_is_late_not_at_all(engine: aw.Engine) -> None:
    async def what(talkers: Talkers) -> None:
        loop = asyncio.ensure_future(talkers.tell("acme/two", "loop"))
        await asyncio.sleep(0.05)
        assert await talkers.tell("acme/one", "send acme/two note usual") == "done"
        assert await talkers.tell("acme/one", "brief acme/two 100 note late") == "done"
        assert await talkers.tell("acme/one", "urgent acme/two note first") == "done"
        with pytest.raises(aw.ActorFailed):
            await loop
        assert await talkers.noted("acme/two", 2) == ["first", "usual"]

    play(engine, ["acme/one", "acme/two"], what)


def test_a_circle_of_askers_is_told(engine: aw.Engine) -> None:
    async def what(talkers: Talkers) -> None:
        assert (
            await talkers.tell("acme/one", "ask acme/one 1000 echo x")
            == "error: MessagingError::Cycle"
        )
        circle = "ask acme/two 1000 ask acme/three 1000 ask acme/one 1000 echo x"
        began = time.monotonic()
        assert await talkers.tell("acme/one", circle) == "error: MessagingError::Cycle"
        assert time.monotonic() - began < 0.5
        # And everybody goes on.
        assert await talkers.tell("acme/one", "ask acme/two 1000 echo on") == "on"

    play(engine, ["acme/one", "acme/two", "acme/three"], what)


def test_circles_that_close_at_the_same_time_are_told(engine: aw.Engine) -> None:
    async def what(talkers: Talkers) -> None:
        for _ in range(20):
            both = await asyncio.gather(
                talkers.tell("acme/one", "ask acme/two 1000 ask acme/one 1000 echo x"),
                talkers.tell("acme/two", "ask acme/one 1000 ask acme/two 1000 echo x"),
            )
            assert set(both) <= {"error: MessagingError::Cycle"}, both

    play(engine, ["acme/one", "acme/two"], what)


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ("ask acme/nobody 1000 x", "MessagingError::NotFound"),
        ("ask acme/x 1000 x", "MessagingError::InvalidArgument"),
        ("ask acme/two 0 x", "MessagingError::InvalidArgument"),
        ("ask acme/two 100 loop", "MessagingError::TimedOut"),
        ("ask acme/two 1000 trap", "MessagingError::ActorFailed"),
        ("ask acme/two 1000 refuse no", 'MessagingError::Refused(MessageError::Refused("no"))'),
        ("ask acme/two 1000 busy", "MessagingError::Refused(MessageError::Busy(7))"),
        ("send-handle 0 x", "MessagingError::NotFound"),
        ("send-handle 123456789 x", "MessagingError::NotFound"),
        ("send-bytes acme/two 1048577", "MessagingError::TooLarge(1048576)"),
        ("publish Orders x", "MessagingError::InvalidArgument"),
        ("publish $sys x", "MessagingError::InvalidArgument"),
        ("subscribe a.#.b", "MessagingError::InvalidArgument"),
        ("cancel 1", "MessagingError::NoMessage"),
        ("id-of 99", "MessagingError::NotFound"),
        ("codec 0", "MessagingError::InvalidArgument"),
    ],
)
def test_what_cannot_be_is_told_to_the_guest(engine: aw.Engine, command: str, error: str) -> None:
    async def what(talkers: Talkers) -> None:
        assert (await talkers.tell("acme/one", command)).startswith(f"error: {error}")
        assert talkers.actors["acme/one"].incarnation == 1

    play(engine, ["acme/one", "acme/two"], what)


def test_who_tries_numbers_learns_no_names(engine: aw.Engine) -> None:
    async def what(talkers: Talkers) -> None:
        hidden = talkers.actors["secret/board"]._seat.native.handle
        own = talkers.actors["acme/one"]._seat.native.handle
        assert hidden != own
        # Attacked with the very number, and those around it.
        for handle in range(hidden - 5, hidden + 5):
            if handle != own:
                for command in (f"id-of {handle}", f"send-handle {handle} x"):
                    told = await talkers.tell("acme/one", command)
                    assert told == "error: MessagingError::NotFound", (command, told)
        assert await talkers.tell("acme/one", f"id-of {own}") == "acme/one/0"
        # The host hears of each try all the same.
        assert talkers.host.metrics()["denials"] >= 1

    play(engine, {"acme/one": aw.Grant(receive=["**"]), "secret/board": FREE}, what)


def test_who_sent_something_may_be_asked_about(engine: aw.Engine) -> None:
    async def what(talkers: Talkers) -> None:
        other = talkers.actors["acme/two"]._seat.native.handle
        assert (await talkers.tell("acme/one", f"id-of {other}")).startswith("error:")
        assert await talkers.tell("acme/two", "ask acme/one 1000 echo hello") == "hello"
        assert await talkers.tell("acme/one", f"id-of {other}") == "acme/two/0"
        # That is no permission, and now it may know of what.
        told = await talkers.tell("acme/one", f"send-handle {other} x")
        assert told == 'error: MessagingError::Denied("messaging.send acme/two/0")'

    play(engine, {"acme/one": aw.Grant(receive=["**"]), "acme/two": FREE}, what)


GRANTS = [
    ("ask acme/two 1000 echo x", aw.Grant(), FREE, "messaging.send acme/two/0"),
    ("send acme/two x", aw.Grant(send=["acme/three"]), FREE, "messaging.send acme/two/0"),
    ("lookup acme/nobody", aw.Grant(), FREE, "messaging.send acme/nobody/0"),
    ("ask acme/two 1000 x", aw.Grant(send=["**"]), aw.Grant(), "messaging.send acme/two/0"),
    (
        "ask acme/two 1000 x",
        aw.Grant(send=["**"]),
        aw.Grant(receive=["other/*"]),
        "messaging.send acme/two/0",
    ),
    ("publish orders.new x", aw.Grant(publish=["bills.#"]), FREE, "messaging.publish orders.new"),
    ("subscribe #", aw.Grant(subscribe=["orders.#"]), FREE, "messaging.subscribe #"),
    ("subscribe orders.#", aw.Grant(subscribe=["orders.*"]), FREE, "messaging.subscribe orders.#"),
]


@pytest.mark.parametrize(("command", "grant", "other", "denied"), GRANTS)
def test_what_was_not_granted_is_denied(
    engine: aw.Engine, command: str, grant: aw.Grant, other: aw.Grant, denied: str
) -> None:
    async def what(talkers: Talkers) -> None:
        told = await talkers.tell("acme/one", command)
        assert told == f'error: MessagingError::Denied("{denied}")'
        assert talkers.actors["acme/two"].mailbox["accepted"] == 0

    play(engine, {"acme/one": grant, "acme/two": other}, what)


def test_what_was_granted_is_not_denied(engine: aw.Engine) -> None:
    async def what(talkers: Talkers) -> None:
        assert await talkers.tell("acme/one", "ask acme/two 1000 echo x") == "x"
        assert await talkers.tell("acme/one", "publish orders.new x") == "done"
        assert await talkers.tell("acme/two", "subscribe orders.new") == "done"

    grants = {
        "acme/one": aw.Grant(send=["acme/t*"], publish=["orders.*"]),
        "acme/two": aw.Grant(receive=["acme/one"], subscribe=["orders.#"]),
    }
    play(engine, grants, what)


def test_a_handle_that_somebody_else_found_is_no_permission(engine: aw.Engine) -> None:
    async def what(talkers: Talkers) -> None:
        handle = await talkers.tell("acme/one", "lookup acme/two")
        told = await talkers.tell("acme/bad", f"send-handle {handle} note x")
        # Nor does it learn whose it is.
        assert told == "error: MessagingError::NotFound"
        assert await talkers.notes("acme/two") == []

    play(
        engine, {"acme/one": FREE, "acme/two": FREE, "acme/bad": aw.Grant(send=["acme/one"])}, what
    )


def test_requests_end_in_callbacks(engine: aw.Engine) -> None:
    async def what(talkers: Talkers) -> None:
        assert await talkers.tell("acme/one", "request acme/two 1000 echo a") == "1"
        assert await talkers.tell("acme/one", "request acme/two 1000 refuse b") == "2"
        assert await talkers.tell("acme/one", "request acme/one 1000 echo self") == "3"
        assert await talkers.tell("acme/one", "request acme/two 1000 trap") == "4"
        notes = set(await talkers.noted("acme/one", 4))
        assert {note for note in notes if not note.startswith("4=")} == {
            "1=a",
            '2=MessagingError::Refused(MessageError::Refused("b"))',
            "3=self",
        }
        assert any(note.startswith("4=MessagingError::ActorFailed") for note in notes)

    play(engine, ["acme/one", "acme/two"], what)


def test_a_request_times_out_in_its_callback_and_a_cancelled_one_has_none(
    engine: aw.Engine,
) -> None:
    async def what(talkers: Talkers) -> None:
        await talkers.tell("acme/one", "request acme/two 100 loop")
        cancelled = await talkers.tell("acme/one", "request acme/two 200 echo never")
        assert await talkers.tell("acme/one", f"cancel {cancelled}") == "done"
        again = await talkers.tell("acme/one", f"cancel {cancelled}")
        assert again == "error: MessagingError::NoMessage"
        assert await talkers.noted("acme/one", 1) == ["1=MessagingError::TimedOut"]
        await asyncio.sleep(0.3)
        assert len(await talkers.notes("acme/one")) == 1

    play(engine, ["acme/one", "acme/two"], what)


def test_a_later_instance_hears_nothing_of_an_earlier_ones_requests(engine: aw.Engine) -> None:
    async def what(talkers: Talkers) -> None:
        await talkers.tell("acme/two", "note begin")
        await talkers.tell("acme/one", "request acme/two 5000 defer")
        with pytest.raises(aw.ActorFailed):
            await talkers.tell("acme/one", "trap")
        assert await talkers.tell("acme/one", "notes") != ""
        assert talkers.actors["acme/one"].incarnation == 2
        told = await talkers.tell("acme/two", "answer late")
        # Nobody waits for it any more, which the host tells as it is.
        assert told == "error: MessagingError::NoMessage"
        assert await talkers.notes("acme/one") == []

    play(engine, ["acme/one", "acme/two"], what)


def test_a_request_is_answered_later(engine: aw.Engine) -> None:
    async def what(talkers: Talkers) -> None:
        waits = asyncio.ensure_future(talkers.tell("acme/two", "defer"))
        await asyncio.sleep(0.05)
        assert not waits.done()
        assert await talkers.tell("acme/two", "answer now") == "Some(MessagingError::NoMessage)"
        assert await waits == "now"
        # Between guests too, and by a refusal.
        asks = asyncio.ensure_future(talkers.tell("acme/one", "ask acme/two 2000 defer"))
        await asyncio.sleep(0.05)
        assert await talkers.tell("acme/two", "decline never") == "done"
        assert await asks == 'error: MessagingError::Refused(MessageError::Refused("never"))'
        assert await talkers.tell("acme/two", "defer-twice") == "Some(MessagingError::NoMessage)"

    play(engine, ["acme/one", "acme/two"], what)


@pytest.mark.parametrize("command", ["forget", "trap", "loop"])
def test_what_is_kept_open_ends_whatever_becomes_of_its_keeper(
    engine: aw.Engine, command: str
) -> None:
    async def what(talkers: Talkers) -> None:
        waits = asyncio.ensure_future(talkers.tell("acme/two", "defer", timeout=10.0))
        await asyncio.sleep(0.05)
        ends = asyncio.ensure_future(talkers.tell("acme/two", command))
        with pytest.raises(aw.MessagingError) as caught:
            await waits
        assert not isinstance(caught.value, aw.AskTimeout)
        await asyncio.gather(ends, return_exceptions=True)

    play(engine, ["acme/two"], what)


def test_keeping_open_and_failing_ends_it(engine: aw.Engine) -> None:
    async def what(talkers: Talkers) -> None:
        with pytest.raises(aw.ActorFailed):
            await talkers.tell("acme/two", "defer-and-trap")
        told = await talkers.tell("acme/one", "ask acme/two 2000 defer-and-trap")
        assert told.startswith("error: MessagingError::ActorFailed")

    play(engine, ["acme/one", "acme/two"], what)


def test_what_is_published_comes_to_who_has_subscribed(engine: aw.Engine) -> None:
    async def what(talkers: Talkers) -> None:
        assert await talkers.tell("acme/two", "subscribe orders.#") == "done"
        assert await talkers.tell("acme/two", "subscribe orders.#") == "done"
        assert await talkers.tell("acme/three", "subscribe bills.*") == "done"
        assert await talkers.tell("acme/one", "publish orders.new note 1") == "done"
        await talkers.host.publish("orders.old", b"note 2", codec="raw")
        assert await talkers.noted("acme/two", 2) == ["1", "2"]
        assert await talkers.tell("acme/two", "unsubscribe orders.#") == "done"
        assert await talkers.tell("acme/one", "publish orders.new note 3") == "done"
        assert await talkers.notes("acme/two") == ["1", "2"]
        assert await talkers.notes("acme/three") == []

    play(engine, ["acme/one", "acme/two", "acme/three"], what)


def test_subscriptions_end_with_their_instance(engine: aw.Engine) -> None:
    async def what(talkers: Talkers) -> None:
        await talkers.tell("acme/two", "subscribe orders.#")
        await talkers.add("acme/four", config=b"orders.*")
        with pytest.raises(aw.ActorFailed):
            await talkers.tell("acme/two", "trap")
        with pytest.raises(aw.ActorFailed):
            await talkers.tell("acme/four", "trap")
        await talkers.tell("acme/two", "notes")
        await talkers.tell("acme/four", "notes")
        await talkers.host.publish("orders.new", b"note 1", codec="raw")
        # The one that subscribes when it starts does so again.
        assert await talkers.noted("acme/four", 1) == ["1"]
        assert await talkers.notes("acme/two") == []

    play(engine, ["acme/two"], what)


def test_a_broadcast_says_who_did_not_get_it(engine: aw.Engine) -> None:
    async def what(talkers: Talkers) -> None:
        two, three = [
            await talkers.tell("acme/one", f"lookup acme/{name}") for name in ("two", "three")
        ]
        told = await talkers.tell("acme/one", f"broadcast {two},{three},{two},77 note x")
        assert told == "MessagingError::NotFound"
        assert await talkers.noted("acme/two", 1) == ["x"]
        assert await talkers.noted("acme/three", 1) == ["x"]
        many = ",".join(["1"] * 1001)
        told = await talkers.tell("acme/one", f"broadcast {many} x")
        assert told.startswith("error: MessagingError::InvalidArgument")

    play(engine, ["acme/one", "acme/two", "acme/three"], what)


def test_a_reply_is_in_the_codec_that_was_chosen(engine: aw.Engine) -> None:
    async def what(talkers: Talkers) -> None:
        reply = await talkers.actors["acme/one"].ask(b"codec 512", codec="raw")
        assert (reply.codec, reply.value) == (aw.codec.JSON, {})
        # It counts for that message alone.
        assert (await talkers.actors["acme/one"].ask(b"echo x", codec="raw")).codec == 0x55

    play(engine, ["acme/one"], what)


def test_a_full_mailbox_holds_a_guest_up(engine: aw.Engine) -> None:
    async def what(talkers: Talkers) -> None:
        brief = aw.Limits(memory_bytes_max=2 * aw.MIB, call_seconds_max=0.4)
        await talkers.add("acme/small", limits=brief, mailbox=aw.Mailbox(messages_max=2))
        refuses = aw.Mailbox(messages_max=2, when_full="reject")
        await talkers.add("acme/hard", limits=brief, mailbox=refuses)
        for name in ("small", "hard"):
            actor = talkers.actors[f"acme/{name}"]
            loop = asyncio.ensure_future(talkers.tell(f"acme/{name}", "loop"))
            await asyncio.sleep(0.05)
            actor.try_send(b"note 1", codec="raw")
            actor.try_send(b"note 2", codec="raw")
            sends = asyncio.ensure_future(talkers.tell("acme/one", f"send acme/{name} note 3"))
            await asyncio.sleep(0.1)
            assert sends.done() == (name == "hard")
            with pytest.raises(aw.ActorFailed):
                await loop
            told = await sends
            assert told == ("done" if name == "small" else "error: MessagingError::MailboxFull")
            while actor.mailbox["messages"]:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.01)
        assert await talkers.noted("acme/small", 3) == ["1", "2", "3"]
        assert await talkers.noted("acme/hard", 2) == ["1", "2"]

    play(engine, ["acme/one"], what)


def test_open_requests_are_bounded(engine: aw.Engine) -> None:
    async def what(talkers: Talkers) -> None:
        await talkers.add("acme/sink", mailbox=aw.Mailbox(messages_max=5000))
        refused = await talkers.tell("acme/one", "request-many acme/sink 1500 defer")
        assert refused == "500"
        with pytest.raises(aw.ActorFailed):
            await talkers.tell("acme/one", "trap")

    play(engine, ["acme/one"], what)


def test_replies_that_wait_for_their_callback_are_bounded(engine: aw.Engine) -> None:
    async def what(talkers: Talkers) -> None:
        room = aw.Mailbox(messages_max=1000, bytes_max=64 * aw.MIB)
        patient = aw.Limits(memory_bytes_max=2 * aw.MIB, call_seconds_max=30.0)
        await talkers.add("acme/echo", mailbox=room)
        await talkers.add("acme/gate")
        await talkers.add("acme/asker", limits=patient)
        body = "x" * 60_000
        asks = asyncio.ensure_future(
            talkers.tell(
                "acme/asker", f"request-many-and-wait acme/echo 400 echo {body}", timeout=30
            )
        )
        echo = talkers.actors["acme/echo"]
        while echo.mailbox["delivered"] < 400:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.01)
        await talkers.tell("acme/gate", "answer on")
        assert await asks == "done"
        notes = await talkers.noted("acme/asker", 400)
        kept = sum(note.endswith("=long") for note in notes)
        refused = sum("MessagingError::QuotaExceeded" in note for note in notes)
        # 16 MiB of them, and each request has its end.
        assert kept == 16 * aw.MIB // 60_000
        assert kept + refused == 400

    play(engine, [], what)


def test_a_late_answer_is_no_larger_than_a_message(engine: aw.Engine) -> None:
    async def what(talkers: Talkers) -> None:
        waits = asyncio.ensure_future(talkers.tell("acme/two", "defer"))
        await asyncio.sleep(0.05)
        assert await talkers.tell("acme/two", f"answer-bytes {aw.MIB + 1}") == "done"
        assert await waits == f"MessagingError::TooLarge({aw.MIB})"

    play(engine, ["acme/two"], what)


def test_requests_that_are_kept_open_are_bounded(engine: aw.Engine) -> None:
    async def what(talkers: Talkers) -> None:
        kept = [asyncio.ensure_future(talkers.tell("acme/two", "defer")) for _ in range(1000)]
        await asyncio.sleep(0.2)
        told = await talkers.tell("acme/two", "defer")
        assert told.startswith("error: MessagingError::QuotaExceeded")
        assert not any(one.done() for one in kept)
        with pytest.raises(aw.ActorFailed):
            await talkers.tell("acme/two", "trap")
        ends = await asyncio.gather(*kept, return_exceptions=True)
        assert all(isinstance(end, aw.MessagingError) for end in ends)

    play(engine, ["acme/two"], what)


def test_a_chain_of_askers_may_be_long(engine: aw.Engine) -> None:
    async def what(talkers: Talkers) -> None:
        names = [f"acme/link-{number}" for number in range(60)]
        for name in names:
            await talkers.add(name)
        chain = "".join(f"ask {name} 1500 " for name in names[1:]) + "own"
        assert await talkers.tell(names[0], chain) == f"{names[-1]}/0"

    play(engine, [], what)


def test_who_leaves_the_line_before_a_full_mailbox_sends_nothing(engine: aw.Engine) -> None:
    async def main() -> None:
        release, handled = asyncio.Event(), []
        async with aw.Host(engine=engine) as host:

            @host.actor("acme/slow", mailbox=aw.Mailbox(messages_max=1))
            async def slow(message: aw.Message) -> object:
                await release.wait()
                handled.append(message.value)
                return None

            actor = host.find("acme/slow")
            await actor.send("first")
            while actor.mailbox["messages"]:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.01)
            await actor.send("second")
            leaves = asyncio.ensure_future(actor.send("third"))
            await asyncio.sleep(0.05)
            assert not leaves.done()
            leaves.cancel()
            with pytest.raises(asyncio.CancelledError):
                await leaves
            await asyncio.sleep(0)
            stays = asyncio.ensure_future(actor.send("fourth"))
            await asyncio.sleep(0.05)
            release.set()
            await stays
            await actor.ask("fifth")
        assert handled == ["first", "second", "fourth", "fifth"]

    asyncio.run(main())


def test_a_component_that_sends_is_no_plain_instance(engine: aw.Engine) -> None:
    component = engine.load(TALKER)
    with pytest.raises(aw.ImportMissing, match="spawn it as an actor"):
        component.instantiate(limits=LIMITS)
    with pytest.raises(aw.ValueMismatch, match=r"grant\.send") as caught:
        component.instantiate(limits=LIMITS, grant=aw.Grant(send=["**"]))
    assert caught.value.path == "grant.send"
