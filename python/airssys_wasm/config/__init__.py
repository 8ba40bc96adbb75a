"""Limits of instances, the engine's policy for them, and what a guest is granted."""

from airssys_wasm.config.grant import MESSAGING, Grant
from airssys_wasm.config.limits import GIB, KIB, MIB, Limits
from airssys_wasm.config.policy import Policy

__all__ = ["GIB", "KIB", "MESSAGING", "MIB", "Grant", "Limits", "Policy"]
