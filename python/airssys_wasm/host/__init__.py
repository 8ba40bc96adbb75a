"""The composition root: builds, owns and closes everything."""

from __future__ import annotations

from airssys_wasm.host.actor import Actor
from airssys_wasm.host.blocking import BlockingActor, BlockingHost
from airssys_wasm.host.host import Host

__all__ = ["Actor", "BlockingActor", "BlockingHost", "Host"]
