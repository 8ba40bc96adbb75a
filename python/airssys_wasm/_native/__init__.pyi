"""The native half of airssys-wasm; each submodule has one face in Python."""

from airssys_wasm._native import codec, componentize, runtime, wit

__all__ = ["codec", "componentize", "runtime", "wit"]
