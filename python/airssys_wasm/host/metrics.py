"""``host.metrics()``: what there is, and what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airssys_wasm.broker import Broker
    from airssys_wasm.runtime import Engine


def counted(broker: Broker, engine: Engine, letters: Mapping[str, int]) -> dict[str, int]:
    """Count for ``Host.metrics``.

    Args:
        broker: whose actors are counted.
        engine: whose instances are.
        letters: the counters of the dead letters.
    """
    mailboxes = [native.mailbox for name in broker.names if (native := broker.find(name))]
    return {
        "actors": len(mailboxes),
        "instances_live": engine.live_instances,
        "messages_waiting": sum(one["messages"] for one in mailboxes),
        "bytes_waiting": sum(one["bytes"] for one in mailboxes),
        "messages_delivered": sum(one["delivered"] for one in mailboxes),
        "requests_open": broker.requests_open,
        "orphans": broker.orphans,
        "denials": broker.denials,
        "dead_letters": letters["letters"],
        "dead_letters_posted": letters["posted"],
    }
