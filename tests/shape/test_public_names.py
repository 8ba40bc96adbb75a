"""What ``import airssys_wasm as aw`` gives."""

from __future__ import annotations

import inspect

import pytest

import airssys_wasm as aw
from airssys_wasm import errors


def test_the_public_names_are_sorted_and_said_once() -> None:
    assert list(aw.__all__) == sorted(set(aw.__all__))


@pytest.mark.parametrize("name", aw.__all__)
def test_a_public_name_exists_and_is_documented(name: str) -> None:
    thing = getattr(aw, name)

    if inspect.isclass(thing) or callable(thing):
        assert (inspect.getdoc(thing) or "").strip(), name


def test_every_error_is_public() -> None:
    assert set(errors.__all__) <= set(aw.__all__)


def test_no_public_method_is_undocumented() -> None:
    bare = [
        f"{name}.{attribute}"
        for name in aw.__all__
        if inspect.isclass(thing := getattr(aw, name))
        and thing.__module__.startswith("airssys_wasm")
        for attribute, value in vars(thing).items()
        if not attribute.startswith("_")
        and (callable(value) or isinstance(value, property))
        and not (inspect.getdoc(value) or "").strip()
    ]

    assert not bare
