"""The digest of sources: what changes it and what does not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from airssys_wasm.sdk.sources import digest, sources_root


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


@pytest.fixture
def borrower(tmp_path: Path) -> Path:
    """A crate that includes files of the folder beside it, which has more of them."""
    lent = tmp_path / "lent"
    (lent / "deep").mkdir(parents=True)
    (lent / "one.rs").write_text("    pub(crate) mod inner;\nmod deep;\n")
    (lent / "inner.rs").write_text('const TEXT: &str = include_str!("words.txt");\n')
    (lent / "deep" / "mod.rs").write_text('#[path = "../one.rs"]\nmod again;\n')
    (lent / "words.txt").write_text("words\n")
    (lent / "other.rs").write_text("\n")
    crate = tmp_path / "crate"
    (crate / "src").mkdir(parents=True)
    (crate / "src" / "lib.rs").write_text(
        '#[path = "../../lent/one.rs"]\nmod one;\nmod inside;\n// #[path = "gone.rs"]\n'
    )
    (crate / "src" / "inside.rs").write_text("\n")
    return crate


@pytest.mark.parametrize("name", ["one.rs", "inner.rs", "deep/mod.rs", "words.txt"])
def test_what_a_crate_includes_from_elsewhere_counts(borrower: Path, name: str) -> None:
    before = digest(borrower)
    included = borrower.parent / "lent" / name
    included.write_text(included.read_text() + "// changed\n")

    assert digest(borrower) != before


def test_what_it_does_not_include_does_not_count(borrower: Path) -> None:
    before = digest(borrower)
    (borrower.parent / "lent" / "other.rs").write_text("// changed\n")

    assert digest(borrower) == before


def test_where_the_sources_lie_does_not_count(borrower: Path) -> None:
    before = digest(borrower)
    moved = borrower.parent.rename(borrower.parent.with_name("moved"))

    assert digest(moved / "crate") == before


def test_the_analyser_of_the_pipeline_counts_with_the_files_of_text_stats(tmp_path: Path) -> None:
    examples = tmp_path / "examples"
    for name in ("pipeline/analyser", "text-stats"):
        shutil.copytree(sources_root() / "examples" / name, examples / name)
    analyser = examples / "pipeline" / "analyser"
    before = digest(analyser)
    counts = examples / "text-stats" / "src" / "counts.rs"
    counts.write_text(counts.read_text("utf-8").replace("+= 1", "+= 2"), "utf-8")

    assert digest(analyser) != before
