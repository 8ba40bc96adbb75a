"""No file where everything meets."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LINES_MAX = 600
SOURCES = {".py", ".pyi", ".rs", ".wit", ".wat", ".sh", ".yml"}


def test_no_source_file_is_longer_than_the_limit(files: list[Path], root: Path) -> None:
    lengths = {
        path.relative_to(root).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in files
        if path.suffix in SOURCES
    }

    assert lengths
    assert {name: n for name, n in lengths.items() if n > LINES_MAX} == {}
