"""``hooks=``: what the embedder has done around the life of an actor."""

from __future__ import annotations

import asyncio
import logging
import threading
import time

import pytest
from tests.integration.actors.waiting import until

import airssys_wasm as aw

LIMITS = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=0.5)


def test_each_is_called_at_its_time(engine: aw.Engine, handler: aw.Component) -> None:
    called: list[tuple[str, str, int]] = []

    def noting(hook: str, *, is_async: bool) -> object:
        def note(event: aw.Event) -> None:
            assert event.actor == "acme/echo"
            called.append((hook, event.kind, event.incarnation))

        async def note_async(event: aw.Event) -> None:
            await asyncio.sleep(0)
            note(event)

        return note_async if is_async else note

    names = ["before_start", "after_start", "before_stop", "after_stop", "on_error", "on_restart"]

    async def main(*, is_async: bool) -> None:
        called.clear()
        hooks = aw.Hooks(**{name: noting(name, is_async=is_async) for name in names})  # type: ignore[arg-type]
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            actor = await host.spawn("acme/echo", handler, hooks=hooks)
            assert called == [("before_start", "starting", 1), ("after_start", "started", 1)]
            called.clear()
            await actor.send(b"!", codec="raw")
            await until("it is back", lambda: len(called) == 4)
            # Nobody waits for the first two, so the others may overtake them.
            told = [("on_error", "failed", 1), ("on_restart", "restarting", 1)]
            done = [("before_start", "starting", 2), ("after_start", "started", 2)]
            assert [one for one in called if one in told] == told
            assert [one for one in called if one in done] == done
            called.clear()
        assert called == [("before_stop", "stopping", 2), ("after_stop", "stopped", 2)]

    asyncio.run(main(is_async=True))
    asyncio.run(main(is_async=False))


def test_one_that_raises_or_hangs_is_logged_and_holds_up_nobody(
    engine: aw.Engine, handler: aw.Component, caplog: pytest.LogCaptureFixture
) -> None:
    release = threading.Event()

    def hang(_event: aw.Event) -> None:
        release.wait(30)

    async def deaf(_event: aw.Event) -> None:
        end = time.monotonic() + 2
        while time.monotonic() < end:
            try:
                await asyncio.sleep(0.5)
            except asyncio.CancelledError:
                continue

    def fail(_event: aw.Event) -> None:
        raise SystemExit("a hook must not end the program")

    async def cancel(_event: aw.Event) -> None:
        raise asyncio.CancelledError

    hooks = aw.Hooks(
        before_start=hang,
        after_start=deaf,
        before_stop=fail,
        after_stop=hang,
        on_error=cancel,
        on_restart=fail,
        seconds_max=0.1,
    )

    async def main() -> None:
        began = time.monotonic()
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            actor = await host.spawn("acme/echo", handler, hooks=hooks)
            other = await host.spawn("acme/other", handler)
            assert time.monotonic() - began < 2
            await actor.send(b"!", codec="raw")
            # It serves as soon as it is seated; its hook is of no concern to others.
            assert (await other.ask("x")).value == "x"
            assert (await actor.ask("x", timeout=5.0)).value == "x"
            await until("it is seated", lambda: actor.incarnation == 2)
            await asyncio.sleep(0.2)
        assert time.monotonic() - began < 5

    with caplog.at_level(logging.WARNING, "airssys_wasm.actor.hooks"):
        asyncio.run(main())
    release.set()
    said = " ".join(record.getMessage() for record in caplog.records)
    for hook in ("before_start", "after_start", "before_stop", "after_stop", "on_error"):
        assert f"hook {hook} of 'acme/echo' failed" in said


def test_hooks_that_hang_pile_up_no_threads(
    engine: aw.Engine, handler: aw.Component, caplog: pytest.LogCaptureFixture
) -> None:
    release = threading.Event()

    def hang(_event: aw.Event) -> None:
        release.wait(30)

    hooks = aw.Hooks(before_start=hang, seconds_max=0.01)
    before = threading.active_count()
    with (
        caplog.at_level(logging.WARNING, "airssys_wasm.actor.hooks"),
        aw.Host.blocking(engine=engine, limits=LIMITS) as host,
    ):
        for number in range(100):
            host.spawn(f"acme/actor{number}", handler, hooks=hooks)
        assert threading.active_count() - before <= 64 + 40
        hanging = [t for t in threading.enumerate() if t.name == "airssys-worker"]
        # And one that made the instances.
        assert 64 <= len(hanging) <= 66
        assert len(host.actors) == 100
        release.set()
        for thread in hanging:
            thread.join(8)
        actor = host.spawn("acme/later", handler, hooks=hooks)
        assert actor.ask(1).value == 1


@pytest.mark.parametrize("wrong", [{"on_error": 3}, {"seconds_max": 0}, {"seconds_max": "5"}])
def test_nonsense_is_refused_when_it_is_made(wrong: dict[str, object]) -> None:
    with pytest.raises(aw.ChildInvalid, match=next(iter(wrong))):
        aw.Hooks(**wrong)  # type: ignore[arg-type]
