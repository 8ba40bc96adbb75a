"""Writes WebAssembly binaries byte by byte, for bombs too large for text."""

from __future__ import annotations

from collections.abc import Iterable

COMPONENT_HEADER = b"\0asm\x0d\0\x01\0"
CORE_HEADER = b"\0asm\x01\0\0\0"

I32 = b"\x7f"
I64 = b"\x7e"
NOTHING = b"\x40"

END = b"\x0b"
DROP = b"\x1a"
LOOP = b"\x03"
BLOCK = b"\x02"
BR_IF = b"\x0d"
BR_TABLE = b"\x0e"
CALL = b"\x10"


def leb(number: int) -> bytes:
    """Encode an unsigned number."""
    encoded = bytearray()
    while True:
        low, number = number & 0x7F, number >> 7
        encoded.append(low | (0x80 if number else 0))
        if not number:
            return bytes(encoded)


def sized(content: bytes) -> bytes:
    return leb(len(content)) + content


def vector(items: Iterable[bytes]) -> bytes:
    listed = list(items)
    return leb(len(listed)) + b"".join(listed)


def section(number: int, content: bytes) -> bytes:
    return bytes([number]) + sized(content)


def function_type(params: bytes = b"", results: bytes = b"") -> bytes:
    return b"\x60" + leb(len(params)) + params + leb(len(results)) + results


def body(code: bytes, *, locals_: Iterable[tuple[int, bytes]] = ()) -> bytes:
    """Encode a function body; the last ``end`` is added."""
    groups = vector(leb(count) + kind for count, kind in locals_)
    return sized(groups + code + END)


def core_module(types: Iterable[bytes], functions: Iterable[tuple[int, bytes]]) -> bytes:
    """Encode a core module of functions: each the number of its type, and its body."""
    listed = list(functions)
    return (
        CORE_HEADER
        + section(1, vector(types))
        + section(3, vector(leb(kind) for kind, _ in listed))
        + section(10, vector(code for _, code in listed))
    )


def component(*modules: bytes) -> bytes:
    """Put core modules into a component that does nothing else with them."""
    return COMPONENT_HEADER + b"".join(section(1, module) for module in modules)


def local_get(index: int) -> bytes:
    return b"\x20" + leb(index)


def local_set(index: int) -> bytes:
    return b"\x21" + leb(index)


def i32_const(value: int) -> bytes:
    """Push a small constant, 0 to 63."""
    return b"\x41" + bytes([value])
