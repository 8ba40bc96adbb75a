from __future__ import annotations

import pytest
import typer

from airssys_wasm.cli.quantities import parse_bytes


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("0", 0),
        ("65536", 65_536),
        ("1B", 1),
        ("1kB", 1_000),
        ("512KiB", 524_288),
        ("512 kib", 524_288),
        ("2MiB", 2_097_152),
        (" 2 MiB ", 2_097_152),
        ("2MB", 2_000_000),
        ("1GiB", 1_073_741_824),
        ("1GB", 1_000_000_000),
    ],
)
def test_a_size_is_read_as_people_write_it(text: str, size_bytes: int) -> None:
    assert parse_bytes(text) == size_bytes


@pytest.mark.parametrize("text", ["", "MiB", "-1", "1.5MiB", "2XB", "2 M i B", "0x10", "1e6"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="write 512KiB"):
        parse_bytes(text)
