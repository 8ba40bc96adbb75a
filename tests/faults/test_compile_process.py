"""A compiling process ends when nobody waits for it, and takes no more than its share."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.hostile import bombs

import airssys_wasm as aw
from airssys_wasm import _native
from airssys_wasm.runtime.engine import _WORKER

#: From the end of the parent, or of the time allowed, to that of the process.
SOON_SECONDS = 5.0
#: Minutes of work.
BOMB = bombs.functions_with_locals(10_000, 50_000)

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads the processes of /proc")
needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="limits and signals are POSIX's")

PARENT = """
import airssys_wasm as aw
from tests.hostile import bombs
engine = aw.Engine(cache_dir=None, pool_instances=2, compile_seconds_max=20.0)
engine.load(bombs.functions_with_locals(10_000, 50_000))
"""


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def children(parent: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name, in parentheses, may hold anything.
            fields = status.read_text(errors="replace").rpartition(")")[2].split()
            if int(fields[1]) == parent:
                found.append(int(status.parent.name))
    return found


def runs(process: int) -> bool:
    try:
        status = Path(f"/proc/{process}/stat").read_text(errors="replace")
    except OSError:
        return False
    # Dead, and not yet waited for by whoever inherited it.
    return status.rpartition(")")[2].split()[0] not in {"Z", "X"}


@linux_only
def test_it_does_not_outlive_a_parent_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT]) as parent:  # noqa: S603 - our own words
        try:
            assert wait_for(lambda: bool(children(parent.pid)), 30.0)
            (compiler,) = children(parent.pid)
            # It has begun to compile, so nothing but a signal stops it.
            assert wait_for(lambda: "Max cpu time" in limits_of(compiler), 30.0)
            time.sleep(0.5)
            assert runs(compiler)
        finally:
            parent.kill()

    assert wait_for(lambda: not runs(compiler), SOON_SECONDS)


def limits_of(process: int) -> str:
    """Return the limits of a process whose processor time is bounded, else nothing."""
    text = Path(f"/proc/{process}/limits").read_text()
    (line,) = (line for line in text.splitlines() if line.startswith("Max cpu time"))
    return "" if "unlimited" in line else text


@pytest.fixture
def compiler() -> Iterator[Callable[[int], subprocess.Popen[bytes]]]:
    """Start compiling processes as the engine does, with so many seconds of processor time."""
    started: list[subprocess.Popen[bytes]] = []

    def start(cpu_seconds_max: int) -> subprocess.Popen[bytes]:
        arguments = ["-I", "-S", "-c", _WORKER, _native.__file__, "0:0:0"]
        bounds = [str(512 * aw.MIB), str(cpu_seconds_max)]
        process = subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, *arguments, *bounds], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        started.append(process)
        assert process.stdin is not None
        process.stdin.write(len(BOMB).to_bytes(8, "little") + BOMB)
        process.stdin.flush()
        return process

    yield start
    for process in started:
        with process:
            process.kill()


@needs_posix
def test_it_ends_when_its_input_does(
    compiler: Callable[[int], subprocess.Popen[bytes]],
) -> None:
    process = compiler(600)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1.0)

    assert process.stdin is not None
    process.stdin.close()

    assert process.wait(SOON_SECONDS) == -signal.SIGKILL


@needs_posix
def test_its_processor_time_is_bounded(
    compiler: Callable[[int], subprocess.Popen[bytes]],
) -> None:
    process = compiler(1)

    # On a busy machine a second of work takes several.
    assert process.wait(60.0) in {-signal.SIGKILL, -signal.SIGXCPU}


@needs_posix
def test_a_stricter_limit_of_the_embedder_stays_and_harms_nothing() -> None:
    script = """
import resource
import airssys_wasm as aw
from tests.hostile import bombs
resource.setrlimit(resource.RLIMIT_CPU, (100, 100))
engine = aw.Engine(cache_dir=None, pool_instances=2, compile_seconds_max=3600.0)
print(engine.load(bombs.long_function(20_000)).digest)
"""
    ran = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )

    assert (ran.returncode, ran.stderr) == (0, "")
    assert len(ran.stdout.strip()) == 64
