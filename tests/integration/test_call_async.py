"""``call_async``: the event loop goes on while guests run and wait."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import time
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import airssys_wasm as aw

Open = Callable[..., aw.Instance]
Guest = Callable[[str], aw.Component]
API = "acme:importer/api"
ECHO = "acme:echo/api"


async def ticking(work: Awaitable[object], every: float = 0.005) -> tuple[object, int]:
    """Await ``work`` and count how often the event loop came round meanwhile."""
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(every)
            ticks += 1

    ticker = asyncio.create_task(tick())
    try:
        return await work, ticks
    finally:
        ticker.cancel()


class TestEnding:
    def test_a_short_call_is_over_when_it_returns(self, instance: aw.Instance) -> None:
        async def main() -> object:
            pending = instance.call_async(f"{ECHO}#add", 1, 2)
            assert instance.receipt.bytes_in == 8
            return await pending

        assert asyncio.run(main()) == 3

    def test_it_is_awaited_once(self, instance: aw.Instance) -> None:
        async def main() -> None:
            pending = instance.call_async(f"{ECHO}#add", 1, 2)
            assert await pending == 3
            with pytest.raises(RuntimeError, match="awaited already"):
                await pending

        asyncio.run(main())

    def test_an_argument_that_does_not_fit_is_refused_at_once(self, instance: aw.Instance) -> None:
        with pytest.raises(aw.ValueMismatch, match="arg 'left'"):
            _ = instance.call_async(f"{ECHO}#add", "1", 2)
        with pytest.raises(aw.ExportMissing):
            _ = instance.call_async("nothing")

    def test_an_err_and_a_failure_are_raised_where_it_is_awaited(
        self, instance: aw.Instance
    ) -> None:
        async def main() -> None:
            with pytest.raises(aw.ComponentError, match="by 0"):
                await instance.call_async("acme:echo/failures#divide", 1, 0)
            with pytest.raises(aw.Trapped):
                await instance.call_async("acme:echo/failures#panic", "on purpose")
            with pytest.raises(aw.InstanceClosed):
                await instance.call_async(f"{ECHO}#add", 1, 2)

        asyncio.run(main())

    @pytest.mark.parametrize("rounds", [1, 10**9])
    def test_without_an_event_loop_no_call_is_begun(
        self, guest: Guest, limits: aw.Limits, rounds: int
    ) -> None:
        with guest("busy").instantiate(limits=limits) as instance:
            with pytest.raises(RuntimeError, match="no running event loop"):
                _ = instance.call_async("count", rounds)

            assert not instance.closed
            assert instance.call("count", 1) == 1


class TestEventLoop:
    def test_a_long_guest_does_not_hold_it_up(self, guest: Guest, limits: aw.Limits) -> None:
        async def main() -> None:
            with guest("busy").instantiate(limits=limits) as instance:
                rounds, ticks = await ticking(instance.call_async("count", 3 * 10**8))
                assert rounds == 3 * 10**8
                assert ticks >= instance.receipt.seconds / 0.005 / 4

        asyncio.run(main())

    def test_a_guest_that_waits_does_not_hold_it_up(
        self, open_importer: Open, waiting: type[Any]
    ) -> None:
        instance = open_importer(waiting())

        async def main() -> None:
            answer, ticks = await ticking(instance.call_async(f"{API}#wait", 100))
            assert (answer, ticks >= 5) == (100, True)

        asyncio.run(main())

    def test_every_coroutine_of_a_call_runs_on_the_loop_that_awaits_it(
        self, open_importer: Open, waiting: type[Any]
    ) -> None:
        seen: list[asyncio.AbstractEventLoop] = []

        class Seeing(waiting):  # type: ignore[misc]
            async def add(self, left: int, right: int) -> int:
                seen.append(asyncio.get_running_loop())
                await asyncio.sleep(0.001)
                return left + right

        instance = open_importer(Seeing())

        async def main() -> asyncio.AbstractEventLoop:
            # The second call has to wait for the first, and starts elsewhere.
            await asyncio.gather(
                instance.call_async(f"{API}#call-many", 5),
                instance.call_async(f"{API}#call-many", 5),
            )
            return asyncio.get_running_loop()

        assert [asyncio.run(main())] * 10 == seen

    def test_a_sync_call_on_the_loops_thread_has_a_loop_of_its_own(
        self, open_importer: Open, waiting: type[Any]
    ) -> None:
        instance = open_importer(waiting())

        async def main() -> object:
            return instance.call(f"{API}#wait", 10)

        assert asyncio.run(main()) == 10

    def test_a_guest_in_a_sync_import_does_not_stop_the_clock_of_others(
        self, open_importer: Open, waiting: type[Any], limits: aw.Limits
    ) -> None:
        # More of them than the runtime has threads, each inside a function that
        # blocks; another instance's deadline holds all the same.
        def block(_: int) -> int:
            time.sleep(1.0)
            return 0

        blocked = [open_importer(waiting(), plain=block) for _ in range(4)]
        short = dataclasses.replace(limits, call_seconds_max=0.2)
        other = open_importer(waiting(), limits=short)

        async def main() -> float:
            calls = []
            for instance in blocked:
                # Busy at first, so that the second call starts in the runtime.
                calls.append(instance.call_async(f"{API}#wait", 5))
                calls.append(instance.call_async(f"{API}#call-plain", 1))
            await asyncio.sleep(0.1)
            began = time.monotonic()
            with pytest.raises(aw.CallTimeout):
                await other.call_async(f"{API}#wait", 10_000)
            took = time.monotonic() - began
            await asyncio.gather(*calls)
            return took

        assert asyncio.run(main()) < 0.3


class TestGather:
    def test_many_instances_wait_at_the_same_time(
        self, open_importer: Open, waiting: type[Any]
    ) -> None:
        instances = [open_importer(waiting()) for _ in range(50)]

        async def main() -> Any:
            calls = (instance.call_async(f"{API}#wait", 100) for instance in instances)
            return await asyncio.gather(*calls)

        began = time.monotonic()
        assert asyncio.run(main()) == [100] * 50
        assert time.monotonic() - began < 2.5  # 5 s one after another

    def test_calls_of_one_instance_come_one_after_another(
        self, open_importer: Open, waiting: type[Any]
    ) -> None:
        inside, most = 0, 0

        class Counting(waiting):  # type: ignore[misc]
            async def wait(self, milliseconds: int) -> int:
                nonlocal inside, most
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(milliseconds / 1000)
                inside -= 1
                return milliseconds

        instance = open_importer(Counting())

        async def main() -> Any:
            return await asyncio.gather(*(instance.call_async(f"{API}#wait", 2) for _ in range(20)))

        assert asyncio.run(main()) == [2] * 20
        assert most == 1


class TestCancelling:
    def test_it_ends_a_waiting_guest_and_closes_the_instance(
        self, open_importer: Open, waiting: type[Any]
    ) -> None:
        ended: list[str] = []

        class Watched(waiting):  # type: ignore[misc]
            async def wait(self, milliseconds: int) -> int:
                try:
                    await asyncio.sleep(milliseconds / 1000)
                except asyncio.CancelledError:
                    ended.append("cancelled")
                    raise
                return milliseconds

        instance = open_importer(Watched())

        async def main() -> None:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(instance.call_async(f"{API}#wait", 10_000), 0.05)
            await settled(lambda: instance.closed and bool(ended))

        asyncio.run(main())
        assert ended == ["cancelled"]

    def test_it_ends_a_running_guest(
        self, guest: Guest, limits: aw.Limits, engine: aw.Engine
    ) -> None:
        before = engine.live_instances

        async def main() -> None:
            instance = guest("busy").instantiate(limits=limits)
            pending = asyncio.ensure_future(instance.call_async("loop"))
            await asyncio.sleep(0.05)
            pending.cancel()
            await settled(lambda: instance.closed)
            with pytest.raises(aw.InstanceClosed, match="cut off"):
                await instance.call_async("calls")
            assert instance.receipt.seconds >= 0.04, "what it used is told all the same"

        asyncio.run(main())
        assert engine.live_instances == before

    def test_a_call_that_only_waited_its_turn_leaves_the_instance_open(
        self, open_importer: Open, waiting: type[Any]
    ) -> None:
        instance = open_importer(waiting())

        async def main() -> object:
            first = asyncio.ensure_future(instance.call_async(f"{API}#wait", 100))
            second = asyncio.ensure_future(instance.call_async(f"{API}#wait", 1))
            await asyncio.sleep(0.01)
            second.cancel()
            return await first

        assert asyncio.run(main()) == 100
        assert instance.call(f"{API}#wait", 1) == 1


class TestDeadline:
    def test_it_holds_while_the_host_sleeps_and_cancels_the_coroutine(
        self, open_importer: Open, waiting: type[Any], limits: aw.Limits
    ) -> None:
        cancelled = False

        class Sleeping(waiting):  # type: ignore[misc]
            async def wait(self, milliseconds: int) -> int:
                nonlocal cancelled
                try:
                    await asyncio.sleep(milliseconds / 1000)
                except asyncio.CancelledError:
                    cancelled = True
                    raise
                return milliseconds

        short = dataclasses.replace(limits, call_seconds_max=0.2)
        instance = open_importer(Sleeping(), limits=short)

        async def main() -> float:
            began = time.monotonic()
            with pytest.raises(aw.CallTimeout):
                await instance.call_async(f"{API}#wait", 10_000)
            took = time.monotonic() - began
            await settled(lambda: cancelled)
            return took

        assert 0.19 < asyncio.run(main()) < 0.3
        assert instance.closed

    def test_it_holds_for_a_sync_call_of_an_async_import(
        self, open_importer: Open, waiting: type[Any], limits: aw.Limits
    ) -> None:
        short = dataclasses.replace(limits, call_seconds_max=0.2)
        instance = open_importer(waiting(), limits=short)

        began = time.monotonic()
        with pytest.raises(aw.CallTimeout):
            instance.call(f"{API}#wait", 10_000)

        assert 0.19 < time.monotonic() - began < 0.3


class TestCoroutines:
    def test_a_component_error_is_the_guests_err(
        self, open_importer: Open, waiting: type[Any]
    ) -> None:
        class Failing(waiting):  # type: ignore[misc]
            async def look_up(self, key: str) -> str:
                await asyncio.sleep(0)
                raise aw.ComponentError({"key": key, "code": 7})

        instance = open_importer(Failing())

        async def main() -> None:
            with pytest.raises(aw.ComponentError) as caught:
                await instance.call_async(f"{API}#look-up", "key")
            assert caught.value.value == {"key": "key", "code": 7}

        asyncio.run(main())
        assert not instance.closed

    def test_any_other_exception_traps_and_is_chained(
        self, open_importer: Open, waiting: type[Any]
    ) -> None:
        class Failing(waiting):  # type: ignore[misc]
            async def look_up(self, key: str) -> str:
                await asyncio.sleep(0)
                raise LookupError(key)

        instance = open_importer(Failing())

        async def main() -> None:
            with pytest.raises(aw.Trapped) as caught:
                await instance.call_async(f"{API}#look-up", "key")
            assert isinstance(caught.value.__cause__, LookupError)

        asyncio.run(main())

    def test_a_loop_that_closes_meanwhile_ends_the_call(
        self, open_importer: Open, waiting: type[Any], engine: aw.Engine
    ) -> None:
        before = engine.live_instances
        instance = open_importer(waiting())

        async def main() -> None:
            # Not awaited, and not held: nobody will ever ask for it.
            _ = instance.call_async(f"{API}#wait", 300)

        with warnings.catch_warnings():
            warnings.simplefilter("error")
            asyncio.run(main())
            for _ in range(100):
                if instance.closed:
                    break
                time.sleep(0.01)
            gc.collect()

        assert instance.closed
        assert engine.live_instances == before

    def test_a_loop_closed_before_the_guest_ends_harms_nobody(
        self, guest: Guest, limits: aw.Limits
    ) -> None:
        instance = guest("busy").instantiate(limits=limits)

        async def main() -> None:
            _ = instance.call_async("count", 10**8)

        asyncio.run(main())

        assert instance.call("count", 5) == 5
        assert instance.call("calls") == 2
        instance.close()


async def settled(holds: Callable[[], bool], seconds: float = 2.0) -> None:
    """Wait until ``holds``; the runtime's threads end what was cancelled."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came to rest"
        await asyncio.sleep(0.005)


class Stubborn(asyncio.Future[object]):
    """A future that takes no result."""

    def set_result(self, _result: object, /) -> None:
        raise ValueError("not this one")


class Mixed(asyncio.SelectorEventLoop):
    """An event loop of which the first future is stubborn."""

    made = 0

    def create_future(self) -> asyncio.Future[Any]:
        self.made += 1
        return Stubborn(loop=self) if self.made == 1 else asyncio.Future(loop=self)


def test_calls_that_end_together_are_settled_each_for_itself(
    guest: Guest, limits: aw.Limits
) -> None:
    wasi = guest("wasi")
    instances = [wasi.instantiate(limits=limits, grant=aw.Grant(environment=[])) for _ in range(5)]
    loop = Mixed()

    async def main() -> list[object]:
        loop.made = 0
        pending = [instance.call_async("sleep", 20_000_000) for instance in instances]
        # All of them end while the loop is busy, and wait for it together.
        time.sleep(0.2)  # noqa: ASYNC251 - that is the point
        return await asyncio.wait_for(asyncio.gather(*pending, return_exceptions=True), 5.0)

    try:
        first, *others = loop.run_until_complete(main())
    finally:
        loop.close()
    assert isinstance(first, RuntimeError)
    assert isinstance(first.__cause__, ValueError)
    assert [isinstance(other, Exception) for other in others] == [False] * 4
