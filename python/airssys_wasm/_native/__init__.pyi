"""The native half of airssys-wasm; each submodule has one face in Python."""

from airssys_wasm._native import componentize, wit

__all__ = ["componentize", "wit"]
