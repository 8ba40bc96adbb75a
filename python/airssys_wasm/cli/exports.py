"""What a component exports, by the names that ``run`` takes."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping

from airssys_wasm.errors import ExportMissing
from airssys_wasm.wit.model import Function, Type, World

__all__ = ["parameters"]

_NEAR_MAX = 3
_LISTED_MAX = 5


def parameters(world: World, function: str, component: str) -> list[Type] | None:
    """Return the types that ``function`` takes.

    Args:
        world: what the component exports.
        function: as it was typed; the version of its interface may be left out.
        component: what errors call it.

    Returns:
        The types, or ``None`` where several versions fit: the call says which.

    Raises:
        ExportMissing: there is no such function; the hint names the nearest.
    """
    functions = _functions(world)
    fitting = [full for full in functions if function in {full, _unversioned(full)}]
    if not fitting:
        raise ExportMissing(
            f"component {json.dumps(component, ensure_ascii=False)} has no export "
            f"{json.dumps(function, ensure_ascii=False)}; hint: {_hint(function, list(functions))}"
        )
    if len(fitting) > 1 and function not in functions:
        return None
    exact = function if function in functions else fitting[0]
    return [param.type for param in functions[exact].params]


def _functions(world: World) -> Mapping[str, Function]:
    return {
        f"{interface}#{name}" if interface else name: function
        for interface, functions in world.exports.items()
        for name, function in functions.items()
    }


def _unversioned(full: str) -> str:
    interface, mark, name = full.rpartition("#")
    return f"{interface.partition('@')[0]}{mark}{name}"


def _hint(wanted: str, names: list[str]) -> str:
    if not names:
        return "it exports no functions"
    if near := _near(wanted, names):
        return f"did you mean {' or '.join(near)}?"
    more = f", and {len(names) - _LISTED_MAX} more" if len(names) > _LISTED_MAX else ""
    return f"it has {', '.join(names[:_LISTED_MAX])}{more}"


def _near(wanted: str, names: list[str]) -> list[str]:
    """Name what was probably meant: what is inside an interface, or called or spelt alike."""
    inside = [name for name in names if name.startswith((f"{wanted}#", f"{wanted}@"))]
    same = [name for name in names if _bare(name) == _bare(wanted)]
    if inside or same:
        return (inside or same)[:_NEAR_MAX]
    whole = {_unversioned(name): name for name in names}
    close = difflib.get_close_matches(_unversioned(wanted), whole, _NEAR_MAX, cutoff=0.8)
    if close:
        return [whole[name] for name in close]
    bare = {_bare(name): name for name in reversed(names)}
    return [bare[name] for name in difflib.get_close_matches(_bare(wanted), bare, _NEAR_MAX)]


def _bare(name: str) -> str:
    """Return the function's own name, of a method too: ``value`` of ``[method]counter.value``."""
    return name.rpartition("#")[2].rpartition(".")[2]
