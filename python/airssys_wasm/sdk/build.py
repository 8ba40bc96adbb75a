"""Builds a Rust crate into a component: cargo, then our own encoder, no other tool.

The result depends on the sources, the lock file and the compiler alone: paths are
mapped away and one code generation unit is used, so that two builds can be compared
by digest.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airssys_wasm._native import componentize
from airssys_wasm.errors import BuildError
from airssys_wasm.sdk.toolchain import Toolchain, cache_dir, find

__all__ = ["STACK_BYTES", "build", "build_module"]

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


def build(
    crate_dir: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    *,
    stack_bytes: int = STACK_BYTES,
    locked: bool = False,
    on_line: Callable[[str], None] | None = None,
) -> Path:
    """Build the crate in ``crate_dir`` into a component and return its path.

    Args:
        crate_dir: the folder with the crate's ``Cargo.toml``; its library is a ``cdylib``.
        out: the file to write; default is ``NAME.wasm`` in ``crate_dir``.
        stack_bytes: the guest's stack, 16 KiB to 16 MiB, a multiple of 16.
        locked: refuse to change ``Cargo.lock``.
        on_line: is given each line of the compiler's output as it comes.

    Raises:
        BuildError: no tool chain, no such crate, it does not compile, or what it
            compiles to is no component; ``output`` holds what the compiler said.
    """
    crate = _Crate.read(Path(crate_dir))
    module = build_module(
        crate.directory, stack_bytes=stack_bytes, locked=locked, on_line=on_line
    )
    try:
        component = componentize.encode(module)
    except BuildError as error:
        raise BuildError(f"{crate.name}: compiled, but is no component: {error}") from error
    target = Path(out) if out is not None else crate.directory / f"{crate.name}.wasm"
    _write(target, component)
    return target


def build_module(
    crate_dir: Path,
    *,
    stack_bytes: int = STACK_BYTES,
    locked: bool = False,
    on_line: Callable[[str], None] | None = None,
) -> bytes:
    """Compile the crate's library and return it as a core module.

    Arguments and errors are those of :func:`build`.
    """
    if not 16 * 1024 <= stack_bytes <= 16 * 1024 * 1024 or stack_bytes % 16:
        raise BuildError(f"stack_bytes {stack_bytes}: not 16 KiB to 16 MiB in steps of 16")
    crate = _Crate.read(crate_dir)
    toolchain = find(crate.directory)
    messages = _cargo(
        crate, toolchain, _environment(crate, toolchain, stack_bytes), locked, on_line
    )
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

    @property
    def uses_sdk_by_version(self) -> bool:
        dependency = self.manifest.get("dependencies", {}).get(_SDK_CRATE)
        return isinstance(dependency, str) or (
            isinstance(dependency, dict) and "version" in dependency and "path" not in dependency
        )


def _environment(crate: _Crate, toolchain: Toolchain, stack_bytes: int) -> dict[str, str]:
    """Return the variables cargo runs with."""
    workspace = _workspace(crate, toolchain)
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


def _workspace(crate: _Crate, toolchain: Toolchain) -> Path:
    command = [
        toolchain.cargo, "locate-project", "--workspace", "--message-format", "plain",
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
    yield f"--remap-path-prefix={sdk_crates()}=/airssys"
    yield f"--remap-path-prefix={workspace}=/guest"
    # rustc asks for 1 MiB itself; the linker takes the last word.
    yield f"-Clink-arg=-zstack-size={stack_bytes}"


def sdk_crates() -> Path:
    """Return where the guest SDK's crates lie: in the wheel, or in a checkout."""
    packed = Path(__file__).parent / "crates"
    return packed if packed.is_dir() else Path(__file__).resolve().parents[3] / "rust"


def _profile_variables(workspace: Path) -> dict[str, str]:
    """Return our release profile, less what the workspace itself sets."""
    manifest = tomllib.loads((workspace / "Cargo.toml").read_text(encoding="utf-8"))
    own = manifest.get("profile", {}).get("release", {})
    return {
        f"CARGO_PROFILE_RELEASE_{key.upper().replace('-', '_')}": str(value).lower()
        for key, value in _PROFILE.items()
        if key not in own
    }


def _cargo(
    crate: _Crate,
    toolchain: Toolchain,
    environment: Mapping[str, str],
    locked: bool,
    on_line: Callable[[str], None] | None,
) -> list[dict[str, Any]]:
    """Run ``cargo build`` and return its messages."""
    command = [
        str(toolchain.cargo), "build", "--release", "--lib", *toolchain.arguments,
        "--message-format=json-render-diagnostics",
    ]  # fmt: skip
    if locked:
        command.append("--locked")
    if crate.uses_sdk_by_version:
        path = (sdk_crates() / "sdk").as_posix()
        command += ["--config", f"patch.crates-io.{_SDK_CRATE}.path={json.dumps(path)}"]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as messages:
        code, output = _stream(command, crate.directory, environment, messages.fileno(), on_line)
        if code != 0:
            raise BuildError(f"{crate.name}: does not compile\n{output}{_hint(output)}", output)
        messages.seek(0)
        return [json.loads(line) for line in messages if line.startswith("{")]


def _stream(
    command: list[str],
    directory: Path,
    environment: Mapping[str, str],
    stdout: int,
    on_line: Callable[[str], None] | None,
) -> tuple[int, str]:
    """Run a command, hand its stderr on line by line; return its exit code and stderr."""
    lines: list[str] = []
    with subprocess.Popen(  # noqa: S603 - our own words and paths, no shell
        command,
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        assert process.stderr is not None  # because it was asked for
        for line in process.stderr:
            lines.append(line)
            if on_line is not None:
                on_line(line.rstrip("\n"))
    return process.returncode, "".join(lines)


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


def _write(target: Path, content: bytes) -> None:
    """Put ``content`` in place at once, so that no reader sees half of it."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
            file.write(content)
        Path(file.name).chmod(0o644)
        Path(file.name).replace(target)
    except OSError as error:
        raise BuildError(f"{target}: cannot be written: {error}") from error
