"""Engines, components and instances. The face of ``airssys_wasm._native.runtime``."""

from __future__ import annotations

import os

from airssys_wasm._native.runtime import Instance, Receipt, Resource, Variant, mark_forked
from airssys_wasm.runtime.component import Component
from airssys_wasm.runtime.engine import Engine
from airssys_wasm.runtime.suggest import suggest_limits

__all__ = ["Component", "Engine", "Instance", "Receipt", "Resource", "Variant", "suggest_limits"]

# A forked child has none of the threads of the engines made before: no deadline
# would hold with them there, so they refuse, and the child makes its own.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=mark_forked)
