"""Run code you do not trust: WebAssembly components, sealed, inside Python."""

from __future__ import annotations

from importlib.metadata import version

from airssys_wasm.errors import (
    AirssysError,
    BuildError,
    CallTimeout,
    CapabilityDenied,
    CapacityExhausted,
    CompileRefused,
    ComponentError,
    ComponentFailed,
    ComponentInvalid,
    EngineError,
    ExportMissing,
    FuelExhausted,
    ImportMissing,
    InstanceClosed,
    LimitInvalid,
    OutOfMemory,
    ReentrantCall,
    Trapped,
    ValueMismatch,
    WitInvalid,
)

__version__ = version("airssys-wasm")

__all__ = [
    "AirssysError",
    "BuildError",
    "CallTimeout",
    "CapabilityDenied",
    "CapacityExhausted",
    "CompileRefused",
    "ComponentError",
    "ComponentFailed",
    "ComponentInvalid",
    "EngineError",
    "ExportMissing",
    "FuelExhausted",
    "ImportMissing",
    "InstanceClosed",
    "LimitInvalid",
    "OutOfMemory",
    "ReentrantCall",
    "Trapped",
    "ValueMismatch",
    "WitInvalid",
    "__version__",
]
