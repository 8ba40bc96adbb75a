"""A signal reaches a program that writes or reads a large value."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from airssys_wasm import codec
from airssys_wasm.codec import Borsh

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="this system has no interval timers"
)

#: What the work would take is many times this.
SECONDS = 0.02
LATE_SECONDS_MAX = 2.0


class Rang(Exception):
    pass


@contextmanager
def alarm() -> Iterator[None]:
    def ring(_number: int, _frame: object) -> None:
        raise Rang

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


NUMBERS = Borsh.vec("u8")
SHARED = [list(range(1000))] * 100_000
MANY_BYTES = bytes(8_000_000)
MANY = {
    "cbor": codec.join(codec.CBOR, b"\x9a" + len(MANY_BYTES).to_bytes(4, "big") + MANY_BYTES),
    "json": codec.join(codec.JSON, b"[" + b"0," * 8_000_000 + b"0]"),
    "borsh": codec.join(codec.BORSH, len(MANY_BYTES).to_bytes(4, "little") + MANY_BYTES),
}
WORK: dict[str, Callable[[], object]] = {
    "write cbor": lambda: codec.encode(codec.CBOR, SHARED),
    "write json": lambda: codec.encode(codec.JSON, SHARED),
    "write borsh": lambda: codec.encode(codec.BORSH, SHARED, schema=Borsh.vec(Borsh.vec("u16"))),
    "read cbor": lambda: codec.decode(MANY["cbor"]),
    "read json": lambda: codec.decode(MANY["json"]),
    "read borsh": lambda: codec.decode(MANY["borsh"], schema=NUMBERS),
}


@pytest.mark.parametrize("work", WORK)
def test_a_handler_that_raises_ends_the_work(work: str) -> None:
    began = time.perf_counter()
    with pytest.raises(Rang), alarm():
        WORK[work]()

    assert time.perf_counter() - began < LATE_SECONDS_MAX
    assert codec.decode(codec.encode(codec.CBOR, [1])) == (codec.CBOR, [1])
