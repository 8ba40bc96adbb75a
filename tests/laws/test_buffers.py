"""A buffer of the right numbers is a list of them; any other is refused."""

from __future__ import annotations

import array
import ctypes
import struct
import sys
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import airssys_wasm as aw

TYPES = "acme:echo/types#"
#: Typecode of `array` and `struct` -> the WIT type it is a buffer of, here.
CODES = {
    code: f"{'s' if code.islower() else 'u'}{8 * struct.calcsize(code)}" for code in "bBhHiIlLqQ"
} | {"f": "f32", "d": "f64"}
NUMBERS = ["s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64"]
SMALL = st.lists(st.integers(0, 127), max_size=40)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("name", NUMBERS)
def test_an_array_fits_the_list_of_its_own_type_alone(
    echoing: aw.Instance, code: str, name: str
) -> None:
    @given(SMALL)
    def law(values: list[int]) -> None:
        given_array = array.array(code, values)
        if CODES[code] == name:
            back = echoing.call(f"{TYPES}echo-list-{name}", given_array)
            assert list(back) == values
        else:
            with pytest.raises(aw.ValueMismatch, match=f"expected a buffer of {name}, got array"):
                echoing.call(f"{TYPES}echo-list-{name}", given_array)

    law()


@given(st.binary(), st.sampled_from([bytes, bytearray, memoryview]))
def test_bytes_come_from_any_bytes_like(echoing: aw.Instance, data: bytes, kind: type[Any]) -> None:
    for function in ("acme:echo/api#echo-bytes", f"{TYPES}echo-list-u8"):
        assert echoing.call(function, kind(data)) == data
    assert echoing.call(f"{TYPES}echo-list-bytes", [kind(data), kind(data)]) == [data, data]


@given(st.binary(), st.integers(-3, 3).filter(bool))
def test_a_memoryview_with_gaps_is_read_in_its_own_order(
    echoing: aw.Instance, data: bytes, step: int
) -> None:
    assert echoing.call("acme:echo/api#echo-bytes", memoryview(data)[::step]) == data[::step]


@given(SMALL, st.integers(-3, 3).filter(bool))
def test_so_is_one_of_wider_numbers(echoing: aw.Instance, values: list[int], step: int) -> None:
    view = memoryview(array.array("I", values))[::step]

    assert echoing.call(f"{TYPES}echo-list-u32", view) == values[::step]


def test_a_buffer_of_two_dimensions_is_no_list(echoing: aw.Instance) -> None:
    view = memoryview(bytes(6)).cast("B", (2, 3))
    with pytest.raises(aw.ValueMismatch, match="expected a buffer of one dimension"):
        echoing.call("acme:echo/api#echo-bytes", view)


def test_a_released_view_is_refused(echoing: aw.Instance) -> None:
    view = memoryview(b"gone")
    view.release()
    with pytest.raises(aw.ValueMismatch, match="arg 'data'"):
        echoing.call("acme:echo/api#echo-bytes", view)


def test_a_buffer_of_characters_is_bytes(echoing: aw.Instance) -> None:
    assert echoing.call("acme:echo/api#echo-bytes", memoryview(b"abc").cast("c")) == b"abc"


@given(SMALL)
def test_numbers_at_odd_addresses_are_numbers(echoing: aw.Instance, values: list[int]) -> None:
    odd = memoryview(b"x" + struct.pack(f"={len(values)}q", *values))[1:].cast("q")

    assert echoing.call(f"{TYPES}echo-list-s64", odd) == values


@pytest.mark.parametrize("name", ["s16", "u16", "s32", "u32", "s64", "u64"])
@given(values=SMALL)
def test_the_byte_order_of_a_buffer_is_heeded(
    echoing: aw.Instance, name: str, values: list[int]
) -> None:
    kind = getattr(ctypes, f"c_{'u' * (name[0] == 'u')}int{name[1:]}")
    for order in ("__ctype_le__", "__ctype_be__"):
        numbers = (getattr(kind, order) * len(values))(*values)
        ours = order == f"__ctype_{sys.byteorder[0]}e__"
        if ours:
            for view in (numbers, memoryview(numbers), memoryview(numbers)[::1]):
                assert echoing.call(f"{TYPES}echo-list-{name}", view) == values
        else:
            with pytest.raises(aw.ValueMismatch, match=f"expected a buffer of {name}"):
                echoing.call(f"{TYPES}echo-list-{name}", numbers)


def test_the_buffer_is_free_again_after_the_call(echoing: aw.Instance) -> None:
    data = bytearray(b"x" * 100)
    echoing.call("acme:echo/api#echo-bytes", data)

    data.extend(b"more")  # BufferError if anything still held it

    assert len(data) == 104


def test_a_buffer_that_another_thread_writes_is_copied_once(echoing: aw.Instance) -> None:
    data = bytearray(64 * 1024)
    stop = threading.Event()

    def scribble() -> None:
        value = 0
        while not stop.is_set():
            value = (value + 1) % 256
            data[:] = bytes([value]) * len(data)

    writing = threading.Thread(target=scribble)
    writing.start()
    try:
        backs = [echoing.call("acme:echo/api#echo-bytes", data) for _ in range(200)]
    finally:
        stop.set()
        writing.join()

    # The GIL is held while it is copied, so each copy is of one moment.
    assert {len(set(back)) for back in backs} == {1}


def test_numpy_arrays_are_buffers(echoing: aw.Instance) -> None:
    numpy = pytest.importorskip("numpy", reason="numpy is not installed here")

    for name in NUMBERS:
        dtype = {"s": "int", "u": "uint", "f": "float"}[name[0]] + name[1:]
        values = numpy.arange(10, dtype=dtype)
        assert list(echoing.call(f"{TYPES}echo-list-{name}", values)) == values.tolist()
        assert list(echoing.call(f"{TYPES}echo-list-{name}", values[::2])) == [0, 2, 4, 6, 8]
        scalar = values[7]
        if name[0] != "f":
            assert echoing.call(f"{TYPES}echo-{name}", scalar) == 7
    swapped = numpy.arange(10, dtype=">u4")
    with pytest.raises(aw.ValueMismatch, match="expected a buffer of u32"):
        echoing.call(f"{TYPES}echo-list-u32", swapped)
