"""For component authors: build a guest's sources into a component."""

from __future__ import annotations

from airssys_wasm.sdk.build import build, build_cached

__all__ = ["build", "build_cached"]
