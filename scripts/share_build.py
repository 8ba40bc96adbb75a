"""Let another virtual environment import the package that was built into one.

Usage: ``share_build.py FROM TO``. Building it once more there would take minutes, and make
the next build for the first one start anew: the build depends on the path of its Python.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

NAME = "airssys_wasm"


def site_packages(environment: Path) -> Path:
    """Return where an environment keeps what is installed.

    Raises:
        SystemExit: it is none.
    """
    found = sorted(environment.glob("lib/python*/site-packages"))
    if not found:
        raise SystemExit(f"{environment}: no virtual environment; hint: make setup")
    return found[0]


def share(built: Path, other: Path) -> None:
    """Copy what says where the package lies, and what it is called.

    Raises:
        SystemExit: it is not built there, or the other has another version of Python.
    """
    source, target = site_packages(built), site_packages(other)
    if source.parent.name != target.parent.name:
        raise SystemExit(f"{other}: has {target.parent.name}, and {built} {source.parent.name}")
    about = sorted(source.glob(f"{NAME}-*.dist-info"))
    link = source / f"{NAME}.pth"
    if not about or not link.is_file():
        raise SystemExit(f"{built}: the package is not built there; hint: make build")
    for old in target.glob(f"{NAME}-*.dist-info"):
        shutil.rmtree(old)
    for folder in about:
        shutil.copytree(folder, target / folder.name)
    shutil.copyfile(link, target / link.name)


if __name__ == "__main__":
    if len(sys.argv) != 3:  # noqa: PLR2004 - itself, from, to
        raise SystemExit(__doc__)
    share(Path(sys.argv[1]), Path(sys.argv[2]))
