"""Fetches the tools that build guests in Python and JavaScript, each at one version.

They are large and seldom needed, so they are no dependencies of this package: the
first build installs them into the cache, from their registries.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from airssys_wasm.errors import BuildError
from airssys_wasm.sdk.process import stream
from airssys_wasm.sdk.toolchain import cache_dir

__all__ = ["COMPONENTIZE_PY", "JCO", "Tool", "componentize_py", "jco"]

COMPONENTIZE_PY = "0.25.1"

#: A later one (1.35) fails while it starts a guest's JavaScript.
JCO = "1.15.4"

#: It raises what it has to say of a guest: that alone is shown, without its own frames.
_START_COMPONENTIZE_PY = """
import sys, componentize_py
sys.argv[0] = "componentize-py"
try:
    componentize_py.script()
except AssertionError as error:
    sys.exit(str(error))
"""


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that was installed into the cache.

    Args:
        name: the tool and its version, for people and for digests.
        command: the words that start it.
        environment: variables to set over the caller's.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


def componentize_py(on_line: Callable[[str], None] | None = None) -> Tool:
    """Return ``componentize-py``, installing it if it is not there.

    Raises:
        BuildError: it could not be installed.
    """

    def install(folder: Path) -> None:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder)]
        _run([*pip, f"componentize-py=={COMPONENTIZE_PY}"], on_line)

    folder = _installed(f"componentize-py-{COMPONENTIZE_PY}", install)
    command = (sys.executable, "-c", _START_COMPONENTIZE_PY)
    return Tool(f"componentize-py {COMPONENTIZE_PY}", command, {"PYTHONPATH": str(folder)})


def jco(on_line: Callable[[str], None] | None = None) -> Tool:
    """Return ``jco``, installing it if it is not there.

    Raises:
        BuildError: there is no npm, or it could not be installed.
    """
    npm = shutil.which("npm")
    if npm is None:
        hint = "hint: install Node.js, which brings npm; on Debian: apt-get install npm"
        raise BuildError(f"guests in JavaScript need npm, and there is none on PATH\n{hint}")

    def install(folder: Path) -> None:
        package = f"@bytecodealliance/jco@{JCO}"
        quiet = ("--silent", "--no-audit", "--no-fund")
        _run([npm, "install", *quiet, "--prefix", str(folder), package], on_line)

    folder = _installed(f"jco-{JCO}", install)
    program = folder / "node_modules" / "@bytecodealliance" / "jco" / "src" / "jco.js"
    return Tool(f"jco {JCO}", ("node", str(program)))


def _installed(name: str, install: Callable[[Path], None]) -> Path:
    """Return the tool's folder; two processes may install it at once."""
    tools = cache_dir() / "tools"
    folder = tools / name
    if folder.is_dir():
        return folder
    tools.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=tools, prefix=f"{name}.") as scratch:
        fresh = Path(scratch) / name
        fresh.mkdir()
        install(fresh)
        try:
            fresh.rename(folder)
        except OSError:
            # Another process was faster; what it installed is the same.
            if not folder.is_dir():
                raise
    return folder


def _run(command: list[str], on_line: Callable[[str], None] | None) -> None:
    code, output = stream(command, directory=Path.cwd(), environment=os.environ, on_line=on_line)
    if code != 0:
        words = " ".join(command)
        hint = "hint: the first build fetches this tool; check the network"
        raise BuildError(f"{words}\n{output}{hint}", output)
