"""For component authors: build a guest's sources into a component."""

from __future__ import annotations

from airssys_wasm.sdk.build import build
from airssys_wasm.sdk.toolchain import Toolchain

__all__ = ["Toolchain", "build"]
