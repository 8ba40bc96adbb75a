"""JSON to the Python value that a WIT type wants, and back.

What does not fit is handed on as it is: the call refuses it with the path to
the misfit, which says more than this file could.
"""

from __future__ import annotations

import math
from typing import Any

import airssys_wasm as aw
from airssys_wasm.wit.model import (
    Enum,
    Flags,
    ListType,
    Named,
    OptionType,
    Primitive,
    Record,
    TupleType,
    Type,
    VariantType,
    World,
)

__all__ = ["from_json", "to_json"]

_BYTE = Primitive("u8")
_FLOATS = {Primitive("f32"), Primitive("f64")}
#: JSON has no words for these, so they travel as text.
_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_BYTE_MAX = 255


def from_json(value: Any, type_: Type, world: World) -> Any:  # noqa: ANN401 - any value
    """Return ``value``, as JSON has it, in the shape that ``type_`` takes.

    A variant is ``{"case": …, "value": …}`` or its case alone; flags are a list; a
    ``list<u8>`` is a list of numbers, or a text, which stands for its UTF-8; floats
    may be ``"NaN"``, ``"Infinity"`` and ``"-Infinity"``.
    """
    resolved, definition = world.resolve(type_)
    match resolved, value:
        case Primitive(), str() if resolved in _FLOATS:
            return _NOT_FINITE.get(value, value)
        case ListType(element), str() if element == _BYTE:
            return value.encode()
        case ListType(element), list() if element == _BYTE and all(map(_is_byte, value)):
            return bytes(value)
        case ListType(element), list():
            return [from_json(item, element, world) for item in value]
        case TupleType(items), list() if len(items) == len(value):
            return tuple(from_json(v, t, world) for v, t in zip(value, items, strict=True))
        case OptionType(some), _ if value is not None:
            return from_json(value, some, world)
        case Named(), _ if definition is not None:
            return _from_named(value, definition.shape, world)
        case _:
            return value


def _is_byte(value: object) -> bool:
    return type(value) is int and 0 <= value <= _BYTE_MAX


def _from_named(value: Any, shape: object, world: World) -> Any:  # noqa: ANN401 - any value
    match shape, value:
        case Record(fields), dict():
            types = {field.name: field.type for field in fields}
            return {
                name: from_json(item, types[name], world) if name in types else item
                for name, item in value.items()
            }
        case VariantType(cases), str() if value in {case.name for case in cases}:
            return aw.Variant(value)
        case VariantType(cases), {"case": str(name), **rest} if rest.keys() <= {"value"}:
            payload = next((case.type for case in cases if case.name == name), None)
            inner = rest.get("value")
            return aw.Variant(name, from_json(inner, payload, world) if payload else inner)
        case Flags(), list() if all(isinstance(name, str) for name in value):
            return frozenset(value)
        case Enum(), _:
            return value
        case _:
            return value


def to_json(value: object) -> object:
    """Return ``value``, as a call returned it, as JSON can say it.

    Raises:
        TypeError: it holds a handle, which means nothing outside the process.
    """
    match value:
        case float() if not math.isfinite(value):
            return next(word for word, it in _NOT_FINITE.items() if repr(it) == repr(value))
        case None | bool() | int() | float() | str():
            return value
        case bytes() | bytearray():
            return list(value)
        case list() | tuple():
            return [to_json(item) for item in value]
        case dict():
            return {str(name): to_json(item) for name, item in value.items()}
        case frozenset() | set():
            return sorted(str(name) for name in value)
        case aw.Variant():
            return {"case": value.case, "value": to_json(value.value)}
        case _:
            raise TypeError(f"a {type(value).__name__} has no form in JSON")
