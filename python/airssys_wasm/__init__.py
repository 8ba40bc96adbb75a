"""Run code you do not trust: WebAssembly components, sealed, inside Python."""

from __future__ import annotations

from importlib.metadata import version

from airssys_wasm.actor import Backoff, Child, Group
from airssys_wasm.config import GIB, KIB, MIB, Grant, Limits, Policy
from airssys_wasm.errors import (
    AirssysError,
    BuildError,
    CallTimeout,
    CapabilityDenied,
    CapacityExhausted,
    ChildInvalid,
    CompileRefused,
    ComponentError,
    ComponentFailed,
    ComponentInvalid,
    EngineError,
    ExportMissing,
    FuelExhausted,
    ImportMissing,
    InstanceBusy,
    InstanceClosed,
    LimitInvalid,
    OutOfMemory,
    ReentrantCall,
    SupervisionError,
    Trapped,
    ValueMismatch,
    WitInvalid,
)
from airssys_wasm.runtime import (
    Component,
    Engine,
    Instance,
    Receipt,
    Resource,
    Variant,
    suggest_limits,
)

__version__ = version("airssys-wasm")

__all__ = [
    "GIB",
    "KIB",
    "MIB",
    "AirssysError",
    "Backoff",
    "BuildError",
    "CallTimeout",
    "CapabilityDenied",
    "CapacityExhausted",
    "Child",
    "ChildInvalid",
    "CompileRefused",
    "Component",
    "ComponentError",
    "ComponentFailed",
    "ComponentInvalid",
    "Engine",
    "EngineError",
    "ExportMissing",
    "FuelExhausted",
    "Grant",
    "Group",
    "ImportMissing",
    "Instance",
    "InstanceBusy",
    "InstanceClosed",
    "LimitInvalid",
    "Limits",
    "OutOfMemory",
    "Policy",
    "Receipt",
    "ReentrantCall",
    "Resource",
    "SupervisionError",
    "Trapped",
    "ValueMismatch",
    "Variant",
    "WitInvalid",
    "__version__",
    "suggest_limits",
]
