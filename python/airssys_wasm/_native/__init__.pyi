"""The native half of airssys-wasm; each submodule has one face in Python."""

from airssys_wasm._native import broker, codec, componentize, runtime, wit

__all__ = ["broker", "codec", "componentize", "runtime", "wit"]
