"""What the demonstration reads is bounded."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from airssys_wasm.demo import texts


def test_a_text_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(b"caf\xc3\xa9 \xff")

    assert texts.read(tmp_path / "notes.txt") == texts.Text("notes.txt", "café �".encode())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no device that never ends")
def test_a_device_that_never_ends_is_refused() -> None:
    with pytest.raises(OSError, match="more than 64 MiB") as caught:
        texts.read(Path("/dev/zero"))

    assert caught.value.filename == "/dev/zero"
