"""Compiles a Rust crate into a core module that carries its interface.

Paths are mapped away and one code generation unit is used, so that the result depends
on the sources, the lock file and the compiler. One place counts: cargo hashes where a
crate lies that is outside of the workspace, and the hash decides on the order of
functions. Who compares two builds has the SDK inside the workspace (``sdk_crate``).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airssys_wasm.errors import BuildError
from airssys_wasm.sdk.process import stream
from airssys_wasm.sdk.sources import sources_root
from airssys_wasm.sdk.toolchain import Toolchain, cache_dir, find

__all__ = ["STACK_BYTES", "compile_crate", "workspace_of"]

#: The guest's stack. Rust's default of 1 MiB alone would pass a limit of 512 KiB.
STACK_BYTES = 128 * 1024

#: What a release profile gets when the crate does not say otherwise. Names stay in:
#: they are what a backtrace shows.
_PROFILE: Mapping[str, str | int | bool] = {
    "opt-level": 3,
    "lto": True,
    "codegen-units": 1,
    "strip": "debuginfo",
}

_SDK_CRATE = "airssys-sdk"


def compile_crate(
    crate_dir: Path,
    *,
    stack_bytes: int = STACK_BYTES,
    locked: bool = False,
    on_line: Callable[[str], None] | None = None,
    sdk_crate: Path | None = None,
) -> bytes:
    """Compile the crate's library and return it as a core module.

    Args:
        crate_dir: the folder with the crate's ``Cargo.toml``; its library is a ``cdylib``.
        stack_bytes: the guest's stack, 16 KiB to 16 MiB, a multiple of 16.
        locked: refuse to change ``Cargo.lock``.
        on_line: is given each line of the compiler's output as it comes.
        sdk_crate: the folder of ``airssys-sdk``; default is the one that ships with us.

    Raises:
        BuildError: no tool chain, no such crate, or it does not compile; ``output``
            holds what the compiler said.
    """
    if not 16 * 1024 <= stack_bytes <= 16 * 1024 * 1024 or stack_bytes % 16:
        raise BuildError(f"stack_bytes {stack_bytes}: not 16 KiB to 16 MiB in steps of 16")
    crate = _Crate.read(crate_dir)
    toolchain = find(crate.directory)
    workspace = _workspace(crate, toolchain)
    command = _command(toolchain)
    if locked:
        command.append("--locked")
    if _wants_sdk_by_version(crate.manifest, _manifest(workspace)):
        path = json.dumps((sdk_crate or sources_root() / "rust" / "sdk").as_posix())
        command += ["--config", f"patch.crates-io.{_SDK_CRATE}.path={path}"]
    environment = _environment(workspace, toolchain, stack_bytes)
    messages = _cargo(crate, command, environment, on_line)
    return _library(crate, messages).read_bytes()


@dataclass(frozen=True, slots=True)
class _Crate:
    """A crate and the workspace that it builds in."""

    directory: Path
    name: str
    manifest: dict[str, Any]

    @classmethod
    def read(cls, directory: Path) -> _Crate:
        path = directory / "Cargo.toml"
        try:
            manifest = tomllib.loads(path.read_text(encoding="utf-8"))
            name = manifest["package"]["name"]
        except FileNotFoundError as error:
            raise BuildError(
                f"{directory}: has no Cargo.toml\nhint: name the folder of a Rust crate"
            ) from error
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise BuildError(f"{path}: {error}") from error
        except KeyError as error:
            raise BuildError(
                f"{path}: has no [package] with a name\nhint: name one crate of the workspace"
            ) from error
        return cls(directory.resolve(), name, manifest)


def _wants_sdk_by_version(*manifests: Mapping[str, Any]) -> bool:
    """Tell whether a crate, or its workspace for any crate, wants the SDK by version."""
    lists = [manifest.get("dependencies", {}) for manifest in manifests]
    lists += [manifest.get("workspace", {}).get("dependencies", {}) for manifest in manifests]
    wanted = [listed[_SDK_CRATE] for listed in lists if _SDK_CRATE in listed]
    return any(isinstance(one, str) or "version" in one for one in wanted)


def _environment(workspace: Path, toolchain: Toolchain, stack_bytes: int) -> dict[str, str]:
    """Return the variables cargo runs with."""
    key = hashlib.sha256(os.fsencode(workspace)).hexdigest()[:12]
    environment = {**os.environ, **toolchain.environment}
    # A folder for each workspace: two crates of one name would overwrite each other.
    environment["CARGO_TARGET_DIR"] = str(cache_dir() / "guest" / f"{workspace.name}-{key}")
    environment["CARGO_ENCODED_RUSTFLAGS"] = "\x1f".join(
        _rust_flags(workspace, toolchain, stack_bytes)
    )
    for variable in ("RUSTC_WRAPPER", "CARGO_BUILD_TARGET", "CARGO_INCREMENTAL"):
        environment.pop(variable, None)
    return environment | _profile_variables(workspace)


def workspace_of(crate_dir: Path) -> Path:
    """Return the folder of the workspace that the crate in ``crate_dir`` builds in.

    Raises:
        BuildError: no tool chain, no such crate, or cargo refuses its manifest.
    """
    crate = _Crate.read(crate_dir)
    return _workspace(crate, find(crate.directory))


def _workspace(crate: _Crate, toolchain: Toolchain) -> Path:
    command = [
        str(toolchain.cargo), "locate-project", "--workspace", "--message-format", "plain",
    ]  # fmt: skip
    finished = subprocess.run(  # noqa: S603 - our own words and a path, no shell
        command,
        cwd=crate.directory,
        env={**os.environ, **toolchain.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        raise BuildError(f"{crate.name}: cargo does not take it\n{finished.stderr.strip()}")
    return Path(finished.stdout.strip()).parent


def _rust_flags(workspace: Path, toolchain: Toolchain, stack_bytes: int) -> Iterator[str]:
    """Yield compiler flags that keep this machine's paths out of the result."""
    cargo_home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    # The last that fits wins, so the innermost stands last.
    yield f"--remap-path-prefix={cargo_home}=/cargo"
    for index in sorted((cargo_home / "registry" / "src").glob("*")):
        yield f"--remap-path-prefix={index}=/crates"
    yield f"--remap-path-prefix={toolchain.sysroot / 'lib/rustlib/src/rust'}=/rust"
    yield f"--remap-path-prefix={sources_root() / 'rust'}=/airssys"
    yield f"--remap-path-prefix={workspace}=/guest"
    # rustc asks for 1 MiB itself; the linker takes the last word.
    yield f"-Clink-arg=-zstack-size={stack_bytes}"


def _profile_variables(workspace: Path) -> dict[str, str]:
    """Return our release profile, less what the workspace itself sets."""
    own = _manifest(workspace).get("profile", {}).get("release", {})
    return {
        f"CARGO_PROFILE_RELEASE_{key.upper().replace('-', '_')}": str(value).lower()
        for key, value in _PROFILE.items()
        if key not in own
    }


def _command(toolchain: Toolchain) -> list[str]:
    return [
        str(toolchain.cargo), "build", "--release", "--lib", *toolchain.arguments,
        "--message-format=json-render-diagnostics",
    ]  # fmt: skip


def _manifest(directory: Path) -> dict[str, Any]:
    """Return a manifest that cargo has read before us."""
    return tomllib.loads((directory / "Cargo.toml").read_text(encoding="utf-8"))


def _cargo(
    crate: _Crate,
    command: list[str],
    environment: Mapping[str, str],
    on_line: Callable[[str], None] | None,
) -> list[dict[str, Any]]:
    """Run cargo and return its messages."""
    keep = _PatchWarning()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as messages:
        code, output = stream(
            command,
            directory=crate.directory,
            environment=environment,
            stdout=messages.fileno(),
            on_line=on_line and (lambda line: on_line(line) if keep(line) else None),
        )
        output = "".join(filter(_PatchWarning(), output.splitlines(keepends=True)))
        if code != 0:
            lines = output.splitlines(keepends=True)
            said = "".join(line for line in lines if not _PROGRESS.match(line))
            raise BuildError(f"{crate.name}: does not compile\n{said}{_hint(output)}", output)
        messages.seek(0)
        return [json.loads(line) for line in messages if line.startswith("{")]


#: What cargo says of its own progress, in a column of its own: "   Compiling words".
_STATUS = re.compile(r" +[A-Z][a-z]+ ")


#: The same, and nothing else: the word ends where cargo's column does.
_PROGRESS = re.compile(r" *[A-Z][a-z]+(?<=^.{12}) ")


class _PatchWarning:
    """Tells which lines to keep: all but cargo's warning of an unused patch for the SDK.

    A tool chain that builds its own standard library resolves that library too, where
    our patch has no use; cargo then advises the author to run ``cargo update``.
    """

    def __init__(self) -> None:
        self._inside = False

    def __call__(self, line: str) -> bool:
        start = line.startswith(f"warning: patch `{_SDK_CRATE} ")
        goes_on = line.startswith((" ", "help: Check that")) and not _STATUS.match(line)
        self._inside = start or (self._inside and goes_on)
        return not self._inside


def _hint(output: str) -> str:
    """Say what to do about the failures that are not the author's code."""
    if "linker `cc` not found" in output or 'linker "cc" not found' in output:
        return "hint: procedural macros need a C compiler: apt-get install gcc libc6-dev"
    if "--locked was passed" in output or "cannot update the lock file" in output:
        return "hint: run cargo once without locked=True, and keep Cargo.lock"
    if "spurious network error" in output or "failed to download" in output:
        return "hint: cargo could not fetch the crate's dependencies; check the network"
    return ""


def _library(crate: _Crate, messages: list[dict[str, Any]]) -> Path:
    """Find the module that cargo made of the crate's library."""
    manifest = crate.directory / "Cargo.toml"
    for message in messages:
        if message.get("reason") != "compiler-artifact":
            continue
        if Path(message["manifest_path"]).resolve() != manifest:
            continue
        for name in message["filenames"]:
            if name.endswith(".wasm"):
                return Path(name)
    raise BuildError(
        f'{crate.name}: makes no module\nhint: add `[lib]` with `crate-type = ["cdylib"]`'
        f" to {manifest}"
    )
