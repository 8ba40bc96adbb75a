"""Whatever says that it is a sequence stands for a list."""

from __future__ import annotations

import array
import collections
import itertools
from collections.abc import Iterator, Sequence

import pytest

import airssys_wasm as aw

TYPES = "acme:echo/types#"


class Strange(Sequence[int]):
    """A sequence that says one thing of its length and does another."""

    def __init__(self, length: int, items: Iterator[int]) -> None:
        self._length = length
        self._items = items

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: object) -> int:  # type: ignore[override]
        raise LookupError("not in order")

    def __iter__(self) -> Iterator[int]:
        return self._items


@pytest.mark.parametrize(
    "value",
    [
        range(3),
        collections.deque([0, 1, 2]),
        collections.UserList([0, 1, 2]),
        array.array("I", [0, 1, 2]),
        Strange(3, iter([0, 1, 2])),
    ],
    ids=lambda value: type(value).__name__,
)
def test_any_sequence_is_a_list(instance: aw.Instance, value: Sequence[int]) -> None:
    assert instance.call(f"{TYPES}echo-list-u32", value) == [0, 1, 2]


def test_items_that_are_no_numbers_too(instance: aw.Instance) -> None:
    texts = collections.deque(["one", "two"])

    assert instance.call(f"{TYPES}echo-list-string", texts) == ["one", "two"]
    assert instance.call(f"{TYPES}echo-list-u8", range(256)) == bytes(range(256))


@pytest.mark.parametrize(
    ("items", "how"), [(itertools.count(), "more"), (iter([1, 2]), "fewer")], ids=["more", "fewer"]
)
def test_one_that_yields_other_than_it_says_is_refused(
    instance: aw.Instance, items: Iterator[int], how: str
) -> None:
    with pytest.raises(aw.ValueMismatch, match=f"says that it has 4 items, and yields {how}"):
        instance.call(f"{TYPES}echo-list-u32", Strange(4, items))

    assert not instance.closed


@pytest.mark.parametrize("length", [2, 3])
def test_a_tuple_has_what_it_takes_whatever_it_says(instance: aw.Instance, length: int) -> None:
    with pytest.raises(aw.ValueMismatch):
        instance.call(f"{TYPES}echo-tuple", Strange(length, iter([1, 2])))

    # Not an end of the instance by a value that is short of something.
    assert not instance.closed


def test_a_tuple_whose_class_lies_about_its_length_is_one_all_the_same(
    instance: aw.Instance,
) -> None:
    class Short(tuple[object, ...]):
        __slots__ = ()

        def __len__(self) -> int:
            return 3

    with pytest.raises(aw.ValueMismatch, match="a tuple of 3 items, got 2"):
        instance.call(f"{TYPES}echo-tuple", Short((1, "two")))
    assert not instance.closed


def test_a_list_that_shrinks_while_it_is_read_is_no_tuple(instance: aw.Instance) -> None:
    items: list[object] = []

    class Shrinks:
        def __index__(self) -> int:
            items.pop()
            return 1

    items += [Shrinks(), "two", 3.0]
    with pytest.raises(aw.ValueMismatch, match="a tuple of 3 items, got 2"):
        instance.call(f"{TYPES}echo-tuple", items)
    assert not instance.closed


def test_what_it_raises_is_the_cause(instance: aw.Instance) -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise OSError("the disk is gone")

    with pytest.raises(aw.ValueMismatch) as caught:
        instance.call(f"{TYPES}echo-list-u32", Strange(2, broken()))

    assert isinstance(caught.value.__cause__, OSError)
    assert instance.call(f"{TYPES}echo-list-u32", [1]) == [1]
