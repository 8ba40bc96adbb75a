"""Types and functions as WIT text, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airssys_wasm.wit.model import (
    AsyncType,
    Handle,
    ListType,
    MapType,
    Named,
    OptionType,
    Primitive,
    ResultType,
    TupleType,
    Type,
)

if TYPE_CHECKING:
    from airssys_wasm.wit.model import Function, Interface

__all__ = ["function_text", "interface_text", "type_text"]


def function_text(function: Function) -> str:
    """Return one line: ``greet(person: person) -> result<string, error>``.

    A method stands with its resource and without its handle:
    ``session.get(key: string)``; a constructor is ``session(...)``.
    """
    params = function.params[1:] if function.kind == "method" else function.params
    listed = ", ".join(f"{param.name}: {type_text(param.type)}" for param in params)
    result = f" -> {type_text(function.result)}" if function.result is not None else ""
    prefix = "async " if function.is_async else ""
    return f"{prefix}{_called(function)}({listed}){result}"


def interface_text(interface: Interface) -> str:
    """Return one line for each function of ``interface``."""
    return "\n".join(function_text(function) for function in interface.functions.values())


def type_text(type_: Type) -> str:
    """Return ``type_`` as it stands in WIT; a named type by its name."""
    match type_:
        case Primitive(name) | Named(name):
            return name
        case ListType(element, None):
            return f"list<{type_text(element)}>"
        case ListType(element, length):
            return f"list<{type_text(element)}, {length}>"
        case MapType(key, value):
            return f"map<{type_text(key)}, {type_text(value)}>"
        case OptionType(some):
            return f"option<{type_text(some)}>"
        case TupleType(items):
            return f"tuple<{', '.join(map(type_text, items))}>"
        case Handle(resource, borrowed):
            return f"borrow<{resource.name}>" if borrowed else resource.name
        case AsyncType(kind, item):
            return kind if item is None else f"{kind}<{type_text(item)}>"
        case ResultType(ok, err):
            return _result(ok, err)


def _result(ok: Type | None, err: Type | None) -> str:
    if ok is None and err is None:
        return "result"
    left = "_" if ok is None else type_text(ok)
    return f"result<{left}>" if err is None else f"result<{left}, {type_text(err)}>"


def _called(function: Function) -> str:
    match function.kind:
        case "function":
            return function.name
        case "constructor":
            return function.resource
        case "method" | "static":
            return f"{function.resource}.{function.item_name}"
