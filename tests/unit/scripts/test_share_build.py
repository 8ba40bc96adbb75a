"""One build serves two environments."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from tests.source_files import load_source

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "share_build.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_source(SCRIPT)


def environment(where: Path, python: str = "python3.11", version: str = "") -> Path:
    site = where / "lib" / python / "site-packages"
    site.mkdir(parents=True)
    if version:
        (site / "airssys_wasm.pth").write_text("/somewhere/python\n")
        about = site / f"airssys_wasm-{version}.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Version: {version}\n")
    return site


def test_the_other_finds_the_same_package(script: ModuleType, tmp_path: Path) -> None:
    environment(tmp_path / "one", version="2")
    other = environment(tmp_path / "two", version="1")
    script.share(tmp_path / "one", tmp_path / "two")

    assert (other / "airssys_wasm.pth").read_text() == "/somewhere/python\n"
    assert [path.name for path in other.glob("*.dist-info")] == ["airssys_wasm-2.dist-info"]


@pytest.mark.parametrize(
    ("built", "other", "why"),
    [
        ({}, {}, "not built there"),
        ({"version": "1"}, {"python": "python3.12"}, "has python3.12"),
        (None, {}, "no virtual environment"),
        ({"version": "1"}, None, "no virtual environment"),
    ],
)
def test_what_cannot_be_shared_is_told(
    script: ModuleType,
    tmp_path: Path,
    built: dict[str, str] | None,
    other: dict[str, str] | None,
    why: str,
) -> None:
    for name, options in (("one", built), ("two", other)):
        if options is not None:
            environment(tmp_path / name, **options)
    with pytest.raises(SystemExit, match=why):
        script.share(tmp_path / "one", tmp_path / "two")
