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
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

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
#: A frame of node's own modules, or of those that a tool is made of.
_OWN_FRAME = re.compile(r"\s+at .*(?:\(|async |at )(?:node:|file:.*/node_modules/)")
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
        settings = _interpreter_settings(Path(scratch) / "settings")
        paths = [source_dir, GUEST_MODULES, settings]
        arguments = [
            "--wit-path", str(wit), "--world", world,
            "componentize", "--stub-wasi",
            *(word for path in paths for word in ("--python-path", str(path))),
            "app", "--output", str(out),
        ]  # fmt: skip
        # Inside the tool the folders are called by their numbers.
        return _make(tool, arguments, source_dir, out, on_line, {'"/0/': f'"{source_dir}/'})


def _interpreter_settings(folder: Path) -> Path:
    """Make a folder that keeps the guest's interpreter from writing into the others.

    It runs inside the tool, where no variable of the environment reaches it, and would
    leave ``__pycache__`` beside the guest's sources and our own. A module of this name
    is imported by every interpreter as it starts.
    """
    folder.mkdir()
    text = "import sys\n\nsys.dont_write_bytecode = True\n"
    (folder / "sitecustomize.py").write_text(text, encoding="utf-8")
    return folder


def build_javascript(source_dir: Path, on_line: Callable[[str], None] | None = None) -> bytes:
    """Build the ``main`` module of ``package.json`` against the one world in ``wit``.

    WASI is switched off: the component imports what its world names and no more.

    Raises:
        BuildError: as :func:`airssys_wasm.sdk.build`.
    """
    main = _main(source_dir / "package.json")
    tool = jco(on_line)
    with tempfile.TemporaryDirectory() as scratch:
        out, wit = Path(scratch) / "component.wasm", Path(scratch) / "wit"
        world = _world(source_dir, with_interfaces(source_dir / "wit", wit))
        arguments = [
            "componentize", str(main), "--wit", str(wit),
            "--world-name", world, "--disable", "all", "--out", str(out),
        ]  # fmt: skip
        try:
            return _make(tool, arguments, source_dir, out, on_line)
        except BuildError as error:
            _require_syntax(main, error)
            raise


def _require_syntax(main: Path, failure: BuildError) -> None:
    """Have node say where a module does not parse: jco only says that it does not."""
    with tempfile.TemporaryDirectory() as scratch:
        # By this name node takes it for a module, as jco does.
        module = Path(scratch) / f"{main.stem}.mjs"
        shutil.copyfile(main, module)
        command = ["node", "--check", str(module)]
        try:
            code, said = stream(command, directory=main.parent, environment=os.environ)
        except OSError:
            # Without node there is only what jco said.
            return
    if code != 0:
        for name in (module.as_uri(), str(module)):
            said = said.replace(name, str(main))
        told = f"{main.name}: does not parse\n{_about_the_guest(said)}"
        raise BuildError(told, failure.output + said) from failure


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


def _main(manifest: Path) -> Path:
    """Return the main module that a ``package.json`` names."""
    try:
        package = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        hint = 'hint: write JSON, such as {"type": "module", "main": "guest.js"}'
        raise BuildError(f"{manifest}: cannot be read: {error}\n{hint}") from error
    main = package.get("main") if isinstance(package, dict) else None
    if not isinstance(main, str):
        hint = 'hint: add "main": "guest.js"'
        raise BuildError(f'{manifest}: names no "main" module\n{hint}')
    if not (manifest.parent / main).is_file():
        hint = 'hint: correct "main", a path from the folder of package.json'
        raise BuildError(f'{manifest}: there is no "main" module {main}\n{hint}')
    return manifest.parent / main


def _make(
    tool: Tool,
    arguments: list[str],
    directory: Path,
    out: Path,
    on_line: Callable[[str], None] | None,
    names: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    """Run the tool and return what it made; ``names`` are those to correct in what it says."""
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
        for theirs, ours in names.items():
            output = output.replace(theirs, ours)
        said = _about_the_guest(output)
        raise BuildError(f"{directory.name}: {tool.name} does not build it\n{said}", output)
    return out.read_bytes()


def _about_the_guest(output: str) -> str:
    """Leave out what the tools say of themselves: their frames, and a cause said before."""
    before, _, cause = output.partition("\n\nCaused by:\n")
    kept = before if cause.strip() in before else output
    return (
        "\n".join(line for line in kept.splitlines() if not _OWN_FRAME.match(line)).rstrip() + "\n"
    )
