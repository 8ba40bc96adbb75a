"""What the guest SDK for Rust gives an actor, used by one that does what it is told."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import airssys_wasm as aw

PREBUILT = Path(__file__).parents[2] / "components" / "prebuilt"
LIMITS = aw.Limits(memory_bytes_max=4 * aw.MIB, call_seconds_max=5.0)
ALL = aw.Grant(send=["acme/**"], receive=["acme/**"], publish=["news.#"], subscribe=["news.#"])
LIFECYCLE = "airssys:core/lifecycle"


@pytest.fixture(scope="module")
def messenger(engine: aw.Engine) -> aw.Component:
    return engine.load(PREBUILT / "messenger.wasm")


@pytest.fixture
def host(engine: aw.Engine) -> Iterator[Any]:
    with aw.Host.blocking(engine=engine, limits=LIMITS) as host:
        yield host


@pytest.fixture
def ada(host: Any, messenger: aw.Component) -> Any:
    return host.spawn("acme/ada", messenger, grant=ALL)


@pytest.fixture
def bob(host: Any, messenger: aw.Component) -> Any:
    return host.spawn("acme/bob", messenger, grant=ALL)


def notes(actor: Any) -> list[str]:
    found: list[str] = actor.ask("Notes").value
    return found


def until_noted(actor: Any, count: int) -> list[str]:
    for _ in range(500):
        if len(found := notes(actor)) >= count:
            return found
        time.sleep(0.01)
    pytest.fail("not noted")


def refusal(actor: Any, message: object) -> str:
    with pytest.raises(aw.MessageRefused) as caught:
        actor.ask(message)
    return f"{caught.value.reason}: {caught.value}"


def test_it_is_told_who_it_is_and_what_its_settings_are(host: Any, messenger: aw.Component) -> None:
    actor = host.spawn("acme/ada/7", messenger, config={"greeting": "hello"})

    assert actor.ask("Started").value == [
        "address=acme/ada/7",
        "greeting=hello",
        "incarnation=1",
        f"memory={4 * aw.MIB}",
        "reason=First",
    ]


def test_it_describes_itself_by_its_manifest(ada: Any) -> None:
    with pytest.raises(aw.ComponentError) as caught:
        ada.call(f"{LIFECYCLE}#execute", "greet", 0x51, b"")

    assert ada.call(f"{LIFECYCLE}#metadata") == {
        "name": "messenger",
        "version": "0.1.0",
        "description": "Does with messages what it is told",
        "authors": ["Ada", "Grace"],
        "license": "Apache-2.0",
        "operations": [],
        "codecs": [aw.codec.CBOR, aw.codec.JSON],
        "stateful": False,
        "memory": None,
    }
    assert caught.value.value == aw.Variant("unknown-operation", "greet")


def test_health_and_stop_are_the_actors_own(ada: Any) -> None:
    assert ada.call(f"{LIFECYCLE}#health") == "healthy"
    ada.ask("Sicken")
    assert ada.call(f"{LIFECYCLE}#health") == "unhealthy"
    with pytest.raises(aw.ComponentError) as caught:
        ada.call(f"{LIFECYCLE}#shutdown", "host-closing")
    why = "stopped at 0 notes: HostClosing"
    assert caught.value.value == aw.Variant("shutdown-failed", why)
    assert ada.call(f"{LIFECYCLE}#health") == "unknown"
    with pytest.raises(aw.ComponentError) as again:
        ada.call(f"{LIFECYCLE}#shutdown", "stopped")
    assert again.value.value == aw.Variant("invalid-state", "it was never started")
    assert "never started" in refusal(ada, "Notes")


def test_the_envelope_is_there_for_the_asking(ada: Any) -> None:
    asked = ada.ask("Describe", codec="json", timeout=2.0).value

    assert asked == ["Ask", "None", "Normal", "0x200", "true", "acme/ada/0"]


def test_it_asks_in_any_codec_and_says_why_there_is_no_reply(ada: Any, bob: Any) -> None:
    bob.send({"Note": "hi"})

    assert ada.ask({"Ask": "acme/bob"}).value == ['acme/bob noted ["hi"]']
    assert ada.ask({"AskOtherwise": "acme/bob/0"}).value[1:] == [
        '["hi"]',
        "Err(CodecUnsupported([81, 512]))",
    ]
    assert "expected u8" in refusal(ada, {"AskWrongly": "acme/bob"})
    assert "no such actor" in refusal(ada, {"Ask": "acme/nobody"})
    assert "wait for each other" in refusal(ada, {"Ask": "acme/ada"})
    assert "invalid argument" in refusal(ada, {"Ask": "a/b/c/d"})
    assert "not granted: messaging.send other/bob" in refusal(ada, {"Ask": "other/bob"})


def test_it_sends_to_one_and_to_all(ada: Any, bob: Any) -> None:
    ada.ask({"Urge": ["acme/bob", "hurry"]})
    assert until_noted(bob, 1) == ["hurry"]

    sent = ada.ask({"Broadcast": [["acme/bob", "acme/bob"], "all"]}).value
    assert sent == ["0 failed"]
    assert until_noted(bob, 2) == ["hurry", "all"]


def test_the_end_of_a_request_comes_as_a_callback(ada: Any, bob: Any) -> None:
    ada.ask({"Request": ["acme/bob", 5_000]})
    assert bob.ask({"Answer": "yes"}).value == []
    assert until_noted(ada, 1) == ['ended with ["yes"]']

    ada.ask({"Request": ["acme/bob", 5_000]})
    bob.ask({"Answer": None})
    assert until_noted(ada, 2)[1] == "ended: Refused(Busy(250))"

    ada.ask({"Request": ["acme/bob", 5_000]})
    bob.ask("Forget")
    assert until_noted(ada, 3)[2] == "ended: Cancelled"

    ada.ask({"Request": ["acme/bob", 50]})
    assert until_noted(ada, 4)[3] == "ended: TimedOut"


def test_a_cancelled_request_has_no_callback(ada: Any, bob: Any) -> None:
    assert ada.ask({"Cancel": "acme/bob"}).value == ["Err(NoMessage)"]
    bob.ask("Forget")
    time.sleep(0.05)
    assert notes(ada) == ["Err(NoMessage)"]


def test_it_publishes_and_takes_what_it_subscribed_to(ada: Any, bob: Any) -> None:
    bob.ask({"Subscribe": "news.*"})
    ada.ask({"Publish": ["news.weather", "rain"]})
    assert until_noted(bob, 1) == ["news.weather: rain"]

    bob.ask({"Unsubscribe": "news.*"})
    ada.ask({"Publish": ["news.weather", "sun"]})
    time.sleep(0.05)
    assert notes(bob) == ["news.weather: rain"]
    assert "messaging.publish other" in refusal(ada, {"Publish": ["other", "x"]})
    assert "messaging.subscribe #" in refusal(ada, {"Subscribe": "#"})


def test_a_message_that_nobody_waits_for_cannot_be_deferred(ada: Any) -> None:
    ada.send("Defer")

    assert notes(ada) == []
    assert ada.incarnation == 1
