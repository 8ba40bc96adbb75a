"""``dead_letters``: messages that nobody handled."""

from __future__ import annotations

import asyncio
import time

import pytest

import airssys_wasm as aw

LIMITS = aw.Limits(memory_bytes_max=4 * aw.MIB, call_seconds_max=0.5)


async def letters(host: aw.Host, number: int) -> list[aw.DeadLetter]:
    for _ in range(500):
        if len(host.dead_letters) >= number:
            return list(host.dead_letters)
        await asyncio.sleep(0.01)
    pytest.fail(f"there are never {number} dead letters")


def test_a_letter_says_what_it_was_and_goes_back_once(
    engine: aw.Engine, handler: aw.Component
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            actor = await host.spawn("acme/echo", handler)
            await actor.send(b"-no", codec="raw")
            await actor.send({"n": 1}, ttl=0)
            letter, *rest = await letters(host, 1)
            assert (letter.number, letter.receiver, letter.sender) == (1, "acme/echo", None)
            assert (letter.reason, letter.payload, letter.value) == (
                "handler-failed",
                b"-no",
                b"-no",
            )
            assert (letter.codec, letter.topic) == (aw.codec.RAW, None)
            assert 0 <= letter.age_seconds < 10
            assert host.dead_letters[1].payload == b"-no"
            before = int.from_bytes((await actor.ask(b"#", codec="raw")).payload, "little")
            await host.dead_letters.replay(letter)
            with pytest.raises(aw.LetterNotFound):
                await host.dead_letters.replay(letter)
            # Refused again: a new letter with a new number.
            again = (await letters(host, 1 + len(rest)))[-1]
            assert again.number > letter.number
            after = int.from_bytes((await actor.ask(b"#", codec="raw")).payload, "little")
            assert after == before + 2

    asyncio.run(main())


def test_a_letter_that_is_not_accepted_stays_what_it_was(
    engine: aw.Engine, handler: aw.Component
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            actor = await host.spawn("acme/echo", handler, mailbox=aw.Mailbox(messages_max=1))
            await actor.send(b"-no", codec="raw")
            (letter,) = await letters(host, 1)
            endless = asyncio.ensure_future(actor.ask(b"?", codec="raw"))
            await asyncio.sleep(0.05)
            actor.try_send("in the way")
            with pytest.raises(aw.MailboxFull):
                await host.dead_letters.replay(letter)
            assert host.dead_letters[letter.number].payload == b"-no"
            with pytest.raises(aw.ActorFailed):
                await endless
            await host.stop("acme/echo")
            with pytest.raises(aw.ActorNotFound):
                await host.dead_letters.replay(letter.number)
            assert letter.number in [one.number for one in host.dead_letters]

    asyncio.run(main())


def test_what_stands_in_a_mailbox_at_the_end_is_there_and_can_be_thrown_away(
    engine: aw.Engine, handler: aw.Component
) -> None:
    with aw.Host.blocking(engine=engine, limits=LIMITS) as host:
        actor = host.spawn("acme/echo", handler, restart="temporary")
        actor.send(b"?", codec="raw")
        for number in range(5):
            actor.try_send(number)
        host.stop("acme/echo")
        # The handler that ran may take a moment to end.
        until = time.monotonic() + 5
        while [letter.reason for letter in host.dead_letters].count("stopped") < 5:
            assert time.monotonic() < until
            time.sleep(0.01)
        with pytest.raises(aw.ActorNotFound):
            host.dead_letters.replay(next(iter(host.dead_letters)))
        first = next(iter(host.dead_letters))
        host.dead_letters.discard(first)
        for wrong in (first, 10**6, 0, -1, 2**70, 10**5000, "x", 1.5):
            with pytest.raises(aw.LetterNotFound, match="hint: "):
                host.dead_letters.discard(wrong)  # type: ignore[arg-type]
            with pytest.raises(aw.LetterNotFound):
                host.dead_letters[wrong]  # type: ignore[index]
        with pytest.raises(aw.LetterNotFound, match="there is no dead letter -1; hint: "):
            host.dead_letters.discard(-1)
        left = len(host.dead_letters)
        assert host.dead_letters.clear() == left
        assert (len(host.dead_letters), host.dead_letters.counters["bytes"]) == (0, 0)


@pytest.mark.parametrize("size", [0, 1, 47, 4096, 300_000, aw.MIB])
def test_their_memory_is_bounded_whatever_their_size(
    engine: aw.Engine, handler: aw.Component, size: int
) -> None:
    # Long enough that the first message is handled all the while.
    limits = aw.Limits(memory_bytes_max=4 * aw.MIB, call_seconds_max=30.0)
    with aw.Host.blocking(engine=engine, limits=limits) as host:
        mailbox = aw.Mailbox(messages_max=1, when_full="drop-newest")
        actor = host.spawn("acme/echo", handler, mailbox=mailbox, restart="temporary")
        actor.try_send(b"?", codec="raw")
        body, many = bytes(size), 3000 if size < 300_000 else 200
        for _ in range(many):
            actor.try_send(body, codec="raw")
        counters = host.dead_letters.counters
        assert counters["letters"] <= 1000
        assert counters["bytes"] <= 16 * aw.MIB
        assert counters["dropped"] + counters["letters"] == counters["posted"] >= many - 2
        kept = list(host.dead_letters)
        assert len(kept) == counters["letters"]
        # The newest are kept.
        assert kept[-1].number >= many - 2
