"""The digest of sources: what changes it and what does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from airssys_wasm.sdk.sources import digest


@pytest.fixture
def crate(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "lib.rs").write_bytes(b"fn a() {}\nfn b() {}\n")
    (tmp_path / "Cargo.toml").write_bytes(b"[package]\n")
    return tmp_path


def test_products_of_a_build_do_not_count(crate: Path) -> None:
    before = digest(crate)
    for folder in ("target", "node_modules", "src/__pycache__"):
        (crate / folder).mkdir()
        (crate / folder / "product").write_text("made")
    (crate / "crate.wasm").write_bytes(b"\0asm")

    assert digest(crate) == before


def test_line_ends_of_the_system_do_not_count(crate: Path) -> None:
    before = digest(crate)
    (crate / "src" / "lib.rs").write_bytes(b"fn a() {}\r\nfn b() {}\r\n")

    assert digest(crate) == before


def test_content_and_names_count(crate: Path) -> None:
    seen = {digest(crate)}
    (crate / "src" / "lib.rs").write_bytes(b"fn a() {}\nfn c() {}\n")
    seen.add(digest(crate))
    (crate / "src" / "lib.rs").rename(crate / "src" / "main.rs")
    seen.add(digest(crate))
    (crate / "build.rs").touch()
    seen.add(digest(crate))

    assert len(seen) == 4
