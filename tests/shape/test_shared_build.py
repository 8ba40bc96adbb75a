"""The wheel and the tests of the host are built of the same compiled crates.

Cargo compiles a crate again for each set of features. The engine takes minutes,
so the two builds must ask for the same.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

COLUMNS = "{p}|{f}"


def features(root: Path, package: str, edges: str) -> dict[str, set[str]]:
    """Crate with version → each set of features that the build of ``package`` uses."""
    command = ["cargo", "tree", "--locked", "--prefix", "none", "--format", COLUMNS]
    listed = subprocess.run(  # noqa: S603 - our own words, no shell
        [*command, "--package", package, "--edges", edges],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    found: dict[str, set[str]] = {}
    for line in listed.splitlines():
        crate, _, enabled = line.removesuffix(" (*)").partition("|")
        found.setdefault(crate.split(" (")[0], set()).add(enabled)
    return found


def test_the_tests_of_the_host_share_the_engine_with_the_wheel(root: Path) -> None:
    wheel = features(root, "airssys-py", "normal,build")
    tests = features(root, "airssys-host", "normal,build,dev")
    assert any(crate.startswith("wasmtime v48") for crate in wheel.keys() & tests.keys())

    differing = {
        crate: (wheel[crate], tests[crate])
        for crate in wheel.keys() & tests.keys()
        if not tests[crate] <= wheel[crate]
    }

    assert not differing
