"""Reads messages that claim lengths, and tells what that cost: prints JSON."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable
from functools import partial

from airssys_wasm import CodecError, codec
from airssys_wasm.codec import Borsh

SCHEMA = Borsh({"a": Borsh.vec("string"), "b": Borsh.map("u64", Borsh.vec("u64"))})
HUGE = [
    b"\xff" * 8,
    b"\x7f" + b"\xff" * 7,
    b"\x00\x00\x00\xff\xff\xff\xff\xff",
    b"\x00\x00\x00\x00\x40\x00\x00\x00",
]


def bombs() -> list[tuple[int, bytes]]:
    """Every head with every huge length, alone and nested; JSON has no lengths, but digits."""
    cbor = [bytes([head]) + length for head in (0x5B, 0x7B, 0x9B, 0xBB) for length in HUGE]
    # Each claim fits what is left, all of them together do not.
    filling = b"\x00" * 200_000
    cbor += [b"\x9a\x00\x03\x00\x00" * 900 + filling, b"\xba\x00\x01\x00\x00\x00" * 900 + filling]
    cbor += [b"\x5f" + b"\x5b" + HUGE[0], b"\xc2\x5b" + HUGE[0], b"\xa1\x61a\x9b" + HUGE[1]]
    borsh = [b"\xff\xff\xff\xff", b"\x00\x00\x00\x40aaaa", b"\x01\x00\x00\x00\xff\xff\xff\xff"]
    borsh += [
        b"\x00\x00\x00\x00\xff\xff\xff\xff",
        b"\x00\x00\x00\x00\x01\x00\x00\x00" + b"\x01" * 8 + b"\xff" * 4,
    ]
    return [(codec.CBOR, body) for body in cbor] + [(codec.BORSH, body) for body in borsh]


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    prepared = [(number, codec.join(number, body)) for number, body in bombs()]
    codec.decode(codec.encode(codec.CBOR, list(range(1000))))
    before, refused = peak_bytes(), 0
    for number, message in prepared:
        schema = SCHEMA if number == codec.BORSH else None
        readers: list[Callable[[bytes], object]] = [partial(codec.decode, schema=schema)]
        if schema is None:
            readers += [codec.check, codec.transcode]
        for read in readers:
            try:
                read(message)
            except CodecError:
                refused += 1
            else:
                raise AssertionError(f"read: {message[:40]!r}")
    print(json.dumps({"refused": refused, "grown_bytes": peak_bytes() - before}))  # noqa: T201


if __name__ == "__main__":
    main()
