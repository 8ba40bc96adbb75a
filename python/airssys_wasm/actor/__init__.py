"""Actors that are started, watched, restarted and stopped."""

from __future__ import annotations

from airssys_wasm.actor.child import (
    AutoShutdown,
    Backoff,
    Child,
    Counted,
    Group,
    RestartType,
    Shutdown,
    Strategy,
)
from airssys_wasm.actor.events import (
    Abandoned,
    Escalated,
    Exited,
    GaveUp,
    Restarting,
    Started,
    Stopped,
    SupervisionEvent,
)
from airssys_wasm.actor.exits import (
    Exit,
    ExitKind,
    First,
    Restarted,
    StartReason,
    StopReason,
    Updated,
)
from airssys_wasm.actor.health import Health, HealthStatus
from airssys_wasm.actor.hooks import Hook, Hooks
from airssys_wasm.actor.notices import Event, EventKind
from airssys_wasm.actor.rounds import ChildCounts, ChildInfo, Status
from airssys_wasm.actor.spawner import ExitListener, Running, Spawner
from airssys_wasm.actor.supervisor import Supervisor

__all__ = [
    "Abandoned",
    "AutoShutdown",
    "Backoff",
    "Child",
    "ChildCounts",
    "ChildInfo",
    "Counted",
    "Escalated",
    "Event",
    "EventKind",
    "Exit",
    "ExitKind",
    "ExitListener",
    "Exited",
    "First",
    "GaveUp",
    "Group",
    "Health",
    "HealthStatus",
    "Hook",
    "Hooks",
    "RestartType",
    "Restarted",
    "Restarting",
    "Running",
    "Shutdown",
    "Spawner",
    "StartReason",
    "Started",
    "Status",
    "StopReason",
    "Stopped",
    "Strategy",
    "SupervisionEvent",
    "Supervisor",
    "Updated",
]
