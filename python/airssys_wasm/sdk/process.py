"""Runs a build tool and hands on what it says while it runs."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

__all__ = ["stream"]


def stream(
    command: Sequence[str],
    *,
    directory: Path,
    environment: Mapping[str, str],
    stdout: int = subprocess.STDOUT,
    on_line: Callable[[str], None] | None = None,
) -> tuple[int, str]:
    """Run a command; return its exit code and what it wrote to stderr.

    Args:
        command: the program and its arguments; no shell reads them.
        directory: where it runs.
        environment: all of its variables.
        stdout: a file descriptor for its stdout; default is among its stderr.
        on_line: is given each line as it comes.

    Raises:
        OSError: the program could not be started.
    """
    lines: list[str] = []
    joined = stdout == subprocess.STDOUT
    with subprocess.Popen(  # noqa: S603 - our own words and paths, no shell
        command,
        cwd=directory,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if joined else stdout,
        stderr=subprocess.STDOUT if joined else subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        said = process.stdout if joined else process.stderr
        assert said is not None  # because it was asked for
        for line in said:
            lines.append(line)
            if on_line is not None:
                on_line(line.rstrip("\n"))
    return process.returncode, "".join(lines)
