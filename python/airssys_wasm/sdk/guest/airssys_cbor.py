"""CBOR (RFC 8949) for guests: what JSON has, and bytes.

The build lays this beside the guest's own modules; it needs the standard library alone.
"""
# ruff: noqa: INP001 - a module of the guest's, which lies in no package there

import struct
from typing import Any

__all__ = ["dumps", "loads"]

#: Lists and maps within each other: a message must not use up the stack.
_DEPTH_MAX = 100
_SHORT = 24
_BREAK = 0xFF
_INDEFINITE = 31
_SIMPLE = {20: False, 21: True, 22: None, 23: None}
_FLOATS = {25: ("!e", 2), 26: ("!f", 4), 27: ("!d", 8)}
_UINT, _NEGATIVE, _BYTES, _TEXT, _LIST, _MAP, _TAG, _OTHER = range(8)


def dumps(value: object) -> bytes:
    """Return ``value`` in CBOR.

    Raises:
        TypeError: it, or something in it, has no form.
        ValueError: an integer needs more than 64 bits.
    """
    out = bytearray()
    _write(value, out)
    return bytes(out)


def loads(data: bytes) -> Any:  # noqa: ANN401 - what the sender sent
    """Return the value that ``data`` holds; tags are passed over.

    Raises:
        ValueError: it is not well formed, too deep, or holds more than one value.
    """
    reader = _Reader(data)
    try:
        value = reader.value(0)
    except (IndexError, struct.error, TypeError) as error:
        raise ValueError(f"no CBOR: {error}") from error
    if reader.at != len(data):
        raise ValueError(f"bytes behind the value, from byte {reader.at}")
    return value


def _head(major: int, number: int, out: bytearray) -> None:
    if number < _SHORT:
        out.append(major << 5 | number)
        return
    for extra, size in enumerate((1, 2, 4, 8)):
        if number < 1 << 8 * size:
            out.append(major << 5 | 24 + extra)
            out += number.to_bytes(size, "big")
            return
    raise ValueError("an integer of more than 64 bits")


def _write(value: object, out: bytearray) -> None:
    match value:
        case None | True | False:
            out.append({None: 0xF6, True: 0xF5, False: 0xF4}[value])
        case int():
            _head(_UINT if value >= 0 else _NEGATIVE, value if value >= 0 else -1 - value, out)
        case float():
            out.append(0xFB)
            out += struct.pack("!d", value)
        case str():
            text = value.encode()
            _head(_TEXT, len(text), out)
            out += text
        case bytes() | bytearray():
            _head(_BYTES, len(value), out)
            out += value
        case list() | tuple():
            _head(_LIST, len(value), out)
            for item in value:
                _write(item, out)
        case dict():
            _head(_MAP, len(value), out)
            for key, item in value.items():
                _write(key, out)
                _write(item, out)
        case _:
            raise TypeError(f"{type(value).__name__} has no form in CBOR")


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        taken = self.data[self.at : self.at + size]
        if len(taken) != size:
            raise ValueError("the message ends too early")
        self.at += size
        return taken

    def head(self) -> tuple[int, int, int | None]:
        """Return the major type, the short number, and the number or ``None`` if indefinite."""
        first = self.take(1)[0]
        major, short = first >> 5, first & 31
        if short < _SHORT:
            return major, short, short
        if short == _INDEFINITE and major in (_BYTES, _TEXT, _LIST, _MAP):
            return major, short, None
        if short > 27:  # noqa: PLR2004 - the longest number has eight bytes
            raise ValueError(f"no item begins with byte {first:#04x}")
        return major, short, int.from_bytes(self.take(1 << short - 24), "big")

    def value(self, depth: int) -> Any:  # noqa: ANN401 - what the sender sent
        if depth > _DEPTH_MAX:
            raise ValueError(f"nested deeper than {_DEPTH_MAX}")
        start = self.at
        major, short, number = self.head()
        if major in (_BYTES, _TEXT):
            whole = self.take(number) if number is not None else self.chunks(major)
            return whole.decode() if major == _TEXT else whole
        if major == _LIST:
            return [self.value(depth + 1) for _ in self.items(number)]
        if major == _MAP:
            return {self.value(depth + 1): self.value(depth + 1) for _ in self.items(number)}
        if major == _TAG:
            return self.value(depth + 1)
        if major == _OTHER:
            return self.other(start, short)
        if number is None:
            raise ValueError("an integer without an end")
        return number if major == _UINT else -1 - number

    def items(self, number: int | None) -> Any:  # noqa: ANN401 - an iterator of nothing
        """Yield once for each item; without a number, up to the break."""
        if number is not None:
            yield from range(number)
            return
        while self.data[self.at] != _BREAK:
            yield None
        self.at += 1

    def chunks(self, major: int) -> bytes:
        whole = bytearray()
        for _ in self.items(None):
            kind, _short, length = self.head()
            if kind != major or length is None:
                raise ValueError("a text or bytes in pieces of another kind")
            whole += self.take(length)
        return bytes(whole)

    def other(self, start: int, short: int) -> Any:  # noqa: ANN401 - one of four kinds
        if short in _FLOATS:
            form, size = _FLOATS[short]
            return struct.unpack(form, self.data[start + 1 : start + 1 + size])[0]
        if short in _SIMPLE:
            return _SIMPLE[short]
        raise ValueError(f"no simple value {short}")
