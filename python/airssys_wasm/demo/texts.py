"""What the demonstration reads: a file of the user's, or the texts in the wheel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

__all__ = ["Text", "read", "shipped"]

_DISTRIBUTION = "airssys-wasm"


@dataclass(frozen=True, slots=True)
class Text:
    """A text and where it comes from."""

    name: str
    content: str


def read(path: Path) -> Text:
    """Return the text of a file; bytes that are not UTF-8 become U+FFFD.

    Raises:
        OSError: the file cannot be read.
    """
    return Text(path.name, path.read_bytes().decode("utf-8", errors="replace"))


def shipped() -> Text:
    """Return the licence and the README, which every installation carries.

    Packaging puts both into the metadata of a distribution, so they are there
    without a copy of ours.
    """
    parts = tuple(_installed_texts())
    return Text(" and ".join(name for name, _ in parts), "\n\n".join(text for _, text in parts))


def _installed_texts() -> Iterator[tuple[str, str]]:
    installed = distribution(_DISTRIBUTION)
    for file in installed.files or ():
        if file.name == "LICENSE" and ".dist-info" in str(file):
            yield "LICENSE", file.read_text(encoding="utf-8")
    # email.message keeps the long description as the body behind the headers.
    readme = installed.metadata.get_payload()  # type: ignore[attr-defined]
    if readme:
        yield "README", str(readme)
