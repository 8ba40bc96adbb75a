"""The sides that are programs in Rust."""

from __future__ import annotations

import json
import subprocess
import tomllib
from collections.abc import Iterator

from guests import ROOT

#: Where a program is, by its name.
Built = dict[str, str]

PEERS = ROOT / "benches" / "peers"
CARGO_BUILD = ("cargo", "build", "--release", "--locked", "--quiet", "--message-format=json")


def build() -> Built:
    """Compile all of them, before anything is timed."""
    ours = _built("--package", "airssys-bench", "--bins")
    peers = _built("--manifest-path", str(PEERS / "Cargo.toml"))
    return dict([*ours, *peers])


def _built(*of: str) -> Iterator[tuple[str, str]]:
    # Errors go to our own standard error, where they can be read.
    told = subprocess.run(  # noqa: S603 - our own words, no shell
        [*CARGO_BUILD, *of], check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ).stdout
    for line in told.splitlines():
        message = json.loads(line)
        if message["reason"] == "compiler-message":
            print(message["message"]["rendered"])
        if message.get("executable"):
            yield message["target"]["name"], message["executable"]


def versions() -> dict[str, str]:
    """Versions of the peers in Rust."""
    locked = tomllib.loads((PEERS / "Cargo.lock").read_text())["package"]
    return {package["name"]: package["version"] for package in locked}
