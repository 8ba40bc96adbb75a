"""What tests load by its path stays as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.source_files import load_source


def test_a_file_is_loaded_and_its_folder_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    (tmp_path / "left_alone.py").write_text("ANSWER = 42\n")

    assert load_source(tmp_path / "left_alone.py").ANSWER == 42
    assert [path.name for path in tmp_path.iterdir()] == ["left_alone.py"]
