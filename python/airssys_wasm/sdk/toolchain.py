"""Finds a Rust tool chain that can build for ``wasm32-unknown-unknown``.

Three kinds are taken, the ordinary one first:

1. the Rust on PATH with the target installed, as ``rustup target add`` leaves it;
2. the Rust on PATH with its library's sources (``rust-src``) and a linker for wasm;
3. Debian's own Rust under ``/usr/bin``, with its library's sources and ``lld``.

The last two have no compiled standard library for wasm, so cargo builds it along
with the guest: half a minute, once for each target directory.

Only the standard library is imported here, so that ``scripts/wasm-toolchain`` can run
this file before anything is built.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from airssys_wasm.errors import BuildError

__all__ = ["DEBIAN_RUSTC", "MINIMUM_RUST", "TARGET", "Toolchain", "cache_dir", "find", "install"]

TARGET = "wasm32-unknown-unknown"

#: The oldest Rust that compiles the guest SDK and its dependencies.
MINIMUM_RUST = (1, 88)

#: What gives a tool chain on Debian and its relatives; the first set that the
#: package lists offer in full, with a new enough Rust, is installed.
APT_SETS: tuple[tuple[str, ...], ...] = (
    ("rustc", "cargo", "libstd-rust-dev-wasm32", "lld"),
    ("rustc-web", "cargo-web", "rust-web-src", "lld-22"),
)

_OWN_STD = ", building its own std"

#: Where Debian puts its own compiler; its cargo stands beside it.
DEBIAN_RUSTC = Path("/usr/bin/rustc")


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A cargo that can build guests, and what it has to be told.

    Args:
        name: for people: ``rustc 1.96.0 (/usr/bin/rustc), building its own std``.
        compiler: what the result depends on: the compiler's own name for itself, and
            whether it compiles the standard library too.
        cargo: the program to run.
        sysroot: where its libraries lie; a build must not leave this path in its output.
        arguments: for ``cargo build``, before the caller's own.
        environment: variables to set over the caller's.
    """

    name: str
    compiler: str
    cargo: Path
    sysroot: Path
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Rust:
    """One compiler with the cargo beside it."""

    rustc: Path
    cargo: Path
    version: tuple[int, int, int]
    spoken_version: str
    sysroot: Path

    @property
    def has_target(self) -> bool:
        libraries = self.sysroot / "lib" / "rustlib" / TARGET / "lib"
        return any(libraries.glob("libstd-*.rlib"))

    @property
    def has_sources(self) -> bool:
        return (self.sysroot / "lib/rustlib/src/rust/library/Cargo.lock").is_file()

    @property
    def has_linker(self) -> bool:
        return any(self.sysroot.glob("lib/rustlib/*/bin/rust-lld*"))


def cache_dir() -> Path:
    """Return where build output is kept, outside of every checkout.

    ``AIRSSYS_WASM_CACHE``, else ``airssys-wasm`` under the user's cache folder.
    """
    if chosen := os.environ.get("AIRSSYS_WASM_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "airssys-wasm"


def find(
    directory: Path | None = None,
    *,
    search_path: str | None = None,
    debian_rustc: Path = DEBIAN_RUSTC,
) -> Toolchain:
    """Return the first tool chain that can build a guest in ``directory``.

    Args:
        directory: the crate's folder, whose ``rust-toolchain.toml`` counts; default
            is the current one.
        search_path: where programs are looked for; default is PATH.
        debian_rustc: the compiler to try when the one on PATH will not do.

    Raises:
        BuildError: there is none; the message names what each candidate lacks.
    """
    lacking: list[str] = []
    linker = _wasm_linker(search_path)
    for rust in _candidates(directory or Path.cwd(), search_path, debian_rustc):
        found = _judge(rust, linker, lacking)
        if found is not None:
            return found
    if not lacking:
        lacking.append("no rustc and cargo on PATH")
    raise BuildError(
        f"no Rust tool chain builds for {TARGET}:\n  "
        + "\n  ".join(lacking)
        + f"\nhint: {_advice()}"
    )


def _candidates(directory: Path, search_path: str | None, debian_rustc: Path) -> Iterator[_Rust]:
    """Yield the Rust on PATH, then Debian's."""
    on_path = shutil.which("rustc", path=search_path), shutil.which("cargo", path=search_path)
    if on_path[0] and on_path[1]:
        rust = _inspect(Path(on_path[0]), Path(on_path[1]), directory)
        if rust is not None:
            yield rust
            if rust.rustc == debian_rustc:
                return
    if debian_rustc.is_file() and debian_rustc.with_name("cargo").is_file():
        rust = _inspect(debian_rustc, debian_rustc.with_name("cargo"), directory)
        if rust is not None:
            yield rust


def _inspect(rustc: Path, cargo: Path, directory: Path) -> _Rust | None:
    """Ask a compiler for its version and sysroot; ``None`` if it cannot say."""
    try:
        version = _output([rustc, "--version"], directory)
        sysroot = _output([rustc, "--print", "sysroot"], directory)
    except (OSError, subprocess.SubprocessError):
        return None
    numbers = re.match(r"rustc (\d+)\.(\d+)\.(\d+)", version)
    if numbers is None:
        return None
    major, minor, patch = (int(number) for number in numbers.groups())
    return _Rust(rustc, cargo, (major, minor, patch), version.strip(), Path(sysroot.strip()))


def _judge(rust: _Rust, linker: Path | None, lacking: list[str]) -> Toolchain | None:
    """Make a tool chain of ``rust``, or add to ``lacking`` what it has not."""
    spoken = f"rustc {'.'.join(map(str, rust.version))} ({rust.rustc})"
    if rust.version[:2] < MINIMUM_RUST:
        oldest = ".".join(map(str, MINIMUM_RUST))
        lacking.append(f"{spoken}: older than {oldest}")
    elif not (rust.has_target or rust.has_sources):
        lacking.append(f"{spoken}: neither the target {TARGET} nor the library's sources")
    elif not rust.has_linker and linker is None:
        lacking.append(f"{spoken}: no linker for wasm (wasm-ld, of the package lld)")
    else:
        return _toolchain(rust, spoken, None if rust.has_linker else linker)
    return None


def _toolchain(rust: _Rust, spoken: str, linker: Path | None) -> Toolchain:
    compiler = rust.spoken_version
    environment = {"RUSTC": str(rust.rustc)}
    if linker is not None:
        environment["CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER"] = str(linker)
    arguments: tuple[str, ...] = ("--target", TARGET)
    if not rust.has_target:
        # -Zbuild-std is not stable; a released compiler takes it only with this.
        environment["RUSTC_BOOTSTRAP"] = "1"
        arguments += ("-Zbuild-std=std,panic_abort",)
        spoken += _OWN_STD
        compiler += _OWN_STD
    return Toolchain(spoken, compiler, rust.cargo, rust.sysroot, arguments, environment)


def _wasm_linker(search_path: str | None) -> Path | None:
    """Find ``wasm-ld``, plain or with Debian's version suffix, newest first."""
    if plain := shutil.which("wasm-ld", path=search_path):
        return Path(plain)
    found: dict[int, Path] = {}
    folders = os.get_exec_path() if search_path is None else search_path.split(os.pathsep)
    for folder in folders:
        for program in Path(folder).glob("wasm-ld-*"):
            suffix = program.name.removeprefix("wasm-ld-")
            if suffix.isdecimal():
                found.setdefault(int(suffix), program)
    return found[max(found)] if found else None


def install() -> Toolchain:
    """Return a tool chain, installing one first if there is none.

    Tries ``rustup target add``, then, as root where there is apt, the packages of
    ``APT_SETS``. Nothing is installed when a tool chain is there already.

    Raises:
        BuildError: none could be installed; the message names what is missing.
    """
    try:
        return find()
    except BuildError:
        pass
    if shutil.which("rustup") and _runs(["rustup", "target", "add", TARGET]):
        return find()
    if _may_use_apt():
        _apt_install()
    return find()


def _may_use_apt() -> bool:
    # getattr, because Windows has no geteuid and mypy checks for every platform.
    effective_user = getattr(os, "geteuid", lambda: -1)()
    return effective_user == 0 and shutil.which("apt-get") is not None


def _apt_install() -> None:
    _runs(["apt-get", "update", "-qq"])
    for packages in APT_SETS:
        if _apt_offers(packages) and _runs(
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
        ):
            return


def _apt_offers(packages: Sequence[str]) -> bool:
    """Tell whether apt can give all of ``packages``, with a new enough Rust."""
    policy = _output(["apt-cache", "policy", *packages], Path.cwd())
    versions = re.findall(r"^  Candidate: (?:\d+:)?(\d+)\.(\d+)", policy, re.MULTILINE)
    if len(versions) != len(packages):
        return False
    major, minor = versions[0]
    return (int(major), int(minor)) >= MINIMUM_RUST


def _advice() -> str:
    """Say what to install here."""
    ways = [f"rustup target add {TARGET}"]
    if not shutil.which("rustup"):
        ways = [f"install Rust from https://rustup.rs, then {ways[0]}"]
    if shutil.which("apt-get"):
        ways.append(f"apt-get install {' '.join(APT_SETS[-1])} (as root)")
    return ", or ".join(ways)


def _output(command: Sequence[str | Path], directory: Path) -> str:
    finished = subprocess.run(  # noqa: S603 - our own words and paths, no shell
        command, cwd=directory, check=True, capture_output=True, text=True, timeout=60
    )
    return finished.stdout


def _runs(command: Sequence[str]) -> bool:
    """Run a command with its output on stderr; tell whether it succeeded."""
    print("+", *command, file=sys.stderr, flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    finished = subprocess.run(  # noqa: S603 - our own words, no shell
        command, env=environment, stdout=sys.stderr, check=False, timeout=1_800
    )
    return finished.returncode == 0
