"""What a supervisor is told about its children, checked when it is said."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from types import UnionType
from typing import Final, Literal, TypeAlias, get_args

from airssys_wasm.actor.health import Health, require_seconds
from airssys_wasm.actor.hooks import Hooks
from airssys_wasm.broker import Mailbox
from airssys_wasm.broker.traffic import Rate
from airssys_wasm.config import Grant, Limits
from airssys_wasm.config.figures import SECONDS_MAX, is_number, is_whole, printed
from airssys_wasm.errors import ChildInvalid

Strategy: TypeAlias = Literal["one-for-one", "one-for-all", "rest-for-one"]
RestartType: TypeAlias = Literal["permanent", "transient", "temporary"]
AutoShutdown: TypeAlias = Literal["never", "any-significant", "all-significant"]
Counted: TypeAlias = Literal["together", "by-child"]
Shutdown: TypeAlias = float | Literal["immediate", "infinity"]

NAME_CHARACTERS_MAX: Final = 256
SHUTDOWN_SECONDS: Final = 5.0
START_SECONDS_MAX: Final = 30.0
#: What the interface can tell a component.
RESTARTS_MAX: Final = 2**32 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long a supervisor waits before it restarts a child that keeps failing.

    The first wait is ``first_seconds``, each further one ``factor`` times as long, none longer
    than ``max_seconds``. A child that ran for ``quiet_seconds`` before it failed starts over.

    Args:
        first_seconds: 0 to 1e9.
        max_seconds: at least ``first_seconds``, at most 1e9.
        factor: 1 to 1e9.
        jitter: each wait is spread by up to this share of itself to either side, 0 to 1, so
            that children that failed together do not come back together.
        quiet_seconds: 0 to 1e9.

    Raises:
        ChildInvalid: a figure is outside its range.
    """

    first_seconds: float = 0.1
    max_seconds: float = 30.0
    factor: float = 2.0
    jitter: float = 0.1
    quiet_seconds: float = 60.0

    def __post_init__(self) -> None:
        """Refuse nonsense when it is made, not when it is used."""
        _number("first_seconds", self.first_seconds, 0)
        _number("max_seconds", self.max_seconds, self.first_seconds)
        _number("factor", self.factor, 1)
        _number("jitter", self.jitter, 0, 1)
        _number("quiet_seconds", self.quiet_seconds, 0)


@dataclass(frozen=True, slots=True)
class Child:
    """One child of a supervisor: what to start, and what to do when it ends.

    Args:
        name: who it is to its supervisor, through all restarts; 1 to 256 characters.
        source: what the host starts, as for ``Host.spawn``: a component, what
            ``Engine.load`` takes, or a class or another factory of a Python actor; or a
            ``Group``, and the child is a supervisor itself.
        restart: ``"permanent"`` is always restarted, ``"transient"`` only after a failure,
            ``"temporary"`` never, and it is forgotten when it ends.
        shutdown: seconds it has to stop when it is asked to, 0 to 1e9, before it is killed;
            ``"immediate"`` kills without asking, ``"infinity"`` waits. The default is 5.0, and
            ``"infinity"`` for a group, whose children have limits of their own.
        start_seconds_max: seconds it has to start, more than 0, at most 1e9; past them the start
            has failed. The default is 30.0, and ``math.inf`` for a group.
        significant: its end may end the supervisor, see ``Group.auto_shutdown``. Not for a
            permanent child, which has no end.
        intensity: restarts allowed within ``within`` for this child, where the group counts
            ``"by-child"``; the default is the group's.
        within: seconds of that window, more than 0, at most 1e9; the default is the group's.
        backoff: waits between its restarts; the default is the group's.
        limits, grant, imports, config, mailbox, health, hooks, handler_seconds_max, rate: as
            for ``Host.spawn``. Not for a group, whose children have their own.

    Raises:
        ChildInvalid: a field is not of its kind or outside its range.
    """

    name: str
    source: object = field(repr=False)
    _: KW_ONLY
    restart: RestartType = "permanent"
    shutdown: Shutdown | None = None
    start_seconds_max: float | None = None
    significant: bool = False
    intensity: int | None = None
    within: float | None = None
    backoff: Backoff | None = None
    limits: Limits | None = field(default=None, repr=False)
    grant: Grant | None = field(default=None, repr=False)
    imports: Mapping[str, object] | None = field(default=None, repr=False, hash=False)
    config: bytes | Mapping[str, object] = field(default=b"", repr=False, hash=False)
    mailbox: Mailbox | None = field(default=None, repr=False)
    health: Health | None = field(default=None, repr=False)
    hooks: Hooks | None = field(default=None, repr=False)
    handler_seconds_max: float | None = field(default=None, repr=False)
    rate: Rate | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuse nonsense, and settle the defaults that depend on the source."""
        _name(self.name)
        where = f"child {self.name!r}: "
        _word(where + "restart", self.restart, get_args(RestartType))
        _shutdown(where + "shutdown", self.shutdown)
        if self.start_seconds_max is not None:
            _seconds(where + "start_seconds_max", self.start_seconds_max, endless=True)
        _flag(where + "significant", self.significant)
        _own_window(where, self.intensity, self.within)
        if not isinstance(self.backoff, Backoff | None):
            raise ChildInvalid(
                f"{where}backoff: {self.backoff!r}; hint: Backoff(first_seconds=...)"
            )
        if self.significant and self.restart == "permanent":
            raise ChildInvalid(
                f"{where}a permanent child never ends, so it cannot be significant; "
                'hint: restart="transient" or "temporary"'
            )
        _options(where, self)
        if isinstance(self.config, Mapping):
            # Each incarnation is given the same, whatever becomes of the caller's.
            object.__setattr__(self, "config", dict(self.config))
        self._settle()

    def _settle(self) -> None:
        if self.shutdown is None:
            default: Shutdown = "infinity" if self.is_group else SHUTDOWN_SECONDS
            object.__setattr__(self, "shutdown", default)
        if self.start_seconds_max is None:
            bound = math.inf if self.is_group else START_SECONDS_MAX
            object.__setattr__(self, "start_seconds_max", bound)

    @property
    def is_group(self) -> bool:
        """Whether the child is a supervisor itself."""
        return isinstance(self.source, Group)

    @property
    def stop_seconds_max(self) -> float:
        """Seconds it has to stop: 0 for ``"immediate"``, ``math.inf`` for ``"infinity"``."""
        match self.shutdown:
            case "immediate":
                return 0.0
            case "infinity" | None:
                return math.inf
            case seconds:
                return seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Children under one strategy; as the source of a ``Child``, a supervisor in a tree.

    Args:
        children: started in this order, stopped in the reverse one.
        strategy: who is restarted with a child that failed: ``"one-for-one"`` nobody else,
            ``"one-for-all"`` everybody, ``"rest-for-one"`` those that started after it.
        intensity: restarts allowed within ``within``, 0 to 4 294 967 295. With the next one the
            supervisor gives up: it stops its children and hands the matter to its parent.
        within: seconds of that window, more than 0, at most 1e9.
        backoff: waits between restarts.
        auto_shutdown: whether the supervisor ends by itself when a significant child has
            ended for good, or when all of them have.
        counted: ``"together"``, as Erlang does: the restarts of all children share one
            window. ``"by-child"``: each child has a window under its name, and only the
            child that fails too often is given up; for independent children, so only with
            ``"one-for-one"``.

    Raises:
        ChildInvalid: a field is not of its kind or outside its range, two children have one
            name, or a child asks for what the group does not do.
    """

    children: Sequence[Child] = ()
    strategy: Strategy = "one-for-one"
    intensity: int = 3
    within: float = 60.0
    backoff: Backoff = field(default_factory=Backoff)
    auto_shutdown: AutoShutdown = "never"
    counted: Counted = "together"

    def __post_init__(self) -> None:
        """Refuse nonsense when it is made, not when it is used."""
        object.__setattr__(self, "children", _children(self.children))
        _word("strategy", self.strategy, get_args(Strategy))
        _whole("intensity", self.intensity)
        _seconds("within", self.within)
        _word("auto_shutdown", self.auto_shutdown, get_args(AutoShutdown))
        _word("counted", self.counted, get_args(Counted))
        if not isinstance(self.backoff, Backoff):
            raise ChildInvalid(f"backoff: {self.backoff!r}; hint: Backoff(first_seconds=...)")
        if self.counted == "by-child" and self.strategy != "one-for-one":
            raise ChildInvalid(
                f'counted="by-child" gives up one child alone, but {self.strategy} restarts '
                'several together; hint: counted="together"'
            )
        for child in self.children:
            self.admit(child)

    def admit(self, child: Child) -> None:
        """Return if the group does all that ``child`` asks for.

        Raises:
            ChildInvalid: it is no ``Child``, significant where the group never shuts itself
                down, or has a window of its own where the group counts together.
        """
        if not isinstance(child, Child):
            raise ChildInvalid(f"{child!r} is no child; hint: Child(name, source)")
        if child.significant and self.auto_shutdown == "never":
            raise ChildInvalid(
                f"child {child.name!r} is significant, but its group never shuts itself down; "
                'hint: auto_shutdown="any-significant" or "all-significant"'
            )
        if self.counted == "together" and (child.intensity, child.within) != (None, None):
            raise ChildInvalid(
                f"child {child.name!r} has a window of its own, but its group counts restarts "
                'together; hint: counted="by-child"'
            )


def _children(given: Iterable[Child]) -> tuple[Child, ...]:
    try:
        children = tuple(given)
    except TypeError:
        raise ChildInvalid(f"children: {given!r} is no list; hint: [Child(name, source)]") from None
    seen: set[str] = set()
    for child in children:
        if isinstance(child, Child) and child.name in seen:
            raise ChildInvalid(f"two children are named {child.name!r}; hint: rename one")
        seen.add(getattr(child, "name", ""))
    return children


def _name(name: object) -> None:
    if not isinstance(name, str) or not 0 < len(name) <= NAME_CHARACTERS_MAX:
        raise ChildInvalid(
            f"name: {name!r} is not a text of 1 to {NAME_CHARACTERS_MAX} characters; "
            'hint: "namespace/name"'
        )
    if not name.isprintable():
        raise ChildInvalid(f'name: {name!r} has unprintable characters; hint: "namespace/name"')


def _word(where: str, given: object, words: tuple[str, ...]) -> None:
    if given not in words:
        raise ChildInvalid(f"{where}: {given!r}; hint: one of {', '.join(words)}")


def _flag(where: str, given: object) -> None:
    if not isinstance(given, bool):
        raise ChildInvalid(f"{where}: {given!r}; hint: True or False")


def _whole(where: str, given: object) -> None:
    if not is_whole(given, 0, RESTARTS_MAX):
        raise ChildInvalid(
            f"{where}: {printed(given)}; hint: a whole number of restarts, 0 to {RESTARTS_MAX}"
        )


def _number(where: str, given: object, low: float, high: float = SECONDS_MAX) -> None:
    if not is_number(given, low, high):
        raise ChildInvalid(f"{where}: {printed(given)}; hint: a number from {low:g} to {high:g}")


def _seconds(where: str, given: object, *, endless: bool = False) -> None:
    if endless and given == math.inf:
        return
    require_seconds(where, given)


def _shutdown(where: str, given: object) -> None:
    if given is None or given in ("immediate", "infinity"):
        return
    hint = 'hint: seconds such as 5.0, "immediate" or "infinity"'
    if not is_number(given, 0, SECONDS_MAX):
        raise ChildInvalid(f"{where}: {printed(given)}; {hint}, at most {SECONDS_MAX:g}")


def _options(where: str, child: Child) -> None:
    kinds = {
        "limits": Limits,
        "grant": Grant,
        "imports": Mapping,
        "config": bytes | Mapping,
        "mailbox": Mailbox,
        "health": Health,
        "hooks": Hooks,
        "rate": Rate,
    }
    for name, kind in kinds.items():
        given = getattr(child, name)
        if given is None or given == b"":
            continue
        if not isinstance(given, kind):
            raise ChildInvalid(f"{where}{name}: {given!r}; hint: {_kind(kind)}")
        if child.is_group:
            raise ChildInvalid(f"{where}{name} is not for a group; hint: give it to its children")
    if child.handler_seconds_max is not None:
        _seconds(where + "handler_seconds_max", child.handler_seconds_max)


def _kind(kind: type | UnionType) -> str:
    return "bytes, or settings by name" if isinstance(kind, UnionType) else kind.__name__


def _own_window(where: str, intensity: object, within: object) -> None:
    if intensity is not None:
        _whole(where + "intensity", intensity)
    if within is not None:
        _seconds(where + "within", within)
