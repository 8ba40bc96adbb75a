"""The components that ship with this package, each with the digest it must have.

``digests.json`` beside the components says for each: the folder of its sources, their
digest, the digest of the component, what built it, and whether the same sources and
tools give the same code again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from airssys_wasm.errors import ComponentInvalid

__all__ = ["DIGESTS", "Prebuilt", "catalog", "load"]

#: The file that lists a folder's components.
DIGESTS = "digests.json"


@dataclass(frozen=True, slots=True)
class Prebuilt:
    """A component that was built before, and what is known of it.

    Args:
        path: the component.
        source: the folder of its sources, from the root of the sources.
        sha256: of the component.
        source_sha256: of its sources, as :func:`airssys_wasm.sdk.sources.digest` counts.
        built_with: the compiler or tool and its version.
        reproducible: whether the same sources and tool give the same code again.
    """

    path: Path
    source: str
    sha256: str
    source_sha256: str
    built_with: str
    reproducible: bool

    @property
    def name(self) -> str:
        """The name: the file's, without ``.wasm``."""
        return self.path.stem

    def read(self) -> bytes:
        """Return the component.

        Raises:
            ComponentInvalid: it is not there, or not what was built.
        """
        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise ComponentInvalid(f"{self.path}: cannot be read: {error}") from error
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise ComponentInvalid(
                f"{self.path}: is not what was built: its digest differs\n"
                "hint: install airssys-wasm again"
            )
        return content


def catalog(folder: Path | None = None) -> Mapping[str, Prebuilt]:
    """Return the components of a folder by name; default is those of this package.

    Raises:
        ComponentInvalid: the folder's ``digests.json`` is missing or does not parse.
    """
    folder = folder or Path(__file__).parent
    try:
        listed = json.loads((folder / DIGESTS).read_text(encoding="utf-8"))
        return {
            name: Prebuilt(path=folder / f"{name}.wasm", **entry) for name, entry in listed.items()
        }
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ComponentInvalid(f"{folder / DIGESTS}: {error}") from error


def load(name: str) -> bytes:
    """Return a component of this package, checked against its digest.

    Raises:
        ComponentInvalid: there is none of this name, or it is not what was built.
    """
    found = catalog().get(name)
    if found is None:
        listed = ", ".join(sorted(catalog()))
        raise ComponentInvalid(f"no component {name!r} ships with this package: {listed}")
    return found.read()
