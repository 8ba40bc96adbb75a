"""Write THIRD-PARTY-NOTICES.txt: what the wheel holds of others, and under which terms.

``python scripts/third_party.py`` rewrites it; ``--check`` changes nothing and exits
with 1 if it is not what Cargo.lock and ``licences/`` say. The crates are those that
cargo links on the platforms of the wheels; their texts come from their own sources.
``licences/`` holds the texts of what no crate brings: the parts of the Python guest.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOTICES = ROOT / "THIRD-PARTY-NOTICES.txt"
OWN_TEXTS = ROOT / "licences"
#: The platforms that have a wheel, and the one that guests are built for.
HOSTS = (
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "aarch64-apple-darwin",
    "x86_64-pc-windows-msvc",
)
GUEST = "wasm32-unknown-unknown"
#: The guests in Rust that the wheel holds.
GUESTS = ("analyser", "reporter", "splitter", "text-stats")
LICENCE_FILE = re.compile(r"(?i)(un)?licen[sc]e|copying|copyright|notice")
#: Where the text stands if a crate names a licence and brings no file.
SAME_TEXT = {"Apache-2.0 WITH LLVM-exception": "wasmtime"}
RULE = "=" * 79

INTRODUCTION = """\
Third-party notices of airssys-wasm

airssys-wasm itself is under the Apache License 2.0, which stands in LICENSE. The
wheel also holds work of others, named below with the terms it is under.

Part 1  crates linked into the native module and the guests in Rust
Part 2  what the guest markdown-report.wasm holds: a Python interpreter
Part 3  the texts of the licences of part 1

The Rust standard library, which both hold, is by the Rust Project contributors,
under the MIT licence or the Apache License 2.0; the text of either is in part 3.
"""

PYTHON_GUEST = """\
componentize-py 0.25.1 put these together:

componentize-py and its runtime: Apache-2.0 WITH LLVM-exception; the crates anyhow,
num-bigint, once_cell, pyo3, pyo3-ffi and what they need: MIT OR Apache-2.0. Both
texts are in part 3.
CPython 3.14 with mimalloc, HACL*, expat and libmpdec: below.
zlib and SQLite: below.
wasi-libc with musl: below. LLVM's run-time library: Apache-2.0 WITH LLVM-exception.
"""
PYTHON_TEXTS = {
    "CPython": "cpython.txt",
    "Work of others within CPython, and zlib": "cpython-parts.txt",
    "SQLite": "sqlite.txt",
    "wasi-libc": "wasi-libc.txt",
}


@dataclass(frozen=True, slots=True, order=True)
class Crate:
    """A crate that is linked, and where its sources are."""

    name: str
    version: str
    licence: str
    folder: Path

    def texts(self) -> list[str]:
        """Return its licence files, without the white space that editors differ in."""
        files = sorted(p for p in self.folder.iterdir() if LICENCE_FILE.match(p.name))
        return [tidy(path.read_text(encoding="utf-8")) for path in files if path.is_file()]


def tidy(text: str) -> str:
    """Return ``text`` without white space at the ends of lines and of the whole."""
    lines = [line.rstrip() for line in text.replace("\f", "").splitlines()]
    return "\n".join(lines).strip("\n") + "\n"


def cargo(manifest: Path, *arguments: str) -> str:
    """Run cargo on a crate; the guests find the SDK where a build of theirs does."""
    sdk = (
        f"patch.crates-io.{name}.path='{(ROOT / folder).as_posix()}'"
        for name, folder in (("airssys-sdk", "rust/sdk"), ("airssys-sdk-macros", "rust/sdk-macros"))
    )
    patches = [word for patch in sdk for word in ("--config", patch)]
    command = ["cargo", arguments[0], "--locked", "--manifest-path", str(manifest)]
    if manifest != ROOT / "Cargo.toml":
        command += patches
    finished = subprocess.run(  # noqa: S603 - our own words
        [*command, *arguments[1:]], capture_output=True, text=True, encoding="utf-8", check=False
    )
    if finished.returncode != 0:
        raise SystemExit(f"cargo {arguments[0]}: {finished.stderr}")
    return finished.stdout


def linked(manifest: Path, package: str, targets: tuple[str, ...]) -> set[Crate]:
    """Return the crates of others that a build of ``package`` links on any of ``targets``."""
    described = json.loads(cargo(manifest, "metadata", "--format-version", "1"))
    known = {(each["name"], each["version"]): each for each in described["packages"]}
    found = set()
    for target in targets:
        tree = cargo(
            manifest, "tree", "--package", package, "--target", target,
            "--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}",
        )  # fmt: skip
        for name, version in re.findall(r"^(\S+) v(\S+)", tree, re.MULTILINE):
            each = known[name, version]
            if each["source"] is not None:
                folder = Path(each["manifest_path"]).parent
                found.add(Crate(name, version, each["license"] or "", folder))
    return found


def texts_of(crates: list[Crate]) -> dict[str, list[Crate]]:
    """Return each distinct text with the crates that are under it."""
    by_name = {crate.name: crate for crate in crates}
    found: dict[str, list[Crate]] = defaultdict(list)
    for crate in crates:
        source = crate if crate.texts() else by_name.get(SAME_TEXT.get(crate.licence, ""))
        if source is None:
            raise SystemExit(f"{crate.name} {crate.version}: {crate.licence!r}, and no text for it")
        for text in source.texts():
            found[text].append(crate)
    return found


def part(number: int, title: str) -> str:
    """Return the head of a part."""
    return f"{RULE}\nPart {number}: {title}\n{RULE}\n"


def notices() -> str:
    """Return the whole file."""
    crates = linked(ROOT / "Cargo.toml", "airssys-py", HOSTS)
    for guest in GUESTS:
        crates |= linked(ROOT / "examples" / "Cargo.toml", guest, (GUEST,))
    ordered = sorted(crates)
    listed = "\n".join(f"{crate.name} {crate.version}: {crate.licence}" for crate in ordered)
    sections = [INTRODUCTION, part(1, "crates"), listed + "\n", part(2, "the Python guest")]
    sections.append(PYTHON_GUEST)
    for title, name in PYTHON_TEXTS.items():
        text = tidy((OWN_TEXTS / name).read_text(encoding="utf-8"))
        sections += [f"{title}\n{'-' * len(title)}\n", text]
    sections.append(part(3, "licences of the crates"))
    for text, under in texts_of(ordered).items():
        names = ", ".join(f"{crate.name} {crate.version}" for crate in under)
        sections += [f"{'-' * 79}\n{names}:\n", text]
    return "\n".join(sections)


def main(arguments: list[str]) -> int:
    """Rewrite the file, or check it."""
    wanted = notices()
    if NOTICES.is_file() and NOTICES.read_text(encoding="utf-8") == wanted:
        return 0
    if "--check" in arguments:
        print(f"not up to date: {NOTICES.name}", file=sys.stderr)
        print("hint: run python scripts/third_party.py", file=sys.stderr)
        return 1
    NOTICES.write_text(wanted, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
