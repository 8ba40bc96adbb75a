"""What a child of a host is made of, when that is a component."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airssys_wasm.actor import Health, Hooks
    from airssys_wasm.broker import Mailbox
    from airssys_wasm.broker.traffic import Rate
    from airssys_wasm.config import Grant, Limits
    from airssys_wasm.runtime import Component
    from airssys_wasm.runtime.lifecycle import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a child of a host is made of.

    Args:
        component: what handles its messages.
        limits: what each instance may use.
        grant: what each gets of the machine.
        imports: what the embedder supplies.
        config: bytes or settings for ``initialize``.
        mailbox: what waits in front of it.
        health: how often it is asked how it is doing; ``None`` is never.
        hooks: what is called around its life.
        rate: how much it may send.
    """

    component: Component
    limits: Limits
    grant: Grant | None
    imports: Mapping[str, object] | None
    config: Config
    mailbox: Mailbox = field(repr=False)
    health: Health | None = None
    hooks: Hooks | None = None
    rate: Rate | None = None

    @property
    def receive(self) -> list[str]:
        """Actors that it hears."""
        return list(self.grant.receive) if self.grant else []
