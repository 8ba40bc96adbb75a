"""The demonstration: work done by guests, a crash that costs nothing, attacks that fail.

``texts`` finds something to read, ``scenes`` plays one scene each and returns
what happened as data, ``show`` plays them all, ``render`` puts it on a terminal.
"""

from __future__ import annotations

from airssys_wasm.demo.show import Show, play

__all__ = ["Show", "play"]
