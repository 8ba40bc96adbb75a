"""What is shown of a host and what it gives, in a console or a log."""

from __future__ import annotations

import asyncio

import pytest

import airssys_wasm as aw


class Echo:
    async def handle(self, message: aw.Message) -> object:
        return message.value


def test_a_host_and_what_listens_say_how_they_are(engine: aw.Engine) -> None:
    async def main() -> None:
        host = aw.Host(engine=engine)
        assert repr(host) == "<Host not open, 0 actors>"
        async with host:
            await host.spawn("acme/echo", Echo)
            assert repr(host) == "<Host open, 1 actor>"
            events, messages = host.events(), host.subscribe("orders.#")
            await host.publish("orders.created", 7)
            assert repr(messages) == '<Subscription "orders.#", 1 waiting>'
            assert repr(events) == "<Events 0 waiting>"
        assert repr(host) == "<Host closed, 0 actors>"

    asyncio.run(main())


def test_so_do_those_that_block(engine: aw.Engine) -> None:
    with aw.Host.blocking(engine=engine) as host:
        host.spawn("acme/echo", Echo)
        assert repr(host) == "<BlockingHost open, 1 actor>"
        assert repr(host.subscribe("a.*")) == '<BlockingSubscription "a.*", 0 waiting>'
        assert repr(host.events()) == "<BlockingEvents 0 waiting>"
    assert repr(host) == "<BlockingHost closed, 0 actors>"


def test_what_has_no_instance_to_call_says_why(engine: aw.Engine, handler: aw.Component) -> None:
    with aw.Host.blocking(engine=engine) as host:
        pool = host.spawn("acme/pool", handler, pool=2)
        with pytest.raises(aw.ExportMissing, match=r"is a pool; hint: call one of actor\.members"):
            pool.call("handle")
        with pytest.raises(aw.ExportMissing, match="is Python code; hint: ask"):
            host.spawn("acme/echo", Echo).call("handle")
