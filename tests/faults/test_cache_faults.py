"""A cache directory that is no use costs time, never a load; and it says why."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import airssys_wasm as aw

PREBUILT = Path(__file__).parents[1] / "components" / "prebuilt"
ECHO = PREBUILT / "echo.wasm"
LIMITS = aw.Limits(memory_bytes_max=4 * aw.MIB, call_seconds_max=10.0)

needs_posix = pytest.mark.skipif(os.name == "nt", reason="modes and owners are POSIX's")


def answers(engine: aw.Engine) -> bool:
    with engine.load(ECHO).instantiate(limits=LIMITS) as instance:
        return bool(instance.call("add", 20, 22) == 42)


def entries(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.cwasm"))


class TestUnusable:
    def refused(self, directory: Path, why: str, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.WARNING):
            engine = aw.Engine(cache_dir=directory)

        assert engine.cache_problem is not None
        assert why in engine.cache_problem
        assert str(directory) in engine.cache_problem
        assert why in caplog.text
        assert caplog.text.count("hint: ") == 1
        assert answers(engine)

    def test_a_file_in_its_place(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        (tmp_path / "cache").write_text("in the way")

        self.refused(tmp_path / "cache", "xists", caplog)

    def test_a_file_above_it(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        (tmp_path / "above").write_text("in the way")

        self.refused(tmp_path / "above" / "cache", "irectory", caplog)

    @needs_posix
    @pytest.mark.parametrize("mode", [0o777, 0o722, 0o770])
    def test_a_directory_others_may_write(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int
    ) -> None:
        # The compiled code in it would run in this process.
        shared = tmp_path / "shared"
        shared.mkdir()
        shared.chmod(mode)

        self.refused(shared, "others may write to it; hint: chmod go-w", caplog)
        assert not entries(shared)

    @needs_posix
    def test_a_link_to_one_others_may_write(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "real").chmod(0o777)
        (tmp_path / "link").symlink_to(tmp_path / "real")

        self.refused(tmp_path / "link", "others may write to it; hint: chmod go-w", caplog)

    @needs_posix
    def test_a_directory_of_another_user(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        if os.geteuid() != 0:
            pytest.skip("only the superuser can give a directory away")
        foreign = tmp_path / "foreign"
        foreign.mkdir(mode=0o700)
        os.chown(foreign, 65534, 65534)

        self.refused(foreign, "belongs to another user", caplog)

    @needs_posix
    @pytest.mark.parametrize("mode", [0o777, 0o722, 0o770])
    @pytest.mark.parametrize("between", ["", "mine"])
    def test_a_directory_in_one_others_may_write(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int, between: str
    ) -> None:
        # They could rename what lies in it, and put their own in its place.
        shared = tmp_path / "shared"
        cache = shared / between / "cache"
        cache.mkdir(parents=True)
        cache.chmod(0o700)
        shared.chmod(mode)

        why = f"it lies in {shared}: others may write to it; hint: chmod go-w"
        self.refused(cache, why, caplog)
        assert not list(cache.iterdir())

    @needs_posix
    def test_a_link_into_one_others_may_write(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (tmp_path / "shared" / "cache").mkdir(parents=True)
        (tmp_path / "shared").chmod(0o777)
        (tmp_path / "link").symlink_to(tmp_path / "shared" / "cache")

        self.refused(tmp_path / "link", f"it lies in {tmp_path / 'shared'}: others may", caplog)

    @needs_posix
    @pytest.mark.parametrize("mode", [0o700, 0o755, 0o1777])
    def test_a_directory_in_one_of_another_user(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int
    ) -> None:
        if os.geteuid() != 0:
            pytest.skip("only the superuser can give a directory away")
        foreign = tmp_path / "foreign"
        (foreign / "cache").mkdir(parents=True, mode=0o700)
        foreign.chmod(mode)
        os.chown(foreign, 65534, 65534)

        why = f"it lies in {foreign}: belongs to another user"
        self.refused(foreign / "cache", why, caplog)

    def test_a_secret_that_cannot_be_made_anew(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (tmp_path / "cache" / "secret" / "inside").mkdir(parents=True, mode=0o700)

        self.refused(tmp_path / "cache", "hint: remove it", caplog)

    def test_a_read_only_one(self, read_only: Path, caplog: pytest.LogCaptureFixture) -> None:
        self.refused(read_only / "cache", "ead-only", caplog)


def stays_of_use(directory: Path) -> None:
    """Two engines, one after the other: the second finds what the first kept."""
    for hits in (0, 1):
        engine = aw.Engine(cache_dir=directory)
        assert engine.cache_problem is None
        assert answers(engine)
        assert engine.cache_statistics["hits"] == hits


class TestMended:
    @pytest.mark.parametrize("secret", [b"", b"short", b"x" * 33, b"x" * 4096])
    def test_a_secret_of_a_wrong_size_is_made_anew(self, tmp_path: Path, secret: bytes) -> None:
        assert answers(aw.Engine(cache_dir=tmp_path))
        (tmp_path / "secret").write_bytes(secret)

        engine = aw.Engine(cache_dir=tmp_path)

        assert engine.cache_problem is None
        assert len((tmp_path / "secret").read_bytes()) == 32
        assert answers(engine)
        # What the old one sealed is as good as foreign.
        assert engine.cache_statistics["rejected"] == 1
        assert engine.cache_statistics["hits"] == 0
        assert answers(aw.Engine(cache_dir=tmp_path))

    @needs_posix
    @pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o666])
    def test_a_secret_that_others_could_read_is_made_anew(self, tmp_path: Path, mode: int) -> None:
        assert answers(aw.Engine(cache_dir=tmp_path))
        known = (tmp_path / "secret").read_bytes()
        (tmp_path / "secret").chmod(mode)

        engine = aw.Engine(cache_dir=tmp_path)

        assert engine.cache_problem is None
        assert (tmp_path / "secret").read_bytes() != known
        assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
        assert answers(engine)
        assert engine.cache_statistics["rejected"] == 1, "others could have sealed it"

    @needs_posix
    @pytest.mark.parametrize("make", ["link", "pipe"])
    def test_a_secret_that_is_no_file_is_made_anew(self, tmp_path: Path, make: str) -> None:
        (tmp_path / "cache").mkdir(mode=0o700)
        secret = tmp_path / "cache" / "secret"
        if make == "link":
            (tmp_path / "elsewhere").write_bytes(b"x" * 32)
            (tmp_path / "elsewhere").chmod(0o600)
            secret.symlink_to(tmp_path / "elsewhere")
        else:
            os.mkfifo(secret, 0o600)

        stays_of_use(tmp_path / "cache")

        assert secret.is_file()
        assert not secret.is_symlink()

    @needs_posix
    def test_a_link_to_a_private_directory_is_followed(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir(mode=0o700)
        (tmp_path / "link").symlink_to(tmp_path / "real")

        stays_of_use(tmp_path / "link")

        assert entries(tmp_path / "real")

    @needs_posix
    @pytest.mark.parametrize("mode", [0o755, 0o1777])
    def test_a_directory_in_one_where_others_may_rename_nothing_of_ours(
        self, tmp_path: Path, mode: int
    ) -> None:
        (tmp_path / "above").mkdir()
        (tmp_path / "above").chmod(mode)

        stays_of_use(tmp_path / "above" / "cache")

    @needs_posix
    def test_a_directory_that_others_may_look_into_is_left_as_it_is(self, tmp_path: Path) -> None:
        (tmp_path / "cache").mkdir()
        (tmp_path / "cache").chmod(0o755)

        stays_of_use(tmp_path / "cache")

        assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o755
        modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "cache").iterdir()}
        assert modes == {0o600}


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mount a small file system of its own, where this user may."""
    mounted: list[Path] = []

    def one(options: str) -> Path:
        place = tmp_path / f"mount{len(mounted)}"
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"{options},mode=0700", "none", str(place)]
        if shutil.which("mount") is None or subprocess.run(command, check=False).returncode:  # noqa: S603 - fixed words
            pytest.skip("this user cannot mount a file system")
        mounted.append(place)
        return place

    yield one
    for place in mounted:
        subprocess.run(["umount", str(place)], check=True)  # noqa: S603, S607 - fixed words


@pytest.fixture
def read_only(mount: Callable[[str], Path]) -> Path:
    return mount("ro,size=64k")


class TestFull:
    def test_a_full_disk_keeps_nothing_and_serves(self, mount: Callable[[str], Path]) -> None:
        place = mount("size=128k")
        engine = aw.Engine(cache_dir=place)
        assert engine.cache_problem is None

        assert answers(engine)

        assert engine.cache_statistics["write_failures"] == 1
        assert [path.name for path in place.iterdir()] == ["secret"]

    def test_a_disk_too_full_for_the_secret_says_so(self, mount: Callable[[str], Path]) -> None:
        place = mount("size=4k")
        (place / "filler").write_bytes(bytes(4096))

        engine = aw.Engine(cache_dir=place)

        assert engine.cache_problem is not None
        assert "No space left" in engine.cache_problem
        assert answers(engine)

    def test_a_file_size_limit_of_the_process_keeps_nothing_and_serves(
        self, tmp_path: Path
    ) -> None:
        pytest.importorskip("resource", reason="file size limits are POSIX's")
        script = (
            "import resource, signal, sys\n"
            "import airssys_wasm as aw\n"
            # Else the signal would end the process before the write fails.
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            # Below the compiled code, above the image of the guest's memory.
            "resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, 2**16))\n"
            "engine = aw.Engine(cache_dir=sys.argv[1])\n"
            "limits = aw.Limits(memory_bytes_max=4 * aw.MIB, call_seconds_max=10.0)\n"
            "with engine.load(sys.argv[2]).instantiate(limits=limits) as instance:\n"
            "    print(instance.call('add', 20, 22), engine.cache_statistics)\n"
        )
        ran = python(script, str(tmp_path / "cache"), str(ECHO))

        assert (ran.returncode, ran.stderr) == (0, "")
        assert ran.stdout.startswith("42 ")
        assert "'write_failures': 1" in ran.stdout
        assert not entries(tmp_path / "cache")


class TestGarbage:
    @pytest.mark.parametrize(
        "damage",
        [
            lambda _: b"",
            lambda _: b"garbage" * 1000,
            lambda entry: entry[:-1],
            lambda entry: entry[: len(entry) // 2],
            lambda entry: entry + b"\0",
            lambda entry: bytes([entry[0] ^ 1]) + entry[1:],
            lambda entry: entry[:-1] + bytes([entry[-1] ^ 1]),
            lambda entry: entry[:-32] + bytes(32),
        ],
    )
    def test_a_damaged_entry_is_removed_and_made_again(
        self, tmp_path: Path, damage: Callable[[bytes], bytes]
    ) -> None:
        assert answers(aw.Engine(cache_dir=tmp_path / "cache"))
        (entry,) = entries(tmp_path / "cache")
        whole = entry.read_bytes()
        entry.write_bytes(damage(whole))

        second = aw.Engine(cache_dir=tmp_path / "cache")
        assert answers(second)

        assert second.cache_statistics["rejected"] == 1
        assert second.cache_statistics["hits"] == 0
        assert len(entry.read_bytes()) == len(whole)
        third = aw.Engine(cache_dir=tmp_path / "cache")
        assert answers(third)
        assert third.cache_statistics["hits"] == 1

    def test_an_entry_cannot_stand_in_for_another(self, tmp_path: Path) -> None:
        engine = aw.Engine(cache_dir=tmp_path / "cache")
        engine.load(ECHO)
        (echo,) = entries(tmp_path / "cache")
        engine.load(PREBUILT / "words.wasm")
        (words,) = set(entries(tmp_path / "cache")) - {echo}
        shutil.copyfile(words, echo)

        second = aw.Engine(cache_dir=tmp_path / "cache")

        assert answers(second)
        assert second.cache_statistics["rejected"] == 1

    def test_an_entry_made_with_another_secret_is_foreign(self, tmp_path: Path) -> None:
        for name in ("one", "two"):
            assert answers(aw.Engine(cache_dir=tmp_path / name))
        (mine,), (theirs,) = entries(tmp_path / "one"), entries(tmp_path / "two")
        assert mine.name == theirs.name
        shutil.copyfile(theirs, mine)

        second = aw.Engine(cache_dir=tmp_path / "one")

        assert answers(second)
        assert second.cache_statistics["rejected"] == 1

    @needs_posix
    def test_an_entry_that_is_a_link_is_not_followed(self, tmp_path: Path) -> None:
        assert answers(aw.Engine(cache_dir=tmp_path / "cache"))
        (entry,) = entries(tmp_path / "cache")
        entry.rename(tmp_path / "elsewhere")
        entry.symlink_to(tmp_path / "elsewhere")

        second = aw.Engine(cache_dir=tmp_path / "cache")

        assert answers(second)
        assert second.cache_statistics["hits"] == 0
        assert not entry.is_symlink()

    @needs_posix
    def test_an_entry_that_is_a_pipe_is_not_waited_for(self, tmp_path: Path) -> None:
        assert answers(aw.Engine(cache_dir=tmp_path))
        (entry,) = entries(tmp_path)
        entry.unlink()
        os.mkfifo(entry, 0o600)

        second = aw.Engine(cache_dir=tmp_path)

        assert answers(second)
        assert second.cache_statistics["rejected"] == 1
        assert entry.is_file(), "made again"

    def test_an_entry_larger_than_it_can_be_is_not_read(self, tmp_path: Path) -> None:
        pytest.importorskip("resource", reason="weighs a process as POSIX does")
        assert answers(aw.Engine(cache_dir=tmp_path))
        (entry,) = entries(tmp_path)
        # A hole takes no room on the disk, and as much memory as it is long.
        os.truncate(entry, aw.GIB)
        script = (
            "import resource, sys\n"
            "import airssys_wasm as aw\n"
            "engine = aw.Engine(cache_dir=sys.argv[1])\n"
            "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
            "before = peak()\n"
            "engine.load(sys.argv[2])\n"
            "print(peak() - before, engine.cache_statistics['rejected'])\n"
        )
        ran = python(script, str(tmp_path), str(ECHO))

        assert (ran.returncode, ran.stderr) == (0, "")
        growth, rejected = map(int, ran.stdout.split())
        unit = 1 if sys.platform == "darwin" else aw.KIB
        assert growth * unit < 64 * aw.MIB
        assert rejected == 1
        assert entry.stat().st_size < aw.MIB, "made again"

    def test_a_directory_full_of_rubbish_is_left_alone(self, tmp_path: Path) -> None:
        cache = tmp_path / "cache"
        cache.mkdir(mode=0o700)
        for index in range(50):
            (cache / f"rubbish{index}").write_bytes(os.urandom(100))
        (cache / "not-a-digest.cwasm").write_bytes(os.urandom(100))
        (cache / "folder.cwasm").mkdir()

        engine = aw.Engine(cache_dir=cache)

        assert answers(engine)
        assert engine.cache_statistics["write_failures"] == 0
        assert len(list(cache.glob("rubbish*"))) == 50

    def test_it_stays_inside_its_bound(self, tmp_path: Path) -> None:
        engine = aw.Engine(cache_dir=tmp_path / "cache", cache_bytes_max=100_000)
        for index in range(20):
            engine.load(f'(component (core module (data "{index}")))')

        total = sum(path.stat().st_size for path in entries(tmp_path / "cache"))
        assert 0 < total <= 100_000

    def test_what_cannot_be_removed_is_counted_and_passed_over(self, tmp_path: Path) -> None:
        (tmp_path / "user.cwasm").mkdir()
        (tmp_path / "user.cwasm" / "file").write_text("in the way")
        os.utime(tmp_path / "user.cwasm", (0, 0))
        engine = aw.Engine(cache_dir=tmp_path, cache_bytes_max=100_000)

        for index in range(20):
            engine.load(f'(component (core module (data "{index}")))')

        total = sum(path.stat().st_size for path in entries(tmp_path) if path.is_file())
        assert 0 < total <= 100_000
        assert engine.cache_statistics["prune_failures"] > 0
        assert engine.cache_statistics["write_failures"] == 0


@needs_posix
def test_what_it_writes_is_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        assert answers(aw.Engine(cache_dir=tmp_path / "cache"))
    finally:
        os.umask(before)

    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "cache").iterdir()}
    assert modes == {0o600}
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700


RACER = """
import sys, time
import airssys_wasm as aw
limits = aw.Limits(memory_bytes_max=4 * aw.MIB, call_seconds_max=10.0)
sys.stdin.readline()
for _ in range(10):
    engine = aw.Engine(cache_dir=sys.argv[1])
    assert engine.cache_problem is None, engine.cache_problem
    with engine.load(sys.argv[2]).instantiate(limits=limits) as instance:
        assert instance.call('add', 20, 22) == 42
    assert engine.cache_statistics['rejected'] == 0, engine.cache_statistics
    for index in range(3):
        engine.load(f'(component (core module (data "{index}")))')
print('ok')
"""


def test_two_processes_share_one_directory_from_the_first_moment(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", RACER, str(tmp_path / "cache"), str(ECHO)]
    racers = [
        subprocess.Popen(  # noqa: S603 - our own words
            arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()

    ended = [(*racer.communicate(timeout=120), racer.returncode) for racer in racers]

    assert ended == [("ok\n", "", 0)] * 3
    assert not list((tmp_path / "cache").glob("*.tmp"))


def python(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
