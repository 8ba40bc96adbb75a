"""The first call of a component that has a life cycle: ``initialize``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airssys_wasm._native import codec
from airssys_wasm._native.runtime import Variant
from airssys_wasm.errors import ExportMissing, ValueMismatch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airssys_wasm._native.runtime import Instance
    from airssys_wasm.config import Limits

#: The interface whose ``initialize`` takes the configuration; any 1.x fits.
LIFECYCLE = "airssys:core/lifecycle"
_FUNCTION = re.compile(rf"{re.escape(LIFECYCLE)}@1\.[^#]*#(.*)")
#: Multicodec number of bytes that only the component can read.
_RAW = 0x55
#: What ``initialize`` can be given: bytes as they are, or settings by name.
Config = bytes | Mapping[str, object]
_NAME_CHARS_MAX = 64
_NAME_CHARS_MIN = 3


def exported(functions: Iterable[str], function: str) -> str | None:
    """Return the full name of a function of the life cycle, if it is among ``functions``."""
    for full in functions:
        found = _FUNCTION.fullmatch(full)
        if found is not None and found[1] == function:
            return full
    return None


def initializer(name: str, functions: Iterable[str], config: Config) -> str | None:
    """Return the function to call first, or ``None`` if the component has none.

    Args:
        name: what errors call the component.
        functions: the functions it exports.
        config: what the embedder wants it to have.

    Raises:
        ExportMissing: there is a configuration and nothing that takes it.
        ValueMismatch: the configuration is neither bytes nor a mapping.
    """
    given: object = config
    if not isinstance(given, bytes | Mapping):
        kind = type(config).__name__
        raise ValueMismatch(f"config: expected bytes or a mapping, got {kind}", "config")
    function = exported(functions, "initialize")
    if function is None and config:
        raise ExportMissing(
            f"component {name!r} has no {LIFECYCLE}, whose initialize takes the configuration; "
            "hint: leave config= out, or build the component with that export"
        )
    return function


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an instance is, and why it starts, as ``initialize`` is told.

    Args:
        namespace: who the component belongs to.
        name: which component it is.
        instance: which of its instances.
        incarnation: grows with each restart and each change of version.
        reason: ``start-reason`` of the interface.
    """

    namespace: str
    name: str
    instance: str = "0"
    incarnation: int = 1
    reason: Variant = field(default_factory=lambda: Variant("first"))


def initialize(
    instance: Instance,
    function: str,
    *,
    identity: Identity,
    limits: Limits,
    variables: list[tuple[str, str]] | None,
    config: Config,
) -> None:
    """Call ``function``, what ``initializer`` returned; close the instance if it fails.

    Args:
        instance: a new instance.
        function: its ``initialize``.
        identity: who it is, and why it starts.
        limits: what the instance may use.
        variables: the environment it was granted.
        config: bytes for it, or settings, which go in CBOR; an empty one is no
            configuration at all.

    Raises:
        CodecError: a setting has no form in CBOR.
        ComponentError: it refused; ``.value`` says why.
        ComponentFailed: it did not survive it.
    """
    try:
        instance.call(function, component_config(identity, limits, variables or [], config))
    except BaseException:
        instance.close()
        raise


def component_config(
    identity: Identity, limits: Limits, variables: list[tuple[str, str]], config: Config
) -> dict[str, Any]:
    """Return the ``component-config`` of an instance."""
    return {
        "id": {
            "namespace": identity.namespace,
            "name": identity.name,
            "instance": identity.instance,
        },
        "incarnation": identity.incarnation,
        "reason": identity.reason,
        "limits": {
            "memory-bytes-max": limits.memory_bytes_max,
            # Rounded up: a limit that the guest sees as zero would be a lie.
            "call-milliseconds-max": math.ceil(limits.call_seconds_max * 1000),
            "fuel-max": limits.fuel_max,
        },
        "settings": _settings(config) if config else None,
        "environment": sorted(variables),
    }


def _settings(config: Config) -> dict[str, Any]:
    if isinstance(config, bytes):
        return {"codec": _RAW, "payload": config}
    return {"codec": codec.CBOR, "payload": codec.encode_body(codec.CBOR, dict(config))}


def component_name(name: str) -> str:
    """Return ``name`` as the name of a component: ``[a-z][a-z0-9-]*[a-z0-9]``."""
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    # What begins with a digit, or is too short, is told to be a component.
    if not words[:1].isalpha() or len(words) < _NAME_CHARS_MIN:
        words = f"component-{words}".strip("-")
    return words[:_NAME_CHARS_MAX].rstrip("-")
