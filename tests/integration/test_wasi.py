"""WASI 0.2 as a guest of a standard tool chain meets it: by grant, captured, bounded."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import airssys_wasm as aw

Guest = Callable[[str], aw.Component]
KEPT_BYTES = 64 * aw.KIB


@pytest.fixture
def wasi(guest: Guest, limits: aw.Limits) -> Iterator[aw.Instance]:
    with guest("wasi").instantiate(limits=limits, grant=aw.Grant(environment=[])) as instance:
        yield instance


class TestGrants:
    def test_by_default_it_has_clocks_random_and_output_and_no_environment(
        self, guest: Guest, limits: aw.Limits
    ) -> None:
        with pytest.raises(aw.ImportMissing) as caught:
            guest("wasi").instantiate(limits=limits)

        assert [name for name, _ in caught.value.missing] == ["wasi:cli/environment@0.2.0"]

    @pytest.mark.parametrize(
        ("withheld", "missing"),
        [
            ("clocks", ["wasi:clocks/monotonic-clock@0.2.0"]),
            ("random", ["wasi:random/random@0.2.0"]),
            ("output", ["wasi:cli/stdout@0.2.0", "wasi:cli/stderr@0.2.0", "wasi:cli/exit@0.2.0"]),
        ],
    )
    def test_what_is_withheld_is_missing_and_named(
        self, guest: Guest, limits: aw.Limits, withheld: str, missing: list[str]
    ) -> None:
        options: dict[str, Any] = {"environment": [], withheld: False}
        grant = aw.Grant(**options)
        with pytest.raises(aw.ImportMissing) as caught:
            guest("wasi").instantiate(limits=limits, grant=grant)

        assert caught.value.missing == tuple((name, f"Grant({withheld}=True)") for name in missing)

    def test_an_instance_without_wasi_has_no_output(self, instance: aw.Instance) -> None:
        assert (instance.stdout, instance.stderr, instance.output_bytes_dropped) == ("", "", 0)


class TestEnvironment:
    def test_it_is_exactly_what_was_granted(
        self, guest: Guest, limits: aw.Limits, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AIRSSYS_SECRET", "hidden")
        monkeypatch.setenv("AIRSSYS_SHOWN", "grün")
        for environment, seen in (
            ([], []),
            (["AIRSSYS_SHOWN", "AIRSSYS_UNSET"], [("AIRSSYS_SHOWN", "grün")]),
            ({"LANG": "de"}, [("LANG", "de")]),
        ):
            grant = aw.Grant(environment=environment)
            with guest("wasi").instantiate(limits=limits, grant=grant) as instance:
                assert instance.call("environment") == seen


class TestOutput:
    def test_both_streams_are_captured_apart(self, wasi: aw.Instance) -> None:
        wasi.call("print", "one\ntw")
        wasi.call("warn", "careful\n")
        wasi.call("print", "o\n")

        assert (wasi.stdout, wasi.stderr) == ("one\ntwo\n", "careful\n")

    def test_the_last_line_need_not_end(self, wasi: aw.Instance) -> None:
        wasi.call("print", "no end")

        assert wasi.stdout == "no end"

    def test_control_characters_are_spelled_out(self, wasi: aw.Instance) -> None:
        wasi.call("print", "\x1b[2J\ta\rb\x07\n")

        assert wasi.stdout == "\\x1b[2J\ta\\x0db\\x07\n"

    def test_a_flood_is_bounded_and_counted(self, guest: Guest, limits: aw.Limits) -> None:
        wasi = guest("wasi").instantiate(limits=limits, grant=aw.Grant(environment=[]))
        line = "x" * 63 + "\n"
        for _ in range(64):
            wasi.call("print", line * 64)  # 256 KiB in all

        assert wasi.stdout == line * (KEPT_BYTES // 64)
        assert wasi.output_bytes_dropped == 192 * aw.KIB
        wasi.close()

    def test_it_can_be_read_after_the_instance_failed(self, wasi: aw.Instance) -> None:
        wasi.call("print", "last words")
        with pytest.raises(aw.Trapped):
            wasi.call("exit", True)  # noqa: FBT003 - a value of the guest

        assert wasi.stdout == "last words"

    def test_instances_do_not_share_it(self, guest: Guest, limits: aw.Limits) -> None:
        grant = aw.Grant(environment=[])
        first, second = (guest("wasi").instantiate(limits=limits, grant=grant) for _ in range(2))
        first.call("print", "mine")

        assert (first.stdout, second.stdout) == ("mine", "")
        first.close()
        second.close()


@pytest.mark.parametrize(("failed", "status"), [(False, 0), (True, 1)])
def test_exit_ends_the_instance_with_its_status(
    wasi: aw.Instance, *, failed: bool, status: int
) -> None:
    with pytest.raises(aw.Trapped, match=f"exited with status {status}") as caught:
        wasi.call("exit", failed)

    assert caught.value.kind == "exit"
    assert wasi.closed


def test_clocks_go_forward_and_random_is_random(wasi: aw.Instance) -> None:
    first, second = wasi.call("now"), wasi.call("now")
    drawn = {wasi.call("random", 32) for _ in range(20)}

    assert first < second
    assert len(drawn) == 20
    assert wasi.call("random", 0) == b""
    assert len(wasi.call("random", 64 * aw.KIB)) == 64 * aw.KIB


def test_more_random_bytes_than_allowed_end_the_guest(wasi: aw.Instance) -> None:
    with pytest.raises(aw.Trapped, match="65537"):
        wasi.call("random", 64 * aw.KIB + 1)


class TestSleep:
    def test_a_guest_sleeps(self, wasi: aw.Instance) -> None:
        wasi.call("sleep", 50_000_000)

        assert 0.05 <= wasi.receipt.seconds < 0.5

    def test_a_sleeping_guest_holds_no_thread(self, guest: Guest, limits: aw.Limits) -> None:
        grant = aw.Grant(environment=[])
        many = [guest("wasi").instantiate(limits=limits, grant=grant) for _ in range(100)]

        async def main() -> None:
            await asyncio.gather(*(one.call_async("sleep", 200_000_000) for one in many))

        began = time.monotonic()
        asyncio.run(main())

        assert time.monotonic() - began < 2.0  # 20 s one after another
        for one in many:
            one.close()

    @pytest.mark.parametrize("form", ["call", "call_async"])
    def test_it_ends_at_the_deadline(self, guest: Guest, limits: aw.Limits, form: str) -> None:
        short = dataclasses.replace(limits, call_seconds_max=0.2)
        instance = guest("wasi").instantiate(limits=short, grant=aw.Grant(environment=[]))

        async def awaited() -> None:
            await instance.call_async("sleep", 10**10)

        def sleep() -> None:
            if form == "call":
                instance.call("sleep", 10**10)
            else:
                asyncio.run(awaited())

        began = time.monotonic()
        with pytest.raises(aw.CallTimeout):
            sleep()

        assert 0.19 < time.monotonic() - began < 0.3
        assert instance.closed
