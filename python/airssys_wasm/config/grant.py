"""What an instance gets of the machine."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from airssys_wasm.errors import CapabilityDenied, ValueMismatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What an instance gets of the machine; nothing else is linked at all.

    A component that imports an interface that was not granted is refused with
    ``ImportMissing``, which names the grant. ``None`` leaves an interface out;
    an empty list links it with nothing in it, for components whose tool chain
    imports it without using it.

    Args:
        clocks: the wall clock and the monotonic clock.
        random: random bytes, at most 64 KiB at once.
        output: standard output and error, captured line by line in
            ``Instance.stdout`` and ``Instance.stderr`` (the last 64 KiB each), an
            empty standard input, and ``exit``.
        environment: names of variables of this process to pass on (an unset one
            is left out), or a mapping of names to values.
        filesystem_read: only the empty list so far: a file system with nothing in it.
        network: only the empty list so far: sockets that reach nobody.

    Raises:
        ValueError: a list that this version cannot enforce, a malformed name or
            value, or a switch that is no bool.
    """

    clocks: bool = True
    random: bool = True
    output: bool = True
    environment: Sequence[str] | Mapping[str, str] | None = None
    filesystem_read: Sequence[str] | None = None
    network: Sequence[str] | None = None

    def __post_init__(self) -> None:
        """Refuse what would only be written down and not enforced."""
        for name in ("filesystem_read", "network"):
            if getattr(self, name):
                raise ValueError(
                    f"{name}: this version can only grant the empty list, which links the "
                    f"interface with nothing in it; hint: {name}=[]"
                )
        for name in ("clocks", "random", "output"):
            switch = getattr(self, name)
            if not isinstance(switch, bool):
                raise ValueError(f"{name}: expected True or False, got {switch!r}")  # noqa: TRY004 - one class for a malformed grant
        _require_environment(self.environment)

    def variables(self) -> list[tuple[str, str]] | None:
        """Return the variables to pass on, or ``None`` if the guest gets no environment.

        Raises:
            ValueMismatch: a variable of this process has a value that is no UTF-8.
        """
        if self.environment is None:
            return None
        if isinstance(self.environment, Mapping):
            return list(self.environment.items())
        return [(name, _value_of(name)) for name in self.environment if name in os.environ]

    def require(self, action: str, resource: str = "") -> None:
        """Return if the grant covers ``action``.

        Args:
            action: ``clocks``, ``random``, ``output``, ``environment``,
                ``filesystem.read`` or ``network``.
            resource: what the action is about: the name of a variable, a path, an
                address.

        Raises:
            CapabilityDenied: the grant does not cover it.
            ValueError: there is no such action.
        """
        covered, hint = self._covers(action, resource)
        if not covered:
            wanted = f"{action} {resource}".strip()
            raise CapabilityDenied(
                f"{wanted!r} is not granted; hint: {hint}", wanted=wanted, grant_hint=hint
            )

    def _covers(self, action: str, resource: str) -> tuple[bool, str]:
        match action:
            case "clocks" | "random" | "output":
                return getattr(self, action), f"Grant({action}=True)"
            case "environment":
                return resource in (self.environment or ()), f"Grant(environment=[{resource!r}])"
            case "filesystem.read":
                return False, f"Grant(filesystem_read=[{resource!r}])"
            case "network":
                return False, f"Grant(network=[{resource!r}])"
        raise ValueError(f"no action {action!r}")


def _require_environment(environment: object) -> None:
    if environment is None:
        return
    if isinstance(environment, str) or not isinstance(environment, Mapping | Collection):
        # Each letter of a text would be a name.
        raise ValueError(f"environment: {environment!r} is no list of names")  # noqa: TRY004 - as above
    for name in environment:
        if not _is_text(name) or not name or "=" in name:
            raise ValueError(f"environment: {name!r} is no name of a variable")
    if isinstance(environment, Mapping):
        for name, value in environment.items():
            if not _is_text(value):
                raise ValueError(f"environment: {name!r} cannot have the value {value!r}")


def _value_of(name: str) -> str:
    """Read a variable of this process, which may hold any bytes."""
    value = os.environ[name]
    if not _is_text(value):
        raise ValueMismatch(
            f"environment variable {name!r}: its value is no UTF-8 text, so no guest can be given "
            f"it; hint: leave it out, or pass Grant(environment={{{name!r}: ...}}) with a text",
            f"environment.{name}",
        )
    return value


def _is_text(value: object) -> bool:
    """Whether it is text that a guest can be given: Unicode without NUL."""
    if not isinstance(value, str) or "\0" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
