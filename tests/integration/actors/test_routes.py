"""Routes: what is tried again, what is cut off, and what never is."""

from __future__ import annotations

import asyncio
import time

import pytest

import airssys_wasm as aw

QUICK = aw.Retry(attempts_max=4, first_delay_seconds=0.01, delay_seconds_max=0.05)


class Flaky:
    """Fails as it is told, so many times; counts what it was asked."""

    asked = 0
    failures = 0
    hangs = False

    async def handle(self, message: aw.Message) -> object:
        Flaky.asked += 1
        if Flaky.hangs:
            await asyncio.Event().wait()
        if Flaky.failures > 0:
            Flaky.failures -= 1
            match message.value:
                case "busy":
                    raise aw.HandlerRefusal("later", reason="busy")
                case "failed":
                    raise aw.HandlerRefusal("broken", reason="failed")
                case "refused":
                    raise aw.HandlerRefusal("never")
                case "raise":
                    raise RuntimeError("told to")
                case "hang":
                    await asyncio.Event().wait()
        return Flaky.asked


@pytest.fixture(autouse=True)
def _starts_over() -> None:
    Flaky.asked = Flaky.failures = 0
    Flaky.hangs = False


def test_what_was_surely_not_handled_is_tried_again(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            host.route("acme/flaky", retry=QUICK)
            actor = await host.spawn("acme/flaky", Flaky)
            Flaky.failures = 3
            assert (await actor.ask("busy")).value == 4
            # One failure more than there are attempts.
            Flaky.asked, Flaky.failures = 0, 4
            with pytest.raises(aw.MessageRefused) as caught:
                await actor.ask("busy")
            assert (caught.value.reason, Flaky.asked) == ("busy", 4)
            # What may have been handled, or never will be, is not.
            for word, error in (
                ("failed", aw.MessageRefused),
                ("refused", aw.MessageRefused),
                ("raise", aw.ActorFailed),
            ):
                Flaky.asked, Flaky.failures = 0, 1
                with pytest.raises(error):
                    await actor.ask(word, timeout=10.0)
                assert Flaky.asked == 1, word

    asyncio.run(main())


def test_what_may_be_handled_twice_is_tried_again_too(engine: aw.Engine) -> None:
    with aw.Host.blocking(engine=engine) as host:
        actor = host.spawn("acme/flaky", Flaky)
        host.route("acme/flaky", retry=QUICK, idempotent=True)
        for word in ("failed", "raise"):
            Flaky.asked, Flaky.failures = 0, 1
            assert actor.ask(word, timeout=10.0).value == 2, word
        Flaky.failures = 1
        with pytest.raises(aw.MessageRefused, match="never"):
            actor.ask("refused")
        # As usual again.
        host.route("acme/flaky")
        Flaky.failures = 1
        with pytest.raises(aw.MessageRefused):
            actor.ask("busy")


def test_nothing_is_tried_after_the_deadline(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            slow = aw.Retry(attempts_max=100, first_delay_seconds=0.2, factor=1.0)
            host.route("acme/flaky", retry=slow, idempotent=True)
            actor = await host.spawn("acme/flaky", Flaky)
            Flaky.failures = 100
            began = time.monotonic()
            with pytest.raises(aw.MessageRefused):
                await actor.ask("busy", timeout=0.5)
            assert time.monotonic() - began < 0.55
            assert Flaky.asked in {2, 3}
            Flaky.asked = 0
            began = time.monotonic()
            with pytest.raises(aw.AskTimeout):
                await actor.ask("hang", timeout=0.2)
            assert time.monotonic() - began < 0.4
            await asyncio.sleep(0.5)
            assert Flaky.asked == 1

    asyncio.run(main())


def test_a_timeout_names_the_time_that_was_asked_for(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            slow = aw.Retry(first_delay_seconds=0.2, jitter=0.0)
            host.route("acme/flaky", retry=slow)
            actor = await host.spawn("acme/flaky", Flaky)
            Flaky.failures = 1
            busy = asyncio.ensure_future(actor.ask("busy", timeout=0.5))
            await asyncio.sleep(0.1)
            # The second attempt hangs, with 0.3 s left.
            Flaky.failures, Flaky.hangs = 0, True
            with pytest.raises(aw.AskTimeout, match=r"within 0\.5 s$"):
                await busy
            assert Flaky.asked == 2
            with pytest.raises(aw.AskTimeout, match=r"within 0\.05 s$"):
                await actor.ask("x", timeout=0.05)

    asyncio.run(main())


def test_a_request_that_is_given_up_is_not_tried_again(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            host.route("acme/flaky", retry=aw.Retry(first_delay_seconds=0.1))
            actor = await host.spawn("acme/flaky", Flaky)
            Flaky.failures = 100
            asked = asyncio.ensure_future(actor.ask("busy"))
            await asyncio.sleep(0.05)
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked
            await asyncio.sleep(0.3)
            assert Flaky.asked == 1

    asyncio.run(main())


def test_an_actor_that_keeps_failing_is_cut_off_until_a_probe_succeeds(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            breaker = aw.Breaker(failures_max=3, window_seconds=10.0, cool_down_seconds=0.3)
            host.route("acme/flaky", breaker=breaker)
            actor = await host.spawn("acme/flaky", Flaky)
            # Refusals that are the sender's fault open nothing.
            Flaky.failures = 5
            for _ in range(5):
                with pytest.raises(aw.MessageRefused):
                    await actor.ask("refused")
            Flaky.failures = 3
            for _ in range(3):
                with pytest.raises(aw.MessageRefused):
                    await actor.ask("failed")
            asked = Flaky.asked
            with pytest.raises(aw.CircuitOpen, match="keeps failing") as caught:
                await actor.ask("x")
            assert 0 < caught.value.retry_after_seconds <= 0.3
            assert caught.value.actor == "acme/flaky"
            got = await actor.ask_many(["x", "y"], return_exceptions=True)
            assert [type(one) for one in got] == [aw.CircuitOpen] * 2
            assert Flaky.asked == asked
            await asyncio.sleep(0.35)
            # One failed probe cuts it off again.
            Flaky.failures = 1
            with pytest.raises(aw.MessageRefused):
                await actor.ask("failed")
            with pytest.raises(aw.CircuitOpen):
                await actor.ask("x")
            await asyncio.sleep(0.35)
            assert (await actor.ask("x")).value == asked + 2
            assert len(await actor.ask_many(["x", "y", "z"])) == 3

    asyncio.run(main())


class Gate:
    """Handles nothing before it is open."""

    is_open: asyncio.Event

    async def handle(self, message: aw.Message) -> object:
        await Gate.is_open.wait()
        return message.value


def test_a_probe_that_no_handler_saw_neither_closes_nor_opens(engine: aw.Engine) -> None:
    async def main() -> None:
        Gate.is_open = asyncio.Event()
        async with aw.Host(engine=engine) as host:
            breaker = aw.Breaker(failures_max=3, cool_down_seconds=0.3)
            host.route("acme/gate", breaker=breaker)
            mailbox = aw.Mailbox(messages_max=4, when_full="drop-newest")
            gate = await host.spawn("acme/gate", Gate, mailbox=mailbox, shutdown="immediate")
            gate.try_send("busy")
            await asyncio.sleep(0.05)
            for _ in range(3):
                with pytest.raises(aw.AskTimeout):
                    await gate.ask("x", timeout=0.03)
            await asyncio.sleep(0.35)
            # The mailbox is full: probes make way, and each gives its place back.
            assert gate.try_send_many(["fills"] * 4) > 0
            for _ in range(3):
                with pytest.raises(aw.MessageDropped):
                    await gate.ask("x", timeout=0.03)
            Gate.is_open.set()
            await asyncio.sleep(0.05)
            Gate.is_open.clear()
            # Closed, it would need three failures; half-open, it opens with one.
            with pytest.raises(aw.AskTimeout):
                await gate.ask("x", timeout=0.03)
            with pytest.raises(aw.CircuitOpen):
                await gate.ask("x")
            await asyncio.sleep(0.35)
            Gate.is_open.set()
            assert (await gate.ask("x")).value == "x"
            assert len(await gate.ask_many(["x", "y", "z"])) == 3

    asyncio.run(main())


def test_timeouts_count_as_failures(engine: aw.Engine) -> None:
    with aw.Host.blocking(engine=engine) as host:
        host.route("acme/flaky", breaker=aw.Breaker(failures_max=2, cool_down_seconds=60.0))
        actor = host.spawn("acme/flaky", Flaky)
        Flaky.failures = 2
        for _ in range(2):
            with pytest.raises(aw.AskTimeout):
                actor.ask("hang", timeout=0.1)
        began = time.monotonic()
        with pytest.raises(aw.CircuitOpen):
            actor.ask("x")
        assert time.monotonic() - began < 0.05


def test_the_members_of_a_pool_share_a_route(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            host.route("acme/flaky", retry=QUICK)
            pool = await host.spawn("acme/flaky", Flaky, pool=3)
            Flaky.failures = 3
            assert (await pool.ask("busy")).value == 4
            Flaky.asked, Flaky.failures = 0, 3
            assert (await pool.members[1].ask("busy")).value == 4

    asyncio.run(main())


def test_figures_are_checked() -> None:
    for wrong in (
        lambda: aw.Retry(attempts_max=0),
        lambda: aw.Retry(first_delay_seconds=-1),
        lambda: aw.Retry(first_delay_seconds=2, delay_seconds_max=1),
        lambda: aw.Retry(factor=0.5),
        lambda: aw.Retry(jitter=float("nan")),
        lambda: aw.Breaker(failures_max=0),
        lambda: aw.Breaker(window_seconds=0),
        lambda: aw.Breaker(cool_down_seconds=float("inf")),
        lambda: aw.Breaker(probes=1001),
        lambda: aw.Rate(messages_per_second=0),
        lambda: aw.Rate(messages_per_second=10_000_001),
        lambda: aw.Rate(messages_per_second=1, burst=0),
    ):
        with pytest.raises(aw.ValueMismatch):
            wrong()


def test_a_route_is_checked(engine: aw.Engine) -> None:
    host = aw.Host(engine=engine)
    with pytest.raises(aw.ValueMismatch, match="idempotent"):
        host.route("acme/flaky", idempotent=True)
    with pytest.raises(ValueError, match="address"):
        host.route("no address", retry=QUICK)
