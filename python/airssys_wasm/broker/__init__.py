"""Actors by name, and the messages to them."""

from __future__ import annotations

from airssys_wasm._native.broker import Actor as NativeActor
from airssys_wasm._native.broker import Broker, Courier, Duty, Message, Messages, Reply
from airssys_wasm.broker.mailbox import Mailbox, WhenFull
from airssys_wasm.broker.traffic import Breaker, Rate, Retry

__all__ = [
    "Breaker",
    "Broker",
    "Courier",
    "Duty",
    "Mailbox",
    "Message",
    "Messages",
    "NativeActor",
    "Rate",
    "Reply",
    "Retry",
    "WhenFull",
]
