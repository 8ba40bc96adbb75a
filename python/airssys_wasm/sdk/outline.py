"""What two builds of one component have in common when their bytes differ.

A component whose interpreter was started and frozen differs from build to build in its
frozen memory, and in the order of small glue modules. Its interface and the code of its
larger modules do not.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from airssys_wasm._native import wit
from airssys_wasm.errors import ComponentInvalid

__all__ = ["Outline", "outline"]

#: Code sections below this many bytes are glue, whose layout follows hash tables.
CODE_BYTES_MIN = 4_096

_LAYER_COMPONENT = b"\x0d\x00\x01\x00"
_CORE_CODE = 10
_CORE_MODULE = 1
_NESTED_COMPONENT = 4


@dataclass(frozen=True, slots=True)
class Outline:
    """What must be equal: the world, and the digests of the larger code sections."""

    world: str
    code: Counter[str]


def outline(component: bytes) -> Outline:
    """Return the outline of a component.

    Raises:
        ComponentInvalid: it is none, or is cut short.
    """
    world = wit.world_text(component)
    sections = (code for code in _code(component) if len(code) >= CODE_BYTES_MIN)
    return Outline(world, Counter(hashlib.sha256(code).hexdigest() for code in sections))


def _code(binary: bytes) -> Iterator[bytes]:
    """Yield the code sections of every module inside, outermost first."""
    is_component = binary[4:8] == _LAYER_COMPONENT
    at = 8
    while at < len(binary):
        kind = binary[at]
        size, start = _unsigned(binary, at + 1)
        content = binary[start : start + size]
        if len(content) != size:
            raise ComponentInvalid(f"byte {at}: a section runs past the end")
        if is_component and kind in (_CORE_MODULE, _NESTED_COMPONENT):
            yield from _code(content)
        elif not is_component and kind == _CORE_CODE:
            yield content
        at = start + size


def _unsigned(binary: bytes, at: int) -> tuple[int, int]:
    """Read a LEB128 number of at most 32 bits; return it and where it ends."""
    number = 0
    for index, byte in enumerate(binary[at : at + 5]):
        number |= (byte & 0x7F) << (7 * index)
        if not byte & 0x80:
            return number, at + index + 1
    raise ComponentInvalid(f"byte {at}: is no section size")
