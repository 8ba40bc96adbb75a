"""Engines, components, instances. The face of this module is ``airssys_wasm.runtime``."""

from collections.abc import Coroutine
from os import PathLike
from types import GenericAlias, TracebackType
from typing import Any, Generic, Self, final

from typing_extensions import TypeVar, disjoint_base

__all__ = [
    "Component",
    "Desk",
    "Engine",
    "Instance",
    "Receipt",
    "Resource",
    "Variant",
    "compile_worker",
    "mark_forked",
]

@disjoint_base
class Engine:
    """The native half of ``airssys_wasm.Engine``, which documents the arguments."""

    def __new__(
        cls,
        *,
        dense_memory_bytes: int | None,
        pool_instances: int,
        instances_max: int,
        cache_dir: str | PathLike[str] | None,
        cache_bytes_max: int,
        component_bytes_max: int,
        compile_seconds_max: float,
        compile_memory_bytes_max: int,
        compile_processes_max: int,
        compile_queue_seconds_max: float,
        compiler: tuple[str | PathLike[str], list[str]] | None,
        memory_bytes_ceiling: int,
        call_seconds_ceiling: float,
        fuel_ceiling: int,
    ) -> Self: ...
    def load_native(self, name: str, source: bytes) -> Component:
        """Compile ``source``, or fetch its code from the cache.

        Raises:
            ComponentInvalid: it is not a component this host can run.
            CompileRefused: compiling it would pass the engine's bounds.
        """

    @property
    def live_instances(self) -> int:
        """Instances alive now."""

    @property
    def pool_slots_used(self) -> int:
        """Slots of the pool in use now."""

    @property
    def instances_ceiling(self) -> int:
        """Live instances the machine and ``instances_max`` really allow."""

    @property
    def map_count_max(self) -> int | None:
        """Memory mappings the kernel allows a process, where it has such a bound."""

    @property
    def cache_problem(self) -> str | None:
        """Why compiled code is not kept on disk, or ``None`` if nothing is wrong."""

    @property
    def cache_statistics(self) -> dict[str, int]:
        """Counts of what the cache did.

        ``hits`` were loaded and ``misses`` compiled; ``rejected`` entries had no good
        tag; ``write_failures`` could not be written, and ``prune_failures`` not removed
        to keep the cache inside its bound.
        """

@disjoint_base
class Component:
    """The native half of ``airssys_wasm.Component``."""

    @property
    def name(self) -> str:
        """What errors call it."""

    @property
    def digest(self) -> str:
        """BLAKE3 digest of its bytes, in hexadecimal."""

    @property
    def binary(self) -> bytes:
        """Its bytes."""

    @property
    def functions(self) -> list[str]:
        """Its exported functions, by the names ``Instance.call`` takes."""

    @property
    def import_names(self) -> list[str]:
        """The names of its imports."""

    def full_name(self, function: str) -> str:
        """The full name of the export that ``function`` calls: with its interface and version.

        Args:
            function: as ``Instance.call`` takes it.

        Raises:
            ExportMissing: there is none, or several versions fit; the hint names what was
                probably meant.
        """

    @property
    def is_async(self) -> bool:
        """Whether it uses component-model async or imports WASI 0.3."""

    def instantiate_native(
        self,
        memory_bytes_max: int,
        call_seconds_max: float,
        fuel_max: int | None,
        imports: dict[str, object] | None,
        granted: tuple[bool, bool, bool, list[tuple[str, str]] | None, bool, bool],
        desk: Desk | None = None,
    ) -> Instance:
        """Make an instance; ``airssys_wasm.Component.instantiate`` documents it."""

@final
class Desk:
    """What serves the messaging of one instance of an actor."""

@final
class Instance:
    """A live instance of a component.

    Threads may share it: it serves one call at a time, and others wait their turn.
    When a call fails it is closed for good.
    """

    def call(self, function: str, *args: Any) -> Any:
        """Call an exported function.

        The GIL is held until the first epoch tick, at most a millisecond, and
        given up for the rest of the call.

        Args:
            function: ``interface#function``, the version optional when only one
                interface fits, or ``function`` for an export of the world itself.
            args: its arguments: bool, int, float, str (``char`` too), bytes for
                ``list<u8>``, any sequence (any buffer of the same number type for a
                list of numbers), dict or dataclass for a record, ``Variant``, str
                for an enum, a set of str for flags, ``None`` or a value for an
                option, ``Resource``. The empty value of an option inside an option
                is ``Variant("some", None)``.

        Returns:
            Its result in the same types; for a ``result`` the ``ok`` value.

        Raises:
            ComponentError: the function returned ``err``; ``.value`` has it.
            ValueMismatch: an argument does not fit; the guest did not run.
            ExportMissing: there is no such function.
            Trapped: the guest trapped, or a host function failed under it.
            CallTimeout: the deadline passed.
            FuelExhausted: the fuel ran out.
            OutOfMemory: the guest needed more memory than its limit, or its values
                more of the host.
            InstanceClosed: the instance was closed, or failed earlier.
            InstanceBusy: another call had the instance for as long as a call may last.
            ReentrantCall: a host function called the instance that it runs for. A
                thread it started itself is not recognised, and waits its turn.
            CapacityExhausted: this thread has too little stack left for a guest.
            SystemExit: the program is ending, and this is not its main thread.
        """

    def call_async(self, function: str, *args: Any) -> Coroutine[Any, Any, Any]:
        """Call an exported function without holding the event loop up.

        The call starts at once, before it is awaited: a guest that ends within a
        millisecond and never waits has ended when this returns, any other goes on in
        threads of its own. A sync function of the embedder that it calls in that time
        runs on this thread. Cancelling the task that awaits it ends the call, and closes
        the instance if the guest had begun; one that nobody awaits runs to its end.

        Args:
            function: as for :meth:`call`.
            args: as for :meth:`call`.

        Returns:
            A coroutine with the result: to be awaited once, or given to
            ``asyncio.create_task``, ``gather``, ``wait_for`` or a task group.

        Raises:
            ValueMismatch: an argument does not fit; the guest did not run.
            ExportMissing: there is no such function.
            ReentrantCall: as for :meth:`call`.
            RuntimeError: no event loop runs in this thread, whether the guest would
                have to wait or not; it did not run, and the instance is as it was.
                Awaiting again what was awaited raises it too.
        """

    @property
    def receipt(self) -> Receipt:
        """What the last call used; after a failure, what the failed call used."""

    @property
    def stdout(self) -> str:
        """The last 64 KiB of lines written to standard output, control characters escaped."""

    @property
    def stderr(self) -> str:
        """The same of standard error."""

    @property
    def output_bytes_dropped(self) -> int:
        """Bytes of older output that are gone."""

    @property
    def closed(self) -> bool:
        """Whether it was closed or failed."""

    def close(self) -> None:
        """Close it: at once if it is idle, else when the running call ends."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None: ...

@final
class Receipt:
    """What one call used."""

    @property
    def seconds(self) -> float:
        """Wall-clock time it ran, waiting for the host included."""

    @property
    def queue_seconds(self) -> float:
        """Wall-clock time it waited for the instance to be free."""

    @property
    def fuel(self) -> int | None:
        """Fuel it used, or ``None`` if the instance has no fuel limit."""

    @property
    def memory_bytes_peak(self) -> int:
        """Most bytes of memories and tables the instance ever had."""

    @property
    def memory_warning(self) -> bool:
        """Whether ``memory_bytes_peak`` reached 90 % of the limit, or growing was refused."""

    @property
    def memory_denied(self) -> int:
        """How often growing memory was refused to the instance so far."""

    @property
    def host_calls(self) -> int:
        """Host functions it called: of ``imports=``, of WASI, and destructors of the host."""

    @property
    def bytes_in(self) -> int:
        """Bytes of payload in its arguments."""

    @property
    def bytes_out(self) -> int:
        """Bytes of payload in its results."""

    def __eq__(self, other: object, /) -> bool: ...

@final
class Resource:
    """A handle to something inside an instance.

    It lives until it is dropped, handed to a guest as its own, or its instance
    closes. One that is garbage-collected instead is dropped at the start of the
    instance's next call.
    """

    def call(self, method: str, *args: Any) -> Any:
        """Call a method of the resource; as :meth:`Instance.call`.

        Raises:
            ExportMissing: there is no such method.
            ValueMismatch: an argument does not fit, or the resource is gone.
        """

    def drop(self) -> None:
        """Drop it; its destructor runs under the limits of a call. Dropping twice is harmless.

        Raises:
            ComponentFailed: the destructor failed.
        """

    @property
    def closed(self) -> bool:
        """Whether it was dropped, given away, or lost with its instance."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None: ...

# Generic for type checkers alone: generated stubs say which values go with which case.
_Case_co = TypeVar("_Case_co", bound=str, default=str, covariant=True)
_Value_co = TypeVar("_Value_co", default=Any, covariant=True)

@final
class Variant(Generic[_Case_co, _Value_co]):
    """One case of a variant and its value; immutable, hashable if its value is.

    ``match`` takes it apart: ``case Variant("circle", radius): ...``
    """

    __match_args__ = ("case", "value")

    def __new__(cls, case: _Case_co, value: _Value_co = ...) -> Self: ...
    @property
    def case(self) -> _Case_co:
        """The case, as WIT names it."""

    @property
    def value(self) -> _Value_co:
        """Its value, ``None`` for a case without one."""

    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    @classmethod
    def __class_getitem__(cls, key: Any) -> GenericAlias: ...

def compile_worker(description: str, memory_bytes_max: int, cpu_seconds_max: int) -> None:
    """Compile the component on standard input; what a compiling process runs.

    It ends when standard input does: its parent holds that open.
    """

def mark_forked() -> None:
    """Say that this process is a forked child, where no earlier engine works."""
