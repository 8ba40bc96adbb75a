"""The engine: compiles components, keeps the code, and holds live instances."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from types import EllipsisType
from typing import TYPE_CHECKING, BinaryIO, Self

from airssys_wasm._native import __file__ as _native_file
from airssys_wasm._native import runtime as _native
from airssys_wasm.config import GIB, MIB, Policy
from airssys_wasm.config.figures import require_seconds, require_whole
from airssys_wasm.errors import ValueMismatch
from airssys_wasm.runtime.component import Component

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOG = logging.getLogger(__name__)

#: What the compiling process runs: the native module alone, by its path, so that
#: it starts fast and imports nothing of the embedder's.
_WORKER = (
    "import sys; from importlib.machinery import ExtensionFileLoader as L; "
    "from importlib.util import module_from_spec as m, spec_from_file_location as s; "
    "p = sys.argv[1]; l = L('_native', p); x = m(s('_native', p, loader=l)); l.exec_module(x); "
    "x.runtime.compile_worker(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))"
)
_CACHE_HINT = (
    "; hint: let AIRSWASM_HOME, or Engine(cache_dir=...), name a folder of yours; "
    "cache_dir=None keeps nothing"
)
_TEXT_STARTS = ("(", ";")


class Engine(_native.Engine):
    """A shared, thread-safe engine; one for each process is enough.

    Args:
        policy: ceilings for the limits of instances.
        pool_instances: slots laid out in advance, 1 to 1 000 000. An instance
            past them is allocated on demand, which is slower.
        instances_max: live instances allowed in all; ``instances_ceiling`` says
            what the machine can really hold.
        dense_memory_bytes: lays memories of at most this many bytes side by
            side, without guards, for 100 000 live instances; their code runs
            slower. ``None`` is the standard layout, for about 20 000.
        cache_dir: directory for compiled code, made for this user alone if it is
            not there. One that others may write to, or put another in the place of
            because they may write to a directory above it, is not used:
            ``cache_problem`` says so. ``None`` keeps nothing on disk. The default is
            ``$AIRSWASM_HOME/cache``, or ``~/.airswasm/cache``.
        cache_bytes_max: bytes of compiled code kept before the oldest goes.
        component_bytes_max: largest component accepted, as bytes or as text; never
            more than 256 KiB of text, because its parser takes many times that.
        compile_seconds_max: wall-clock time one compilation may take, 0.001 to
            3600. Starting the compiling process counts, about 0.02 s. Text is
            parsed before, which for the longest accepted takes a second.
        compile_memory_bytes_max: memory the compiling process may use.
        compile_processes_max: compiling processes at once, 1 to 1 000; by default
            as many as this process has cores. Callers beyond them wait their turn.
        compile_queue_seconds_max: how long a caller waits for its turn.
        compiler: the Python interpreter that compiles in a process of its own,
            where time and memory can be bounded, what is large or might take a
            good part of ``compile_seconds_max``; by default the one that runs
            this.

    Raises:
        EngineError: the machine cannot give the layout asked for.
        LimitInvalid: a figure is outside its range.
        ValueMismatch: ``policy`` is no ``Policy``.
    """

    def __new__(  # noqa: D102, PLR0913 (documented by the class; options by name)
        cls,
        *,
        policy: Policy | None = None,
        pool_instances: int = 10_000,
        instances_max: int = 100_000,
        dense_memory_bytes: int | None = None,
        cache_dir: str | os.PathLike[str] | EllipsisType | None = ...,
        cache_bytes_max: int = 2 * GIB,
        component_bytes_max: int = 64 * MIB,
        compile_seconds_max: float = 60.0,
        compile_memory_bytes_max: int = 2 * GIB,
        compile_processes_max: int | None = None,
        compile_queue_seconds_max: float = 300.0,
        compiler: str | os.PathLike[str] | None = None,
    ) -> Self:
        policy = _policy(policy)
        require_whole("pool_instances", pool_instances, 1, 1_000_000)
        require_whole("instances_max", instances_max, 1, 10_000_000)
        require_whole("cache_bytes_max", cache_bytes_max, 0, 2**63 - 1)
        require_whole("component_bytes_max", component_bytes_max, 8, GIB)
        require_seconds("compile_seconds_max", compile_seconds_max, 0.001, 3600.0)
        require_whole("compile_memory_bytes_max", compile_memory_bytes_max, 64 * MIB, 2**63 - 1)
        if compile_processes_max is None:
            compile_processes_max = _cores()
        require_whole("compile_processes_max", compile_processes_max, 1, 1_000)
        require_seconds("compile_queue_seconds_max", compile_queue_seconds_max, 0.0, 86_400.0)
        if dense_memory_bytes is not None:
            require_whole("dense_memory_bytes", dense_memory_bytes, 64 * 1024, 64 * MIB)
        engine = super().__new__(
            cls,
            dense_memory_bytes=dense_memory_bytes,
            pool_instances=pool_instances,
            instances_max=instances_max,
            cache_dir=(_default_cache_dir() if isinstance(cache_dir, EllipsisType) else cache_dir),
            cache_bytes_max=cache_bytes_max,
            component_bytes_max=component_bytes_max,
            compile_seconds_max=compile_seconds_max,
            compile_memory_bytes_max=compile_memory_bytes_max,
            compile_processes_max=compile_processes_max,
            compile_queue_seconds_max=compile_queue_seconds_max,
            compiler=_compiler(compiler),
            memory_bytes_ceiling=policy.memory_bytes_ceiling,
            call_seconds_ceiling=policy.call_seconds_ceiling,
            fuel_ceiling=policy.fuel_ceiling,
        )
        engine._source_bytes_max = component_bytes_max
        if engine.cache_problem is not None:
            said = f"compiled code is not kept on disk: {engine.cache_problem}"
            _LOG.warning("%s", said if "hint:" in said else said + _CACHE_HINT)
        return engine

    _source_bytes_max: int

    def load(self, source: str | bytes | os.PathLike[str], *, name: str | None = None) -> Component:
        """Load a component; compiled code comes from the cache if it is there.

        Args:
            source: a path, the bytes of a component, or WAT text (a ``str`` that
                begins with ``(``).
            name: what errors call it; by default the file's name without suffix, in
                which what is no text is spelled out.

        Returns:
            The component, ready to be instantiated.

        Raises:
            ComponentInvalid: the source is not a component this host can run.
            CompileRefused: compiling it would pass the engine's bounds, or too many
                others were compiling for too long.
            OSError: the file cannot be read.
            ValueMismatch: ``name`` is no ``str`` or has a lone surrogate, or no file
                can have the name in ``source``.
        """
        _require_text(name)
        if isinstance(source, bytes):
            return Component(self.load_native(name or "component", source))
        if isinstance(source, str) and source.lstrip().startswith(_TEXT_STARTS):
            return Component(self.load_native(name or "component", _encoded(source)))
        path = Path(source)
        with _opened(path) as file:
            # No more than says that it is too large: the rest may be endless.
            content = file.read(self._source_bytes_max + 1)
        return Component(self.load_native(name or _spelled_out(path.stem), content))

    def __repr__(self) -> str:
        """Say how full it is."""
        return f"<Engine, {self.live_instances} of {self.instances_ceiling} instances live>"


def _cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, min(len(os.sched_getaffinity(0)), 1_000))
    return max(1, min(os.cpu_count() or 1, 1_000))


def _policy(given: object) -> Policy:
    if given is None:
        return Policy()
    if not isinstance(given, Policy):
        got = type(given).__name__
        hint = "policy=Policy(memory_bytes_ceiling=...)"
        raise ValueMismatch(f"policy: expected Policy, got {got}; hint: {hint}", "policy")
    return given


def _require_text(name: object) -> None:
    if name is None:
        return
    if not isinstance(name, str):
        got = type(name).__name__
        raise ValueMismatch(f'name: expected str, got {got}; hint: name="thumbnailer"', "name")
    if name != _spelled_out(name):
        hint = "leave name= out, or encode(errors='backslashreplace') and decode it"
        raise ValueMismatch(f"name: {name!r} has a lone surrogate; hint: {hint}", "name")


def _spelled_out(name: str) -> str:
    # Names of files may be any bytes; Python holds those that are no text as lone
    # surrogates, which no UTF-8 can carry.
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except ValueError as error:
        # A zero byte, or a surrogate that stands for no byte.
        told = f"source: no file can be called {str(path)!r} ({error})"
        raise ValueMismatch(f"{told}; hint: give a path, bytes, or WAT text", "source") from error


def _encoded(text: str) -> bytes:
    # A lone surrogate is no text of any format: what the parser says of the
    # replacement is as good as anything.
    return text.encode("utf-8", "replace")


def _default_cache_dir(environment: Mapping[str, str] = os.environ) -> Path | None:
    home = environment.get("AIRSWASM_HOME")
    if home:
        return Path(home) / "cache"
    try:
        return Path.home() / ".airswasm" / "cache"
    except RuntimeError:
        # No home directory, as in some containers: then nothing is kept.
        return None


def _compiler(given: str | os.PathLike[str] | None) -> tuple[str, list[str]] | None:
    program = os.fspath(given) if given is not None else sys.executable
    if not program:
        return None
    return program, ["-I", "-S", "-c", _WORKER, _native_file]
