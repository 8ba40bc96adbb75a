"""What a component may not say, the host hears of: who, what, and the grant for it."""

from __future__ import annotations

import asyncio
import time

from tests.integration.actors.talkers import FREE, LIMITS, TALKER, Talkers

import airssys_wasm as aw

#: May say nothing; hears everybody.
MUTE = aw.Grant(receive=["**"])


def denials(engine: aw.Engine, grants: dict[str, aw.Grant], commands: list[str]) -> list[aw.Event]:
    """Have ``acme/one`` run commands; give what the host heard of, and how often it counted."""

    async def main() -> list[aw.Event]:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            talkers = Talkers(host, engine.load(TALKER))
            for name, grant in grants.items():
                await talkers.add(name, grant)
            heard: list[aw.Event] = []
            async with host.events() as events:
                for command in commands:
                    told = await talkers.tell("acme/one", command)
                    assert "Denied" in told, told
                await host.stop("acme/one")
                async for event in events:
                    if event.kind == "ended":
                        break
                    heard.append(event)
            assert host.metrics()["denials"] == len(commands)
            return heard

    return asyncio.run(main())


def test_each_is_told_with_the_grant_that_would_allow_it(engine: aw.Engine) -> None:
    heard = denials(
        engine,
        {"acme/one": MUTE, "acme/two": FREE},
        ["send acme/two note x", "publish orders.created x", "subscribe orders.#"],
    )

    assert [(event.kind, event.actor, event.reason) for event in heard] == [
        ("denied", "acme/one", "messaging.send"),
        ("denied", "acme/one", "messaging.publish"),
        ("denied", "acme/one", "messaging.subscribe"),
    ]
    hints = [event.detail.split("hint: ")[1] for event in heard]
    assert hints == [
        "Grant(send=['acme/two']) for 'acme/one'",
        "Grant(publish=['orders.created']) for 'acme/one'",
        "Grant(subscribe=['orders.#']) for 'acme/one'",
    ]


def test_the_receivers_grant_is_told_to_the_host_alone(engine: aw.Engine) -> None:
    (event,) = denials(engine, {"acme/one": FREE, "acme/two": aw.Grant()}, ["send acme/two note x"])

    assert event.detail == (
        "'acme/two' does not hear 'acme/one'; hint: Grant(receive=['acme/one']) for the former"
    )


def test_one_is_told_of_beside_a_flood_of_dead_letters(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            talkers = Talkers(host, engine.load(TALKER))
            await talkers.add("acme/one", aw.Grant(receive=["**"], send=["acme/sink"]))
            narrow = aw.Mailbox(messages_max=1, when_full="drop-oldest")
            await talkers.add("acme/sink", FREE, mailbox=narrow)
            kinds: list[str] = []
            async with host.events(events_max=50_000) as events:
                actor = talkers.actors["acme/one"]
                await actor.send(b"send-many acme/sink 30000 note x", codec="raw")
                await actor.send(b"publish secret.topic x", codec="raw")
                # Nothing is taken meanwhile: the application is busy.
                deadline = time.monotonic() + 5
                while not host._broker.denials and time.monotonic() < deadline:
                    time.sleep(0.01)  # noqa: ASYNC251 - the loop is held up on purpose
                await host.stop("acme/one")
                async for event in events:
                    kinds.append(event.kind)
                    if event.kind == "ended" and event.actor == "acme/one":
                        break
            assert kinds.count("denied") == 1
            # There were more letters than are kept as events.
            assert "missed" in kinds

    asyncio.run(main())


def test_a_guest_that_goes_on_trying_floods_nobody(engine: aw.Engine) -> None:
    again = ["send acme/two note x"] * 50
    many = [f"publish topic.{number} x" for number in range(100)]
    heard = denials(engine, {"acme/one": MUTE, "acme/two": FREE}, again + many)

    assert len(heard) == 64
    assert sum(event.reason == "messaging.send" for event in heard) == 1
