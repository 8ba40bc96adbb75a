"""JSON to the Python value that a WIT type wants, and back.

What does not fit is handed on as it is: the call refuses it with the path to
the misfit, which says more than this file could.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
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
    ResultType,
    TupleType,
    Type,
    VariantType,
    World,
)

__all__ = ["FORMS", "from_json", "to_json"]

#: How each kind of type is written, for people: the type, and an example of it.
FORMS = (
    ("integers, bool, string, char", '3   true   "Ada"   "x"'),
    ("f32, f64", '1.5   "NaN"   "Infinity"   "-Infinity"'),
    ("list, tuple", '[1, 2]   [1, "a"]'),
    ("list<u8>", '[0, 255], or a text for its UTF-8: "Ada"'),
    ("record", '{"name": "Ada", "height-metres": 1.7}'),
    ("enum", '"red"'),
    ("flags", '["read", "write"]'),
    ("variant", '{"case": "circle", "value": 1.5}   {"case": "empty"}'),
    ("option", 'the value, or null; {"case": "some", "value": null} is some(none)'),
    ("result", '{"case": "ok", "value": 1}   {"case": "err", "value": "no"}'),
)

_BYTE = Primitive("u8")
_FLOATS = {Primitive("f32"), Primitive("f64")}
#: JSON has no words for these, so they travel as text.
_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_BYTE_MAX = 255


def from_json(value: Any, type_: Type, world: World) -> Any:  # noqa: ANN401 - any value
    """Return ``value``, as JSON has it, in the shape that ``type_`` takes.

    ``FORMS`` says what that is for each kind of type. A case without a value may also
    be its name alone.

    Raises:
        ValueMismatch: a case was named without the value that it carries, or a text that
            stands for bytes is half of a character.
    """
    resolved, definition = world.resolve(type_)
    match resolved, value:
        case Primitive(), str() if resolved in _FLOATS:
            return _NOT_FINITE.get(value, value)
        case ListType(element), str() if element == _BYTE:
            return _encoded(value)
        case ListType(element), list() if element == _BYTE and all(map(_is_byte, value)):
            return bytes(value)
        case ListType(element), list():
            return [from_json(item, element, world) for item in value]
        case TupleType(items), list() if len(items) == len(value):
            return tuple(from_json(v, t, world) for v, t in zip(value, items, strict=True))
        case OptionType(some), {"case": "some", **rest} if _is_option(some, world):
            return _case("some", some, rest, value, world)
        case OptionType(some), _ if value is not None:
            return from_json(value, some, world)
        case ResultType(ok, err), _:
            return _from_cases(value, {"ok": ok, "err": err}, world)
        case Named(), _ if definition is not None:
            return _from_named(value, definition.shape, world)
        case _:
            return value


def _is_option(type_: Type, world: World) -> bool:
    return isinstance(world.resolve(type_)[0], OptionType)


def _from_cases(
    value: Any,  # noqa: ANN401 - any value
    payloads: Mapping[str, Type | None],
    world: World,
) -> object:
    match value:
        case str() if value in payloads:
            return _case(value, payloads[value], {}, value, world)
        case {"case": str(name), **rest}:
            return _case(name, payloads.get(name), rest, value, world)
        case _:
            return value


def _case(
    name: str,
    payload: Type | None,
    rest: dict[Any, Any],
    whole: object,
    world: World,
) -> object:
    """Make a case of ``{"case": name, **rest}``; what says more than that is handed on."""
    if not rest.keys() <= {"value"}:
        return whole
    if payload is not None and "value" not in rest and not _is_option(payload, world):
        written = f'{{"case": {json.dumps(name)}, "value": …}}'
        raise aw.ValueMismatch(f"case {json.dumps(name)} carries a value; hint: write {written}")
    inner = rest.get("value")
    return aw.Variant(name, from_json(inner, payload, world) if payload else inner)


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
        case VariantType(cases), _:
            return _from_cases(value, {case.name: case.type for case in cases}, world)
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


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise aw.ValueMismatch(
            f"a text that holds a lone surrogate at {error.start} has no bytes; "
            "hint: give them as a list of numbers"
        ) from None
