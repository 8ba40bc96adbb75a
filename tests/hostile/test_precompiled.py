"""Machine code that did not come from our compiler is never run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.hostile.fresh import ROOT
from tests.hostile.guests import one_module

import airssys_wasm as aw

LIMITS = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=1.0)
TAG_BYTES = 32


def answers(number: int) -> str:
    return one_module(
        f'(func (export "run") (result i32) (i32.const {number}))',
        '(result u32) (canon lift (core func $i "run"))',
    )


def load_and_run(cache: Path, number: int) -> tuple[int, dict[str, int]]:
    """Load in an engine of its own, so that only the disk can remember."""
    engine = aw.Engine(cache_dir=cache, pool_instances=2)
    with engine.load(answers(number)).instantiate(limits=LIMITS) as instance:
        return instance.call("run"), engine.cache_statistics


def entries(cache: Path) -> list[Path]:
    return sorted(cache.glob("*.cwasm"))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Make a cache with one entry, and prove that it is used."""
    cache = tmp_path / "cache"
    assert load_and_run(cache, 7) == (7, statistics(misses=1))
    assert load_and_run(cache, 7) == (7, statistics(hits=1))
    assert len(entries(cache)) == 1
    return cache


def statistics(**counts: int) -> dict[str, int]:
    names = ("hits", "misses", "rejected", "write_failures", "prune_failures")
    return dict.fromkeys(names, 0) | counts


def assert_rejected_and_made_again(cache: Path) -> None:
    assert load_and_run(cache, 7) == (7, statistics(misses=1, rejected=1))
    assert load_and_run(cache, 7) == (7, statistics(hits=1))


def test_w19_every_region_of_an_entry_is_covered_by_its_tag(cache: Path) -> None:
    (entry,) = entries(cache)
    good = entry.read_bytes()
    regions = 48
    for region in range(regions):
        at = region * (len(good) - 1) // (regions - 1)
        damaged = bytearray(good)
        damaged[at] ^= 1 << region % 8
        entry.write_bytes(damaged)

        assert_rejected_and_made_again(cache)


@pytest.mark.parametrize("keep", [0, 1, TAG_BYTES - 1, TAG_BYTES, 0.5, -1], ids=str)
def test_w19_a_truncated_entry_is_rejected(cache: Path, keep: float) -> None:
    (entry,) = entries(cache)
    good = entry.read_bytes()
    entry.write_bytes(good[: int(keep * len(good)) if isinstance(keep, float) else keep])

    assert_rejected_and_made_again(cache)


@pytest.mark.parametrize("garbage", [b"\x7fELF" + bytes(4096), b"x" * 100, b"\0" * 100_000])
def test_w19_garbage_in_place_of_an_entry_is_rejected(cache: Path, garbage: bytes) -> None:
    (entry,) = entries(cache)
    entry.write_bytes(garbage)

    assert_rejected_and_made_again(cache)


def test_w19_an_entry_with_something_appended_is_rejected(cache: Path) -> None:
    (entry,) = entries(cache)
    entry.write_bytes(entry.read_bytes() + b"\0")

    assert_rejected_and_made_again(cache)


def test_w19_entries_that_changed_names_are_rejected(cache: Path) -> None:
    load_and_run(cache, 8)
    first, second = entries(cache)
    third = first.with_name("swap")
    first.rename(third)
    second.rename(first)
    third.rename(second)

    assert load_and_run(cache, 7) == (7, statistics(misses=1, rejected=1))
    assert load_and_run(cache, 8) == (8, statistics(misses=1, rejected=1))


def test_w19_an_entry_made_with_another_key_is_rejected(cache: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    load_and_run(other, 7)
    (entry,), (foreign,) = entries(cache), entries(other)
    assert entry.name == foreign.name
    entry.write_bytes(foreign.read_bytes())

    assert_rejected_and_made_again(cache)


def test_w19_a_changed_key_makes_every_entry_foreign(cache: Path) -> None:
    secret = cache / "secret"
    secret.write_bytes(bytes(byte ^ 0xFF for byte in secret.read_bytes()))

    assert_rejected_and_made_again(cache)


@pytest.mark.skipif(os.name != "posix", reason="permissions of files are a matter of POSIX")
@pytest.mark.parametrize("mode", [0o666, 0o620, 0o602])
def test_w19_an_entry_that_others_may_write_is_rejected(cache: Path, mode: int) -> None:
    (entry,) = entries(cache)
    entry.chmod(mode)

    assert_rejected_and_made_again(cache)


@pytest.mark.skipif(os.name != "posix", reason="symbolic links need no privilege on POSIX")
def test_w19_a_link_in_place_of_an_entry_is_rejected(cache: Path, tmp_path: Path) -> None:
    (entry,) = entries(cache)
    elsewhere = tmp_path / "elsewhere"
    entry.rename(elsewhere)
    entry.symlink_to(elsewhere)

    assert_rejected_and_made_again(cache)
    assert elsewhere.exists(), "only the link went"


@pytest.mark.skipif(os.name != "posix", reason="permissions of files are a matter of POSIX")
def test_w19_a_cache_that_others_may_write_is_not_used_at_all(cache: Path) -> None:
    cache.chmod(0o777)
    engine = aw.Engine(cache_dir=cache, pool_instances=2)

    assert engine.cache_problem is not None
    assert "others may write" in engine.cache_problem
    with engine.load(answers(7)).instantiate(limits=LIMITS) as instance:
        assert instance.call("run") == 7
    assert engine.cache_statistics["hits"] == 0


@pytest.mark.skipif(os.name != "posix", reason="permissions of files are a matter of POSIX")
def test_w19_nobody_else_can_read_or_write_the_cache(cache: Path) -> None:
    assert cache.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in cache.iterdir())


@pytest.mark.parametrize("strip_tag", [False, True])
def test_w19_our_own_machine_code_is_refused_as_a_component(
    cache: Path, *, strip_tag: bool
) -> None:
    (entry,) = entries(cache)
    artefact = entry.read_bytes()[: -TAG_BYTES if strip_tag else None]
    engine = aw.Engine(cache_dir=None, pool_instances=2)
    assert artefact.startswith(b"\x7fELF")

    with pytest.raises(aw.ComponentInvalid, match="neither"):
        engine.load(artefact)
    with pytest.raises(aw.ComponentInvalid, match="neither"):
        engine.load(entry)


def test_w19_machine_code_inside_a_component_is_only_data(cache: Path) -> None:
    from tests.hostile import binary  # noqa: PLC0415

    (entry,) = entries(cache)
    engine = aw.Engine(cache_dir=None, pool_instances=2)
    custom = binary.section(0, binary.sized(b".wasmtime.engine") + entry.read_bytes())
    module = binary.section(1, entry.read_bytes())

    engine.load(binary.COMPONENT_HEADER + custom)
    with pytest.raises(aw.ComponentInvalid):
        engine.load(binary.COMPONENT_HEADER + module)


def test_w19_two_processes_on_one_cache_agree(tmp_path: Path) -> None:
    script = (
        "import sys; sys.path.insert(0, '.'); from pathlib import Path; "
        "from tests.hostile.test_precompiled import load_and_run; "
        "print([load_and_run(Path(sys.argv[1]), n)[0] for n in range(20)])"
    )
    processes = [
        subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-c", script, str(tmp_path / "cache")],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]

    for process in processes:
        printed, _ = process.communicate(timeout=60)
        assert printed.strip() == str(list(range(20)))
    assert load_and_run(tmp_path / "cache", 5) == (5, statistics(hits=1))
