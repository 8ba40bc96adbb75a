"""Builds a guest's sources into a component, whatever language they are in."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from airssys_wasm._native import componentize
from airssys_wasm.errors import BuildError
from airssys_wasm.sdk.rust import STACK_BYTES, compile_crate
from airssys_wasm.sdk.scripting import GUEST_MODULES, build_javascript, build_python
from airssys_wasm.sdk.sources import digest, interfaces_root, sources_root
from airssys_wasm.sdk.toolchain import cache_dir
from airssys_wasm.sdk.tools import COMPONENTIZE_PY, JCO

__all__ = ["build", "build_cached", "encode", "write"]


def build(
    source_dir: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    *,
    stack_bytes: int = STACK_BYTES,
    locked: bool = False,
    on_line: Callable[[str], None] | None = None,
) -> Path:
    """Build the guest in ``source_dir`` into a component and return its path.

    A folder with ``Cargo.toml`` is built by cargo and our own encoder, one with
    ``package.json`` by jco, one with ``app.py`` by componentize-py. The same
    Rust sources, lock file and compiler give the same code.

    Args:
        source_dir: the guest's folder.
        out: the file to write, its folder made if need be; default is the source folder's
            name and ``.wasm``, inside it.
        stack_bytes: a Rust guest's stack, 16 KiB to 16 MiB, a multiple of 16.
        locked: refuse to change a Rust guest's ``Cargo.lock``.
        on_line: is given each line of the tools' output as it comes.

    Raises:
        BuildError: a tool is missing, there is no guest, it does not compile, or what
            it compiles to is no component; ``output`` holds what the tool said. Or
            ``out`` cannot be written.
        WitInvalid: the WIT of a Python or JavaScript guest does not parse.
    """
    source = Path(source_dir).resolve()
    target = Path(out) if out is not None else source / f"{source.name}.wasm"
    _require_place(target)
    if (source / "Cargo.toml").is_file():
        module = compile_crate(source, stack_bytes=stack_bytes, locked=locked, on_line=on_line)
        component = encode(source.name, module)
    elif (source / "package.json").is_file():
        component = build_javascript(source, on_line)
    elif (source / "app.py").is_file():
        component = build_python(source, on_line)
    else:
        raise BuildError(
            f"{source}: holds no guest\n"
            "hint: a Rust crate has Cargo.toml, JavaScript package.json, Python app.py"
        )
    write(target, component)
    return target


def build_cached(source_dir: str | os.PathLike[str]) -> Path:
    """Return the component of these very sources, building it if it is not cached.

    For guests too large to keep beside their sources. The result is shared: do not
    change it.

    Raises:
        BuildError: as :func:`build`.
        OSError: the sources cannot be read.
    """
    source = Path(source_dir).resolve()
    cached = cache_dir() / "components" / f"{source.name}-{_made_of(source)}.wasm"
    return cached if cached.is_file() else build(source, cached)


def _made_of(source: Path) -> str:
    """Name all that a build takes, but for the compiler of the machine."""
    parts = [digest(source), digest(interfaces_root()), COMPONENTIZE_PY, JCO]
    if (source / "Cargo.toml").is_file():
        rust = sources_root() / "rust"
        parts += [digest(rust / "sdk"), digest(rust / "sdk-macros")]
    else:
        parts += [digest(GUEST_MODULES)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:40]


def encode(name: str, module: bytes) -> bytes:
    """Make a component of a module that carries its interface.

    Raises:
        BuildError: what it carries and what it is do not fit.
    """
    try:
        return componentize.encode(module)
    except BuildError as error:
        raise BuildError(f"{name}: compiled, but is no component: {error}") from error


def _require_place(target: Path) -> None:
    """Refuse a place that cannot be written before minutes go into what would go there."""
    if target.is_dir():
        raise BuildError(
            f"{target}: is a folder\nhint: name the file too, such as {target / 'guest.wasm'}"
        )
    folder = next(folder for folder in target.absolute().parents if folder.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise _unwritable(target, f"{folder} is no folder that may be written to")


def _unwritable(target: Path, why: str | None) -> BuildError:
    hint = "hint: name a file in a folder of yours"
    return BuildError(f"{target}: cannot be written: {why}\n{hint}")


def write(target: Path, content: bytes) -> None:
    """Put ``content`` in place at once, so that no reader sees half of it.

    Raises:
        BuildError: the file cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
            file.write(content)
        Path(file.name).chmod(0o644)
        Path(file.name).replace(target)
    except OSError as error:
        raise _unwritable(target, error.strerror) from error
