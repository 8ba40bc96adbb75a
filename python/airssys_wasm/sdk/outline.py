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

__all__ = ["Outline", "fingerprint", "outline"]

#: Code sections below this many bytes are glue, whose layout follows hash tables.
CODE_BYTES_MIN = 4_096

#: The sections that only serve to tell people what runs.
_NAMES = b"\x04name"

_LAYER_COMPONENT = b"\x0d\x00\x01\x00"
_LAYER_MODULE = b"\x01\x00\x00\x00"
_INSIDE, _OUTSIDE = b"(", b")"
_CUSTOM = 0
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
    code = Counter(
        hashlib.sha256(content).hexdigest()
        for layer, kind, content in _sections(component)
        if layer == _LAYER_MODULE and kind == _CORE_CODE and len(content) >= CODE_BYTES_MIN
    )
    return Outline(wit.world_text(component), code)


def fingerprint(component: bytes) -> str:
    """Return the SHA-256 over all that runs: every section but those of names.

    Raises:
        ComponentInvalid: it is cut short.
    """
    whole = hashlib.sha256()
    for layer, kind, content in _sections(component):
        if not (kind == _CUSTOM and content.startswith(_NAMES)):
            whole.update(layer + bytes([kind]) + hashlib.sha256(content).digest())
    return whole.hexdigest()


def _sections(binary: bytes) -> Iterator[tuple[bytes, int, bytes]]:
    """Yield layer, kind and content of every section.

    What holds others comes as two marks, with those others between them.
    """
    layer = binary[4:8]
    at = 8
    while at < len(binary):
        kind = binary[at]
        size, start = _unsigned(binary, at + 1)
        content = binary[start : start + size]
        if len(content) != size:
            raise ComponentInvalid(f"byte {at}: a section runs past the end")
        if layer == _LAYER_COMPONENT and kind in (_CORE_MODULE, _NESTED_COMPONENT):
            yield layer, kind, _INSIDE
            yield from _sections(content)
            yield layer, kind, _OUTSIDE
        else:
            yield layer, kind, content
        at = start + size


def _unsigned(binary: bytes, at: int) -> tuple[int, int]:
    """Read a LEB128 number of at most 32 bits; return it and where it ends."""
    number = 0
    for index, byte in enumerate(binary[at : at + 5]):
        number |= (byte & 0x7F) << (7 * index)
        if not byte & 0x80:
            return number, at + index + 1
    raise ComponentInvalid(f"byte {at}: is no section size")
