"""The native half of airssys-wasm; each submodule has one face in Python."""

from airssys_wasm._native import componentize, runtime, wit

__all__ = ["componentize", "runtime", "wit"]
