"""What the demonstration reads: a file of the user's, or the texts in the wheel."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

__all__ = ["Text", "read", "shipped"]

_DISTRIBUTION = "airssys-wasm"
#: The demo works on texts that people wrote.
TEXT_BYTES_MAX = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Text:
    """A text in UTF-8, and where it comes from."""

    name: str
    content: bytes


def read(path: Path) -> Text:
    """Return the text of a file; bytes that are not UTF-8 become U+FFFD.

    Raises:
        OSError: the file cannot be read, or has more than 64 MiB.
    """
    # A device has no size, and may never end.
    with path.open("rb") as file:
        content = file.read(TEXT_BYTES_MAX + 1)
    if len(content) > TEXT_BYTES_MAX:
        raise OSError(errno.EFBIG, "the text has more than 64 MiB", str(path))
    return Text(path.name, content.decode("utf-8", errors="replace").encode())


def shipped() -> tuple[Text, ...]:
    """Return the licence and the README, which every installation carries.

    Packaging puts both into the metadata of a distribution, so they are there
    without a copy of ours.
    """
    return tuple(_installed_texts())


def _installed_texts() -> Iterator[Text]:
    installed = distribution(_DISTRIBUTION)
    for file in installed.files or ():
        if file.name == "LICENSE" and ".dist-info" in str(file):
            yield Text("LICENSE", file.read_text(encoding="utf-8").encode())
    # email.message keeps the long description as the body behind the headers.
    readme = installed.metadata.get_payload()  # type: ignore[attr-defined]
    if readme:
        yield Text("README", str(readme).encode())
