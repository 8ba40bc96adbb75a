"""Actors by name, and the messages to them."""

from __future__ import annotations

from airssys_wasm._native.broker import Actor as NativeActor
from airssys_wasm._native.broker import (
    Broker,
    Courier,
    DeadLetter,
    Duty,
    Lease,
    Message,
    Messages,
    Queue,
    Reply,
)
from airssys_wasm.broker.listening import BlockingListening, Listening
from airssys_wasm.broker.mailbox import Mailbox, WhenFull
from airssys_wasm.broker.subscription import (
    MESSAGES_MAX,
    BlockingSubscription,
    Overflow,
    Subscription,
    listen,
)
from airssys_wasm.broker.traffic import Breaker, Rate, Retry

__all__ = [
    "MESSAGES_MAX",
    "BlockingListening",
    "BlockingSubscription",
    "Breaker",
    "Broker",
    "Courier",
    "DeadLetter",
    "Duty",
    "Lease",
    "Listening",
    "Mailbox",
    "Message",
    "Messages",
    "NativeActor",
    "Overflow",
    "Queue",
    "Rate",
    "Reply",
    "Retry",
    "Subscription",
    "WhenFull",
    "listen",
]
