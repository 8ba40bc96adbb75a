"""The composition root: builds, owns and closes everything."""

from __future__ import annotations

from airssys_wasm.host.actor import Actor
from airssys_wasm.host.blocking import BlockingActor, BlockingGroup, BlockingHost
from airssys_wasm.host.events import BlockingEvents, Events
from airssys_wasm.host.group import RunningGroup
from airssys_wasm.host.host import Host
from airssys_wasm.host.letters import BlockingDeadLetters, DeadLetters

__all__ = [
    "Actor",
    "BlockingActor",
    "BlockingDeadLetters",
    "BlockingEvents",
    "BlockingGroup",
    "BlockingHost",
    "DeadLetters",
    "Events",
    "Host",
    "RunningGroup",
]
