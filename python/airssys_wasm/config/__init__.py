"""Limits of instances, the engine's policy for them, and what a guest is granted."""

from airssys_wasm.config.grant import Grant
from airssys_wasm.config.limits import GIB, KIB, MIB, Limits
from airssys_wasm.config.policy import Policy

__all__ = ["GIB", "KIB", "MIB", "Grant", "Limits", "Policy"]
