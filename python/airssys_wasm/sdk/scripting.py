"""Builds guests in Python and JavaScript with their languages' own tools.

Both start the guest's interpreter once and freeze its memory into the component, so
that it starts in milliseconds. That memory differs from build to build: the result
cannot be compared by digest, only by its interface and its code.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from airssys_wasm._native import wit as native_wit
from airssys_wasm.errors import BuildError
from airssys_wasm.sdk.process import stream
from airssys_wasm.sdk.sources import interfaces_root
from airssys_wasm.sdk.tools import Tool, componentize_py, jco

__all__ = ["GUEST_MODULES", "build_javascript", "build_python", "with_interfaces"]

#: Modules that every Python guest can import.
GUEST_MODULES = Path(__file__).parent / "guest"
#: An interface of ours that is used, outside of a comment, and a package that is there.
_USED = re.compile(r"^[^/\n]*\bairssys:([a-z-]+)/", re.MULTILINE)
_PACKAGE = re.compile(r"^package airssys:([a-z-]+)", re.MULTILINE)


def build_python(source_dir: Path, on_line: Callable[[str], None] | None = None) -> bytes:
    """Build ``app.py`` against the one world in ``wit``.

    The guest can import ``airssys_actor``, and its world ``airssys:*``: both are laid
    beside its own. WASI is stubbed out: the component imports what its world names and no more.
    The seed of ``random`` is frozen with the rest.

    Raises:
        BuildError: as :func:`airssys_wasm.sdk.build`.
    """
    tool = componentize_py(on_line)
    with tempfile.TemporaryDirectory() as scratch:
        out, wit = Path(scratch) / "component.wasm", Path(scratch) / "wit"
        world = _world(source_dir, with_interfaces(source_dir / "wit", wit))
        arguments = [
            "--wit-path", str(wit), "--world", world,
            "componentize", "--stub-wasi",
            "--python-path", str(source_dir), "--python-path", str(GUEST_MODULES),
            "app", "--output", str(out),
        ]  # fmt: skip
        return _make(tool, arguments, source_dir, out, on_line)


def build_javascript(source_dir: Path, on_line: Callable[[str], None] | None = None) -> bytes:
    """Build the ``main`` module of ``package.json`` against the one world in ``wit``.

    WASI is switched off: the component imports what its world names and no more.

    Raises:
        BuildError: as :func:`airssys_wasm.sdk.build`.
    """
    main = source_dir / _main(source_dir / "package.json")
    tool = jco(on_line)
    with tempfile.TemporaryDirectory() as scratch:
        out, wit = Path(scratch) / "component.wasm", Path(scratch) / "wit"
        world = _world(source_dir, with_interfaces(source_dir / "wit", wit))
        arguments = [
            "componentize", str(main), "--wit", str(wit),
            "--world-name", world, "--disable", "all", "--out", str(out),
        ]  # fmt: skip
        return _make(tool, arguments, source_dir, out, on_line)


def with_interfaces(wit: Path, copy: Path) -> Path:
    """Copy a guest's WIT, with those packages of ``airssys:*`` that it names and has not.

    Args:
        wit: the guest's folder; nothing is copied if there is none.
        copy: the folder to make.
    """
    if not wit.is_dir():
        return copy
    shutil.copytree(wit, copy)
    while missing := _named(copy) - _held(copy):
        for name in missing:
            shutil.copytree(interfaces_root() / name, copy / "deps" / f"airssys-{name}")
    return copy


def _named(wit: Path) -> set[str]:
    """Name the packages of ours that a folder uses; others are nobody's to add."""
    used = {name for text in _texts(wit) for name in _USED.findall(text)}
    return {name for name in used if (interfaces_root() / name).is_dir()}


def _held(wit: Path) -> set[str]:
    """Name the packages of ours that a folder holds."""
    return {name for text in _texts(wit) for name in _PACKAGE.findall(text)}


def _texts(wit: Path) -> Iterator[str]:
    for path in wit.rglob("*.wit"):
        yield path.read_text(encoding="utf-8", errors="replace")


def _world(source_dir: Path, copy: Path) -> str:
    """Return the name of the one world in a guest's WIT."""
    folder = source_dir / "wit"
    if not folder.is_dir():
        raise BuildError(f"{source_dir}: has no folder wit\nhint: write the guest's world there")
    _, _, worlds, _ = native_wit.validate(copy)
    if len(worlds) != 1:
        listed = ", ".join(worlds) or "none"
        raise BuildError(f"{folder}: worlds: {listed}\nhint: leave the one that is to be built")
    return worlds[0]


def _main(manifest: Path) -> str:
    try:
        main = json.loads(manifest.read_text(encoding="utf-8"))["main"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BuildError(f'{manifest}: names no "main" module') from error
    return str(main)


def _make(
    tool: Tool,
    arguments: list[str],
    directory: Path,
    out: Path,
    on_line: Callable[[str], None] | None,
) -> bytes:
    # The frames of the tool itself would bury what it says about the guest.
    quiet = {"PYTHONDONTWRITEBYTECODE": "1", "RUST_BACKTRACE": "0"}
    environment = {**os.environ, **tool.environment, **quiet}
    try:
        code, output = stream(
            [*tool.command, *arguments],
            directory=directory,
            environment=environment,
            on_line=on_line,
        )
    except OSError as error:
        raise BuildError(f"{tool.name} does not start: {error}") from error
    if code != 0 or not out.is_file():
        raise BuildError(f"{directory.name}: {tool.name} does not build it\n{output}", output)
    return out.read_bytes()
