"""Which Rust is taken, and what is said when none will do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from airssys_wasm.errors import BuildError
from airssys_wasm.sdk.toolchain import MINIMUM_RUST, TARGET, Toolchain, find

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-in compilers are shell scripts")

NEW = "1.96.0"


class Machine:
    """A folder of stand-in programs, used as the whole search path."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.bin = root / "bin"
        self.bin.mkdir(parents=True)

    def add_rust(self, version: str = NEW, *, folder: Path | None = None) -> Path:
        """Add a rustc and its cargo; return the compiler's sysroot."""
        folder = folder or self.bin
        folder.mkdir(parents=True, exist_ok=True)
        sysroot = self.root / f"sysroot-{folder.name}"
        sysroot.mkdir()
        script = (
            f'#!/bin/sh\n[ "$1" = --version ] && echo "rustc {version} (abc)" || echo {sysroot}\n'
        )
        self.add_program("rustc", script, folder)
        self.add_program("cargo", "#!/bin/sh\n", folder)
        return sysroot

    def add_program(
        self, name: str, script: str = "#!/bin/sh\n", folder: Path | None = None
    ) -> Path:
        program = (folder or self.bin) / name
        program.write_text(script)
        program.chmod(0o755)
        return program

    def find(self) -> Toolchain:
        debian = self.root / "debian" / "rustc"
        return find(self.root, search_path=str(self.bin), debian_rustc=debian)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def touch(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.touch()


def add_target(sysroot: Path) -> None:
    touch(sysroot / "lib" / "rustlib" / TARGET / "lib" / "libstd-0123.rlib")
    touch(sysroot / "lib" / "rustlib" / "host" / "bin" / "rust-lld")


def add_sources(sysroot: Path) -> None:
    touch(sysroot / "lib" / "rustlib" / "src" / "rust" / "library" / "Cargo.lock")


def test_an_installed_target_is_used_as_it_is(machine: Machine) -> None:
    add_target(machine.add_rust())

    found = machine.find()

    assert found.cargo == machine.bin / "cargo"
    assert found.arguments == ("--target", TARGET)
    assert "RUSTC_BOOTSTRAP" not in found.environment
    assert not any("LINKER" in name for name in found.environment)


def test_without_the_target_the_library_is_built_from_its_sources(machine: Machine) -> None:
    add_sources(machine.add_rust())
    linker = machine.add_program("wasm-ld")

    found = machine.find()

    assert "-Zbuild-std=std,panic_abort" in found.arguments
    assert found.environment["RUSTC_BOOTSTRAP"] == "1"
    assert found.environment["CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER"] == str(linker)
    assert found.compiler == "rustc 1.96.0 (abc), building its own std"


def test_debians_compiler_stands_in_for_one_on_path_that_lacks_both(machine: Machine) -> None:
    machine.add_rust()
    add_sources(machine.add_rust(folder=machine.root / "debian"))
    machine.add_program("wasm-ld-22")

    found = machine.find()

    assert found.cargo == machine.root / "debian" / "cargo"
    assert found.environment["RUSTC"] == str(machine.root / "debian" / "rustc")


def test_the_newest_linker_is_taken(machine: Machine) -> None:
    add_sources(machine.add_rust())
    for name in ("wasm-ld-9", "wasm-ld-22", "wasm-ld-19", "wasm-ld-old"):
        machine.add_program(name)

    linker = machine.find().environment["CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER"]

    assert Path(linker).name == "wasm-ld-22"


def test_what_each_candidate_lacks_is_said_with_a_way_out(machine: Machine) -> None:
    machine.add_rust("1.60.0")
    add_sources(machine.add_rust(folder=machine.root / "debian"))

    with pytest.raises(BuildError) as caught:
        machine.find()

    message = str(caught.value)
    assert f"rustc 1.60.0 ({machine.bin / 'rustc'}): older than 1.{MINIMUM_RUST[1]}" in message
    assert "no linker for wasm" in message
    assert f"hint: rustup target add {TARGET}" in message


def test_neither_target_nor_sources_is_said(machine: Machine) -> None:
    machine.add_rust()

    with pytest.raises(BuildError, match="neither the target"):
        machine.find()


def test_a_machine_without_rust_is_told_so(machine: Machine) -> None:
    with pytest.raises(BuildError, match="no rustc and cargo on PATH"):
        machine.find()


def test_a_compiler_that_does_not_run_is_no_candidate(machine: Machine) -> None:
    machine.add_program("rustc", "#!/bin/sh\nexit 1\n")
    machine.add_program("cargo")

    with pytest.raises(BuildError):
        machine.find()
