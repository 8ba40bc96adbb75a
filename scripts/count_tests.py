"""Run the Rust tests, then the Python tests, and count them in one last line.

Both suites always run, so one look at the end shows everything that is wrong.
The exit status is 0 only if both passed and both had something to run.
"""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

CARGO_RESULT = re.compile(
    r"^test result: \w+\. (?P<passed>\d+) passed; (?P<failed>\d+) failed; (?P<ignored>\d+) ignored"
)


@dataclass(frozen=True, slots=True)
class Count:
    """How many tests ended how, and how the runner itself ended."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    status: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(
            self.passed + other.passed,
            self.failed + other.failed,
            self.skipped + other.skipped,
            self.status or other.status,
        )

    @property
    def good(self) -> bool:
        """Tell whether everything passed and there was something to pass."""
        return self.status == 0 and self.failed == 0 and self.passed > 0

    def line(self, suite: str) -> str:
        """Return this count as one line for people."""
        text = f"{suite}: {self.passed} passed, {self.failed} failed, {self.skipped} skipped"
        # A build error or a crash of the runner fails no test, and is not good.
        return text if self.status == 0 or self.failed else f"{text} (exit {self.status})"


def count_cargo_lines(lines: list[str], status: int) -> Count:
    """Add up the result lines that cargo prints, one for each test binary."""
    found = [match for line in lines if (match := CARGO_RESULT.match(line))]
    passed, failed, ignored = (
        sum(int(match[name]) for match in found) for name in ("passed", "failed", "ignored")
    )
    return Count(passed, failed, ignored, status)


def count_junit(report: Path, status: int) -> Count:
    """Add up the test suites of a JUnit report; an absent report counts nothing."""
    if not report.exists():
        return Count(0, 0, 0, status)
    # The report is our own pytest's, written a moment ago.
    suites = list(ET.parse(report).getroot().iter("testsuite"))  # noqa: S314

    def total(name: str) -> int:
        return sum(int(suite.get(name, "0")) for suite in suites)

    failed, skipped = total("failures") + total("errors"), total("skipped")
    return Count(total("tests") - failed - skipped, failed, skipped, status)


def run_cargo(crate: str, arguments: list[str]) -> Count:
    """Run ``cargo test`` for one crate, showing its output as it comes.

    One crate a run: cargo joins the features of all the crates that it is asked
    for, and a dependency of one crate's tests would have the engine compiled again.
    """
    command = ["cargo", "test", "--no-fail-fast", "--package", crate, *arguments]
    lines: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as cargo:  # noqa: S603
        assert cargo.stdout is not None
        for line in cargo.stdout:
            lines.append(line)
            print(line, end="", flush=True)
    return count_cargo_lines(lines, cargo.returncode)


def run_pytest(arguments: list[str]) -> Count:
    """Run pytest with the interpreter that runs this script."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "junit.xml")
        command = [sys.executable, "-m", "pytest", f"--junitxml={report}", *arguments]
        status = subprocess.run(command, check=False).returncode  # noqa: S603
        return count_junit(report, status)


def main() -> int:
    """Run both suites and print the totals."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--crate", action="append", default=[], help="a crate to test")
    parser.add_argument("--cargo", default="", help="arguments for cargo test, as one string")
    parser.add_argument("--pytest", default="", help="arguments for pytest, as one string")
    arguments = parser.parse_args()

    flags = shlex.split(arguments.cargo)
    rust = sum((run_cargo(crate, flags) for crate in arguments.crate), start=Count())
    python = run_pytest(shlex.split(arguments.pytest))

    print(f"\n{rust.line('Rust')}\n{python.line('Python')}\n{(rust + python).line('total')}")
    return 0 if rust.good and python.good else 1


if __name__ == "__main__":
    sys.exit(main())
