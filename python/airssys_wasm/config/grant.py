"""What an instance gets of the machine."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from airssys_wasm._native.broker import address_matches, topic_contains, topic_matches
from airssys_wasm.errors import CapabilityDenied, ValueMismatch

#: The fields about messages between actors.
MESSAGING: Final = ("send", "receive", "publish", "subscribe")
#: The characters of addresses, and those of globs.
_ADDRESS_PATTERN: Final = re.compile(r"[a-z0-9/*?\[\]{},!^-]+")


class _Variables(Mapping[str, str]):
    """Names and values that nobody can change; unlike a mapping proxy it copies and pickles."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        return repr(self._values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What an instance gets of the machine; nothing else is linked at all.

    A component that imports an interface that was not granted is refused with
    ``ImportMissing``, which names the grant. ``None`` leaves an interface out;
    an empty list links it with nothing in it, for components whose tool chain
    imports it without using it. Lists and mappings are copied: what becomes of
    the caller's later changes no grant.

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
        send: actors of the host it may send to and ask: patterns of addresses such as
            ``"acme/worker"`` (all its instances), ``"acme/*"`` or ``"**"``. Who is
            sent to must hear the sender too.
        receive: actors that may send to it, as for ``send``; the embedder always may.
        publish: topics it may publish on: patterns such as ``"orders.created"``,
            ``"orders.*"`` (one name more) or ``"orders.#"`` (any).
        subscribe: topics it may take, as for ``publish``; a pattern of its own must lie
            within one of these.

    Raises:
        ValueMismatch: a list that this version cannot enforce, a malformed name or
            value, or a switch that is no bool; ``.path`` names the field.
    """

    clocks: bool = True
    random: bool = True
    output: bool = True
    environment: Sequence[str] | Mapping[str, str] | None = None
    filesystem_read: Sequence[str] | None = None
    network: Sequence[str] | None = None
    send: Sequence[str] = ()
    receive: Sequence[str] = ()
    publish: Sequence[str] = ()
    subscribe: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Refuse what would only be written down and not enforced."""
        for name in ("filesystem_read", "network"):
            value = getattr(self, name)
            _require_none_or_empty(name, value)
            self._keep(name, None if value is None else ())
        for name in ("clocks", "random", "output"):
            switch = getattr(self, name)
            if not isinstance(switch, bool):
                raise ValueMismatch(f"{name}: expected True or False, got {switch!r}", name)
        for name in MESSAGING:
            self._keep(name, _patterns(name, getattr(self, name)))
        # Copied first: what is checked is what is kept.
        self._keep("environment", _copied(self.environment))
        _require_environment(self.environment)

    def _keep(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

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
                ``filesystem.read``, ``network``, ``messaging.send``,
                ``messaging.receive``, ``messaging.publish`` or ``messaging.subscribe``.
            resource: what the action is about: the name of a variable, a path, an
                address, a topic, a pattern of topics.

        Raises:
            CapabilityDenied: the grant does not cover it. ``grant_hint`` is the grant
                that would, and empty for what no grant of this version can give.
            ValueError: there is no such action, or no variable, address or topic of
                such a name.
        """
        covered, hint = self._covers(action, resource)
        if not covered:
            wanted = f"{action} {resource}".strip()
            advice = f"hint: {hint}" if hint else "no grant of this version can give it"
            raise CapabilityDenied(
                f"{wanted!r} is not granted; {advice}", wanted=wanted, grant_hint=hint
            )

    def _covers(self, action: str, resource: str) -> tuple[bool, str]:
        match action:
            case "clocks" | "random" | "output":
                return getattr(self, action), f"Grant({action}=True)"
            case "environment":
                _require_name(resource)
                return resource in (self.environment or ()), f"Grant(environment=[{resource!r}])"
            case "filesystem.read" | "network":
                # What can be granted of these is empty: it covers nothing.
                return False, ""
            case "messaging.send" | "messaging.receive":
                name = action.removeprefix("messaging.")
                patterns = getattr(self, name)
                covered = any(address_matches(pattern, resource) for pattern in patterns)
                return covered, f"Grant({name}=[{resource!r}])"
            case "messaging.publish":
                covered = any(topic_matches(pattern, resource) for pattern in self.publish)
                return covered, f"Grant(publish=[{resource!r}])"
            case "messaging.subscribe":
                covered = any(topic_contains(pattern, resource) for pattern in self.subscribe)
                return covered, f"Grant(subscribe=[{resource!r}])"
        raise ValueError(f"no action {action!r}")


def _require_none_or_empty(name: str, value: object) -> None:
    """Refuse what is neither ``None`` nor an empty list: it would link the interface."""
    if value is None:
        return
    if not isinstance(value, list | tuple):
        # False or "" may be meant as "no": only None leaves the interface out.
        raise ValueMismatch(
            f"{name}: expected None or an empty list, got {value!r}; hint: None leaves the "
            f"interface out, {name}=[] links it with nothing in it",
            name,
        )
    if value:
        raise ValueMismatch(
            f"{name}: this version can only grant the empty list, which links the "
            f"interface with nothing in it; hint: {name}=[]",
            name,
        )


def _patterns(name: str, value: object) -> tuple[str, ...]:
    """Return a copy of a list of patterns, each written as it must be."""
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        # Each letter of a text would be a pattern.
        raise ValueMismatch(f"{name}: expected a list of patterns, got {value!r}", name)
    patterns = tuple(value)
    check = _check_addresses if name in {"send", "receive"} else _check_topics
    for number, pattern in enumerate(patterns):
        if not isinstance(pattern, str):
            raise ValueMismatch(f"{name}[{number}]: {pattern!r} is no str", f"{name}[{number}]")
        try:
            check(pattern)
        except ValueError as error:
            raise ValueMismatch(f"{name}[{number}]: {error}", f"{name}[{number}]") from None
    return patterns


def _check_addresses(pattern: str) -> None:
    address_matches(pattern)
    if not _ADDRESS_PATTERN.fullmatch(pattern):
        raise ValueError(
            f"{pattern!r} stands for no address; hint: those are of a-z, 0-9, '-' and '/'"
        )


def _check_topics(pattern: str) -> bool:
    return topic_contains(pattern, pattern)


def _copied(environment: object) -> _Variables | tuple[Any, ...] | None:
    """Return a copy of ``environment`` that does not change, still to be checked."""
    if environment is None:
        return None
    if isinstance(environment, Mapping):
        return _Variables(environment)
    if isinstance(environment, str | bytes) or not isinstance(environment, Collection):
        # Each letter of a text would be a name.
        why = f'environment: {environment!r} is no list of names; hint: environment=["HOME"]'
        raise ValueMismatch(why, "environment")
    return tuple(environment)


def _require_environment(environment: Sequence[str] | Mapping[str, str] | None) -> None:
    if environment is None:
        return
    for name in environment:
        _require_name(name)
    if isinstance(environment, Mapping):
        for name, value in environment.items():
            if not _is_text(value):
                why = f"environment: {name!r} cannot have the value {value!r}; hint: a str"
                raise ValueMismatch(why, f"environment.{name}")


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


def _require_name(name: object) -> None:
    if not isinstance(name, str) or not _is_text(name) or not name or "=" in name:
        raise ValueMismatch(f"environment: {name!r} is no name of a variable", "environment")


def _is_text(value: object) -> bool:
    """Whether it is text that a guest can be given: Unicode without NUL."""
    if not isinstance(value, str) or "\0" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
