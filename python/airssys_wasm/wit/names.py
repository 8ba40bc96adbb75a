"""Names of WIT as names of Python.

WIT spells ``first-name``; Python has ``first_name`` for values and ``FirstName``
for types. A name that Python keeps for itself gets an underscore behind it: no
WIT name can end in one, so nothing else is hit.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Taken", "class_name", "distinct_names", "value_name"]

#: Names that no generated class may have: Python's own, and those a stub imports.
RESERVED = frozenset(dir(builtins)) | {
    "Any",
    "Awaitable",
    "Callable",
    "Imports",
    "Instance",
    "Literal",
    "Protocol",
    "Resource",
    "Self",
    "Sequence",
    "TypeAlias",
    "TypedDict",
    "Variant",
}


def value_name(name: str, taken: Iterable[str] = ()) -> str:
    """Return ``name`` as a field, parameter or method: ``first-name`` is ``first_name``.

    Args:
        name: a WIT name.
        taken: names that the place keeps for itself, ``self`` for example.
    """
    spelled = name.replace("-", "_")
    return f"{spelled}_" if keyword.iskeyword(spelled) or spelled in taken else spelled


def class_name(name: str) -> str:
    """Return ``name`` as a class: ``first-name`` is ``FirstName``.

    Anything but letters and digits separates words, so that an identifier with
    package and version may be given too.
    """
    words = re.findall(r"[A-Za-z0-9]+", name)
    return "".join(word[0].upper() + word[1:] for word in words)


def distinct_names(items: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Give each ``(interface, name)`` a class name of its own, as short as can be.

    A name that only one interface has stays alone: ``Person``. Where several have
    it, each gets as much of its interface's identifier as it needs: ``ApiError``,
    ``AcmeGreetApiError``, ``AcmeGreetApi100Error``.
    """
    found: dict[tuple[str, str], str] = {}
    left = list(dict.fromkeys(items))
    for spell in (_alone, _with_interface, _with_package, _in_full):
        spelled = {item: spell(*item) for item in left}
        often = Counter(spelled.values())
        often.update(found.values())
        found |= {item: name for item, name in spelled.items() if often[name] == 1}
        left = [item for item in left if item not in found]
    taken = Taken(found.values())
    return found | {item: taken.name(_in_full(*item)) for item in left}


class Taken:
    """Class names in use; hands out further ones."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = set(names)

    def name(self, wanted: str) -> str:
        """Return ``wanted``, with underscores behind it until it is free."""
        while wanted in self._names or wanted in RESERVED or keyword.iskeyword(wanted):
            wanted += "_"
        self._names.add(wanted)
        return wanted


def _alone(_interface: str, name: str) -> str:
    return _free(class_name(name))


def _with_interface(interface: str, name: str) -> str:
    return _free(class_name(interface.partition("@")[0].rpartition("/")[2] + "-" + name))


def _with_package(interface: str, name: str) -> str:
    return _free(class_name(interface.partition("@")[0] + "-" + name))


def _in_full(interface: str, name: str) -> str:
    return _free(class_name(interface + "-" + name))


def _free(name: str) -> str:
    return f"{name}_" if name in RESERVED or keyword.iskeyword(name) else name
