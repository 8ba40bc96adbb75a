"""Builds the prebuilt components again and compares them with the copies.

usage: python -m airssys_wasm.sdk.rebuild [--write] [FOLDER ...]

  FOLDER    holds components and their digests.json; default is this package's own
  --write   replace copies that differ, and their digests

Exit code 1 if a copy is not what its sources give.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from airssys_wasm import components
from airssys_wasm.components import DIGESTS, Prebuilt, catalog
from airssys_wasm.errors import AirssysError, ComponentInvalid
from airssys_wasm.sdk.build import build, encode, write
from airssys_wasm.sdk.outline import fingerprint, outline
from airssys_wasm.sdk.rust import compile_crate, workspace_of
from airssys_wasm.sdk.sources import digest, sources_root
from airssys_wasm.sdk.toolchain import cache_dir, find
from airssys_wasm.sdk.tools import COMPONENTIZE_PY, JCO

__all__ = ["difference", "main", "rebuild"]

_OWN = Path(components.__file__).parent


def rebuild(known: Prebuilt, folder: Path) -> Prebuilt:
    """Build a component again into ``folder``, and describe the result.

    Raises:
        BuildError: as :func:`airssys_wasm.sdk.build`.
    """
    source = sources_root() / known.source
    path = folder / known.path.name
    if (source / "Cargo.toml").is_file():
        write(path, encode(known.name, _compile_staged(source)))
    else:
        build(source, path)
    return replace(
        known,
        path=path,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        source_sha256=digest(source),
        built_with=_built_with(source),
        reproducible=(source / "Cargo.toml").is_file(),
    )


def _compile_staged(source: Path) -> bytes:
    """Compile a crate in a copy of its workspace that has the SDK and its WIT inside.

    There, nothing that reaches the code depends on where the checkout or the wheel is.
    The copy keeps the files' times, and its place, so that cargo builds only what changed.
    """
    workspace = workspace_of(source)
    place = hashlib.sha256(os.fsencode(workspace)).hexdigest()[:12]
    stage = cache_dir() / "stage" / f"{workspace.name}-{place}"
    products = shutil.ignore_patterns("target", "*.wasm", "node_modules")
    shutil.rmtree(stage, ignore_errors=True)
    shutil.copytree(workspace, stage, ignore=products)
    for folder in ("rust/sdk", "rust/sdk-macros", "wit"):
        shutil.copytree(sources_root() / folder, stage / "airssys" / folder, ignore=products)
    staged = stage / source.relative_to(workspace)
    return compile_crate(staged, locked=True, sdk_crate=stage / "airssys" / "rust" / "sdk")


def difference(known: Prebuilt, fresh: Prebuilt) -> str | None:
    """Say what keeps the copy from being what its sources give; ``None`` if nothing.

    All that runs counts where the build is reproducible and the compiler the same. Else
    the interface counts, and with the same tool the code of the larger modules.

    Raises:
        ComponentInvalid: the copy is missing or damaged.
    """
    copy, rebuilt = known.read(), fresh.path.read_bytes()
    if known.source_sha256 != fresh.source_sha256:
        return "the sources changed since it was built"
    if known.built_with == fresh.built_with and known.reproducible:
        return None if fingerprint(copy) == fingerprint(rebuilt) else "the code differs"
    ours, theirs = outline(copy), outline(rebuilt)
    if ours.world != theirs.world:
        return "the interface differs"
    if known.built_with == fresh.built_with and ours.code != theirs.code:
        return "the code differs"
    return None


def main(arguments: Sequence[str]) -> int:
    """Compare every component of the folders; return the exit code."""
    write = "--write" in arguments
    folders = [Path(argument) for argument in arguments if argument != "--write"]
    try:
        equal = [_compare(folder, write=write) for folder in folders or [_OWN]]
    except AirssysError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0 if all(equal) else 1


def _compare(folder: Path, *, write: bool) -> bool:
    """Compare one folder's components; tell whether all copies are right at the end."""
    entries = dict(catalog(folder))
    right = True
    with tempfile.TemporaryDirectory() as scratch:
        for name, known in entries.items():
            fresh = rebuild(known, Path(scratch))
            reason = _difference_or_damage(known, fresh)
            if reason is not None and write:
                entries[name] = _adopt(known, fresh)
            sys.stdout.write(f"{name}: {_verdict(known, fresh, reason, write=write)}\n")
            right = right and (reason is None or write)
    if write:
        _write_digests(folder, entries)
    return right


def _difference_or_damage(known: Prebuilt, fresh: Prebuilt) -> str | None:
    try:
        return difference(known, fresh)
    except ComponentInvalid as error:
        return str(error).splitlines()[0]


def _verdict(known: Prebuilt, fresh: Prebuilt, reason: str | None, *, write: bool) -> str:
    if reason is not None:
        return f"{reason}{'; replaced' if write else ''}"
    if known.built_with != fresh.built_with:
        return f"equal in interface (built with {known.built_with}, here {fresh.built_with})"
    return "equal" if known.reproducible else "equal in interface and code"


def _adopt(known: Prebuilt, fresh: Prebuilt) -> Prebuilt:
    known.path.write_bytes(fresh.path.read_bytes())
    return replace(fresh, path=known.path)


def _write_digests(folder: Path, entries: Mapping[str, Prebuilt]) -> None:
    listed = {name: asdict(entry) for name, entry in sorted(entries.items())}
    for entry in listed.values():
        del entry["path"]  # it follows from the name
    (folder / DIGESTS).write_text(json.dumps(listed, indent=2) + "\n", encoding="utf-8")


def _built_with(source: Path) -> str:
    if (source / "Cargo.toml").is_file():
        return find(source).compiler
    if (source / "package.json").is_file():
        return f"jco {JCO}"
    return f"componentize-py {COMPONENTIZE_PY}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
