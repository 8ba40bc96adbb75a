"""The first call of a component that has a life cycle: ``initialize``."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from airssys_wasm._native.runtime import Variant
from airssys_wasm.errors import ExportMissing, ValueMismatch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airssys_wasm._native.runtime import Instance
    from airssys_wasm.config import Limits

#: The interface whose ``initialize`` takes the configuration; any 1.x fits.
LIFECYCLE = "airssys:core/lifecycle"
_INITIALIZE = re.compile(rf"{re.escape(LIFECYCLE)}@1\.[^#]*#initialize")
#: Multicodec number of bytes that only the component can read.
_RAW = 0x55
_NAME_CHARS_MAX = 64
_NAME_CHARS_MIN = 3


def initializer(name: str, functions: Iterable[str], config: bytes) -> str | None:
    """Return the function to call first, or ``None`` if the component has none.

    Args:
        name: what errors call the component.
        functions: the functions it exports.
        config: what the embedder wants it to have.

    Raises:
        ExportMissing: there is a configuration and nothing that takes it.
        ValueMismatch: the configuration is not bytes.
    """
    if not isinstance(config, bytes):
        raise ValueMismatch(f"config: expected bytes, got {type(config).__name__}", "config")
    function = next(filter(_INITIALIZE.fullmatch, functions), None)
    if function is None and config:
        raise ExportMissing(
            f"component {name!r} has no {LIFECYCLE}, whose initialize takes the configuration; "
            "hint: leave config= out, or build the component with that export"
        )
    return function


def initialize(
    instance: Instance,
    function: str,
    *,
    name: str,
    limits: Limits,
    variables: list[tuple[str, str]] | None,
    config: bytes,
) -> None:
    """Call ``function``, what ``initializer`` returned; close the instance if it fails.

    Args:
        instance: a new instance.
        function: its ``initialize``.
        name: the name the component was loaded under.
        limits: what the instance may use.
        variables: the environment it was granted.
        config: bytes for it; empty bytes are no configuration at all.

    Raises:
        ComponentError: it refused; ``.value`` says why.
        ComponentFailed: it did not survive it.
    """
    try:
        instance.call(function, component_config(name, limits, variables or [], config))
    except BaseException:
        instance.close()
        raise


def component_config(
    name: str, limits: Limits, variables: list[tuple[str, str]], config: bytes
) -> dict[str, Any]:
    """Return the ``component-config`` of an instance that no actor system runs."""
    return {
        "id": {"namespace": "local", "name": component_name(name), "instance": "0"},
        "incarnation": 1,
        "reason": Variant("first"),
        "limits": {
            "memory-bytes-max": limits.memory_bytes_max,
            # Rounded up: a limit that the guest sees as zero would be a lie.
            "call-milliseconds-max": math.ceil(limits.call_seconds_max * 1000),
            "fuel-max": limits.fuel_max,
        },
        "settings": {"codec": _RAW, "payload": config} if config else None,
        "environment": sorted(variables),
    }


def component_name(name: str) -> str:
    """Return ``name`` as the name of a component: ``[a-z][a-z0-9-]*[a-z0-9]``."""
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    # What begins with a digit, or is too short, is told to be a component.
    if not words[:1].isalpha() or len(words) < _NAME_CHARS_MIN:
        words = f"component-{words}".strip("-")
    return words[:_NAME_CHARS_MAX].rstrip("-")
