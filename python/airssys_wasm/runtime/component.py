"""A loaded component: what it imports and exports, and its instances."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Final

from airssys_wasm.config import MESSAGING, Grant, Limits
from airssys_wasm.errors import ValueMismatch
from airssys_wasm.runtime.lifecycle import (
    Config,
    Identity,
    component_name,
    exported,
    initialize,
    initializer,
)
from airssys_wasm.wit import World, describe, world_text, write_stubs

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from airssys_wasm._native.runtime import Component as NativeComponent
    from airssys_wasm._native.runtime import Desk, Instance
    from airssys_wasm.wit import Function


def _granted(
    grant: Grant,
) -> tuple[bool, bool, bool, list[tuple[str, str]] | None, bool, bool]:
    return (
        grant.clocks,
        grant.random,
        grant.output,
        grant.variables(),
        grant.filesystem_read is not None,
        grant.network is not None,
    )


def _require_types(limits: object, grant: object, imports: object) -> None:
    """Refuse what only looks like limits: nobody has checked its figures."""
    if not isinstance(limits, Limits):
        raise _mismatch(
            "limits",
            "Limits",
            limits,
            "limits=Limits(memory_bytes_max=2 * MIB, call_seconds_max=1.0)",
        )
    if grant is not None and not isinstance(grant, Grant):
        raise _mismatch("grant", "Grant", grant, "grant=Grant(clocks=True)")
    if imports is not None and not isinstance(imports, Mapping):
        hint = 'imports={"name of the import": implementation}'
        raise _mismatch("imports", "a mapping", imports, hint)


def _mismatch(argument: str, expected: str, got: object, hint: str) -> ValueMismatch:
    return ValueMismatch(
        f"{argument}: expected {expected}, got {type(got).__name__}; hint: {hint}", argument
    )


#: Worked out once: making an instance takes microseconds.
def _require_no_messaging(grant: Grant) -> None:
    """Refuse what an instance without an address could not use."""
    for name in MESSAGING:
        if getattr(grant, name):
            raise ValueMismatch(
                f"grant.{name}: only an actor of a host has messages; "
                "hint: await host.spawn(name, component, grant=...)",
                f"grant.{name}",
            )


_DEFAULT_GRANTED = _granted(Grant())
_VARIABLES: Final = 3


#: The interface by which actors send; any 1.x fits.
MESSAGING_INTERFACE: Final = "airssys:core/messaging"


class Component:
    """A loaded component; made by ``Engine.load``, shared by all threads."""

    def __init__(self, native: NativeComponent) -> None:
        """Wrap native code."""
        self._native = native
        self._codecs: tuple[int, ...] | None = None

    @property
    def name(self) -> str:
        """What errors call it."""
        return self._native.name

    @property
    def digest(self) -> str:
        """BLAKE3 digest of its bytes, in hexadecimal."""
        return self._native.digest

    @property
    def is_async(self) -> bool:
        """Whether it uses component-model async or imports WASI 0.3.

        Then its code is made and run by an engine configuration of its own, and
        every call of it has a stack of its own: it costs microseconds where the
        call of another component costs a fraction of one.
        """
        return self._native.is_async

    @cached_property
    def _world(self) -> World:
        return describe(self._native.binary)

    @property
    def imports(self) -> Mapping[str, Mapping[str, Function]]:
        """What it imports: interface name -> function name -> typed signature.

        Functions of the world itself stand under ``""``.

        Raises:
            ComponentInvalid: its types have no form in WIT, as where the component
                itself exports a bare type. Instances, calls and ``name`` work all the
                same.
        """
        return self._world.imports

    @property
    def exports(self) -> Mapping[str, Mapping[str, Function]]:
        """What it exports: interface name -> function name -> typed signature.

        Functions of the world itself stand under ``""``.
        ``exports#init``, which componentize-py leaves of its build, is left out: it is for
        no caller.

        Raises:
            ComponentInvalid: as for ``imports``.
        """
        return self._world.exports

    @cached_property
    def wit(self) -> str:
        """Its world as WIT text.

        Raises:
            ComponentInvalid: as for ``imports``.
        """
        return world_text(self._native.binary)

    def full_name(self, function: str) -> str:
        """The full name of the export that ``function`` calls: with its interface and version.

        Args:
            function: as ``Instance.call`` takes it.

        Raises:
            ExportMissing: there is none, or several versions fit; the hint names what was
                probably meant.
        """
        return self._native.full_name(function)

    def stubs(self, path: str | os.PathLike[str]) -> Path:
        """Write typed Python for it.

        Args:
            path: the file to write, ``.pyi`` for a stub, ``.py`` for a module that can
                also be imported; it is replaced whole or not at all.

        Returns:
            The path.

        Raises:
            ValueError: ``path`` ends in neither ``.pyi`` nor ``.py``.
            OSError: the file cannot be written.
            ComponentInvalid: as for ``imports``.
        """
        return write_stubs(self._world, path)

    def instantiate(
        self,
        *,
        limits: Limits,
        imports: Mapping[str, object] | None = None,
        grant: Grant | None = None,
        config: Config = b"",
    ) -> Instance:
        """Make an instance; a start function runs under the limits of a call.

        A component with ``airssys:core/lifecycle`` is initialized before you get it.
        Guest code that runs here, a start function or ``initialize``, runs on the
        calling thread, which waits for it; Ctrl-C ends it. An event loop stands
        still meanwhile: where the guest may take long, make the instance with
        ``await asyncio.to_thread(component.instantiate, limits=limits)``.

        Args:
            limits: what the instance may use.
            imports: for each interface that the embedder supplies, an object (or a
                mapping) whose attributes, the snake case of the WIT names,
                implement its functions, sync or async; for a function of the
                world itself, a function. The version of an interface may be left
                out. What is given for an interface replaces all of it, the host's
                own included, so nothing it needs may be missing. A name that is
                like none of the component's imports is passed over, so that one
                mapping can serve many components; one that is nearly an import,
                or an import of another version, is refused.
            grant: what the instance gets of the machine; by default the clocks,
                random bytes and captured output.
            config: the operator's configuration, handed to ``initialize`` of
                ``airssys:core/lifecycle``: bytes as they are, or a mapping of settings
                in CBOR; an empty one is none.

        Returns:
            The instance, a context manager that closes it.

        Raises:
            ImportMissing: it imports what it was not given: no grant or entry of
                ``imports`` for it, a method that the entry lacks, or an entry under
                a name that only resembles it. Nothing ran.
            ValueMismatch: an argument is of the wrong type, ``.path`` names it; an
                entry of ``imports`` cannot be called, its name is no text, or a
                variable to pass on has a value that is no UTF-8.
            ExportMissing: there is a configuration, and no ``initialize`` for it.
            CodecError: a setting has no form in CBOR.
            ComponentError: its ``initialize`` refused; ``.value`` says why.
            LimitInvalid: a limit is above the engine's policy.
            CapacityExhausted: the engine holds as many live instances as it can.
            ComponentFailed: its start function or ``initialize`` failed, or its
                memories are larger than the limit from the start.
        """
        return self.instantiate_as(None, limits=limits, imports=imports, grant=grant, config=config)

    def instantiate_as(
        self,
        identity: Identity | None,
        *,
        limits: Limits,
        imports: Mapping[str, object] | None = None,
        grant: Grant | None = None,
        config: Config = b"",
        desk: Desk | None = None,
    ) -> Instance:
        """Make an instance for an actor; :meth:`instantiate` says the rest.

        Args:
            identity: who it is, and why it starts; ``None`` for an instance that no actor
                system runs.
            limits: as for :meth:`instantiate`.
            imports: as for :meth:`instantiate`.
            grant: as for :meth:`instantiate`.
            config: as for :meth:`instantiate`.
            desk: what serves its messaging, if it has any.

        Returns:
            The instance.
        """
        _require_types(limits, grant, imports)
        if identity is None and grant is not None:
            _require_no_messaging(grant)
        granted = _DEFAULT_GRANTED if grant is None else _granted(grant)
        first = self._initializer(config)
        instance = self._native.instantiate_native(
            limits.memory_bytes_max,
            limits.call_seconds_max,
            limits.fuel_max,
            dict(imports) if imports else None,
            granted,
            desk,
        )
        if first is not None:
            initialize(
                instance,
                first,
                identity=identity or Identity("local", component_name(self.name)),
                limits=limits,
                variables=granted[_VARIABLES],
                config=config,
            )
        return instance

    @cached_property
    def sends_messages(self) -> bool:
        """Whether it imports ``airssys:core/messaging``."""
        prefix = f"{MESSAGING_INTERFACE}@"
        return any(name.startswith(prefix) for name in self._native.import_names)

    def lifecycle(self, function: str) -> str | None:
        """Return the name to call a function of its ``airssys:core/lifecycle`` by.

        Args:
            function: such as ``"shutdown"``.

        Returns:
            The name, or ``None`` if the component has no such export.
        """
        return exported(self._native.functions, function)

    def codecs_of(self, instance: Instance) -> tuple[int, ...]:
        """Return the codecs that its ``metadata`` declares, best first.

        It is called once, on the first instance there is: it gives the same answer every
        time.

        Args:
            instance: one that was just made; it is closed if the call fails.

        Returns:
            Multicodec numbers; empty if it says nothing, and then it is sent any.

        Raises:
            ComponentFailed: the call ended the instance.
        """
        if self._codecs is None:
            function = self.lifecycle("metadata")
            try:
                told = instance.call(function) if function else {"codecs": ()}
            except BaseException:
                instance.close()
                raise
            self._codecs = tuple(told["codecs"])
        return self._codecs

    def _initializer(self, config: Config) -> str | None:
        # Most components have no life cycle, which is worth knowing for good:
        # making an instance takes microseconds.
        if not self._has_lifecycle and isinstance(config, bytes) and not config:
            return None
        return initializer(self.name, self._native.functions, config)

    @cached_property
    def _has_lifecycle(self) -> bool:
        return initializer(self.name, self._native.functions, b"") is not None

    def __repr__(self) -> str:
        """Name it."""
        return f"<Component {self.name!r} {self.digest[:12]}>"
